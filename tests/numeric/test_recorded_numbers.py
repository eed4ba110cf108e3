"""Numeric derivatives and gradient checks to twelve digits, and the points looked at: as in recorded_numbers.json.

The functions use + − · / √ and the like only, whose results IEEE 754 fixes, so the digits are the same everywhere. They
are smooth, narrow, oscillating, rounded, kinked, cut, or wrongly differentiated, at points of every size: that the
results are right is tested elsewhere, here that no constant or branch of the algorithms changes unnoticed. After a
change that is meant, look at the difference that this leaves: `python tests/numeric/test_recorded_numbers.py`.
"""

import json
import math
from pathlib import Path

import pytest

import microgradlib as mg
from microgradlib.core.value import Value
from microgradlib.errors import GradcheckError
from microgradlib.numeric.differences import numeric_derivative
from microgradlib.numeric.extrapolation import extrapolate
from microgradlib.numeric.gradient_check import gradcheck
from microgradlib.numeric.noise import Noise
from microgradlib.ops import define_op, forget_op

RECORDED = Path(__file__).with_name("recorded_numbers.json")
POINTS = (0.0, 1e-310, 1e-9, 3e-5, 0.3, 1.0, -1e8, 1e14)
FEWER = (0.0, 3e-5, 0.3, 1.0, -1e8)


def wave(t):
    """Return a smooth periodic function of period 2, as sin πt by its values but of + − · and floor alone."""
    whole = math.floor(t)
    s = t - whole
    bump = s * (1 - s) * (1 + s - s * s)
    return -bump if whole % 2 else bump


def chebyshev(degree):
    def polynomial(x):
        before, now = 1.0, x
        for _ in range(degree - 1):
            before, now = now, 2 * x * now - before
        return now

    return polynomial


def horner(*coefficients):
    def polynomial(x):
        total = 0.0
        for coefficient in coefficients:
            total = total * x + coefficient
        return total

    return polynomial


def oscillating(rate, drift=0.0):
    return lambda x: wave(rate * x) + drift * x


def on_a_grid(spacing, slope=1.0):
    return lambda x: math.floor(x / spacing + 0.5) * spacing * slope + x * x


def cancelling(size):
    return lambda x: ((x * x + size) - size) * 3


FUNCTIONS = {
    "0": lambda x: 0.0,
    "5": lambda x: 5.0,
    "3x + 1": lambda x: 3 * x + 1,
    "x²": lambda x: x * x,
    "x³ − 2x": lambda x: x * x * x - 2 * x,
    "(x − 1)⁷ expanded": horner(1, -7, 21, -35, 35, -21, 7, -1),
    "T₂₀": chebyshev(20),
    "1/x": lambda x: 1 / x,
    "1/(1 + x²)": lambda x: 1 / (1 + x * x),
    "1/(1e-6 + x²)": lambda x: 1 / (1e-6 + x * x),
    "1/(x − 1.0001)": lambda x: 1 / (x - 1.0001),
    "√x": math.sqrt,
    "x√x": lambda x: x * math.sqrt(x),
    "√(1 − x²)": lambda x: math.sqrt(1 - x * x),
    "√(1e-12 + x²)": lambda x: math.sqrt(1e-12 + x * x),
    "|x|": abs,
    "|x − 0.3| x": lambda x: abs(x - 0.3) * x,
    "max(x, 2x)": lambda x: max(x, 2 * x),
    "x² right of 1": lambda x: x * x + 1e-3 * x if x > 1 else x * x,
    "x > 0.3": lambda x: float(x > 0.3),
    "floor x": math.floor,
    "|x|√|x|": lambda x: math.copysign(math.sqrt(abs(x)), x),
    "wave x": oscillating(1.0),
    "wave 3e4 x + x": oscillating(3e4, 1.0),
    "wave 1e7 x + x": oscillating(1e7, 1.0),
    "wave 1e11 x": oscillating(1e11),
    "wave 3e15 x + x": oscillating(3e15, 1.0),
    "1e-9 wave 1e6 x + x": lambda x: 1e-9 * wave(1e6 * x) + x,
    "on a grid of 2⁻²⁰": on_a_grid(2.0**-20),
    "on a grid of 2⁻³⁰": on_a_grid(2.0**-30),
    "on a grid of 2⁻³⁸": on_a_grid(2.0**-38, 3.0),
    "cancelling 1e6": cancelling(1e6),
    "cancelling 1e12": cancelling(1e12),
    "mod 1.65": lambda x: math.fmod(x, 1.65),
    "nan near 0.3": lambda x: math.nan if 1e-13 < abs(x - 0.3) < 1e-5 else x * x + abs(x - 0.3),
    "inf in stripes": lambda x: math.inf if abs(x - 1.0) * 7 % 1e-8 > 4e-9 else x * x,
    "√|x| + x": lambda x: math.sqrt(abs(x)) + x,
    "wave 2e6 x, growing": lambda x: wave(2e6 * x) * x * x,
    "1e-6 wave 3e8 x + x²": lambda x: 1e-6 * wave(3e8 * x) + x * x,
    "x² by a jump in the last place": lambda x: x * x * (1 + 2.0**-50 * (x * 2.0**40 % 2 < 1)),
    "|x − 0.3| + 1e-7 |x − 0.3000001|": lambda x: abs(x - 0.3) + 1e-7 * abs(x - 0.3000001),
    "a kink in noise": lambda x: ((x * x + 1e6) - 1e6) + 1e-8 * abs(x - 0.3),
    "a kink in less noise": lambda x: ((x + 1e3) - 1e3) + 1e-9 * abs(x - 1.0) + x * abs(x),
    "nan right of 0.3": lambda x: x * x if x <= 0.3 else math.nan,
    "inf left of 1": lambda x: x * x if x >= 1 else math.inf,
    "1e300 x²": lambda x: 1e300 * x * x,
    "1e-300 x²": lambda x: 1e-300 * x * x,
}


