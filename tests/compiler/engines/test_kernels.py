"""Each kernel of the table against the rule of its op: values, adjoints, in place or not, in both precisions."""

import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib.compiler.engines import kernels
from microgradlib.compiler.engines.buffers import Buffers
from microgradlib.compiler.engines.kernels import KERNELS, Kernel
from microgradlib.compiler.engines.lowering import step_calls
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, Operand
from microgradlib.compiler.planning.data import Step, StridedView
from microgradlib.compiler.slopes import slope_of
from microgradlib.ops import TABLE

BATCH, ROWS, TERMS = 3, 4, 5
WITHIN = {"float64": 4e-15, "float32": 2e-6}


def op_of(key):
    name, *settings = (key,) if isinstance(key, str) else key
    return TABLE[name].bind(*[3.0 if setting is ... else setting for setting in settings]) if settings else TABLE[name]


ELEMENTWISE = [key for key in KERNELS if not op_of(key).variadic]
REDUCTIONS = [key for key in KERNELS if op_of(key).variadic]
ADJOINTS = [(key, wrt) for key in ELEMENTWISE for wrt in range(len(KERNELS[key].adjoints))]


def reads_of(key, wrt):
    """Return which of (output, input 0, input 1) an adjoint reads."""
    words = KERNELS[key].adjoints[wrt].replace(";", " ").split()
    return tuple([place for place, name in enumerate("zxy") if name in words])


def operands_of(key):
    return 1 + ("y" in KERNELS[key].forward)


each_dtype = pytest.mark.parametrize("dtype", WITHIN)


