"""Lanes of vectors that change places in registers: transposed squares, and sums of the lanes of one vector or many."""

from __future__ import annotations

from collections.abc import Sequence

from microgradlib.compiler.llvm.ir import Number, Real

__all__ = ["lanes_added_up", "sum_lanes", "transposed"]


def _shuffled(x: Number, y: Number, lanes: Sequence[int]) -> Number:
    """Return a vector of lanes of two vectors, those of y numbered on behind those of x."""
    f, real = x.function, Real(x.real.scalar, len(lanes))
    if len(lanes) == 1:
        return Number(f, real, f.emit(f"extractelement {x.real.text} {x.name}, i64 {lanes[0]}"))
    mask = f"<{len(lanes)} x i32> <{', '.join([f'i32 {lane}' for lane in lanes])}>"
    return Number(f, real, f.emit(f"shufflevector {x.real.text} {x.name}, {x.real.text} {y.name}, {mask}"))


def sum_lanes(vector: Number) -> Number:
    r"""Return the sum of a vector's lanes, a scalar: the upper half is added to the lower until one is left.

    >>> from microgradlib.compiler.llvm.ir import Function
    >>> f = Function("total", "ptr %x")
    >>> total = sum_lanes(f.load(Real("double", 2), "%x"))
    >>> print("\n".join(f.lines))
    %1 = load <2 x double>, ptr %x, align 8
    %2 = extractelement <2 x double> %1, i64 0
    %3 = extractelement <2 x double> %1, i64 1
    %4 = fadd double %2, %3
    """
    while vector.real.lanes > 1:
        half = vector.real.lanes // 2
        lower, upper = [_shuffled(vector, vector, range(start, start + half)) for start in (0, half)]
        vector = lower + upper
    return vector


def lanes_added_up(vectors: Sequence[Number]) -> Number:
    """Return a vector with the sum of the lanes of each of as many vectors as they have lanes, as `sum_lanes` adds.

    Halves of two vectors are added side by side, then halves of these: about two instructions a vector.
    """
    if len(vectors) == 1:
        return vectors[0]
    half, lanes = len(vectors) // 2, vectors[0].real.lanes
    x, y = lanes_added_up(vectors[:half]), lanes_added_up(vectors[half:])
    width = lanes // len(vectors)  # so many lanes hold what is then left of one vector
    starts = [start + k for start in range(0, 2 * lanes, 2 * width) for k in range(width)]
    return _shuffled(x, y, starts) + _shuffled(x, y, [start + width for start in starts])


def transposed(vectors: Sequence[Number]) -> list[Number]:
    """Return as many vectors as they have lanes, vector i with lane i of each: halves, quarters … change places."""
    found, lanes = list(vectors), len(vectors)
    distance = lanes // 2
    while distance:
        for i in [i for i in range(lanes) if not i & distance]:
            pair = found[i], found[i + distance]
            for shift in (0, distance):
                kept = [k + shift if not k & distance else lanes + k - distance + shift for k in range(lanes)]
                found[i + shift] = _shuffled(*pair, kept)
        distance //= 2
    return found
