"""Polynomials near the elementary functions, in both precisions, and the bits of numbers: what functions are made of.

The coefficients are least-squares fits at Chebyshev nodes, computed with mpmath at 60 digits and rounded one after
another, the rest fitted anew each time. They err by less than 2⁻⁵⁶ and 2⁻²⁶ of the result.
"""

from __future__ import annotations

from typing import NamedTuple

from microgradlib.compiler.engines.native.ir import Function, Mask, Number, Real

__all__ = ["DOUBLE", "SINGLE", "Bits", "Precision", "bits", "multiply_add", "polynomial", "precision"]


class Precision(NamedTuple):
    """What the functions need to know of a type of numbers. Constants in parts: the number is their sum."""

    mantissa: int
    """Bits of the fraction; the exponent is stored behind them."""
    bias: int
    """What is added to the exponent when it is stored."""
    ln_2: tuple[float, float]
    half_pi: tuple[float, float, float]
    log2_e: tuple[float, float]
    log10_e: tuple[float, float]
    log10_2: tuple[float, float]
    most_exp: float
    """The largest x for which eˣ is finite."""
    most_cosh: float
    """… and cosh x."""
    small_exp: float
    """Below this x, eˣ may be subnormal."""
    no_exp: float
    """Below this x, eˣ is 0."""
    small_exp2: tuple[float, float]
    """Below these x, 2ˣ may be subnormal, and is 0."""
    turns: float
    """Up to this |x|, π/2 in three parts is enough to find the quadrant of x, and what is left of x."""
    coefficients: dict[str, tuple[float, ...]]
    """Of 1, x, x² … in the polynomials."""

    @property
    def shift(self) -> float:
        """The number to whose sum with x, in its last bits, x is rounded to a whole number."""
        return 1.5 * 2.0**self.mantissa

    @property
    def one(self) -> int:
        """The bits of the number 1."""
        return self.bias << self.mantissa


DOUBLE = Precision(
    52, 1023, (0.6931471805599453, 2.3190468138462996e-17),
    (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33),
    (1.4426950408889634, 2.0355273740931033e-17), (0.4342944819032518, 1.098319650216765e-17),
    (0.3010299956639812, -2.8037281277851704e-18), 709.782712893384, 710.475860073944, -707.0, -746.0,
    (-1021.0, -1076.0), 1e6,
    {
        "exp": (
            0.5000000000000012, 0.16666666666666471, 0.04166666666651961, 0.008333333333458688, 0.0013888888945983425,
            0.00019841269581212192, 2.480149094526278e-05, 2.7557521515472486e-06, 2.763094440640888e-07,
            2.5020165143198994e-08,
        ),
        "exp2": (
            0.6931471805599453, 0.24022650695910133, 0.05550410866482224, 0.00961812910759342, 0.0013333558146386838,
            0.00015403530457933608, 1.5252733799379533e-05, 1.3215434889765127e-06, 1.0178089257527863e-07,
            7.073849041488376e-09, 4.4496016282916684e-10,
        ),
        "log": (
            0.6666666666666736, 0.39999999999404445, 0.2857142874445385, 0.222221983728871, 0.18183574397652388,
            0.15313797405603524, 0.14798463505538828,
        ),
        "sin": (
            -0.1666666666666663, 0.008333333333321888, -0.0001984126982941891, 2.755731356505335e-06,
            -2.5050739215561315e-08, 1.5895744543462164e-10,
        ),
        "cos": (
            0.04166666666666659, -0.0013888888888872314, 2.4801587288433063e-05, -2.755731406774082e-07,
            2.0875686641073226e-09, -1.1357840078037575e-11,
        ),
        "sinh": (
            0.16666666666666669, 0.00833333333333297, 0.00019841269841531202, 2.755731913037927e-06,
            2.5052126856094766e-08, 1.605700052085293e-10, 7.765897596002476e-13,
        ),
        "tanh p": (
            -18.523696996428352, -0.9203596834323615, -0.0004726923256056994, 4.1544381958928694e-06,
        ),
        "tanh q": (55.571090989285075, 24.98951544600989, 1.0),
        "asin": (
            0.16666666666665422, 0.07500000000332659, 0.0446428568323596, 0.030381958962921108, 0.022371762283314334,
            0.017359641124182063, 0.013885855732495336, 0.012165219168190055, 0.006544829997843566,
            0.01948337376192969, -0.01615583547530053, 0.03186679013616434,
        ),
        "atan": (
            -0.3333333333333319, 0.1999999999995229, -0.14285714280072456, 0.1111111077752648, -0.09090897593682476,
            0.07692057396974054, -0.06663072998179817, 0.058476695539572514, -0.05038338930959758,
            0.03804057179129645, -0.017881475228652677,
        ),
        "inverse_cbrt": (
            1.8773032621389572, -1.974899883800913, 1.958749497474321, -1.2566350206902805, 0.4934640793909918,
            -0.10811764039395531, 0.010134672293321363,
        ),
    },
)  # fmt: skip

