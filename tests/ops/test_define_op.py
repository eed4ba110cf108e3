"""define_op and forget_op, also run again; errors for invalid rules and wrong numbers of inputs."""

import copy
import math
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import microgradlib as mg
from microgradlib import Value, grad_table
from microgradlib._support.floats import FLOATS
from microgradlib.ops import TABLE, define_op, forget_op
from microgradlib.ops.guards import unguarded
from microgradlib.ops.rules import ZERO, closed_rules


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


def sloped(*, value=lambda xp, x: x, slope=lambda xp, z, x: 1.0, **properties):
    """Define an op with one of its rules or properties changed."""
    return define_op("nothing", value, [slope], **{"formula": "x", **properties})


@pytest.mark.parametrize(
    ("define", "words"),
    [
        (lambda: sloped(value=lambda x: x), r"value of 'nothing' is called as \(xp, x\), .*a lambda function of x$"),
        (lambda: sloped(value=lambda xp, x, y: x), r"value of 'nothing' .*a lambda function of xp, x, y$"),
        (lambda: sloped(slope=lambda xp, x: 1.0), r"derivatives\[0\] of 'nothing' is called as \(xp, output, x\)"),
        (lambda: sloped(value=lambda xp, x: None), "the value rule of 'nothing' gives no number .* got None"),
        (lambda: sloped(value=lambda xp, x: "1"), "the value rule of 'nothing' gives no number .* got str '1'"),
        (lambda: sloped(slope=lambda xp, z, x: None), "a derivative rule of 'nothing' gives no number .* got None"),
        (lambda: sloped(slope=lambda xp, z, x: [1.0]), r"a derivative rule .* it returns \[1\.0\], not one number"),
        (lambda: sloped(slope=lambda xp, z, x: 1j), "got complex 1j"),
        (lambda: sloped(formula=3), "formula of the op 'nothing' is text"),
        (lambda: sloped(sample=(0.0, 1.0)), "sample of the op 'nothing' is an interval for each input"),
        (lambda: sloped(kink=3), "kink of the op 'nothing' is a function of the inputs, or None, got 3"),
        (lambda: define_op("nothing", lambda xp, x: x, None, formula="x"), "a list of one rule .* got None"),
        (lambda: define_op("nothing", lambda xp, x: x, [], formula="x"), r"a list of one rule .* got \[\]"),
        (lambda: define_op("nothing", lambda xp, x: x, [3], formula="x"), r"functions of \(xp, …\), got 3"),
        (
            lambda: define_op("nothing", lambda xp, *xs: xs[0], lambda xp, z, *xs: (1.0,), formula="x"),
            "the derivatives of 'nothing' are 1 for 2 inputs",
        ),
        (
            lambda: define_op("nothing", lambda xp, *xs: xs[0], lambda xp, z, *xs: None, formula="x"),
            "the derivatives of 'nothing' are None for 2 inputs",
        ),
    ],
)
def test_rules_are_tried_before_an_op_is_defined(define, words):
    with pytest.raises(TypeError, match=words):
        define()
    assert "nothing" not in TABLE
    with pytest.raises(AttributeError, match="no function 'nothing'"):
        mg.ops.GRAPH.nothing  # noqa: B018


@pytest.mark.parametrize(
    ("define", "error", "words", "note"),
    [
        (
            lambda: sloped(value=lambda xp, x: xp.tanhh(x)),
            AttributeError,
            r"xp has no function 'tanhh'; did you mean 'tanh'\?",
            "the value rule of 'nothing' was tried at (-0.6)",
        ),
        (
            lambda: sloped(slope=lambda xp, z, x: xp.tahn(x)),
            AttributeError,
            "xp has no function 'tahn'; did you mean",
            "a derivative rule of 'nothing' was tried at (-0.6)",
        ),
        (
            lambda: sloped(value=lambda xp, x: x + "1", sample=((1.0, 2.0),)),
            TypeError,
            "unsupported operand",
            "the value rule of 'nothing' was tried at (1.4)",
        ),
    ],
)
def test_what_a_rule_raises_comes_through_with_the_point(define, error, words, note):
    with pytest.raises(error, match=words) as caught:
        define()
    assert caught.value.__cause__ is None
    assert getattr(caught.value, "__notes__", [note]) == [note]
    assert "nothing" not in TABLE


