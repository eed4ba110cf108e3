"""Drawn programs: the boxes are the lines of the printed forward pass, the arrows what those lines name."""

import json
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from random_networks import Network

import microgradlib as mg
from microgradlib.compiler import compile as compiled, load_program
from microgradlib.core.value import Value
from microgradlib.errors import SavedFileError
from microgradlib.nn import GRU, LSTM, MLP, RNN, Layer, Module
from microgradlib.testing.graphs import graphs
from microgradlib.viz.boxes.diagram import Arrow, Box, Diagram, Row
from microgradlib.viz.boxes.words import words_of

NAME = re.compile(r"(?<![\w.'])[^\W\d][\w.]*")


def program_of(function, parameters, *rows):
    fast = compiled(function, parameters)
    fast(*[[row] for row in rows])
    return fast.program


def labelled(**numbers):
    return [Value(number, label=name) for name, number in numbers.items()]


def mlp():
    model = MLP(2, [16, 16, 1], rng=0)
    return program_of(lambda x, y: mg.relu(1 - y * model(x)), model.parameters(), [0.5, -1.0], 1.0)


class LastStep(Module):
    def __init__(self):
        self.lstm, self.out = LSTM(3, 4, rng=0), Layer(4, 1, "linear", rng=0)

    def __call__(self, xs):
        return self.out(self.lstm(xs)[0][-1])


def lstm():
    model = LastStep()
    return program_of(lambda xs, y: (model(xs) - y) ** 2, model.parameters(), np.ones((3, 3)).tolist(), 1.0)


def rnn():
    model = RNN(1, 2, rng=0)
    return program_of(lambda xs: model(xs)[0], model.parameters(), [[1.0], [2.0], [3.0]])


def gru():
    """The net inputs of a gate for later examples are one matrix: its columns are set, and read, one by one."""
    model = GRU(3, 2, rng=0)
    return program_of(
        lambda xs: mg.sum([v for state in model(xs)[0] for v in state]), model.parameters(), np.ones((3, 3)).tolist()
    )


def long_gru():
    """A slot of the zero before the first step has the number of a slot of ones among the batched numbers."""
    model = GRU(1, 2, rng=0)
    return program_of(lambda xs: mg.sum(list(model(xs)[0][-1])), model.parameters(), [[1.0]] * 5)


def several():
    w, u = labelled(w=0.5, u=2.0)
    return program_of(lambda x, y: (mg.tanh(w * x), x, mg.exp(u) * y, 2.5), [w, u], 1.0, 2.0)


EXAMPLES = [mlp, lstm, rnn, several]


def formula(box):
    return "".join([row.name for row in box.rows if row.kind == "code"]).replace(" ", "").removeprefix("=")


def size(box):
    [found] = [row.value for row in box.rows if row.name == "size"]
    return found


def is_leaf(box):
    return box.kind not in {"op", "output"}


def arrows_into(diagram, box):
    return [arrow for arrow in diagram.arrows if arrow.head == box.id]


def code(line, length="1"):
    return Row(line, kind="code"), Row("size", length)


def printed_lines(program):
    """Return (name, formula, size) of the printed forward pass, spaces aside; none for a return of one result."""
    [forward] = [part for part in str(program).split("\n\n") if part.startswith("# forward")]
    lines = []
    for line in forward.splitlines()[1:]:
        text, _, remark = line.rpartition("  # ")
        name, _, right = text.replace(" = ", "=", 1).partition("=" if " = " in text else " ")
        lines.append((name.strip(), right.replace(" ", ""), remark))
    names = {name for name, _, _ in lines}
    return [line for line in lines if line[0] != "return" or line[1] not in names]


def drawn_lines(diagram):
    return [(box.title, formula(box), size(box)) for box in diagram.boxes if not is_leaf(box)]


