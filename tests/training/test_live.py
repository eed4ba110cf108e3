"""fit(live=True) and the progress of fit in a notebook."""

import base64
import sys
from types import SimpleNamespace

import pytest

from microgradlib import fit, nn
from microgradlib.costs import binary_cross_entropy_with_logits, squared_error
from microgradlib.data import xor
from microgradlib.plots.live import SHARE, LiveFigure
from microgradlib.training import History

PNG = b"\x89PNG\r\n"


class Notebook:
    """What a Jupyter kernel offers, with a list of all that was shown."""

    version_info = (9, 0)  # matplotlib asks for it

    def __init__(self):
        self.shown = []
        self.display = SimpleNamespace(display=self._display)

    def get_ipython(self):
        return SimpleNamespace(kernel=object())

    def _display(self, data, *, raw, display_id):
        assert raw
        assert display_id
        self.shown.append(data)
        return SimpleNamespace(update=lambda data, *, raw: self.shown.append(data))


@pytest.fixture
def notebook(monkeypatch):
    there = Notebook()
    monkeypatch.setitem(sys.modules, "IPython", there)
    return there


def train(**options):
    model = nn.MLP([2, 4, 1], activation="tanh", rng=0)
    history = fit(model, binary_cross_entropy_with_logits, *xor_rows(), epochs=20, **options)
    return model, history


def xor_rows():
    return xor().inputs, xor().targets


def test_live_shows_pictures_and_trains_the_same(notebook):
    pytest.importorskip("matplotlib")
    model, history = train(live=True, progress=False)
    pictures = [base64.b64decode(data["image/png"]) for data in notebook.shown if "image/png" in data]
    assert pictures
    assert all(picture.startswith(PNG) for picture in pictures)
    other, expected = train(progress=False)
    assert history == expected
    assert model.state_dict() == other.state_dict()


def test_drawing_takes_a_tenth_of_the_time():
    pytest.importorskip("matplotlib")
    now = [0.0]
    figure = LiveFigure(nn.MLP([2, 2, 1], rng=0), None, clock=lambda: now[0])

    def picture(history):
        now[0] += 0.7  # seconds that a picture costs
        return PNG

    figure.picture, figure.output = picture, SimpleNamespace(show=lambda data: None)
    for _ in range(10_000):
        now[0] += 0.01  # an epoch
        if figure.is_due():
            figure.draw(History(loss=[1.0]))
            assert figure.spent <= SHARE * now[0] or figure.drawn == 1
    assert figure.drawn > 10
    assert figure.spent <= SHARE * now[0]


def test_a_model_of_many_inputs_shows_the_loss_alone(notebook):
    pytest.importorskip("matplotlib")
    fit(nn.MLP([3, 1], rng=0), squared_error, [[1.0, 2.0, 3.0]], [1.0], epochs=2, live=True, progress=False)
    assert "image/png" in notebook.shown[-1]


def test_live_outside_a_notebook_is_the_progress_bar(capsys):
    train(live=True)
    assert "20" in capsys.readouterr().err


def test_live_is_true_or_false():
    with pytest.raises(TypeError, match="live"):
        train(live="yes")


def test_progress_in_a_notebook_without_widgets_is_one_output(notebook, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    _, history = train()
    out, err = capsys.readouterr()
    assert err == ""
    assert history.engine in out
    assert notebook.shown[-1]["text/plain"].startswith("epoch 20 of 20: loss ")
    assert len(notebook.shown) < 20  # not one for each of these fast epochs