def test_rules_that_leave_the_floats_may_be_defined():
    op = sloped(value=lambda xp, x: xp.log(x) / 0, slope=lambda xp, z, x: 1 / (x - x))
    assert (op.compute(2.0), op.local_derivatives(0.0, 2.0)) == (math.inf, (math.inf,))
    forget_op("nothing")


@pytest.mark.parametrize("sample", [((0.5, 2.0),), [[1, 1]], ((-1.0, 0),), ((0.5, 2.0), (1.0, 3.0))])
def test_a_sample_is_an_interval_for_each_input(sample):
    op = sloped(sample=sample)
    assert [*op.sample] == [*sample]
    forget_op("nothing")


@pytest.mark.parametrize(
    "sample",
    [
        (0.0, 1.0), ((2.0, 0.5),), ((0.0, 1.0, 2.0),), ((0.0,),), (("0", "1"),), ((0.0, math.nan),), "ab", 3,
        ((0.0, 1.0), (1.0, 0.0)), {(0.0, 1.0)},
    ],
)  # fmt: skip
def test_what_is_no_interval_is_refused(sample):
    with pytest.raises(TypeError, match=r"sample of the op 'nothing' is an interval for each input, as in \(\(0\.5"):
        sloped(sample=sample)
    assert "nothing" not in TABLE


@pytest.mark.parametrize(("count", "inputs"), [(1, "x"), (2, "x, y"), (6, "x, y, z, u, v, w"), (7, "x0, x1, .*, x6")])
def test_a_rule_of_too_few_inputs_is_shown_its_call(count, inputs):
    rules = [lambda xp, *xs: 1.0] * count
    with pytest.raises(TypeError, match=rf"the rule value of 'nothing' is called as \(xp, {inputs}\), one input for"):
        define_op("nothing", lambda xp: 1.0, rules, formula="1")
    with pytest.raises(TypeError, match=rf"derivatives\[0\] of 'nothing' is called as \(xp, output, {inputs}\), one"):
        define_op("nothing", lambda xp, *xs: 1.0, [lambda xp: 1.0, *rules[1:]], formula="1")


@pytest.mark.parametrize(
    ("count", "properties", "point"),
    [
        (1, {}, r"-0\.6"),
        (1, {"sample": ((1.0, 2.0),)}, r"1\.4"),
        (3, {"sample": ((1.0, 2.0), (0.0, 10.0))}, r"1\.4, 4, 4"),
        (2, {"sample": ((1.0, 2.0),), "setting_count": 1, "defaults": (7.5,)}, r"1\.4, 7\.5"),
        (2, {"sample": ((1.0, 2.0), (0.0, 10.0)), "defaults": (7.5,)}, r"1\.4, 4"),
    ],
)
def test_rules_are_tried_inside_the_sample_and_at_the_defaults_of_settings(count, properties, point):
    with pytest.raises(TypeError, match=rf"the value rule of 'nothing' gives no number at \({point}\): it returns"):
        define_op("nothing", lambda xp, *xs: [], [lambda xp, z, *xs: 1.0] * count, formula="x", **properties)


@pytest.mark.parametrize("symbol", ["", "two\nlines", "a b", "{x}", "\x1b[2J", "\ud800", 3, None])
def test_the_symbol_of_an_op_is_one_printable_word(symbol):
    with pytest.raises(ValueError, match=r"the symbol of 'nothing' is one printable word without braces"):
        define_op("nothing", lambda xp, x: x, [lambda xp, z, x: 1.0], formula="x", symbol=symbol)
    assert "nothing" not in TABLE


