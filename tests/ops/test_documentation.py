"""help() and notebooks on ops: formula, domain, convention, signature, and an example that runs."""

import doctest
import functools
import inspect
import pydoc
import re

import pytest

import microgradlib as mg
from microgradlib.ops import PUBLIC, TABLE, Op, define_op, forget_op
from microgradlib.ops.accuracy import LARGEST_ERRORS

LIST_FUNCTIONS = {name: getattr(mg, name) for name in ("mean", "prod", "norm", "logsumexp", "maximum", "minimum")}


def failures(text, names):
    test = doctest.DocTestParser().get_doctest(text, {**names, "Value": mg.Value}, "doc", None, 0)
    assert test.examples
    return doctest.DocTestRunner(verbose=False).run(test).failed


@pytest.mark.parametrize("name", list(TABLE))
def test_the_example_runs(name):
    assert failures(TABLE[name].__doc__, TABLE) == 0


@pytest.mark.parametrize("name", list(LIST_FUNCTIONS))
def test_the_example_of_a_list_function_runs(name):
    function = LIST_FUNCTIONS[name]
    assert function.__name__ == name
    assert TABLE[name].formula in function.__doc__
    assert failures(function.__doc__, LIST_FUNCTIONS) == 0


@pytest.mark.parametrize("name", list(PUBLIC))
def test_help_shows_the_formula_of_the_op(name):
    op = getattr(mg, name)
    shown = pydoc.plain(pydoc.render_doc(op))
    assert op.formula in shown
    assert op.domain in shown
    assert op.kink_note in shown
    assert "class Op" not in shown


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("tanh", "(x, /)"),
        ("where", "(condition, x, y, /)"),
        ("fmod", "(x, y, /)"),  # whose rule has a variable of its own
        ("leaky_relu", "(x, slope=0.01, /)"),
        ("clip", "(x, low, high, /)"),
        ("maximum", "(*xs)"),
    ],
)
def test_signatures(name, signature):
    assert str(inspect.signature(TABLE[name])) == signature


def test_the_class_has_a_docstring_of_its_own():
    assert Op.__doc__.startswith("One operation")
    assert type(TABLE["tanh"]).__doc__ == "An op of one input."


def test_a_users_op_is_documented_too():
    op = define_op("cube_here", lambda xp, x: x * x * x, [lambda xp, z, x: 3 * x * x], formula="x³, derivative 3x²")
    try:
        assert op.__doc__.startswith("x³, derivative 3x².\n\ncube_here(x) is defined for all numbers.")
        assert failures(op.__doc__, {"cube_here": op}) == 0
    finally:
        forget_op("cube_here")


def test_an_op_is_immutable():
    with pytest.raises(AttributeError, match="cannot set formula of tanh"):
        TABLE["tanh"].formula = "?"
    with pytest.raises(AttributeError, match="immutable"):
        del TABLE["tanh"].formula


def test_an_op_has_a_name_as_functions_do():
    assert mg.tanh.__name__ == "tanh"
    assert TABLE["pow"].bind(2.0).__name__ == "pow"
    assert functools.wraps(mg.tanh)(lambda x: x).__name__ == "tanh"


def test_the_class_of_ops_has_the_signature_of_its_constructor():
    assert str(inspect.signature(Op)) == "(**fields: 'Any') -> 'None'"
    assert not hasattr(Op, "__signature__")


@pytest.mark.parametrize("op", TABLE.values(), ids=str)
def test_the_example_is_inside_the_sample(op):
    call = next(line for line in op.__doc__.splitlines() if ">>> " in line)
    numbers = [float(x) for x in re.search(r"\((.*)\)", call)[1].split(", ")]
    intervals = [*op.sample, *[op.sample[-1]] * len(numbers)]
    assert all(low < x < high or low == x == high for x, (low, high) in zip(numbers, intervals))


WRITTEN = {
    "mul": """
x y, derivatives y and x.

mul(x, y) is defined for all numbers.

The largest errors found are …

>>> mul(0.6, -1.5)
-0.8999999999999999
>>> mul(Value(0.6), Value(-1.5)).local_derivatives
(-1.5, 0.6)
""",
    "leaky_relu": """
max(0, x) + γ min(0, x), derivative 1 or γ, and min(0, x) for γ.

leaky_relu(x, slope=0.01) is defined for all numbers. By convention leaky_relu′(0) = γ.

The largest errors found are …

>>> leaky_relu(0.6, 0.1)
0.6
>>> leaky_relu(Value(0.6), 0.1).local_derivatives
(1.0,)
""",
    "maximum": """
the largest input; derivative 1 for it, 0 for the others.

maximum(*xs) is defined for all numbers. By convention inputs that tie for the maximum share the derivative equally.

The largest errors found are …

>>> maximum(0.6, -1.5, 1.8)
1.8
>>> maximum(Value(0.6), Value(-1.5), Value(1.8)).local_derivatives
(0.0, 0.0, 1.0)
""",
    "clip": """
min(max(x, low), high); derivative 1 where low ≤ x ≤ high, else 0.

clip(x, low, high) is defined for all numbers. By convention clip′ is 1 at both edges; \
for low > high it is high everywhere.

The largest errors found are …

>>> clip(0.6, -1.8, 1.8)
0.6
>>> clip(Value(0.6), -1.8, 1.8).local_derivatives
(1.0,)
""",
}
"""All that is written of one op: without and with a convention, a default, any number of inputs, settings."""


@pytest.mark.parametrize("name", WRITTEN)
def test_the_whole_text(name):
    text = re.sub("(?m)^(The largest errors found are).*", r"\1 …", TABLE[name].__doc__)
    assert text == WRITTEN[name].strip("\n")


def test_the_sentence_on_errors():
    value, first, second = LARGEST_ERRORS["tanh"]
    orders = f"{value} ulp of the value, {first} of first and {second} of second derivatives"
    sentence = f"The largest errors found are {orders} (microgradlib.ops.accuracy)."
    assert f"\n\n{sentence}\n\n" in TABLE["tanh"].__doc__
