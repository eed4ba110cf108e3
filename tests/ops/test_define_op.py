"""define_op and forget_op; errors for invalid rules and wrong numbers of inputs."""

import pytest

from microgradlib import Value
from microgradlib.ops import TABLE, define_op, forget_op


def test_forget_op_removes_every_trace():
    define_op("cube_for_a_test", lambda xp, x: x * x * x, [lambda xp, z, x: 3 * x * x], formula="x³")
    with pytest.raises(ValueError, match="not yet in the table"):
        define_op("cube_for_a_test", lambda xp, x: x, [lambda xp, z, x: 1.0], formula="x")
    forget_op("cube_for_a_test")
    assert "cube_for_a_test" not in TABLE
    with pytest.raises(KeyError):
        forget_op("cube_for_a_test")


def test_define_op_rejects_invalid_rules():
    with pytest.raises(TypeError, match="functions of"):
        define_op("nothing", 3.0, [lambda xp, z, x: 1.0], formula="")
    with pytest.raises(ValueError, match="identifier"):
        define_op("not a name", lambda xp, x: x, [lambda xp, z, x: 1.0], formula="")
    assert "nothing" not in TABLE


@pytest.mark.parametrize("name", ["settings", "fast_paths", "tangent"])
def test_define_op_rejects_internal_properties(name):
    with pytest.raises(TypeError, match=rf"has no property {name!r}; it has formula, symbol, .*reference$"):
        define_op("nothing", lambda xp, x: x, [lambda xp, z, x: 1.0], formula="x", **{name: ()})
    assert "nothing" not in TABLE


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if not op.variadic])
def test_a_wrong_number_of_inputs_is_a_type_error(name):
    op = TABLE[name]
    with pytest.raises(TypeError, match=rf"{name} takes {op.arity} input"):
        op(*[Value(1.0)] * (op.arity + 1))
    with pytest.raises(TypeError, match=rf"{name} takes {op.arity} input"):
        op()


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if op.variadic])
def test_a_variadic_op_needs_an_input(name):
    with pytest.raises(TypeError, match="at least one"):
        TABLE[name]()


@pytest.mark.parametrize("name", list(TABLE))
def test_the_docstring_is_the_formula(name):
    op = TABLE[name]
    assert op.__doc__.startswith(op.formula)
    assert op.domain in op.__doc__
    assert op.kink_note in op.__doc__
