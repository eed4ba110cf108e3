"""The printed program at its edges: captured Values, several outputs, nothing to compute, one's own ops and names."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from printed_program import HOLE

import microgradlib as mg
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.core.value import Value
from microgradlib.listing import written
from microgradlib.listing.drawing import diagram_of
from microgradlib.nn import MLP
from microgradlib.source.text import to_source
from microgradlib.testing.graphs import graphs


def program_of(function, parameters, names, **shapes):
    rows = [np.zeros(shape).tolist() for shape in shapes.values()]
    program = vectorize(canonicalize(trace(function, rows, parameters)))
    return replace(program, parameter_names=tuple(names), arguments=tuple(shapes.items()))


def printed(function, parameters, names, **shapes):
    return written(reverse(program_of(function, parameters, names, **shapes)))


def test_values_that_are_captured_get_no_gradient():
    w, fixed = Value(2.0), Value(3.0)
    text = printed(lambda x: (w * x + fixed) ** 2, [w], ["w"], x=())
    assert "captured" in text
    assert "∇w = " in text
    assert "∇captured" not in text


def test_several_outputs():
    w = [Value(1.0), Value(2.0)]
    two = printed(lambda x: [mg.tanh(w[0] * x), w[1] * x], w, ["w.0", "w.1"], x=())
    assert "return [" in two
    assert "backward" not in two
    first = printed(lambda x: (mg.tanh(w[0] * x), w[1] * x), w, ["w.0", "w.1"], x=())
    assert "return [J, " in first
    assert "g_p1[0] = tanh'(p1[0]) " in first
    assert "g_p1[1]" not in first


@pytest.mark.parametrize(
    ("function", "line"),
    [
        (lambda w, x: x, "return x"),
        (lambda w, x: w, "return w"),
        (lambda w, x: 2.5 + 0 * 1, "return 2.5"),
    ],
)
def test_nothing_to_compute(function, line):
    w = Value(1.0)
    text = printed(lambda x: function(w, x), [w], ["w"], x=())
    assert text.splitlines()[1].partition("  #")[0] == line
    assert ("∇w = 1" in text) == (line == "return w")


def test_an_op_of_ones_own(temporary_op):
    swish = temporary_op(
        "boost",
        value=lambda xp, x, y: x * xp.sigmoid(y),
        derivatives=[lambda xp, z, x, y: xp.sigmoid(y), lambda xp, z, x, y: z * xp.sigmoid(-y)],
        formula="x σ(y), derivatives σ(y) and x σ(y) σ(−y)",
    )
    w = Value(1.0)
    text = printed(lambda x: mg.tanh(swish(w, x)) * swish(w, x), [w], ["w"], x=())
    assert "u1 = boost(w, x) " in text
    assert "∇w = g_u1 * boost'₁(w, x) " in text


def test_names_that_are_taken():
    a, j = Value(1.0), Value(2.0)
    text = printed(lambda x: mg.tanh(a * x + j * x) - x, [a, j], ["a1", "J"], x=())
    assert re.findall(r"^(\w+) = ", text, re.MULTILINE) == ["W1", "L1", "g_a2"]
    assert "g_v is ∂L1/∂v" in text


def test_shapes_that_do_not_fit_are_left_out():
    w = Value(1.0)
    program = program_of(lambda x: w * x[0] * x[1], [w], ["w"], x=(2,))
    assert "(x: 2)" in written(replace(program, arguments=(("z", (7,)),)))


JACOBIAN = """\
# backward: from the cotangents g of what is returned to those of the arguments
# a1 is what tanh takes in the line of h1
g_h1 = layers.1.w.T @ g_a2              # 3
g_a1 = g_h1 * tanh'(a1)                 # 3
g_x = layers.0.w.T @ g_a1               # 2"""


def test_rows_of_a_jacobian():
    model = MLP(2, [3, 2], activation="tanh", rng=0)
    names, parameters = zip(*model.named_parameters())
    program = program_of(model, parameters, names, x=(2,))
    assert written(reverse(program, wrt="inputs")).endswith(JACOBIAN)
    assert "backward" not in written(reverse(program))


def test_what_is_differentiated_twice_is_listed_instruction_by_instruction():
    w = Value(1.0)
    joint = reverse(reverse(program_of(lambda x: mg.tanh(w * x), [w], ["w"], x=())))
    assert written(joint) == joint.listing()
    with pytest.raises(ValueError, match="differentiated twice"):
        diagram_of(joint, max_nodes=100)


