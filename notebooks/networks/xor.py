"""XOR (*Deep Learning*, 6.1; document 000): no linear model represents it, a hidden layer of two ReLU units does.

The optimal linear model is w = 0, b = ½, whose output is ½ everywhere. The book's weights for f(x) = wᵀ max(0, Wᵀx + c)
+ b give 0, 1, 1, 0 exactly. With two units training seldom finds such weights: a unit that becomes 0 at all four points
is dead, as its gradient is 0. With more units training succeeds more often.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from microgradlib import grad_table, mean
from microgradlib.costs import squared_error
from microgradlib.data import xor
from microgradlib.nn import MLP, Neuron
from microgradlib.optim import SGD, Adam
from microgradlib.training import fit

POINTS, TARGETS = xor().inputs, xor().targets
BOOK = [1, 1, 0, 1, 1, -1, 1, -2, 0]  # (W_11, W_21, c_1), (W_12, W_22, c_2), (w_1, w_2, b)
SOLVED = 1e-3


class Run(NamedTuple):
    """The result of a training: the mean of ½ (y − ŷ)², and the fraction of hidden units that are 0 at all points."""

    loss: float
    dead: float


def linear_model(epochs: int = 300) -> Neuron:
    """Return f(x; w, b) = xᵀw + b after gradient descent on all four points from random weights."""
    model = Neuron(2, "linear", rng=0)
    descent = partial(SGD, lr=1.0)
    fit(model, squared_error, POINTS, TARGETS, epochs=epochs, batch_size=None, optimizer=descent, progress=False)
    return model


def gradient_of_linear_model(w: Sequence[float], b: float) -> list[float]:
    """Return ∂R/∂w_1, ∂R/∂w_2, ∂R/∂b of the mean cost R, which are all 0 only at the minimum, as R is convex."""
    model = Neuron(2, "linear")
    model.load_state_dict({"w.0": w[0], "w.1": w[1], "b": b})
    table = grad_table(mean(squared_error(model(x), y) for x, y in zip(POINTS, TARGETS)))
    return [table[p] for p in model.parameters()]


def book_network() -> MLP:
    """Return the network with the weights of the book's 6.1."""
    model = MLP([2, 2, 1], activation="relu")
    model.load_state_dict(dict(zip(model.state_dict(), BOOK)))
    return model


def hidden_space(model: MLP) -> list[tuple[float, ...]]:
    """Return h = max(0, Wᵀx + c) of the four points; a line separates the classes in this space (fig. 6.1)."""
    return [tuple(h.data for h in model.layers[0](x)) for x in POINTS]


def outputs(model: Any) -> list[float]:
    """Return the model's outputs at the four points."""
    return [model(x).data for x in POINTS]


def train(units: int, rng: int, epochs: int = 150) -> tuple[MLP, Run]:
    """Return a network with `units` ReLU units after training, and the result of the training."""
    model, adam = MLP([2, units, 1], activation="relu", rng=rng), partial(Adam, lr=0.05)
    history = fit(model, squared_error, POINTS, TARGETS, epochs=epochs, batch_size=None, optimizer=adam, progress=False)
    return model, Run(history.loss[-1], history.dead_relus[-1])


def main(seeds: int = 20) -> None:
    """Print the linear model, the book's network, and how many trainings succeed."""
    line = linear_model()
    w_1, w_2, b = line.state_dict().values()
    print(f"linear model, trained: w = ({w_1:.6f}, {w_2:.6f}), b = {b:.6f}")
    print(f"  gradient at w = 0, b = ½: {gradient_of_linear_model([0.0, 0.0], 0.5)}")
    book = book_network()
    print("the book's weights\n  x           h           f(x)")
    for x, h, y in zip(POINTS, hidden_space(book), outputs(book)):
        print(f"  {x}  {h}  {y:g}")
    print(f"\ntrained from {seeds} seeds\nunits  solved  loss of those not solved (⅛: ½ everywhere)   with dead units")
    for units in (2, 4, 8):
        runs = [train(units, rng)[1] for rng in range(seeds)]
        failed = [run for run in runs if run.loss > SOLVED]
        dead = sum(run.dead > 0 for run in failed)
        losses = " ".join(f"{loss:.3f}×{n}" for loss, n in _counts(round(run.loss, 3) for run in failed))
        print(f"{units:5}  {seeds - len(failed):6}  {losses:48}  {dead} of {len(failed)}")


def _counts(numbers: Any) -> list[tuple[float, int]]:
    listed = sorted(numbers)
    return [(number, listed.count(number)) for number in dict.fromkeys(listed)]


if __name__ == "__main__":
    main()
