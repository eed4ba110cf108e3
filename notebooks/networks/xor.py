"""XOR (*Deep Learning*, 6.1; document 000): no linear model tells it, a hidden layer of two ReLU units does.

The linear model's best answer is w = 0, b = ½: ½ everywhere. The book's own weights, f(x) = wᵀ max(0, Wᵀx + c) + b,
give 0, 1, 1, 0 exactly. Training seldom finds such weights with two units: some die, 0 at all four points, and then
nothing teaches them. With more units it finds a solution more often.
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

POINTS, ANSWERS = xor().inputs, xor().targets
BOOK = [1, 1, 0, 1, 1, -1, 1, -2, 0]  # (W_11, W_21, c_1), (W_12, W_22, c_2), (w_1, w_2, b)
SOLVED = 1e-3


class Run(NamedTuple):
    """How one training ended: the mean of ½ (y − ŷ)², and the share of hidden units that are 0 at all four points."""

    loss: float
    dead: float


def linear_model(epochs: int = 300) -> Neuron:
    """Return f(x; w, b) = xᵀw + b after gradient descent on all four points from drawn weights."""
    model = Neuron(2, "linear", rng=0)
    descent = partial(SGD, lr=1.0)
    fit(model, squared_error, POINTS, ANSWERS, epochs=epochs, batch_size=None, optimizer=descent, progress=False)
    return model


def gradient_of_linear_model(w: Sequence[float], b: float) -> list[float]:
    """Return ∂R/∂w_1, ∂R/∂w_2, ∂R/∂b of the mean cost at these weights; as R is convex, all are 0 at its least."""
    model = Neuron(2, "linear")
    model.load_state_dict({"w.0": w[0], "w.1": w[1], "b": b})
    table = grad_table(mean(squared_error(model(x), y) for x, y in zip(POINTS, ANSWERS)))
    return [table[p] for p in model.parameters()]


def book_network() -> MLP:
    """Return the network with the weights of the book's 6.1."""
    model = MLP([2, 2, 1], activation="relu")
    model.load_state_dict(dict(zip(model.state_dict(), BOOK)))
    return model


def hidden_space(model: MLP) -> list[tuple[float, ...]]:
    """Return h = max(0, Wᵀx + c) of the four points: there, a line parts the classes (fig. 6.1)."""
    return [tuple(h.data for h in model.layers[0](x)) for x in POINTS]


def answers(model: Any) -> list[float]:
    """Return the model's outputs at the four points."""
    return [model(x).data for x in POINTS]


def trained(units: int, rng: int, epochs: int = 150) -> tuple[MLP, Run]:
    """Return a network with so many ReLU units after training, and how that ended."""
    model, adam = MLP([2, units, 1], activation="relu", rng=rng), partial(Adam, lr=0.05)
    history = fit(model, squared_error, POINTS, ANSWERS, epochs=epochs, batch_size=None, optimizer=adam, progress=False)
    return model, Run(history.loss[-1], history.dead_relus[-1])


def main(seeds: int = 20) -> None:
    """Print the linear model, the book's network, and how many trainings succeed."""
    line = linear_model()
    w_1, w_2, b = line.state_dict().values()
    print(f"linear model, trained: w = ({w_1:.6f}, {w_2:.6f}), b = {b:.6f}")
    print(f"  gradient at w = 0, b = ½: {gradient_of_linear_model([0.0, 0.0], 0.5)}")
    book = book_network()
    print("the book's weights\n  x           h           f(x)")
    for x, h, y in zip(POINTS, hidden_space(book), answers(book)):
        print(f"  {x}  {h}  {y:g}")
    print(
        f"\ntrained from {seeds} seeds\nunits  solved  loss of those not solved (⅛ is ½ everywhere)   with dead units"
    )
    for units in (2, 4, 8):
        runs = [trained(units, rng)[1] for rng in range(seeds)]
        stuck = [run for run in runs if run.loss > SOLVED]
        losses = " ".join(f"{loss:.3f}×{n}" for loss, n in _counts(round(run.loss, 3) for run in stuck))
        print(f"{units:5}  {seeds - len(stuck):6}  {losses:48}  {sum(run.dead > 0 for run in stuck)} of {len(stuck)}")


def _counts(numbers: Any) -> list[tuple[float, int]]:
    listed = sorted(numbers)
    return [(number, listed.count(number)) for number in dict.fromkeys(listed)]


if __name__ == "__main__":
    main()