def misread(diagram):
    """Return the boxes whose arrows do not come from just the boxes that their formula names, once each."""
    ids = {box.title: box.id for box in reversed(diagram.boxes)}
    wrong = []
    for box in diagram.boxes:
        named = {ids[name] for name in NAME.findall(formula(box).replace(".T", "")) if name in ids}
        tails = [arrow.tail for arrow in arrows_into(diagram, box)]
        if not is_leaf(box) and ("…" in formula(box) or Counter(tails) != Counter(named)):
            wrong.append(box.id)
    return wrong


def test_a_line_box_by_box():
    [w], captured = labelled(w=2.0), Value(3.0)

    def loss(x, y):
        gain = mg.tanh(captured * w)
        return (gain * x - y) ** 2 * gain

    diagram = program_of(loss, [w], 1.0, 5.0).draw().diagram
    one, name = Row("size", "1"), {box.id: box.title for box in diagram.boxes}
    assert sorted([replace(box, id=box.title) for box in diagram.boxes], key=lambda box: box.id) == [
        Box("J", "output", "J", rows=code("= t1 * (t1 * x - y)**2"), output=True),
        Box("captured", "constant", "captured", rows=(one,), note="captured"),
        Box("t1", "op", "t1", rows=code("= tanh(captured * w)"), note="once for all"),
        Box("w", "parameter", "w", rows=(one,), note="parameter"),
        Box("x", "input", "x", rows=(one,), note="argument"),
        Box("y", "input", "y", rows=(one,), note="argument"),
    ]
    arrows = [("captured", "t1"), ("t1", "J"), ("w", "t1"), ("x", "J"), ("y", "J")]
    assert sorted([(name[arrow.tail], name[arrow.head]) for arrow in diagram.arrows]) == arrows
    assert diagram.captions


def test_an_mlp_layer_by_layer():
    boxes = {box.title: box for box in mlp().draw().diagram.boxes}
    assert boxes["h1"].rows == code("= relu(layers.0.w @ x + layers.0.b)", "16")
    assert {name: size(box) for name, box in boxes.items() if is_leaf(box)} == {
        "x": "2", "y": "1", "layers.0.w": "16 × 2", "layers.0.b": "16", "layers.1.w": "16 × 16", "layers.1.b": "16",
        "layers.2.w": "1 × 16", "layers.2.b": "1",
    }  # fmt: skip
    assert {name for name, box in boxes.items() if box.note == "argument"} == {"x", "y"}
    assert [name for name, box in boxes.items() if box.kind == "op"] == ["h1", "h2", "a3"]
    assert [name for name, box in boxes.items() if box.kind == "output"] == ["J"]


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_box_for_each_printed_line_and_an_arrow_for_each_name_in_it(example):
    program = example()
    diagram = program.draw().diagram
    assert drawn_lines(diagram) == printed_lines(program)
    assert misread(diagram) == []
    assert [box.id for box in diagram.boxes] == [f"n{place}" for place in range(len(diagram.boxes))]
    assert len({box.title for box in diagram.boxes}) == len(diagram.boxes)
    assert all(int(arrow.tail[1:]) < int(arrow.head[1:]) for arrow in diagram.arrows)


def test_the_checkers_see_a_wrong_arrow_and_a_wrong_line():
    program = mlp()
    right = program.draw().diagram
    assert misread(Diagram(right.boxes, right.arrows[1:])) == ["n3"]
    assert misread(Diagram(right.boxes, (*right.arrows, right.arrows[0]))) == ["n3"]
    assert misread(Diagram(right.boxes, (*right.arrows[1:], Arrow("n10", "n3")))) == ["n3"]
    wrong = replace(right.boxes[3], rows=code("= relu(layers.0.w @ x - layers.0.b)", "16"))
    assert drawn_lines(Diagram((wrong, *right.boxes[4:]), ())) != printed_lines(program)