SINGLE = Precision(
    23, 127, (0.6931471824645996, -1.9046542121259336e-09),
    (1.5707963705062866, -4.371138828673793e-08, -1.7151245100058819e-15),
    (1.4426950216293335, 1.925963033500011e-08), (0.4342944920063019, -1.0103049952192578e-08),
    (0.3010300099849701, -1.432098883924482e-08), 88.72283172607422, 89.41598510742188, -86.0, -104.0,
    (-125.0, -151.0), 1e5,
    {
        "exp": (0.49999988, 0.16666518, 0.041669652, 0.008368953, 0.0013745059),
        "exp2": (0.6931472, 0.24022645, 0.05550359, 0.009618837, 0.0013391328, 0.00015239863),
        "log": (0.66666776, 0.39977574, 0.29871237),
        "sin": (-0.16666654, 0.00833212, -0.00019510802),
        "cos": (0.041666646, -0.001388731, 2.4432338e-05),
        "sinh": (0.16666667, 0.008333316, 0.0001984142, 2.7915382e-06),
        "tanh p": (-0.8237621, -0.0038345575),
        "tanh q": (2.4712873, 1.0),
        "asin": (0.16666754, 0.07495274, 0.04547207, 0.024174826, 0.042170525),
        "atan": (-0.33333313, 0.19998388, -0.14242193, 0.105850525, -0.060580865),
        "inverse_cbrt": (1.6670213, -1.1644799, 0.68679845, -0.21732543, 0.027942123),
    },
)  # fmt: skip


def precision(x: Number) -> Precision:
    """Return the constants of the type of x."""
    return DOUBLE if x.real.scalar == "double" else SINGLE


def polynomial(name: str, x: Number) -> Number:
    """Return Σ cᵢ xⁱ by Horner's rule."""
    *rest, second, last = precision(x).coefficients[name]
    total = x + second if last == 1 else multiply_add(x, last, second)
    for c in reversed(rest):
        total = multiply_add(total, x, c)
    return total


def multiply_add(x: Number, y: Number | float, z: Number | float) -> Number:
    """Return x · y + z, rounded once."""
    f, real = x.function, x.real
    return f.fma(x, f.number(y, real), f.number(z, real))


class Bits:
    """Integers, as wide as numbers, one in each lane: the bits of numbers."""

    def __init__(self, function: Function, real: Real, name: str) -> None:
        self.function, self.real, self.name = function, real, name

    def _with(self, word: str, other: Bits | int) -> Bits:
        second = other.name if isinstance(other, Bits) else self.constant(other).name
        name = self.function.emit(f"{word} {self.real.integer} {self.name}, {second}")
        return Bits(self.function, self.real, name)

    def constant(self, number: int) -> Bits:
        """Return an integer in all lanes, of which as many bits are taken as there are."""
        half = 1 << (self.real.bits - 1)
        number = (number + half) % (2 * half) - half
        text = f"splat (i{self.real.bits} {number})" if self.real.lanes > 1 else str(number)
        return Bits(self.function, self.real, text)

    def __add__(self, other: Bits | int) -> Bits:
        return self._with("add", other)

    def __sub__(self, other: Bits | int) -> Bits:
        return self._with("sub", other)

    def __and__(self, other: Bits | int) -> Bits:
        return self._with("and", other)

    def __or__(self, other: Bits | int) -> Bits:
        return self._with("or", other)

    def __xor__(self, other: Bits | int) -> Bits:
        return self._with("xor", other)

    def __lshift__(self, other: int) -> Bits:
        return self._with("shl", other)

    def __rshift__(self, other: int) -> Bits:
        return self._with("lshr", other)

    def select(self, condition: Mask, other: Bits | int) -> Bits:
        """Return self where the condition holds, else other."""
        second = other if isinstance(other, Bits) else self.constant(other)
        kind = self.real.integer
        text = f"select {self.real.mask} {condition.name}, {kind} {self.name}, {kind} {second.name}"
        return Bits(self.function, self.real, self.function.emit(text))

    def is_odd(self) -> Mask:
        """Return where the last bit is 1."""
        zero = "zeroinitializer" if self.real.lanes > 1 else "0"
        last = self & 1
        return Mask(self.function, self.real, self.function.emit(f"icmp ne {self.real.integer} {last.name}, {zero}"))

    def number(self) -> Number:
        """Return the numbers of which these are the bits."""
        name = self.function.emit(f"bitcast {self.real.integer} {self.name} to {self.real.text}")
        return Number(self.function, self.real, name)


def bits(x: Number) -> Bits:
    """Return the bits of numbers."""
    return Bits(x.function, x.real, x.function.emit(f"bitcast {x.real.text} {x.name} to {x.real.integer}"))
