"""The elementary functions over ONNX: the namespace of the op table's rules, made of the nodes that runtimes have.

onnxruntime has no kernels in double precision for many functions that ONNX names (Atan, Erf, Tan, Softplus …), and
ONNX none at all for others (expm1, erfc, lgamma …); those are written out here. Their errors are some units of 1e-16,
of erfc far out and of Γ up to 1e-13; ln Γ, near its zeros, and ψ⁽ⁿ⁾ have absolute errors of 1e-14.
"""

from __future__ import annotations

import math
from functools import partial, reduce
from typing import Any, Final

from microgradlib._support.log_gamma import polynomial
from microgradlib.interop.onnx.graph import NODES, Body, Tensor
from microgradlib.ops import TABLE

__all__ = ["Elementary"]

ERFCX: Final = (
    1.2375126308378275, -0.14024059858554697, 0.003585415485463775, 0.08227673849014516, -0.10880393014171785,
    0.09230432116037876, -0.058693398590212366, 0.028362277418940665, -0.009746579552504244, 0.0017556258530017257,
    0.0002937136342850081, -0.0002901540809795271, 5.1649211390702855e-05, 2.2384240314224437e-05,
    -1.1444412439171722e-05, -9.735619015182663e-07, 1.752057970166318e-06, -5.721597255990987e-08,
    -2.591069687796658e-07, 2.3261913276696566e-08, 3.8965452548985966e-08, -3.743568033634583e-09,
    -5.28428697963142e-09, 3.110310719839165e-10, 4.434959070009628e-10,
)  # fmt: skip
"""(1 + 2x) eˣ² erfc x for x ≥ 0 in powers of (x − 3.75)/(x + 3.75): the polynomial through 25 Chebyshev nodes, computed
with mpmath at 60 digits; it errs by less than 1e-16. (Shepherd and Laframboise, 1981.)"""

BERNOULLI: Final = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)
"""B₂, B₄, …, B₁₈."""
RAISED: Final = 12
"""By so much x is raised by the recurrences of Γ before its asymptotic series is used."""