@pytest.mark.parametrize("name", ["settings", "fast_paths", "tangent"])
def test_define_op_rejects_internal_properties(name):
    with pytest.raises(TypeError, match=rf"has no property {name!r}; .*known: formula, symbol, .*reference$"):
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


CELL = """
scaled = define_op(
    "scaled_for_a_test",
    value=lambda xp, x, c: {factor} * c * x,
    derivatives=[lambda xp, z, x, c: {factor} * c, lambda xp, z, x, c: {factor} * x],
    formula="a c x",
    defaults=(1.0,),
    setting_count=1,
)
"""


def execute(source, module="__main__", namespace=None):
    """Run source as a module or cell of this name does."""
    namespace = {} if namespace is None else namespace
    namespace.update(__name__=module, define_op=define_op)
    exec(compile(source, f"source of {module}", "exec"), namespace)  # noqa: S102  source of this test


@pytest.fixture
def cell():
    """Return a function that runs a notebook's cell, which defines an op with a factor in it, and returns the op."""
    namespace = {}

    def run(factor):
        execute(CELL.format(factor=factor), namespace=namespace)
        return namespace["scaled"]

    yield run
    forget_op("scaled_for_a_test")


def test_a_cell_run_again_replaces_its_op(cell):
    cell(2.0)
    op = cell(3.0)
    again = cell(3.0)
    assert TABLE["scaled_for_a_test"] is again is not op
    x = Value(5.0)
    assert (op(5.0), again(x, 2.0).data, mg.grad(mg.grad(lambda x: again(x) ** 2))(5.0)) == (15.0, 30.0, 18.0)
    third = define_op(
        "three_times_for_a_test",
        lambda xp, x: xp.scaled_for_a_test(x, 1.0),
        [lambda xp, z, x: xp.scaled_for_a_test(1.0, 1.0)],
        formula="3 x",
    )
    try:
        assert (third(5.0), grad_table(third(x))[x]) == (15.0, 3.0)
        cell(4.0)
        assert third(5.0) == 20.0
    finally:
        forget_op("three_times_for_a_test")


def test_cells_of_ipython_are_named_by_their_first_line():
    source = "op = define_op('in_ipython', lambda xp, x: {0} * x, [lambda xp, z, x: {0}], formula='a x')"
    namespace = {"__name__": "__main__", "define_op": define_op}
    try:
        for factor, line in ((2.0, 1), (2.0, 1), (3.0, 1), (4.0, 7)):
            code = compile("\n" * (line - 1) + source.format(factor), f"cell {factor}", "exec")
            exec(code.replace(co_name=f"<cell line: {line}>"), namespace)  # noqa: S102  source of this test
            assert namespace["op"](1.0) == TABLE["in_ipython"](1.0) == factor
    finally:
        forget_op("in_ipython")


def test_nodes_of_the_op_before_keep_working(cell):
    before = cell(2.0)
    x, c = Value(5.0), Value(10.0)
    nodes = [before(x), before(x, 3.0), before(x, c)]
    pickled = pickle.dumps(nodes[1])
    after = cell(7.0)
    assert [grad_table(node)[x] for node in nodes] == [2.0, 6.0, 20.0]
    assert [mg.gradients(node, [x])[0].data for node in nodes] == [2.0, 6.0, 20.0]
    assert mg.evaluate(nodes, {x: 1.0}) == [2.0, 6.0, 20.0]
    assert before(x, 3.0).data == 30.0
    assert (before(5.0), after(5.0)) == (10.0, 35.0)
    assert copy.deepcopy(nodes[1]).op.settings == (3.0,)
    assert mg.evaluate(copy.deepcopy(nodes[0]), {}) == 10.0
    loaded = pickle.loads(pickled)
    assert (loaded.data, loaded.local_derivatives) == (30.0, (6.0,))
    assert mg.evaluate(loaded, {}) == 105.0  # by the op of that name as it is now


