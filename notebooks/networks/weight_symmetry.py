"""Lecture 8, 2 (document 002): a hidden layer of M tanh units has M!·2^M weight vectors that compute the same function.

ŷ(x) = c + Σ_k v_k f(w_kᵀx + b_k). The units may be permuted: M! ways. For odd f, −v f(−z) = v f(z), so the signs of a
unit's w, b and v may all be flipped: 2^M ways. Other activations have only the M! permutations, as in the lecture. But
as σ(−z) = 1 − σ(z), a sigmoid layer has the sign flips too if v_k is added to the output bias c for each flipped unit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product
from math import factorial
from typing import Any, NamedTuple

from microgradlib.nn import MLP

POINTS = [(-1.5, 0.5), (-0.4, -1.0), (0.0, 0.0), (0.3, 1.2), (1.1, -0.7)]


class Unit(NamedTuple):
    """One hidden unit: the weights w of its inputs, its bias b, and the weight v of its output."""

    w: tuple[float, ...]
    b: float
    v: float

    def flipped(self, sign: int) -> Unit:
        """Return the unit with all its signs flipped if `sign` is −1, unchanged if it is 1."""
        return Unit(tuple(sign * w_d for w_d in self.w), sign * self.b, sign * self.v)


Weights = tuple[tuple[Unit, ...], float]  # the hidden units, and the output bias c


def random_weights(units: int = 3, rng: int = 0) -> Weights:
    """Return random weights, and fixed biases, of an MLP with 2 inputs, `units` hidden units and 1 output."""
    model = MLP([2, units, 1], rng=rng)
    output = model.layers[1].neurons[0]
    hidden = zip(model.layers[0].neurons, output.w)
    return tuple(Unit(tuple(w.data for w in n.w), 0.1 * (k + 1), v.data) for k, (n, v) in enumerate(hidden)), 0.25


def candidates(weights: Weights, *, move_bias: bool = False) -> Iterator[Weights]:
    """Yield every order of units with every choice of signs; with `move_bias`, c increases by v of flipped units."""
    units, c = weights
    for order in permutations(units):
        for signs in product((1, -1), repeat=len(units)):
            bias_change = sum(unit.v for unit, sign in zip(order, signs) if sign < 0) if move_bias else 0.0
            yield tuple(unit.flipped(sign) for unit, sign in zip(order, signs)), c + bias_change


def outputs(weights: Weights, activation: str, points: Sequence[Any] = POINTS) -> list[float]:
    """Return ŷ at each point, by an MLP with these weights."""
    units, c = weights
    model = MLP([2, len(units), 1], activation=activation, init="zeros")
    numbers = [number for unit in units for number in (*unit.w, unit.b)] + [unit.v for unit in units] + [c]
    model.load_state_dict(dict(zip(model.state_dict(), numbers)))
    return [model(x).data for x in points]


def equivalents(weights: Weights, activation: str, *, move_bias: bool = False) -> list[Weights]:
    """Return the candidates whose outputs equal those of `weights` up to rounding errors."""
    expected = outputs(weights, activation)
    return [
        candidate
        for candidate in candidates(weights, move_bias=move_bias)
        if all(abs(y - y_0) < 1e-12 for y, y_0 in zip(outputs(candidate, activation), expected))
    ]


def main() -> None:
    """Print how many of the M!·2^M candidates compute the same function, for each activation."""
    weights = random_weights()
    units = len(weights[0])
    print(f"M = {units}: M! = {factorial(units)}, M!·2^M = {factorial(units) * 2**units} candidates")
    for activation in ("tanh", "sigmoid", "relu"):
        same = equivalents(weights, activation)
        print(f"  {activation:8} {len(same):2} give the same outputs, {len(set(same))} of them distinct")
    with_bias = equivalents(weights, "sigmoid", move_bias=True)
    print(f"  sigmoid  {len(with_bias):2} if v of each flipped unit is added to the output bias: σ(−z) = 1 − σ(z)")


if __name__ == "__main__":
    main()
