"""The constants of elementary functions, in double and in single precision: how numbers are made, and polynomials."""

from __future__ import annotations

from typing import NamedTuple

from microgradlib.compiler.llvm.ir import Number

__all__ = ["Precision", "precision"]


class Precision(NamedTuple):
    """Constants of a type of numbers; several parts are to be added up. Polynomials were fitted by mpmath."""

    mantissa: int
    bias: int
    shift: float
    """Added to x it keeps the whole part, rounded, in the last bits."""
    ln_2: tuple[float, float]
    half_pi: tuple[float, float, float]
    limits: tuple[float, float, float]
    """Below these eˣ is 0, and may be subnormal; above the last it is infinite."""
    terms: int
    """Of the power series of sin and cos, behind x or 1 − x²/2."""
    exp: tuple[float, ...]
    """(eˣ − 1 − x)/x² for |x| ≤ ln(2)/2, with the least largest error relative to eˣ − 1."""
    expm1: tuple[float, ...]
    """(eˣ − 1 − x − x²/2)/x³."""
    log: tuple[float, ...]
    """(2 artanh s − 2 s)/s³ in s² for |s| ≤ (√2 − 1)/(√2 + 1)."""


DOUBLE = Precision(
    52, 1023, 1.5 * 2.0**52, (0.6931471805599453, 2.3190468138462996e-17),
    (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
    (-746.0, -707.0, 709.782712893384), 8,
    (0.5, 0.166666666666666, 0.041666666666619286, 0.008333333333389384, 0.0013888888920860559, 0.0001984126970750676,
     2.480151582260358e-05, 2.7557426157039905e-06, 2.762246715206206e-07, 2.504579500892332e-08),
    (0.16666666666666677, 0.041666666666666574, 0.00833333333332199, 0.0013888888888943522, 0.00019841269885440118,
     2.4801587196970242e-05, 2.7557244732950934e-06, 2.75573876195361e-07, 2.5108901040039944e-08,
     2.0878901952427312e-09),
    (0.6666666666666736, 0.39999999999404445, 0.2857142874445385, 0.222221983728871, 0.18183574397652388,
     0.15313797405603524, 0.14798463505538828),
)  # fmt: skip
SINGLE = Precision(
    23, 127, 1.5 * 2.0**23, (0.6931471824645996, -1.9046542121259336e-09),
    (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    (-104.0, -86.0, 88.72283172607422), 4,
    (0.5, 0.16666548, 0.041666854, 0.008366164, 0.0013898255),
    (0.16666548, 0.041666854, 0.008366164, 0.0013898255), (0.66666776, 0.39977574, 0.29871237),
)  # fmt: skip


def precision(x: Number) -> Precision:
    """Return the constants of a number's type."""
    return DOUBLE if x.real.scalar == "double" else SINGLE