def test_a_function_that_defines_an_op_can_be_called_again():
    def define(factor):
        return define_op("defined_in_a_function", lambda xp, x: factor * x, [lambda xp, z, x: factor], formula="a x")

    define(2.0)
    assert define(3.0)(1.0) == TABLE["defined_in_a_function"](1.0) == 3.0
    forget_op("defined_in_a_function")


@pytest.mark.parametrize("name", ["exp", "add", "tanh", "where", "dot", "detach", "strong_mul"])
def test_the_librarys_ops_are_protected(name):
    before = TABLE[name]
    for module in ("__main__", "microgradlib.ops.exponential"):
        source = f"define_op({name!r}, lambda xp, x: x, [lambda xp, z, x: 1.0], formula='x')"
        with pytest.raises(ValueError, match=f"not yet in the table, got {name!r}"):
            execute(source, module)
    assert TABLE[name] is before


def test_an_op_defined_elsewhere_is_protected(cell):
    op = cell(2.0)
    line = "define_op('scaled_for_a_test', lambda xp, x: x, [lambda xp, z, x: 1.0], formula='x')"
    for program, module in ((line, "another_module"), (f"def f():\n    {line}\nf()", "__main__")):
        with pytest.raises(ValueError, match="not yet in the table"):
            execute(program, module)
    with pytest.raises(TypeError, match="needs a formula"):
        execute(f"{line[: line.index(', formula')]})")
    assert TABLE["scaled_for_a_test"] is op


class Foreign:
    """A class of nodes that no other class knows."""

    @staticmethod
    def __apply_op__(op, inputs):
        return NotImplemented


@pytest.mark.parametrize(
    ("other", "message"),
    [(Value(1.0), "add has no way to join Foreign and Value"), ("x", "expected a real number, got str 'x'")],
)
def test_classes_that_do_not_know_one_another_are_refused(other, message):
    for inputs in ((Foreign(), other), (other, Foreign())):
        with pytest.raises(TypeError, match=message):
            TABLE["add"](*inputs)


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if op.variadic])
def test_one_derivative_of_an_op_of_many_inputs_is_one_of_all(name):
    op = TABLE[name]
    inputs = [Value(0.3), Value(0.7), Value(1.1), Value(0.4)]
    output = op(*inputs)
    for place, expected in enumerate(output.local_derivatives):
        found = unguarded(op.partial_derivative(place, output, *inputs))
        assert float(found) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("rule", "is_closed"),
    [
        (lambda xp, z, x: 0.0, True),
        (lambda xp, z, x: xp.exp(0.0) - 1.0, True),
        (lambda xp, z, x: xp.where(True, 0.0, x), True),
        (lambda xp, z, x: xp.where(False, 0.0, x), False),
        (lambda xp, z, x: xp.where(x > 0, 0.0, 0.0), True),
        (lambda xp, z, x: xp.where(x > 0, 0.0, 1.0), False),
        (lambda xp, z, x: 0.0 * xp.relu(x), False),
        (lambda xp, z, x: xp.relu(-1.0), True),
        (lambda xp, z, x: z - z, False),
    ],
)
def test_derivatives_that_are_0_whatever_the_inputs_are_closed(rule, is_closed):
    [found] = closed_rules([rule])
    assert (found(FLOATS, 1.0, 2.0) is ZERO) is is_closed


def test_the_table_is_defined_without_a_look_for_misspelt_names():
    program = "import sys; import microgradlib; print(*{'difflib', 'inspect', 'signal'} & set(sys.modules))"
    command, root = [sys.executable, "-S", "-c", program], Path(mg.__file__).parents[1]
    finished = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({}, "formula"),
        ({"formula": "x", "colour": "red"}, "has no property 'colour'"),
        ({"colour": "red"}, "has no property 'colour'"),
    ],
)
def test_a_formula_and_known_properties_are_required(properties, message):
    with pytest.raises(TypeError, match=message):
        define_op("nothing", lambda xp, x: x, [lambda xp, z, x: 1.0], **properties)
    assert "nothing" not in TABLE