def rows_of(op, count, seed=0, size=ROWS):
    """Draw the inputs of an op where it is well conditioned, (size, BATCH) each."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(*op.sample[min(i, len(op.sample) - 1)], (size, BATCH)) for i in range(count)]


def run(instruction, places, results, numbers, *, dtype="float64", unbatched=()):
    """Run one step on rows that hold `numbers` one after another, after it ran on others; return its results."""
    buffers = Buffers((len(unbatched) + 1, 40 + sum(map(len, numbers))), BATCH, dtype)
    rows = np.concatenate(numbers)
    calls = step_calls(buffers, Step(instruction, results, tuple(places), 0))
    for factor in (0.5, 1.0):
        buffers.rows[BATCHED][: len(rows)] = rows * factor
        buffers.rows[UNBATCHED][: len(unbatched), 0] = np.multiply(unbatched, factor)
        with np.errstate(all="ignore"):
            for function, arguments in calls:
                function(*arguments)
    return buffers.view(results).copy()


def instruction_of(op, kind="elementwise", operands=1, **fields):
    return Instruction(kind, op, Operand.of(BATCHED, [0]), (Operand.of(BATCHED, [1]),) * operands, **fields)


def rows_at(start, count=ROWS):
    return StridedView(BATCHED, start, (count,), (1,))


def values(op, inputs):
    return np.array([[op.compute(*numbers) for numbers in zip(*rows)] for rows in zip(*[x.tolist() for x in inputs])])


def slopes(op, inputs, output, wrt):
    return np.array(
        [[op.local_derivatives(z, *numbers)[wrt] for z, *numbers in zip(*rows)] for rows in zip(output, *inputs)]
    )


def places_of_results(count):
    """Return where the results may lie: on rows of their own, and on those of each operand."""
    return [rows_at(30), *[rows_at(ROWS * k) for k in range(count)]]


@each_dtype
@pytest.mark.parametrize("key", ELEMENTWISE, ids=str)
def test_values_in_place_or_not(key, dtype):
    op = op_of(key)
    inputs = [x.astype(dtype).astype(float) for x in rows_of(op, op.arity)]
    for results in places_of_results(op.arity):
        found = run(instruction_of(op), [rows_at(ROWS * k) for k in range(op.arity)], results, inputs, dtype=dtype)
        assert found.dtype == dtype
        np.testing.assert_allclose(found, values(op, inputs), rtol=WITHIN[dtype])


@each_dtype
@pytest.mark.parametrize(("key", "wrt"), ADJOINTS, ids=str)
def test_adjoints_in_place_or_not(key, wrt, dtype):
    op, reads = op_of(key), reads_of(key, wrt)
    inputs = [x.astype(dtype).astype(float) for x in rows_of(op, op.arity)]
    output = values(op, inputs)
    g = np.random.default_rng(1).uniform(-1, 1, output.shape)
    read = [(output, *inputs)[place] for place in reads]
    for results in places_of_results(1 + len(read)):
        places = [rows_at(ROWS * k) for k in range(1 + len(read))]
        found = run(instruction_of(op, wrt=wrt, reads=reads), places, results, [g, *read], dtype=dtype)
        np.testing.assert_allclose(found, g * slopes(op, inputs, output, wrt), rtol=WITHIN[dtype])


@pytest.mark.parametrize(("key", "wrt"), [pair for pair in ADJOINTS if op_of(pair[0]).name != "neg"], ids=str)
def test_an_adjoint_reads_what_reverse_gives_it(key, wrt):
    assert set(reads_of(key, wrt)) <= set(slope_of(op_of(key), wrt).reads)


@pytest.mark.parametrize("key", ELEMENTWISE, ids=str)
def test_numbers_that_are_the_same_for_all(key):
    """Unbatched numbers, one read again and again or one for each row, to unbatched or batched results."""
    op = op_of(key)
    inputs = [x[:, 0] for x in rows_of(op, op.arity)]
    for steps in (0, 1):
        places = [StridedView(UNBATCHED, ROWS * k, (ROWS,), (steps,)) for k in range(op.arity)]
        taken = [x if steps else np.full(ROWS, x[0]) for x in inputs]
        expected = values(op, [x[:, None] for x in taken])
        for results in (StridedView(UNBATCHED, ROWS * op.arity, (ROWS,), (1,)), rows_at(0)):
            unbatched = np.concatenate([*inputs, np.zeros(ROWS)])
            found = run(instruction_of(op), places, results, [np.zeros((ROWS, BATCH))], unbatched=unbatched)
            np.testing.assert_allclose(found, np.broadcast_to(expected, found.shape), rtol=4e-15)


ODD = [0.0, -0.0, 1.0, -2.0, math.inf, -math.inf, math.nan, 1e-300, -1e200, 800.0, -740.0, -1000.0]


@pytest.mark.parametrize("key", [key for key in ELEMENTWISE if key != ("pow", ...)], ids=str)
def test_values_of_zeros_infinities_and_nan(key):
    """The value is the rule's whatever the inputs; only gradients are left to the engine that is exact."""
    op = op_of(key)
    pairs = np.array([(x, y) for x in ODD for y in ODD]).T
    inputs = [pairs[k].reshape(-1, BATCH) for k in range(op.arity)]
    count = len(inputs[0])
    places = [rows_at(count * k, count) for k in range(op.arity)]
    for results in places:
        found = run(instruction_of(op), places, results, inputs)
        expected = values(op, inputs)
        np.testing.assert_allclose(found, expected, rtol=4e-15, atol=1e-320)
        assert np.array_equal(np.signbit(found)[expected == 0], np.signbit(expected)[expected == 0])


@st.composite
def terms_of(draw, op):
    """Draw (rows, TERMS, BATCH) for each operand: confident and not, with ties."""
    number = st.one_of(st.floats(-60, 60), st.integers(-1, 1).map(float))
    numbers = draw(st.lists(number, min_size=2 * ROWS * TERMS, max_size=2 * ROWS * TERMS))
    arrays = [np.repeat(np.reshape(part, (ROWS, TERMS, 1)), BATCH, 2) for part in np.split(np.array(numbers), 2)]
    arrays[1] = arrays[1] + np.arange(BATCH) * 0.5
    return [np.abs(arrays[0]), arrays[1]] if op.name == "cross_entropy" else arrays