def backward_lines(program):
    """Return (target, sign, formula) of the printed backward pass, spaces aside."""
    [backward] = [part for part in str(program).split("\n\n") if part.startswith("# backward")]
    lines = [line.rpartition("  # ")[0] for line in backward.splitlines() if not line.startswith("#")]
    return [re.fullmatch(r"(.+?)(\+?=)(.+)", line.replace(" ", "")).groups() for line in lines]


def misdrawn(program, diagram):
    """Return the boxes of cotangents that do not hold the printed lines which set them, and those that are missing."""
    expected = {}
    for target, sign, text in backward_lines(program):
        for name in dict.fromkeys(re.findall(r"[g∇][\w.]+", target)):
            line = f"{sign}{text}" if target == name else f"{target}{sign}{text}"
            expected[name] = expected.get(name, "") + line
    found = {}
    for box in diagram.boxes:
        if box.title in expected or box.title.startswith(("g_", "∇")):
            own = "".join([row.name for row in box.rows if row.kind == "code"]).replace(" ", "")
            found[box.title] = found.get(box.title, "") + own
    return [name for name in {**expected, **found} if expected.get(name) != found.get(name)]


@pytest.mark.parametrize("example", [mlp, lstm, gru, long_gru])
def test_the_backward_pass_is_drawn_as_it_is_printed(example):
    program = example()
    forward, both = program.draw().diagram, program.draw(backward=True).diagram
    assert both.boxes[: len(forward.boxes)] == forward.boxes
    assert misdrawn(program, both) == []
    assert all(int(arrow.tail[1:]) < int(arrow.head[1:]) for arrow in both.arrows)
    titles = {box.id: box.title for box in both.boxes}
    arrows = {(titles[arrow.tail], titles[arrow.head]) for arrow in both.arrows}
    if example is mlp:
        assert {("g_a3", "∇layers.2.w"), ("h2", "∇layers.2.w"), ("h1", "g_a1"), ("g_h1", "g_a1")} <= arrows
        assert [box.title for box in both.boxes if box.note == "mean over the batch"] == [
            f"∇layers.{k}.{letter}" for k in (2, 1, 0) for letter in "bw"
        ]
    assert not [head for tail, head in arrows if tail.startswith("∇")]


def test_the_checker_sees_a_wrong_line_and_a_box_that_is_missing():
    program = mlp()
    right = program.draw(backward=True).diagram
    [place] = [i for i, box in enumerate(right.boxes) if box.title == "g_a1"]
    rest = (*right.boxes[:place], *right.boxes[place + 1 :])
    assert misdrawn(program, Diagram(rest, ())) == ["g_a1"]
    wrong = replace(right.boxes[place], rows=code("= g_h1 * relu'(a2)", "16"))
    assert misdrawn(program, Diagram((*rest, wrong), ())) == ["g_a1"]


@settings(deadline=None)
@given(graphs(), st.integers(0, 3))
def test_every_program_can_be_drawn(graph, count):
    w = [Value(number) for number in graph.inputs[: min(count, len(graph.names) - 1)]]
    program = program_of(lambda *xs: graph(*w, *xs), w, *graph.inputs[len(w) :])
    diagram = program.draw(max_nodes=1000).diagram
    assert drawn_lines(diagram) == printed_lines(program)
    assert [box.id for box in diagram.boxes if box.kind == "output"] == [diagram.boxes[-1].id]
    both = program.draw(backward=True, max_nodes=1000).diagram
    assert both.boxes[: len(diagram.boxes)] == diagram.boxes
    assert all(int(arrow.tail[1:]) < int(arrow.head[1:]) for arrow in both.arrows)


def test_parameters_that_only_the_backward_pass_reads_by_their_name_have_a_box():
    """The forward pass reads them in a stack."""
    network = Network(5228, depth=9)
    row = np.zeros((network.rows, network.width)).tolist()
    program = program_of(network, network.parameters, *[row] * network.arguments)
    diagram = program.draw(backward=True, max_nodes=1000).diagram
    assert all(int(arrow.tail[1:]) < int(arrow.head[1:]) for arrow in diagram.arrows)


