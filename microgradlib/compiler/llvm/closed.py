"""Structural zeros in native code: numbers that are `closed` in some lanes, where they take no part, and −0 in memory.

A closed number stops inf and nan that it is multiplied by; in memory it is −0.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_
from typing import Any

from microgradlib.compiler.llvm.ir import Mask, Number
from microgradlib.compiler.llvm.polynomials import bound, on_bits
from microgradlib.ops import ZERO

__all__ = ["CLOSED", "adjoint_of", "adjoint_of_relu", "closed_at_minus_zero", "masks_of", "stated"]

CLOSED = -0.0
"""The structural zero in memory. A computed cotangent that may be closed is never −0, as 0 is added to it (`stated`).
Sums keep both: −0 + −0 = −0, −0 + x = x. Products of matrices make an ordinary 0 of it."""


def adjoint_of(g: Number, derivative: Any) -> Number:
    """Return g · derivative; where one of them is closed, that is, whatever the other is."""
    zero = g.function.number(CLOSED, g.real)
    derivative = closed_at_minus_zero(zero) if derivative is ZERO else g.function.number(derivative, g.real)
    closed = masks_of(g, derivative)
    return stated(g * derivative, closed) if closed else g * derivative


def adjoint_of_relu(g: Number, x: Number) -> Number:
    """Return `adjoint_of` the rule of relu: g where x > 0, closed where x ≤ 0, nan at nan. By one comparison.

    Comparisons and multiplications take the units that products of matrices wait for, beside which it is computed.
    """
    closed = x.function.number(CLOSED, x.real)
    found = (g + 0.0).select(x > 0, on_bits("or", bound(x, "ogt", CLOSED), closed))  # nan stays
    return closed_at_minus_zero(found if g.closed is None else closed.select(g.closed, found))


def masks_of(*numbers: Any) -> list[Mask]:
    """Return where numbers are closed, for each that may be."""
    return [x.closed for x in numbers if isinstance(x, Number) and x.closed is not None]


def closed_at_minus_zero(x: Number) -> Number:
    """Return x, closed where it is −0: what is read where that is a structural zero."""
    f, real = x.function, x.real
    minus_zero = f.emit(f"bitcast {real.text} {f.number(CLOSED, real).name} to {real.integer}")
    bits = f.emit(f"bitcast {real.text} {x.name} to {real.integer}")
    return Number(f, real, x.name, Mask(f, real, f.emit(f"icmp eq {real.integer} {bits}, {minus_zero}")))


def stated(computed: Number, closed: Sequence[Mask]) -> Number:
    """Return a number of which −0 says where it is closed: there it is −0, elsewhere a −0 that is computed is 0."""
    f, real, found = computed.function, computed.real, computed + 0.0
    if not closed:
        return found
    mask = reduce(or_, closed)
    return Number(f, real, f.number(CLOSED, real).select(mask, found).name, mask)
