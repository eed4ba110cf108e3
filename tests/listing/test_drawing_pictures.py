"""Pictures of programs: what they refuse, how their texts are set, the same every time, shown by themselves."""

from xml.etree import ElementTree as ET

import pytest
from hash_seeds import outputs_by_hash_seed

import microgradlib as mg
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.program import MAX_BOXES
from microgradlib.errors import GraphTooLargeError
from microgradlib.listing.drawing import LONGEST, MOST_LINES, wrapped
from microgradlib.nn import LSTM, MLP, RNN
from microgradlib.viz import Drawing


def mlp():
    model = MLP(2, [16, 16, 1], rng=0)
    fast = compiled(lambda x, y: mg.relu(1 - y * model(x)), model.parameters())
    fast([[0.5, -1.0]], [1.0])
    return fast.program


def rnn(steps):
    model = RNN(1, 2, rng=0)
    fast = compiled(lambda xs: mg.sum(model(xs)[0][-1]), model.parameters())
    fast([[[1.0]] * steps])
    return fast.program


def lstm():
    model = LSTM(2, 3, rng=0)
    fast = compiled(lambda xs: model(xs)[0], model.parameters())
    fast([[[1.0, 2.0]] * 3])
    return fast.program


def test_too_many_boxes_are_refused_with_count_limit_and_remedies():
    program = rnn(MAX_BOXES + 1)
    message = r"has 205 boxes .* at most 200\..*fewer layers.*draw\(max_nodes=205\).*print\(program\)"
    with pytest.raises(GraphTooLargeError, match=message):
        program.draw()
    with pytest.raises(GraphTooLargeError, match="at most 204"):
        program.draw(max_nodes=204)
    assert len(program.draw(max_nodes=205).diagram.boxes) == 205


def test_a_bad_limit_and_an_unknown_engine_are_refused():
    program = mlp()
    with pytest.raises(ValueError, match="max_nodes must be a whole number >= 1, got 0; write max_nodes=200"):
        program.draw(max_nodes=0)
    with pytest.raises(ValueError, match="engine must be 'own'"):
        program.draw(engine="neato")


def test_long_formulas_are_wrapped_before_their_operators_and_cut_at_last():
    assert wrapped("") == []
    assert wrapped("= a * b") == ["= a * b"]
    long = " + ".join([f"layers.{i}.b * h{i}" for i in range(10)])
    assert " ".join(wrapped(f"+= {long}")) == f"+= {long}"
    assert all(line.startswith("+ ") for line in wrapped(f"= {long}")[1:])
    assert wrapped("= f([" + ", ".join(["xs[1:3, 0]"] * 4) + "])")[1] == "xs[1:3, 0], xs[1:3, 0]])"
    for text in (" - ".join([long] * 9), "w" * 999, "f(" + ", ".join(["xyz"] * 999) + ")"):
        assert len(wrapped(text)) == MOST_LINES
        assert max(map(len, wrapped(text))) <= LONGEST
        assert wrapped(text)[-1].endswith("…")


@pytest.mark.parametrize("example", [mlp, lstm, lambda: rnn(5)])
def test_every_text_lies_inside_its_box(example):
    """Of the picture itself: fixed-pitch letters are 0.6 of their size wide, the others at most as wide as high."""
    space = "{http://www.w3.org/2000/svg}"
    for group in ET.fromstring(example().draw().svg).iter(f"{space}g"):  # noqa: S314  our own text
        frame = group.find(f"{space}rect")
        if frame is None:
            continue
        left, width = float(frame.get("x")), float(frame.get("width"))
        top, height = float(frame.get("y")) - 2, float(frame.get("height"))  # the first rectangle is the shadow
        for text in group.iter(f"{space}text"):
            x, y, words = float(text.get("x")), float(text.get("y")), text.text
            long = 0.6 * float(text.get("font-size")) * len(words)
            start = x - long if text.get("text-anchor") == "end" else x
            assert left < start < start + long < left + width
            assert top < y < top + height


def test_the_drawing_does_not_depend_on_the_hash_seed():
    script = (
        "import microgradlib as mg; from microgradlib.nn import LSTM; m = LSTM(2, 3, rng=0);"
        "fast = mg.compile(lambda xs: mg.sum(m(xs)[0][-1]), m.parameters()); fast([[[1.0, 2.0]] * 3]);"
        "print(fast.program.draw().text, fast.program.draw().svg)"
    )
    pictures = outputs_by_hash_seed(script, 0, 1, 2)
    assert len(pictures) == 1


def test_a_notebook_shows_the_drawing_and_of_the_program_the_text():
    program = mlp()
    drawing = program.draw()
    assert isinstance(drawing, Drawing)
    assert drawing._repr_mimebundle_(exclude=["text/html"]) == {
        "image/svg+xml": drawing.svg,
        "text/plain": drawing.text,
    }
    assert not [name for name in ("_repr_mimebundle_", "_repr_svg_") if hasattr(program, name)]
    shown = []
    program._repr_pretty_(type("Printer", (), {"text": shown.append}), cycle=False)
    assert shown == [str(program)]
