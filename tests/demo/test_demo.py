"""Demos: accuracy, gradient check, drawings, report."""

import io
import random
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from microgradlib.demo import PROBLEMS, gradient_check, show
from microgradlib.demo.gradient_check import largest_difference
from microgradlib.nn import MLP
from microgradlib.numeric.differences import numeric_gradient

SVG = "{http://www.w3.org/2000/svg}"


def words_in(path: Path) -> str:
    root = ET.parse(path).getroot()  # noqa: S314 - our own file
    assert root.tag == f"{SVG}svg"
    return " ".join(root.itertext())


@pytest.mark.parametrize("seed", range(3))
def test_iris_is_learnt(tmp_path: Path, seed: int) -> None:
    outcome = show("iris", out=tmp_path, seed=seed, stream=io.StringIO())
    assert outcome.evaluated == 30
    assert outcome.correct >= 28
    assert outcome.losses[-1] < 0.1 < outcome.losses[0]
    assert outcome.largest_difference < 1e-8


def test_xor_is_learnt(tmp_path: Path) -> None:
    outcome = show("xor", out=tmp_path, stream=io.StringIO())
    assert (outcome.correct, outcome.evaluated) == (4, 4)
    assert outcome.losses[-1] < 0.02
    assert outcome.largest_difference < 1e-8


def test_moons_are_learnt(tmp_path: Path) -> None:
    outcome = show("moons", out=tmp_path, stream=io.StringIO())
    assert outcome.evaluated == 50
    assert outcome.correct >= 48
    assert outcome.largest_difference < 1e-8


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 13))
@pytest.mark.parametrize(("name", "share"), [("iris", 0.93), ("xor", 1.0), ("moons", 0.95)])
def test_other_seeds_reach_the_accuracy(tmp_path: Path, name: str, share: float, seed: int) -> None:
    outcome = show(name, out=tmp_path, seed=seed, stream=io.StringIO())
    assert outcome.correct >= share * outcome.evaluated


@pytest.fixture(scope="module")
def iris_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the files of a short demo."""
    folder = tmp_path_factory.mktemp("iris")
    outcome = show("iris", out=folder, epochs=2, stream=io.StringIO())
    assert (outcome.neuron_file, outcome.curve_file) == (folder / "iris-neuron.svg", folder / "iris-training.svg")
    return folder


def test_the_neuron_is_drawn_with_names_numbers_and_gradients(iris_files: Path) -> None:
    words = words_in(iris_files / "iris-neuron.svg")
    for name in ("petal length", "weight of petal length", "bias", "neuron", "tanh", "value", "gradient", "×"):
        assert name in words
    assert "∂" in words


def test_the_curve_shows_both_losses(iris_files: Path) -> None:
    words = words_in(iris_files / "iris-training.svg")
    for name in ("Learning iris", "training", "held out", "epoch", "mean loss (nats)"):
        assert name in words


def test_the_same_seed_gives_the_same_files_and_numbers(tmp_path: Path) -> None:
    first, second = (show("moons", out=tmp_path, seed=4, epochs=2, stream=io.StringIO()) for _ in range(2))
    assert first == second
    other = show("moons", out=tmp_path, seed=5, epochs=2, stream=io.StringIO())
    assert other.losses != first.losses


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_one_line_on_a_terminal_and_few_elsewhere(tmp_path: Path) -> None:
    terminal, log = Terminal(), io.StringIO()
    for stream in (terminal, log):
        show("xor", out=tmp_path, epochs=40, stream=stream)
    assert terminal.getvalue().count("\r") == 41
    assert [line.count("epoch") for line in terminal.getvalue().split("\n")].count(41) == 1
    assert "\r" not in log.getvalue()
    assert log.getvalue().count("epoch ") == 6
    assert "epoch 40 of 40" in log.getvalue()


def test_the_report_names_the_files_and_the_numbers(tmp_path: Path) -> None:
    log = io.StringIO()
    outcome = show("xor", out=tmp_path, epochs=3, stream=log)
    text = log.getvalue()
    assert f"final loss: {outcome.losses[-1]:.4f} in training" in text
    assert f"accuracy: {outcome.correct} of 4" in text
    assert f"at most {outcome.largest_difference:.1e}" in text
    assert str(outcome.neuron_file) in text
    assert str(outcome.curve_file) in text


def test_unknown_demos_and_zero_epochs_raise(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no demo 'mnist'; .*known: iris, xor, moons"):
        show("mnist", out=tmp_path)
    with pytest.raises(ValueError, match="epochs must be a whole number >= 1, got 0"):
        show("xor", out=tmp_path, epochs=0)


def test_the_gradient_check_detects_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    cost, (train, _) = PROBLEMS["xor"].cost, PROBLEMS["xor"].load(random.Random(0))
    model = MLP([2, 3, 1], activation="tanh", rng=1)
    before = [p.data for p in model.parameters()]
    assert largest_difference(model, cost, train.inputs[1], 1) < 1e-8
    assert [p.data for p in model.parameters()] == before
    monkeypatch.setattr(gradient_check, "numeric_gradient", lambda f, xs: [1.01 * g for g in numeric_gradient(f, xs)])
    assert largest_difference(model, cost, train.inputs[1], 1) > 1e-4
