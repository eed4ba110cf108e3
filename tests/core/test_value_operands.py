"""Operands of a Value: ints to NumPy arrays are accepted, anything else raises with advice."""

import math
import operator
from fractions import Fraction

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, grad, grad_table
from microgradlib.ops import ZERO

INF = math.inf

NUMBERS = [
    3, -2, True, False, 0.5, Fraction(1, 4), np.float64(0.3), np.float32(0.1), np.float16(0.1), np.int64(-3),
    np.int8(7), np.uint8(200), np.bool_(True), np.array(1.5), np.array([1.5]), 10**30,
]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS, ids=repr)
def test_numbers_become_floats(number):
    data = Value(number).data
    assert type(data) is float
    assert data == float(number if not isinstance(number, np.ndarray) else number.item())
    v = Value(1.0)
    v.data = number
    assert type(v.data) is float
    assert v.data == data


@pytest.mark.parametrize("number", [n for n in NUMBERS if not isinstance(n, np.ndarray)], ids=repr)
@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
def test_numbers_on_both_sides(op, number):
    for left, right in ((Value(2.5), number), (number, Value(2.5))):
        out = op(left, right)
        plain = [x.data if isinstance(x, Value) else float(x) for x in (left, right)]
        assert type(out) is Value
        assert type(out.data) is float
        assert all(type(local) is float or local is ZERO for local in out.local_derivatives)
        try:
            expected = op(*plain)
        except ArithmeticError:
            expected = INF
        assert isinstance(expected, complex) or out.data == expected


@pytest.mark.parametrize("op", [operator.lt, operator.le, operator.gt, operator.ge])
@pytest.mark.parametrize("number", [2, 3.0, Fraction(5, 2), np.float32(2.5), np.int64(3), Value(2.5)], ids=repr)
def test_order_comparisons_compare_data(op, number):
    plain = number.data if isinstance(number, Value) else number
    assert op(Value(2.5), number) == op(2.5, plain)
    assert op(number, Value(2.5)) == op(plain, 2.5)


REFUSED = [
    (1 + 2j, "complex"), ("3", "float"), (b"3", "float"), ([1.0], "each element"), ((1.0, 2.0), "each element"),
    ({}, "each element"), (None, "got None;"), (np.array([1.0, 2.0]), "each element"), (np.complex128(1j), "real"),
    (np.array([]), "each element"), (object(), "object"),
]  # fmt: skip


@pytest.mark.parametrize(("thing", "advice"), REFUSED, ids=lambda x: repr(x)[:20])
def test_non_numbers_raise_with_advice(thing, advice):
    with pytest.raises(TypeError, match=advice) as caught:
        Value(thing)
    assert thing is None or type(thing).__name__.removesuffix("128") in str(caught.value)
    v = Value(1.0)
    with pytest.raises(TypeError, match=advice):
        v.data = thing
    assert v.data == 1.0


def test_a_value_as_data_raises():
    with pytest.raises(TypeError, match="detach"):
        Value(Value(1.0))


@pytest.mark.parametrize("thing", [1 + 2j, "3", [1.0], None, {}, object()], ids=lambda x: repr(x)[:20])
@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
@pytest.mark.parametrize("node", [Value(2.0), Symbol("s")], ids=["value", "symbol"])
def test_operators_reject_non_numbers(op, thing, node):
    with pytest.raises(TypeError):
        op(node, thing)
    with pytest.raises(TypeError):
        op(thing, node)


@pytest.mark.parametrize("function", [mg.exp, mg.relu, mg.sigmoid, mg.log])
@pytest.mark.parametrize("thing", [1 + 2j, "3", [1.0], None])
def test_functions_reject_non_numbers(function, thing):
    with pytest.raises(TypeError, match="expected a real number"):
        function(thing)


@pytest.mark.parametrize(
    "make",
    [
        lambda n: Value(n), lambda n: Value(1.0) + n, lambda n: n + Value(1.0), lambda n: Value(1.0) * n,
        lambda n: n * Value(1.0), lambda n: Value(1.0) - n, lambda n: Value(1.0) ** n, lambda n: n ** Value(1.0),
        lambda n: mg.exp(n), lambda n: Value(1.0) < n, lambda n: Symbol("s") + n,
    ],
)  # fmt: skip
def test_numbers_beyond_floats_overflow_with_advice(make):
    with pytest.raises(OverflowError, match=r"float\('inf'\)"):
        make(10**400)


# NumPy