def reduction_of(key, arrays, *, adjoint=None, g=None, results=None):
    """Run a reduction, and, with `adjoint`, its adjoint by that operand, on the same memory; return its result.

    An adjoint of other `results` than those of the reduction finds nothing that the forward kernel kept.
    """
    op, count = op_of(key), operands_of(key)
    n = ROWS * TERMS
    buffers = Buffers((1, 3 * n + 3 * ROWS + 8), BATCH, "float64")
    rows = buffers.rows[BATCHED]
    terms = [StridedView(BATCHED, n * k, (ROWS, TERMS), (1, ROWS)) for k in range(count)]  # term by term
    for place, array in zip(terms, arrays):
        buffers.view(place)[...] = array
    z, cotangent, out = (StridedView(BATCHED, 2 * n + ROWS * k, (ROWS, 1), (1, 0)) for k in range(3))
    slots = Operand.of(BATCHED, range(2 * n, 2 * n + ROWS))
    made = Instruction("reduce", op, slots, (slots,) * count, TERMS)
    calls = step_calls(buffers, Step(made, z, tuple(terms), 7))
    if adjoint is not None:
        out = StridedView(BATCHED, 2 * n + 2 * ROWS, (ROWS, TERMS), (TERMS, 1))
        read = (slots, slots if results is None else results, *[slots] * count)
        instruction = Instruction("reduce", op, slots, read, TERMS, wrt=adjoint)
        calls += step_calls(buffers, Step(instruction, out, (cotangent, z, *terms), 9))
        buffers.view(cotangent)[...] = g
    with np.errstate(all="ignore"):
        for function, arguments in calls:
            function(*arguments)
    assert len(rows) == 3 * n + 3 * ROWS + 8
    return buffers.view(z if adjoint is None else out)


def columns_of(arrays):
    """Return each row's terms, operand after operand, as rows of numbers."""
    return [[array[i, t] for array in arrays for t in range(TERMS)] for i in range(ROWS)]


@pytest.mark.parametrize("key", REDUCTIONS)
@settings(max_examples=12)
@given(data=st.data())
def test_reductions_and_their_adjoints(key, data):
    op, count = op_of(key), operands_of(key)
    arrays = data.draw(terms_of(op))[:count]
    found = reduction_of(key, arrays)[:, 0]
    rows = columns_of(arrays)
    expected = np.array([[op.compute(*numbers) for numbers in zip(*row)] for row in rows])
    np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-280 if len(KERNELS[key].adjoints) else 1e-12)
    g = np.linspace(-1.0, 2.0, BATCH)
    for wrt in range(len(KERNELS[key].adjoints)):
        slope = np.array(
            [[op.local_derivatives(z, *x) for z, x in zip(zs, zip(*row))] for zs, row in zip(expected, rows)]
        )  # (rows, batch, all terms)
        share = g[:, None] * slope[:, :, wrt * TERMS : (wrt + 1) * TERMS]
        for results in (None, Operand.of(BATCHED, range(ROWS))):
            got = reduction_of(key, arrays, adjoint=wrt, g=g, results=results)
            np.testing.assert_allclose(got.swapaxes(1, 2), share, rtol=3e-12, atol=1e-13)


def test_a_reduction_without_a_kernel_runs_its_rule():
    rows = np.random.default_rng(0).uniform(0.5, 2.0, (TERMS, BATCH))
    view = StridedView(BATCHED, 0, (1, TERMS), (0, 1))
    found = run(instruction_of(TABLE["prod"], "reduce", terms=TERMS), [view], rows_at(20, 1), [rows])
    np.testing.assert_allclose(found, rows.prod(0, keepdims=True), rtol=1e-15)


def check(key):
    test_values_in_place_or_not(key, "float64")
    for wrt in range(len(kernels.KERNELS[key].adjoints)):
        test_adjoints_in_place_or_not(key, wrt, "float64")


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("tanh", Kernel("out = tanh x", ("w = square z; w = subtract 1 w; out = multiply g x",))),
        ("div", Kernel("out = divide y x", KERNELS["div"].adjoints)),
        ("sigmoid", Kernel("out = minimum x 80; w = exp out; s = add w 1; out = divide x s", ())),
    ],
)
def test_a_wrong_kernel_is_found_out(key, wrong, monkeypatch):
    monkeypatch.setitem(kernels.KERNELS, key, wrong)
    with pytest.raises(AssertionError):
        check(key)


def test_a_kernel_that_writes_over_its_operand_is_found_out(monkeypatch):
    """In its own rows it is right; in those of x, x is gone when it is read again."""
    forward = KERNELS["sigmoid"].forward
    wrong = "out = exp x; s = add out 1; s = square s; e = exp x; e = divide e s; out = multiply g e"
    monkeypatch.setitem(kernels.KERNELS, "sigmoid", Kernel(forward, (wrong,)))
    with monkeypatch.context() as alone:
        alone.setattr(__name__ + ".places_of_results", lambda count: [rows_at(30)])
        test_adjoints_in_place_or_not("sigmoid", 0, "float64")
    with pytest.raises(AssertionError):
        test_adjoints_in_place_or_not("sigmoid", 0, "float64")