class Elementary:
    """The namespace `xp` over tensors of one body. Ops that are no elementary functions are calls of their own."""

    def __init__(self, body: Body) -> None:
        self.body = body
        for name, kind in NODES.items():
            setattr(self, name, partial(body.node, kind))

    def __getattr__(self, name: str) -> Any:
        op = TABLE[name]
        return partial(op.value, self) if op.variadic or op.setting_count else partial(self.body.call, op)

    def detach(self, x: Any) -> Any:
        """Return x: there is no backward pass."""
        return x

    def undefined(self, x: Any) -> Any:
        """Return nan."""
        return x * math.nan

    def maximum(self, *xs: Any) -> Any:
        """Return the largest, nan if one is nan."""
        return self.body.node("Max", *xs)

    def minimum(self, *xs: Any) -> Any:
        """Return the smallest, nan if one is nan."""
        return self.body.node("Min", *xs)

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        """Return x where the condition holds or is not 0, else y."""
        if not isinstance(condition, Tensor):
            return x if condition else y
        if not condition.is_condition:
            is_zero = self.body.node("Equal", condition, 0.0, is_condition=True)
            condition = self.body.node("Not", is_zero, is_condition=True)
        return self.body.node("Where", condition, x, y)

    def pow(self, x: Any, y: Any) -> Any:
        """Return x to the power y, as C has it."""
        return self.body.node("Pow", x, y)

    def mod(self, x: Any, y: Any) -> Any:
        """Return x mod y with the sign of y, from the remainder with the sign of x."""
        rest = self.body.node("Mod", x, y, fmod=1)
        return self.where(rest * self.sign(y) < 0, rest + y, rest)

    def expm1(self, x: Any) -> Any:
        """Return eˣ − 1 = 2t/(1 − t), t = tanh(x/2), near 0."""
        t = self.tanh(0.5 * x)
        return self.where(self.abs(x) < 1, 2 * t / (1 - t), self.exp(x) - 1)

    def log1p(self, x: Any) -> Any:
        """Return ln u · x/(u − 1), u = 1 + x as rounded (Kahan)."""
        u = 1 + x
        near = self.where(self.abs(x) < 1, u, 2.0)
        near_result = self.where(self.abs(near - 1) <= 0, x, self.log(near) * x / (near - 1))
        return self.where(self.abs(x) < 1, near_result, self.log(u))

    def log2(self, x: Any) -> Any:
        """Return ln x/ln 2."""
        return self.log(x) * (1 / math.log(2))

    def log10(self, x: Any) -> Any:
        """Return ln x/ln 10."""
        return self.log(x) * (1 / math.log(10))

    def cbrt(self, x: Any) -> Any:
        """Return ±|x| to the power ⅓."""
        return self.sign(x) * self.pow(self.abs(x), 1 / 3)

    def hypot(self, x: Any, y: Any) -> Any:
        """Return the larger side times √(1 + r²), which neither over- nor underflows before the result does."""
        a, b = self.abs(x), self.abs(y)
        longer, shorter = self.maximum(a, b), self.minimum(a, b)
        r = shorter / longer
        length = self.where(longer <= 0, 0.0, longer * self.sqrt(1 + r * r))
        return self.where(a >= math.inf, a, self.where(b >= math.inf, b, length))  # beside nan too, as in C

    def tan(self, x: Any) -> Any:
        """Return sin x/cos x."""
        return self.sin(x) / self.cos(x)

    def sinh(self, x: Any) -> Any:
        """Return (eˣ − e⁻ˣ)/2, near 0 from eˣ − 1, elsewhere from eˣᐟ², which does not overflow too early."""
        half, e = self.exp(0.5 * x), self.expm1(x)
        return self.where(self.abs(x) < 1, 0.5 * (e + e / (e + 1)), 0.5 * half * half - 0.5 / half / half)

    def cosh(self, x: Any) -> Any:
        """Return (eˣ + e⁻ˣ)/2."""
        half = self.exp(0.5 * x)
        return 0.5 * half * half + 0.5 / half / half

    def atan(self, x: Any) -> Any:
        """Return arctan x: of 1/|x| beyond 1, three halvings of the angle, and the power series below 0.1."""
        a = self.abs(x)
        t = self.where(a > 1, 1 / a, a)
        for _ in range(3):
            t = t / (1 + self.sqrt(1 + t * t))
        series = polynomial(tuple([(-1) ** k / (2 * k + 1) for k in range(9)]), t * t)
        angle = 8 * t * series
        return self.sign(x) * self.where(a > 1, math.pi / 2 - angle, angle)

    def asin(self, x: Any) -> Any:
        """Return 2 arctan(x/(1 + √(1 − x²)))."""
        return 2 * self.atan(x / (1 + self.sqrt((1 - x) * (1 + x))))

    def acos(self, x: Any) -> Any:
        """Return 2 arctan √((1 − x)/(1 + x))."""
        return 2 * self.atan(self.sqrt(1 - x) / self.sqrt(1 + x))

    def atan2(self, y: Any, x: Any) -> Any:
        """Return the angle of (x, y) from that of its first octant; signs of zeros count."""
        a, b = self.abs(x), self.abs(y)
        longer, shorter = self.maximum(a, b), self.minimum(a, b)
        slope = self.where(shorter >= longer, self.where(longer > 0, 1.0, longer), shorter / longer)
        angle = self.atan(slope)
        angle = self.where(b > a, math.pi / 2 - angle, angle)
        angle = self.where(self._is_negative(x), math.pi - angle, angle)
        return self.where(self._is_negative(y), -angle, angle)

    def _is_negative(self, x: Any) -> Any:
        """Say whether x has a minus sign, which −0 has too."""
        return self.where(self.abs(x) > 0, x, 1 / x) < 0

    def asinh(self, x: Any) -> Any:
        """Return ± ln(a + √(1 + a²)), a = |x|, from ln(1 + …)."""
        a = self.abs(x)
        middle = self.log1p(a + a * (a / (1 + self.hypot(1.0, a))))
        return self.sign(x) * self.where(a < 1e15, middle, self.log(a) + math.log(2))

    def acosh(self, x: Any) -> Any:
        """Return ln(x + √(x² − 1)) from ln(1 + …)."""
        t = x - 1
        return self.where(x < 1e15, self.log1p(t + self.sqrt(t) * self.sqrt(t + 2)), self.log(x) + math.log(2))

    def atanh(self, x: Any) -> Any:
        """Return ± ½ ln(1 + 2a/(1 − a)), a = |x|."""
        a = self.abs(x)
        return 0.5 * self.sign(x) * self.log1p(2 * a / (1 - a))

    def erfc(self, x: Any) -> Any:
        """Return 1 − erf x, without cancellation for large x, by the polynomial ERFCX."""
        a = self.minimum(self.abs(x), 30.0)
        right = polynomial(ERFCX, (a - 3.75) / (a + 3.75)) / (1 + 2 * a) * self.exp(-a * a)
        return self.where(x < 0, 2 - right, right)

    def erf(self, x: Any) -> Any:
        """Return 1 − erfc x, near 0 by the power series 2/√π Σ (−1)ᵏ x²ᵏ⁺¹/(k! (2k + 1))."""
        coefficients = [(-1) ** k / (math.factorial(k) * (2 * k + 1)) for k in range(13)]
        series = 2 / math.sqrt(math.pi) * x * polynomial(tuple(coefficients), x * x)
        return self.where(self.abs(x) < 0.5, series, self.sign(x) * (1 - self.erfc(self.abs(x))))

    def lgamma(self, x: Any) -> Any:
        """Return ln |Γ(x)| by Stirling's series at x + 12, below ½ by ln π − ln |sin πx| − ln Γ(1 − x)."""
        positive = self.where(x < 0.5, 1 - x, x)
        y = positive + RAISED
        series = [b / (2 * k * (2 * k - 1)) for k, b in enumerate(BERNOULLI, 1)]
        stirling = (
            (y - 0.5) * self.log(y) - y + 0.5 * math.log(2 * math.pi) + polynomial(tuple(series), 1 / (y * y)) / y
        )
        above = stirling - reduce(lambda total, k: total + self.log(positive + k), range(1, RAISED), self.log(positive))
        below = math.log(math.pi) - self.log(self.abs(self.sinpi(x))) - above
        below = self.where(self.abs(x - self.floor(x)) > 0, below, self.where(self.abs(x) >= 0, math.inf, x))
        return self.where(self.abs(x) < math.inf, self.where(x < 0.5, below, above), self.abs(x))

    def gamma(self, x: Any) -> Any:
        """Return ±exp ln |Γ(x)|, nan at −1, −2, …; negative where ⌊x⌋ is odd and below 0."""
        is_odd = self.abs(self.mod(self.floor(x), 2.0)) > 0
        size = self.exp(self.lgamma(x))
        below = self.where(self.abs(x - self.floor(x)) > 0, self.where(is_odd, -size, size), math.nan)
        return self.where(x < 0, below, self.where(self.abs(x) > 0, size, 1 / x))

    def polygamma(self, x: Any, order: Any) -> Any:
        """Return ψ⁽ⁿ⁾(x) by the recurrence and the asymptotic series, below ½ by reflection, for a fixed n.

        (Abramowitz and Stegun, 6.4.6, 6.4.7 and 6.4.11.)
        """
        if isinstance(order, Tensor) or order < 0 or order % 1:
            raise NotImplementedError("polygamma has an ONNX graph for an order that is a fixed whole number ≥ 0 only")
        n = int(order)
        sign, positive = (-1.0) ** (n + 1), self.where(x < 0.5, 1 - x, x)
        above = reduce(
            lambda total, k: total + sign * math.factorial(n) / self._power(positive + k, n + 1),
            range(RAISED + 2 * n),
            self._asymptotic(positive + RAISED + 2 * n, n),
        )
        below = (-1.0) ** n * above - self._cotangent(x, n)
        below = self.where(self.abs(x - self.floor(x)) > 0, below, math.nan)
        return self.where(x < 0.5, below, above)

    def _asymptotic(self, y: Any, n: int) -> Any:
        factorial = math.factorial
        series = [b * factorial(2 * k + n - 1) / factorial(2 * k) for k, b in enumerate(BERNOULLI, 1)]
        tail = polynomial(tuple(series), 1 / (y * y)) / self._power(y, n + 2)
        if n == 0:
            return self.log(y) - 0.5 / y - tail
        return (-1.0) ** (n + 1) * (
            factorial(n - 1) / self._power(y, n) + factorial(n) / 2 / self._power(y, n + 1) + tail
        )

    def _cotangent(self, x: Any, n: int) -> Any:
        """Return dⁿ/dxⁿ π cot πx, as a polynomial in c = cot πx: dc/dx = −π(1 + c²)."""
        coefficients = [0.0, math.pi]
        for _ in range(n):
            slope = [k * a for k, a in enumerate(coefficients)][1:]
            coefficients = [-math.pi * (a + b) for a, b in zip([*slope, 0.0, 0.0], [0.0, 0.0, *slope])]
        return polynomial(tuple(coefficients), self.cospi(x) / self.sinpi(x))

    @staticmethod
    def _power(x: Any, n: int) -> Any:
        return reduce(lambda total, _: total * x, range(n - 1), x)