def test_what_is_returned_is_gathered_in_one_box_where_it_is_not_one_result():
    diagram = several().draw().diagram
    assert drawn_lines(diagram)[-1] == ("return", "[J,x,p1,2.5]", "4")
    assert [box.title for box in diagram.boxes if box.kind == "output"] == ["return"]
    assert "output" not in {box.kind for box in rnn().draw().diagram.boxes if box.title.startswith("h")}
    model = MLP(2, [3], activation="tanh", rng=0)
    alone = program_of(lambda x: model(x), model.parameters(), [1.0, 2.0]).draw().diagram
    assert [box.title for box in alone.boxes if box.kind == "output"] == [alone.boxes[-1].title] != ["return"]


@pytest.mark.parametrize(
    ("function", "texts"),
    [
        (lambda w, x: x, ["x  (argument)  size 1", "return  = x  size 1"]),
        (lambda w, x: w, ["w  (parameter)  size 1", "return  (once for all)  = w  size 1"]),
        (lambda w, x: 2.5, ["return  (once for all)  = 2.5  size 1"]),
    ],
)
def test_nothing_to_compute(function, texts):
    [w] = labelled(w=1.0)
    diagram = program_of(lambda x: function(w, x), [w], 1.0).draw().diagram
    assert [words_of(box) for box in diagram.boxes] == texts


def test_a_parameter_called_return():
    [w] = labelled(**{"return": 1.0})
    diagram = program_of(lambda x: [x, mg.tanh(w * x)], [w], 1.0).draw().diagram
    [line] = [box for box in diagram.boxes if "tanh" in formula(box)]
    [leaf] = [box for box in diagram.boxes if box.title == "return" and is_leaf(box)]
    assert leaf.id in [arrow.tail for arrow in arrows_into(diagram, line)]


def test_parameters_without_names_are_called_by_what_they_do():
    w, b = [Value(1.0), Value(2.0)], Value(0.5)
    program = program_of(lambda x: mg.tanh(mg.dot(w, x) + b), [*w, b], [1.0, 2.0])
    assert program.parameter_names == ()
    assert [box.title for box in program.draw().diagram.boxes] == ["W1", "x", "b1", "J"]
    assert misread(program.draw().diagram) == []


def test_names_that_do_not_fit_are_no_obstacle():
    program = mlp()
    fewer = replace(program, parameter_names=program.parameter_names[:-1], arguments=(("z", (7,)),))
    notes = {box.title: box.note for box in fewer.draw().diagram.boxes}
    assert notes["captured"] == "captured"
    assert notes["x"] == "argument"
    assert len(fewer.draw().diagram.boxes) == 11  # x and y are one


def test_a_saved_and_loaded_program_is_drawn_too(tmp_path):
    model = MLP(2, [16, 1], rng=0)
    fast = compiled(lambda x, y: mg.relu(1 - y * model(x)), model.parameters())
    fast([[0.5, -1.0]], [1.0])
    loaded = load_program(fast.save(tmp_path / "program.json")).program
    diagram = loaded.draw().diagram
    assert drawn_lines(diagram) == printed_lines(loaded)
    assert misread(diagram) == []
    assert [size(box) for box in diagram.boxes if box.note == "parameter"] == ["16 × 2", "16", "1 × 16", "1"]


def test_of_a_damaged_file_there_is_nothing_to_draw(tmp_path):
    [w] = labelled(w=2.0)
    fast = compiled(lambda x: mg.tanh(mg.exp(w * x) + x), [w])
    fast([1.0])
    path = fast.save(tmp_path / "program.json")
    content = json.loads(path.read_text(encoding="utf-8"))
    for place in range(len(content["instructions"])):
        rest = content["instructions"][:place] + content["instructions"][place + 1 :]
        path.write_text(json.dumps({**content, "instructions": rest}), encoding="utf-8")
        with pytest.raises(SavedFileError, match="damaged"):
            load_program(path)
