"""Elementwise steps applied by the tiles of the product before them, against NumPy's engine, one step after another."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

from kernel_runner import strided
from native_kernels import Memory, layout_of, numpy_run, rows_agree

import microgradlib as mg
from microgradlib import compiler
from microgradlib.compiler.engines.native import module
from microgradlib.compiler.engines.native.elementwise import chain_kernels
from microgradlib.compiler.engines.native.epilogues import take_epilogues
from microgradlib.compiler.engines.native.flow import Flow, rows_of
from microgradlib.compiler.engines.native.products import matmul_kernel
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, Operand
from microgradlib.compiler.planning.data import Step, StridedView
from microgradlib.nn import MLP
from microgradlib.ops import TABLE

U, B = UNBATCHED, BATCHED
W, X, Z, OTHER, MORE = 10, 300, 600, 900, 1200
"""Where rows start."""


def in_order(start, sizes, space=B):
    """Return a view of rows that follow one another."""
    _, rows, columns = sizes
    return StridedView(space, start, sizes, (rows * columns, columns, 1))


def step_of(kind, op, results, *operands, wrt=None, reads=(), shape=(1, 1, 1, 1)):
    slots = [Operand.of(x.space, range(math.prod(x.sizes))) for x in (results, *operands)]
    return Step(Instruction(kind, op, slots[0], tuple(slots[1:]), 1, shape, wrt=wrt, reads=reads), results, operands, 0)


def product(spaces=(U, B), shape=(1, 5, 3, 6)):
    """Return the step Z = W X."""
    count, rows, terms, columns = shape
    w, x = in_order(W, (count, rows, terms), spaces[0]), in_order(X, (count, terms, columns), spaces[1])
    if spaces == (B, U):  # Zᵀ = Xᵀ Wᵀ has one axis of columns and examples
        w = StridedView(B, W, w.sizes, (rows * terms, 1, rows))
        z = StridedView(B, Z, (count, rows, columns), (rows * columns, 1, rows))
        return step_of("matmul", TABLE["dot"], z, w, x, shape=shape)
    return step_of("matmul", TABLE["dot"], in_order(Z, (count, rows, columns)), w, x, shape=shape)


def elementwise(name, results, *operands, wrt=None, reads=()):
    return step_of("elementwise", TABLE[name], results, *operands, wrt=wrt, reads=reads)


def relu_adjoint(results, g, x):
    return elementwise("relu", results, g, x, wrt=0, reads=(0,))


def flows_that(steps, reach=99):
    return [Flow(reach, (False,) * len(step.operands)) for step in steps]


def taken(steps, flows=None):
    """Return the epilogue of the first step, or None."""
    ends = {1: len(steps)}
    return take_epilogues(SimpleNamespace(steps=steps), flows or flows_that(steps), ends).get(0)


def _numbers(memory, view):
    return strided(view, memory.buffers.rows[view.space].reshape(-1), memory.block)


def held(steps, layout, epilogue, vectors=3):
    """Assert that kernels, the first with an epilogue, compute what NumPy does and write nothing else."""
    ours, theirs = (Memory(layout, vectors * layout.real.lanes) for _ in range(2))
    ours.run(matmul_kernel(steps[0], layout, epilogue))
    for kernel in chain_kernels(steps[1 + (epilogue.size if epilogue else 0) :], layout):
        ours.run(kernel)
    z, w, x = [_numbers(theirs, view) for view in (steps[0].results, *steps[0].operands)]
    z[...] = sum(w[:, :, t, None] * x[:, None, t] for t in range(w.shape[2]))
    numpy_run(theirs, steps[1:])
    rows_agree(ours, theirs, 1e-11 if layout.real.scalar == "double" else 2e-4)


def is_possible(step):
    """Whether results are an operand's own view or share no row with it, as in every plan."""
    rows = rows_of(step.results)
    others = [x for x in step.operands if x.space == B and x != step.results]
    return not any(np.isin(rows_of(x), rows).any() for x in others)