def test_a_mean_of_parts_of_a_matrix_has_a_name():
    """Each cotangent is divided once, before it is spread over the terms, where these are in no row or column."""
    w = [Value(0.1 * i) for i in range(6)]
    xs = [[0, 1, 5], [2, 4, 3]]
    program = reverse(
        program_of(
            lambda x: mg.sum([mg.tanh(mg.mean([mg.exp(w[i] * x) for i in group])) for group in xs]),
            w, [f"w.{i}" for i in range(6)], x=(),
        )
    )  # fmt: skip
    text, boxes = written(program), diagram_of(program, max_nodes=100, backward=True).boxes
    assert {box.title: box.note for box in boxes if "over" in box.note or box.title == "g"} == {
        "g": "", "∇w": "mean over the batch",
    }  # fmt: skip
    assert re.search(r"^g = 0\.333\d+ \* tanh'\(mean\(.* 3 each\)\) +# 2$", text, re.MULTILINE)
    assert re.search(r"^∇w = g\[…\] \* e1 \* x +# 6$", text, re.MULTILINE)


def test_many_names_are_not_all_listed():
    w = [Value(0.1 * i) for i in range(100)]
    text = printed(lambda x: mg.sum([mg.tanh(v * x) for v in w]), w, [f"w{i}" for i in range(100)], x=())
    assert "W1 = {w0; w1; …; w99} " in text


def test_no_parameters():
    text = printed(lambda x: mg.tanh(x), [], [], x=())
    assert text == "# forward, for each example (x: 1)\nJ = tanh(x)  # 1"


@settings(deadline=None)
@given(graphs(), st.integers(0, 3))
def test_every_program_can_be_written(graph, count):
    count = min(count, len(graph.names))
    w = [Value(number) for number in graph.inputs[:count]]
    arguments = dict.fromkeys(graph.names[count:], ())
    for names in ([], [f"w.{i}" for i in range(count)], ["w"] * count, [""] * count):
        program = reverse(program_of(lambda *xs: graph(*w, *xs), w, names, **arguments))
        text = written(program)
        assert text == written(program)
        boxes = diagram_of(program, max_nodes=1000, backward=True).boxes
        assert boxes
        formulas = [text, *["".join([row.name for row in box.rows if row.kind == "code"]) for box in boxes]]
        assert not any(map(HOLE.search, formulas))


ANY_TEXT = st.text(max_size=6) | st.sampled_from(
    ["", "_", "*", "a b", "J = 3", "½", "൰", "\ud800", "\x00", "\n", "\u202e", "[0]", "w.T", "w.flat", "1", "w..1",
     "<b>", '"', "# x", "∇w", "…", "v10", "captured.0"]
)  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(ANY_TEXT, ANY_TEXT)
def test_any_name_is_written_as_one_of_its_own(one, other):
    """Names of parameters are any text, as a dict of a model has any keys: in formulas they are names, and apart."""
    w = [Value(0.5), Value(-1.0)]
    program = reverse(program_of(lambda x: w[0] * x + mg.exp(w[1]), w, (one, other), x=()))
    text = written(program)
    line = re.fullmatch(r"J = exp\((?P<b>\S+)\) \+ (?P<a>\S+) \* x +# 1", text.splitlines()[1])
    assert line, text
    assert line["a"] != line["b"]
    for name in (line["a"], line["b"]):
        parts = re.sub(r"\[\d+\]$", "", name).split(".")
        assert all(part.isidentifier() or (k and part.isdecimal()) for k, part in enumerate(parts)), name
        assert "_" not in parts
    for framework in ("numpy", "torch", "jax"):
        compile(to_source(program, framework), "written", "exec")


def test_names_that_would_be_read_as_something_else():
    w = [Value(0.5), Value(-1.0)]
    text = printed(lambda x: w[0] * x + mg.exp(w[1]), w, ("", "softmax.T"), x=())
    assert text.splitlines()[1].split("  ")[0] == "J = exp(softmax.T_) + θ * x"
    assert re.search(r"^∇softmax\.T_ = exp\(softmax\.T_\) ", text, re.MULTILINE)
    assert re.search(r"^∇θ = x ", text, re.MULTILINE)


def test_a_sum_of_matrices_of_different_shapes_is_one_of_vectors():
    w = [Value(0.5), Value(-1.0)]

    def cell(v, x, y):
        return -mg.dot([mg.exp(v)], [v], mg.square(y)) + -mg.dot([v * v], [x])

    text = printed(
        lambda x, y: mg.sum([cell(v, x[j], y[j]) for j in range(3) for v in w]), w, ("w.0", "w.1"), x=(3,), y=(3,)
    )
    assert re.search(r"^J = sum\(\[d1\.flat, d2\.flat\]\) ", text, re.MULTILINE), text
