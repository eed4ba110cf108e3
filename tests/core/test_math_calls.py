"""math.sin(value) raises however it is called; float(value) elsewhere does not."""

import dis
import math
import math as m
from math import exp, hypot

import pytest

import microgradlib as mg
from microgradlib import Value
from microgradlib.core.math_calls import callee
from microgradlib.ops import TABLE

V = Value(0.5)
W = Value(0.75)


class Holder:
    value = Value(0.5)
    tan = math.tan
    number = float


def identity(x):
    return x


def by_a_local_name(f=math.sin):
    return f(V)


def by_a_closure():
    log = math.log
    return [log(x) for x in [V]]


REFUSED = {
    "module": lambda: math.sin(V),
    "alias": lambda: m.cos(V),
    "name": lambda: exp(V),
    "local name": by_a_local_name,
    "closure in a comprehension": by_a_closure,
    "built in the call": lambda: math.sin(Value(1.0)),
    "an expression": lambda: math.sin(2 * V + 1),
    "a call in the call": lambda: math.sin(identity(identity(V))),
    "a method in the call": lambda: math.sin(V.tanh()),
    "an attribute": lambda: math.sin(Holder.value),
    "a subscript": lambda: math.sin([V, V][0]),
    "two arguments, the first": lambda: math.atan2(V, 1.0),
    "two arguments, the second": lambda: math.atan2(1.0, V),
    "many arguments": lambda: hypot(1.0, 2.0, identity(V)),
    "inside a larger expression": lambda: 1 + 2 * math.sin(V) - 3,
    "inside a print": lambda: str(math.sin(V)),
    "nested": lambda: math.cos(math.sin(V)),
    "power": lambda: math.pow(V, 2),
    "log with a base": lambda: math.log(V, 3),
    "floor": lambda: math.floor(V),
    "ceil": lambda: math.ceil(V),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED.keys())
def test_math_functions_of_values_raise(call):
    with pytest.raises(TypeError, match=r"math\.\w+\(value\) would return a plain number and lose the graph"):
        call()


@pytest.mark.parametrize("name", sorted(name for name in set(vars(math)) & set(TABLE) if not TABLE[name].variadic))
def test_the_error_names_an_existing_function(name):
    function = getattr(math, name)
    call = (lambda: function(V)) if TABLE[name].arity == 1 else (lambda: function(V, 1.0))
    with pytest.raises(TypeError, match=rf"use microgradlib\.{name}\(value\)"):
        call()
    assert callable(getattr(mg, name))


def test_the_error_names_no_missing_function():
    with pytest.raises(TypeError, match=r"pass value\.data"):
        math.frexp(V)


CALLEES = {"math.sin": True, "m.cos": True, "exp": True, "Holder.tan": True, "float": False, "Holder.number": False}
ARGUMENTS = (
    "V", "2 * V + 1", "V if V > 0 else -V", "V if V > 1 else W if W > 0 else V + W", "V or W", "V and W or V",
    "(1 < V < 2) * V + W", "identity(V if V > 0 else W)", "[V, W][V > W]", "[x for x in [V] if x > 0][0]", "(y := V)",
    "*[V]", "*(x for x in [V, W] if x > 0.7)", "identity(x=V)", "{'v': V}['v' if V else 'w']", "(lambda: V)()",
    "max([V, W], key=lambda x: x.data)", "sum([V, W])", "(not V) + V", "Holder().value", "Holder.value.relu()",
)  # fmt: skip


@pytest.mark.parametrize(("called", "argument"), [(c, a) for c in CALLEES for a in ARGUMENTS])
def test_every_kind_of_call_is_told_from_float(called, argument):
    """Whatever stands around the call, and in its argument."""
    for template in ("{}", "1 + 2 * {}", "print(end='' if {} else '')", "[0.0, {}][1]", "identity({} if V else W)"):
        program = eval(f"lambda: {template.format(f'{called}({argument})')}")  # noqa: S307  a program of our own
        if CALLEES[called]:
            with pytest.raises(TypeError, match=r"math\.\w+\(value\) would return a plain number"):
                program()
        else:
            program()


ALLOWED = {
    "float": (lambda: float(V), 0.5),
    "float of an expression": (lambda: float(identity(V) + 1), 1.5),
    "float inside math": (lambda: math.sin(float(V)), math.sin(0.5)),
    "float with math in it": (lambda: float(V + math.sin(1.0)), 0.5 + math.sin(1.0)),
    "data inside math": (lambda: math.sin(V.data), math.sin(0.5)),
    "int": (lambda: int(V), 0),
    "map of float": (lambda: list(map(float, [V, V])), [0.5, 0.5]),
    "sorted by float": (lambda: sorted([2.0, 1.0], key=lambda x: float(V) * x), [1.0, 2.0]),
    "percent format": (lambda: "%.2f" % V, "0.50"),  # noqa: UP031
    "questions": (lambda: (math.isnan(V), math.isfinite(V), math.isclose(V, 0.5)), (False, True, True)),
    "after a math call": (lambda: (math.sin(1.0), float(V))[1], 0.5),
}


@pytest.mark.parametrize(("call", "expected"), ALLOWED.values(), ids=ALLOWED.keys())
def test_float_conversion_elsewhere_is_allowed(call, expected):
    assert call() == expected


def test_a_user_function_named_sin_is_allowed():
    def sin(x):
        return float(x)

    assert sin(V) == 0.5
    assert float(V) == 0.5


def test_specialised_bytecode_is_recognised():
    for _ in range(100):  # Python specialises code that has run a few times
        with pytest.raises(TypeError, match=r"use microgradlib\.sin"):
            math.sin(V)
        assert float(V) == 0.5


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("f(x)", ("f",)),
        ("m.f(x)", ("m", "f")),
        ("f(y).astype(x)", ("", "astype")),
        ("fs[0](x)", ("",)),
        ("f(y)(x)", ("",)),
        ("(y + y).f(x)", ("", "f")),
    ],
)
def test_a_callee_has_a_name_only_if_that_is_one(expression, names):
    code = compile(f"def called(f, m, fs, x, y):\n    {expression}", "a test", "exec").co_consts[0]
    call = [i for i in dis.get_instructions(code) if i.opname.startswith("CALL")][-1]
    assert callee(code, call.offset) == names
