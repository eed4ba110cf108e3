"""Elementwise steps as native code: chains of them in one loop nest, by the rules of the op table; and gathers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import pairwise
from typing import Any

from microgradlib.compiler.engines.native.functions import run_rule
from microgradlib.compiler.engines.native.ir import Mask, Number, Real
from microgradlib.compiler.engines.native.kernel import Kernel, Layout, kernel_function
from microgradlib.compiler.engines.native.loops import Place, Stores, View, nest, turns
from microgradlib.compiler.instructions import Instruction
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Rows, Step, StridedView
from microgradlib.compiler.slopes import rule_arguments
from microgradlib.ops import ZERO

__all__ = ["adjoint_of", "chain_kernels", "contiguous", "gather_kernel"]

PRODUCTS = {"mul", "strong_mul"}

Key = tuple[int, int, tuple[int, ...]]
"""The space, first row and steps of a view on the axes of its chain: views with the same key are the same."""


def chain_kernels(steps: Sequence[Step], layout: Layout) -> list[Kernel]:
    """Return the kernels of one or several elementwise steps, which are executed one after another.

    Steps in one kernel pass numbers on in registers; one that a later step of it writes over is not stored.
    """
    return [_chain_kernel(sizes, part, layout) for sizes, part in _parts(steps)]


class _Placed:
    """An elementwise step with its views as keys, and the rows that each reads or writes."""

    def __init__(self, step: Step, sizes: Sequence[int]) -> None:
        if step.instruction is None:
            message = f"a chain is of elementwise steps, got {step}"
            raise ValueError(message)
        self.step, self.instruction = step, step.instruction
        self.results = _key(step.results, sizes)
        self.operands = [_key(operand, sizes) for operand in step.operands]  # type: ignore[arg-type]

    def may_follow(self, earlier: _Placed, sizes: Sequence[int]) -> bool:
        """Say whether both may be computed entry by entry, instead of all of the earlier step's entries first.

        So what one writes and the other reads or writes too must be the same view: then each entry is read, or
        written over, right where it was written. A view that overlaps otherwise has other entries, before or behind.
        """
        pairs = [(earlier.results, operand) for operand in self.operands]
        pairs += [(self.results, operand) for operand in earlier.operands]
        pairs.append((self.results, earlier.results))
        return self.results[0] == earlier.results[0] and not any(_overlaps(x, y, sizes) for x, y in pairs)


def _parts(steps: Sequence[Step]) -> Iterator[tuple[tuple[int, ...], list[_Placed]]]:
    """Yield parts of a chain that may each be one nest, with the sizes of its axes."""
    part = list[Step]()
    for step in steps:
        sizes = _common_sizes([*part, step])
        new = _Placed(step, sizes)
        if part and not (sizes and all(new.may_follow(_Placed(each, sizes), sizes) for each in part)):
            yield _placed(part)
            part = []
        part.append(step)
    yield _placed(part)


def _placed(part: Sequence[Step]) -> tuple[tuple[int, ...], list[_Placed]]:
    sizes = _common_sizes(part)
    return sizes, [_Placed(step, sizes) for step in part]


def _common_sizes(steps: Sequence[Step]) -> tuple[int, ...]:
    """Return sizes of axes of which those of each step are products of neighbours; () if there are none."""
    widths = {1}
    for step in steps:
        width = 1
        for size in reversed(step.results.sizes):
            width *= size
            widths.add(width)
    ordered = sorted(widths, reverse=True)
    if any(outer % inner for outer, inner in pairwise(ordered)):
        return ()
    return tuple([outer // inner for outer, inner in pairwise(ordered)]) or (1,)


def _key(view: StridedView, sizes: Sequence[int]) -> Key:
    """Return the key of a view on finer axes.

    >>> _key(StridedView(1, 7, (2, 6), (0, 1)), (2, 3, 2))
    (1, 7, (0, 2, 1))
    """
    steps, axes = list[int](), list(zip(view.sizes, view.steps))
    size, step = 1, 0
    for part in reversed(sizes):
        while size == 1 and axes:
            size, step = axes.pop()
        steps.append(step if part > 1 else 0)
        size, step = size // part, step * part
    return view.space, view.start, tuple(reversed(steps))


def _overlaps(x: Key, y: Key, sizes: Sequence[int]) -> bool:
    """Say whether different views have a row in common.

    >>> _overlaps((1, 0, (2,)), (1, 1, (2,)), (5,)), _overlaps((1, 0, (2,)), (1, 2, (2,)), (5,))
    (False, True)
    """
    if x == y or x[0] != y[0]:
        return False
    ends = []
    for _, start, steps in (x, y):
        spans = [(size - 1) * step for size, step in zip(sizes, steps)]
        ends.append((start + sum([s for s in spans if s < 0]), start + sum([s for s in spans if s > 0])))
    (low_x, high_x), (low_y, high_y) = ends
    if high_x < low_y or high_y < low_x:
        return False
    return bool(numpy().isin(_rows(x, sizes), _rows(y, sizes)).any())


def _rows(key: Key, sizes: Sequence[int]) -> Any:
    rows = numpy().array([key[1]])
    for size, step in zip(sizes, key[2]):
        rows = (rows[:, None] + numpy().arange(size) * step).ravel()
    return rows


def _chain_kernel(sizes: Sequence[int], part: Sequence[_Placed], layout: Layout) -> Kernel:
    """Return the kernel of steps that may be computed entry by entry."""
    last = {placed.results: k for k, placed in enumerate(part)}
    written, loaded = dict[Key, None](), dict[Key, None]()
    for placed in part:
        loaded |= dict.fromkeys([key for key in placed.operands if key not in written])
        written[placed.results] = None
    views = list(dict.fromkeys([*last, *loaded]))
    f = kernel_function(len(views))

    def body(real: Real, places: list[Place]) -> Stores:
        at = dict(zip(views, places))
        numbers = {key: at[key].load() for key in loaded}
        for placed in part:
            numbers[placed.results] = _number(placed.instruction, [numbers[key] for key in placed.operands], f, real)
        return [(at[key], numbers[key]) for key in last]

    nest(f, layout, sizes, [View(key[0], f"%a{k}", key[2], key not in last) for k, key in enumerate(views)], body)
    return Kernel(f, tuple([key[1] for key in views]))


def _number(i: Instruction, inputs: list[Number], f: Any, real: Real) -> Number:
    """Return the result of an elementwise instruction; what is `ZERO` takes no part in sums and stops products."""
    plain = [Number(f, real, x.name) for x in inputs]
    if i.wrt is not None:
        read = [math.nan if x is None else x for x in rule_arguments(i.op, i.reads, plain[1:])]
        return adjoint_of(inputs[0], run_rule(i.op.derivatives[i.wrt], *read, *i.op.settings))  # type: ignore[index]
    found = f.number(run_rule(i.op.value, *plain, *i.op.settings), real)
    closed = [x.closed for x in inputs if x.closed is not None]
    if i.op.name in PRODUCTS and closed:
        return _closed_where(reduce(Mask.__or__, closed), found)
    found = Number(f, real, found.name)
    if closed and len(closed) == len(inputs):
        found.closed = reduce(Mask.__and__, closed)
    return found


def adjoint_of(g: Number, derivative: Any) -> Number:
    """Return g · derivative; where one of them is `ZERO`, 0 that is closed, whatever the other is."""
    f, real = g.function, g.real
    if derivative is ZERO:
        return _closed_where(Mask(f, real, "splat (i1 true)" if real.lanes > 1 else "true"), g)
    derivative = f.number(derivative, real)
    closed = [x.closed for x in (g, derivative) if x.closed is not None]
    found = g * derivative
    return _closed_where(reduce(Mask.__or__, closed), found) if closed else found


def _closed_where(closed: Mask, number: Number) -> Number:
    f, real = number.function, number.real
    return Number(f, real, f.number(0.0, real).select(closed, number).name, closed)


def gather_kernel(step: Step, layout: Layout) -> Kernel:
    """Return the kernel of a step that copies rows, or an even grid of them, to rows that follow one another."""
    [source] = step.operands
    f = kernel_function(2)
    if not isinstance(source, Rows):
        grid = StridedView(step.results.space, step.results.start, source.sizes, contiguous(source.sizes))
        views = [View(view.space, f"%a{k}", view.steps) for k, view in enumerate((grid, source))]
        nest(f, layout, source.sizes, views, _copy)
        return Kernel(f, (grid.start, source.start))
    width = _width(source.rows)
    with turns(f, len(source.rows) // width) as index:
        row = f.load_index("%t", f.add("%a1", index))
        target = f.emit(f"add i64 %a0, {f.mul(index, width)}")
        views = [View(step.results.space, target, (1,)), View(source.space, row, (1,))]
        nest(f, layout, (width,), views, _copy)
    return Kernel(f, (step.results.start, numpy().asarray(source.rows[::width], "int32")))


def _copy(_: Real, places: list[Place]) -> Stores:
    return [(places[0], places[1].load())]


def _width(rows: Any) -> int:
    """Return the length of the longest runs of neighbours that rows consist of.

    >>> _width(numpy().array([4, 5, 0, 1, 6, 7])), _width(numpy().array([4, 5, 6, 0, 1, 2, 3])), _width([8, 8])
    (2, 1, 1)
    """
    np = numpy()
    cuts = np.append(np.flatnonzero(np.diff(rows) != 1) + 1, len(rows))
    return int(np.gcd.reduce(cuts))


def contiguous(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the steps of axes of rows that follow one another.

    >>> contiguous((2, 3, 4))
    (12, 4, 1)
    """
    steps = [1]
    for size in reversed(sizes[1:]):
        steps.append(steps[-1] * size)
    return tuple(reversed(steps))