@st.composite
def runs(draw):
    """Draw a product and steps behind it, whose views are often its own, and often overlap what it reads or writes."""
    spaces = draw(st.sampled_from([(U, B), (U, B), (B, U), (B, B)]))
    shape = tuple(draw(st.tuples(st.integers(1, 2), st.integers(1, 9), st.integers(1, 5), st.integers(1, 9))))
    first = product(spaces, shape)
    z, (_, rows, columns) = first.results, first.results.sizes
    starts = st.sampled_from([Z, Z, OTHER, MORE, Z + 1, X, X + 1, W, W + 2, Z + rows * columns])
    results = st.builds(
        lambda start, like: replace(z, start=start) if like else in_order(start, z.sizes), starts, st.booleans()
    )
    small = [
        (0, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
        (rows, 1, 0),
        (1, 0, 0),
        (rows * columns, columns, 1),
        (rows * columns, 1, rows),
    ]
    broadcast = st.builds(StridedView, st.sampled_from([U, B]), starts, st.just(z.sizes), st.sampled_from(small))
    read, steps = st.one_of(st.just(z), results, broadcast), [first]
    for _ in range(draw(st.integers(1, 4))):
        to, x, y = draw(results), draw(read), draw(read)
        kind = draw(st.sampled_from(["add", "mul", "sub", "relu", "adjoint", "tanh"]))
        last = steps[-1].results
        x = draw(st.sampled_from([x, last, last]))
        step = {
            "adjoint": lambda to=to, x=x, y=y: relu_adjoint(to, x, y),
            "relu": lambda to=to, x=x: elementwise("relu", to, x),
            "tanh": lambda to=to, x=x: elementwise("tanh", to, x),
        }.get(kind, lambda to=to, x=x, y=y, kind=kind: elementwise(kind, to, x, y))()
        assume(is_possible(step))
        steps.append(step)
    return steps


@settings(max_examples=150)
@given(runs(), st.sampled_from(["float64", "float32"]), st.integers(1, 9))
def test_steps_behind_a_product_compute_what_they_do_one_after_another(steps, dtype, vectors):
    held(steps, layout_of(dtype), taken(steps), vectors)


Z_SIZES = (1, 5, 6)
z, other, more = (in_order(start, Z_SIZES) for start in (Z, OTHER, MORE))
TAKEN = {
    "in place": [elementwise("relu", z, z)],
    "to another view": [elementwise("relu", other, z)],
    "an adjoint": [relu_adjoint(z, z, other)],
    "a residual, in place": [elementwise("add", other, z, other)],
    "one number a row": [elementwise("add", z, z, StridedView(U, 5, Z_SIZES, (0, 1, 0)))],
    "one row for all": [elementwise("mul", z, z, StridedView(B, OTHER, Z_SIZES, (0, 0, 1)))],
    "three steps": [
        elementwise("mul", more, z, other),
        elementwise("add", other, other, more),
        elementwise("relu", z, z),
    ],
}
LEFT = {
    "it writes over what the product reads": [elementwise("relu", in_order(X, Z_SIZES), z)],
    "it writes over other entries": [elementwise("relu", replace(z, start=Z + 1), in_order(OTHER, Z_SIZES))],
    "it reads in another order": [elementwise("add", other, z, StridedView(B, Z, Z_SIZES, (0, 1, 5)))],
    "columns do not follow one another": [elementwise("add", z, z, StridedView(B, OTHER, Z_SIZES, (0, 1, 5)))],
    "one number for each column": [elementwise("add", z, z, StridedView(U, 5, Z_SIZES, (0, 0, 1)))],
    "it reads something else": [elementwise("relu", other, more)],
    "it is long": [elementwise("exp", z, z)],
}


@pytest.mark.parametrize("steps", TAKEN.values(), ids=TAKEN)
def test_a_product_takes_the_steps_behind_it(steps):
    steps = [product(), *steps]
    epilogue = taken(steps)
    assert epilogue.size == len(steps) - 1
    held(steps, layout_of(), epilogue)


@pytest.mark.parametrize("steps", LEFT.values(), ids=LEFT)
def test_a_product_leaves_what_is_not_computed_entry_by_entry_from_its_results(steps):
    steps = [product(), *steps]
    assert taken(steps) is None
    held(steps, layout_of(), None)


def test_only_what_is_read_later_is_stored():
    steps, layout = [product(), elementwise("relu", other, z), elementwise("neg", more, other)], layout_of()
    flows = [Flow(reach, (False,) * 2) for reach in (1, 1, 9)]
    memory = Memory(layout)
    before = memory.buffers.rows[B].copy()
    memory.run(matmul_kernel(steps[0], layout, taken(steps, flows)))
    changed = np.flatnonzero((memory.buffers.rows[B] != before).any(-1))
    assert changed.tolist() == rows_of(more).tolist()


def test_a_wrong_epilogue_is_found():
    steps = [product(), elementwise("add", z, z, other)]
    epilogue = taken(steps)
    shifted = [key._replace(start=key.start + (key.start == OTHER)) for key in epilogue.keys]
    with pytest.raises(AssertionError):
        held(steps, layout_of(), epilogue._replace(keys=shifted))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("batch", [1, 5, 100])
def test_a_network_gives_the_same_bits_without_epilogues(batch, dtype, monkeypatch):
    model, draw = MLP(3, [8, 8, 1], rng=0), np.random.default_rng(0)
    data = draw.normal(size=(batch, 3)).astype(dtype)
    found, taken_there = [], []
    for is_taken in (True, False):

        def take(*given, is_taken=is_taken):
            epilogues = take_epilogues(*given) if is_taken else {}
            taken_there.append(len(epilogues))
            return epilogues

        monkeypatch.setattr(module, "take_epilogues", take)
        fast = compiler.compile(lambda x: mg.tanh(model(x)) ** 2, model.parameters(), dtype=dtype, backend="native")
        value, gradient = fast.value_and_grad(data)
        found.append((value, *gradient))
    assert found[0] == found[1]
    assert batch == 1 or max(taken_there) >= 4