class Watched:
    """A function, and how far from a point it was called, in order."""

    def __init__(self, f, x):
        self.f, self.x = f, x
        self.distances = []

    def __call__(self, x, *others):
        self.distances.append(getattr(x, "data", x) - self.x)
        return self.f(x, *others)

    def __str__(self):
        sums = math.fsum(self.distances), math.fsum(map(abs, self.distances))
        return f"{len(self.distances)} calls, {sums[0]:.12g} and {sums[1]:.12g} off"


def of_numbers(f, x):
    """Return what differences of a function of floats find: three derivatives, or the error raised, and its noise."""
    f = Watched(f, x)
    try:
        derivatives = [numeric_derivative(f, x, method) for method in ("central", "forward", "backward")]
    except (ArithmeticError, ValueError) as error:
        return [type(error).__name__]

    def number(at):
        try:
            return float(f(at))
        except (ArithmeticError, ValueError):
            return math.nan

    def exact(at):
        return number(at), 2.0**-52 * abs(number(at))

    noise = Noise(number, x, max(abs(x), 1.0))
    derivatives += [extrapolate(exact, x), extrapolate(exact, x, widest=4 * math.ulp(x) or 1e-9)]
    shown = [text_of(derivative) for derivative in derivatives]
    return [*dict.fromkeys(shown), f"{noise.kind} {noise.bound:.12g} {noise.least:.12g} {noise.widest:.12g}", str(f)]


def text_of(derivative):
    gap = f", gap {derivative.gap:.12g}" if derivative.gap else ""
    return f"{derivative.value:.12g} ± {derivative.error:.12g}, step {derivative.step:.12g}{gap}"


def chosen(x, at, value):
    """Return a value that holds at one point only: a derivative that no difference sees."""
    return value if x.data == at else x


def by_hand(x, factor):
    """Return x² by a node made by hand, whose derivative is wrong by a factor."""
    return Value(x.data * x.data, (x,), (2 * x.data * factor,))


GRAPHS = {
    "x²": lambda x: x * x,
    "3x + 1": lambda x: 3 * x + 1,
    "0x": lambda x: 0 * x,
    "x³ − 2x": lambda x: x * x * x - 2 * x,
    "(x − 1)⁷ expanded": horner(1, -7, 21, -35, 35, -21, 7, -1),
    "T₉": chebyshev(9),
    "1/(1e-6 + x²)": lambda x: 1 / (1e-6 + x * x),
    "√x": mg.sqrt,
    "x√x": lambda x: x * mg.sqrt(x),
    "√(x²)": lambda x: mg.sqrt(x * x),
    "√(1 − x²)": lambda x: mg.sqrt(1 - x * x),
    "|x|": abs,
    "|x − 0.3| x": lambda x: abs(x - 0.3) * x,
    "relu(x − 1) + x": lambda x: mg.relu(x - 1) + x,
    "relu(relu)": lambda x: mg.relu(mg.relu(x) * x),
    "max(x, 0.3)": lambda x: mg.maximum(x, 0.3),
    "min(x, x²)": lambda x: mg.minimum(x, x * x),
    "floor": mg.floor,
    "mod": lambda x: mg.mod(x, 1.65),
    "x if x > 0.3": lambda x: x * x if x > 0.3 else x * 0.3,
    "x at 1 only": lambda x: chosen(x, 1.0, x * 2 - 1) * x,
    "twice the slope": lambda x: by_hand(x, 2.0),
    "wrong by 1e-6": lambda x: by_hand(x, 1 + 1e-6),
    "wrong by 1e-9": lambda x: by_hand(x, 1 + 1e-9) + x,
    "right by hand": lambda x: by_hand(x, 1.0) * x,
    "data": lambda x: x.data * x,
    "detach": lambda x: x.detach() * x + x,
    "data alone": lambda x: x * 0 + x.data * x.data,
    "cancelling": lambda x: (x * x + 1e12) - 1e12,
    "cancelling, detached": lambda x: (x.detach() + 1e6) - 1e6 + x,
    "cancelling and detached": lambda x: ((x * 1e-3 + 1e6) - 1e6).detach() + x,
    "triangles": lambda x: abs(mg.mod(x * 300, 2.0) - 1) + x,
    "1e300 x²": lambda x: 1e300 * x * x,
    "x/x − 1": lambda x: x / x - 1,
    "0·√x": lambda x: 0 * mg.sqrt(x) + x,
}
OF_SEVERAL = {
    "xy": (lambda x, y: x * y, 2, 0.5, -2.0),
    "x/y + |y|": (lambda x, y: x / y + abs(y), 1, 0.5, 1e-7),
    "max": (lambda x, y, z: mg.maximum(x, y, z) * x, 1, 1.0, 1.0, -3.0),
    "√(x² + y²)": (lambda x, y: mg.sqrt(x * x + y * y), 2, 3.0, 4.0),
    "√(x² + y²) at 0": (lambda x, y: mg.sqrt(x * x + y * y), 1, 0.0, 0.0),
    "y wrong": (lambda x, y: x * by_hand(y, 0.5), 1, 2.0, 3.0),
    "y hidden": (lambda x, y: x * y.data, 1, 2.0, 3.0),
    "x²y³": (lambda x, y: x * x * y * y * y, 2, 1e-5, 1e5),
    "relu(x) x": (lambda x: mg.relu(x) * x, 2, 0.0),
}