@pytest.mark.parametrize("op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow])
def test_arrays_and_values_combine_elementwise(op):
    numbers = np.array([[1.0, 2.0], [3.0, 4.0]])
    v = Value(1.5)
    for out, plain in ((op(numbers, v), op(numbers, 1.5)), (op(v, numbers), op(1.5, numbers))):
        assert out.dtype == object
        assert out.shape == (2, 2)
        assert all(isinstance(x, Value) for x in out.flat)
        assert np.allclose(np.vectorize(lambda x: x.data)(out), plain, rtol=1e-15)
        total = mg.sum(out.flat)
        assert grad_table(total)[v] != 0.0


def test_functions_accept_arrays():
    assert mg.tanh(np.array([0.0, 1.0])).tolist() == [0.0, math.tanh(1.0)]
    assert mg.tanh(np.array([0.0, 1.0])).dtype == float
    out = mg.maximum(Value(0.5), np.array([0.0, 1.0]))
    assert [x.data for x in out] == [0.5, 1.0]
    symbolic = np.array([1.0, 2.0]) * Symbol("s")
    assert all(isinstance(x, Symbol) for x in symbolic)


def test_float32_is_widened_once():
    x = Value(np.float32(0.1))
    assert x.data == float(np.float32(0.1)) != 0.1
    assert (x ** np.float32(2.0)).data == x.data**2


def test_operators_of_an_unknown_class_are_used():
    class Metres:
        def __radd__(self, other):
            return "metres"

        __rmul__ = __rpow__ = __rtruediv__ = __rsub__ = __radd__

    v = Value(1.0)
    assert [v + Metres(), v * Metres(), v - Metres(), v / Metres(), v ** Metres()] == ["metres"] * 5


class Interval:
    """A foreign node class, which builds nodes for the ops of the table without computing them."""

    def __init__(self, op):
        self.op = op

    @staticmethod
    def __apply_op__(op, _inputs):
        return Interval(op.name)

    def __gt__(self, other):
        return "greater"

    __lt__ = __ge__ = __le__ = __gt__


@pytest.mark.parametrize("node", [Value(2.0), Symbol("s")], ids=["value", "symbol"])
def test_a_foreign_node_class_builds_the_result(node):
    other = Interval(None)
    for operation, name in [
        (operator.add, "add"), (operator.sub, "sub"), (operator.mul, "mul"), (operator.truediv, "div"),
        (operator.pow, "pow"), (operator.mod, "mod"), (mg.hypot, "hypot"), (mg.maximum, "maximum"),
    ]:  # fmt: skip
        assert operation(node, other).op == name
        if name in {"hypot", "maximum"}:
            assert operation(other, node).op == name
        else:
            reflected = getattr(node, f"__r{'truediv' if name == 'div' else name}__")
            assert reflected(other).op == name


def test_a_foreign_node_class_compares_with_a_value():
    assert (Value(2.0) < Interval(None)) == (Value(2.0) >= Interval(None)) == "greater"


def test_a_class_as_operand_raises():
    for wrong in (lambda: Value(Value), lambda: mg.tanh(Value), lambda: Value(1.0) + Value, lambda: Value(1.0) < Value):
        with pytest.raises(TypeError, match=r"expected a real number, got the class Value|unsupported operand"):
            wrong()


@pytest.mark.parametrize(
    "use",
    [
        lambda v, t: v * t, lambda v, t: t * v, lambda v, t: v + t * 2, lambda v, t: v ** (t - 1), lambda v, t: v < t,
        lambda v, t: mg.dot([v], [t]), lambda v, t: mg.sum([v, t]), lambda v, t: mg.sin(t), lambda v, t: Value(t),
        lambda v, t: setattr(v, "data", t), lambda v, t: grad(lambda x: x * t)(1.0), lambda v, t: Symbol("s") * t,
    ],
)  # fmt: skip
def test_a_tensor_with_a_graph_of_its_own_is_refused(use):
    torch = pytest.importorskip("torch", reason="tensors")
    v, t = Value(2.0), torch.tensor(3.0, requires_grad=True)
    with pytest.raises(TypeError, match=r"which requires grad: nothing flows back to it from here; write tensor\.item"):
        use(v, t)
    assert (v.data, t.grad) == (2.0, None)
    use(v, t.detach())
    use(v, t.item())
    use(v, torch.nn.Parameter(torch.tensor(3.0), requires_grad=False))


def test_tensors_of_several_numbers_are_taken_as_arrays():
    torch = pytest.importorskip("torch", reason="tensors")
    v, tensor = Value(3.0), torch.tensor([1.0, 2.0])
    for result in (v * tensor, tensor * v, mg.mul(tensor, v)):
        assert [product.data for product in result] == [3.0, 6.0]
        assert [product.parents[product.parents[0] is not v] for product in result] == [v, v]
    assert mg.tanh(tensor).tolist() == mg.tanh(tensor.numpy()).tolist()
    with pytest.raises(TypeError, match="which requires grad"):
        mg.tanh(tensor.requires_grad_())