def of_graphs(f, *point, order=1):
    """Return what `gradcheck` finds of a function of Values in derivatives of this order, and Taylor remainders."""
    f = Watched(f, point[0])
    try:
        report = gradcheck(f, point, order)
    except GradcheckError as error:
        report = error.report
    except (ArithmeticError, ValueError) as error:
        return [type(error).__name__]
    taylor = report.taylor
    used = [f"{r:.9g}" for r in taylor.remainders if r]
    lines = [of_check(check) for check in report.second or report.checks]
    return [
        *lines,
        str(f),
        f"{taylor.slope:.9g}, {len(taylor.steps)}, {taylor.widest:.12g}: {' '.join(used[:2] + used[-4:])}",
    ]


def of_check(check):
    """Return the text of one derivative's check."""
    recorded = dict.fromkeys((check.reverse, check.forward))
    cause = (
        f"{check.fault.op} {check.fault.input} {check.fault.recorded:.12g} "
        if check.fault
        else check.reason.partition(", made at")[0]
    )
    cause += text_of(check.fault.numeric) if check.fault else ""
    numbers = f"{' '.join(map(repr, recorded))} {text_of(check.numeric)}, allowed {check.allowed:.12g}"
    return f"{check.argument}: {check.verdict} {check.crossed} {numbers} {cause}"


WRONG = {
    "cube, off by 1e-6": [lambda xp, x: x * x * x, lambda xp, z, x: 3.000003 * x * x],
    "cube, off right of 0": [lambda xp, x: x * x * x, lambda xp, z, x: xp.where(x > 0, 3.1, 3.0) * x * x],
    "cube, undefined at 1": [
        lambda xp, x: x * x * x,
        lambda xp, z, x: xp.where(xp.abs(x - 1) > 0, 3 * x * x, math.nan),
    ],
    "product, swapped": [lambda xp, x, y: x * y + y, lambda xp, z, x, y: x, lambda xp, z, x, y: y],
    "product, a term missing": [lambda xp, x, y: x * x * y, lambda xp, z, x, y: x * y, lambda xp, z, x, y: x * x],
}


def of_wrong_ops():
    """Return what is found of ops whose derivatives are wrong, alone and behind others."""
    found = {}
    for name, (value, *derivatives) in WRONG.items():
        op = define_op("wrong_here", value, derivatives, formula="?")
        try:
            inputs = {1: lambda x: [x], 2: lambda x: [x, 2 * x + 1]}[len(derivatives)]
            alone, behind = lambda x: op(*inputs(x)), lambda x: mg.sqrt(op(*inputs(x * x + 0.5))) + x  # noqa: B023
            found[name] = {repr(x): of_graphs(alone, x) + of_graphs(behind, x) for x in FEWER}
        finally:
            forget_op("wrong_here")
    return found


MEASURED = {
    "wrong ops": of_wrong_ops,
    "numbers": lambda: {name: {repr(x): of_numbers(f, x) for x in POINTS} for name, f in FUNCTIONS.items()},
    "graphs": lambda: {name: {repr(x): of_graphs(f, x) for x in FEWER} for name, f in GRAPHS.items()},
    "several": lambda: {name: of_graphs(f, *point, order=order) for name, (f, order, *point) in OF_SEVERAL.items()},
}


@pytest.mark.parametrize("kind", MEASURED)
def test_numbers_are_as_recorded(kind):
    assert MEASURED[kind]() == json.loads(RECORDED.read_text(encoding="utf-8"))[kind]


if __name__ == "__main__":
    texts = {kind: measure() for kind, measure in MEASURED.items()}
    RECORDED.write_text(json.dumps(texts, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")
