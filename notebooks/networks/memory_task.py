"""Remember one symbol: the vanilla RNN against LSTM and GRU (*Deep Learning*, 10.7 and 10.10).

The first input is the symbol, −1 or +1, followed by `span` steps of noise; after the last step the network has to
output the symbol. ∂E/∂x_1 contains one factor ∂s_t/∂s_{t−1} for each step: that of the vanilla RNN, diag(1 − s_t²) W,
makes it vanish. In the LSTM's cell and the GRU's state the factor is the output of a gate. If that is initially near
1, with a gate bias of 3, σ(3) = 0.95, the gradient does not vanish and training succeeds; with bias 0 it is about
halved at every step.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import partial
from typing import Any

from microgradlib import Value, grad_table, no_grad
from microgradlib.costs import binary_cross_entropy_with_logits
from microgradlib.metrics import accuracy
from microgradlib.nn import GRU, LSTM, RNN, Layer, Module
from microgradlib.optim import Adam
from microgradlib.training import fit

CELLS = ("RNN", "LSTM", "GRU")
UNITS = 3
COST = binary_cross_entropy_with_logits

Sequences = tuple[list[list[list[float]]], list[int]]


class Memory(Module):
    """A recurrent network of one kind and a linear readout of its last hidden state: the logit of +1.

    `gate_bias` is the initial bias of the gate that preserves the state: the LSTM's forget gate, the GRU's update gate.
    """

    def __init__(self, cell: str, rng: int = 0, gate_bias: float = 3.0) -> None:
        generator = random.Random(rng)
        self.recurrent: Any = {"RNN": RNN, "LSTM": LSTM, "GRU": GRU}[cell](2, UNITS, rng=generator)
        gate = getattr(self.recurrent.cell, {"LSTM": "forget_gate", "GRU": "update_gate"}.get(cell, ""), None)
        for b in gate.b if gate else []:
            b.data = gate_bias
        self.readout = Layer(UNITS, 1, "linear", rng=generator, init="fan_in")

    def __call__(self, xs: Sequence[Sequence[Any]]) -> Any:
        """Return the logit after the last input."""
        hidden, _ = self.recurrent(xs)
        return self.readout(hidden[-1])


def sequences(count: int, span: int, rng: int = 0) -> Sequences:
    """Return sequences x_t = (symbol, noise): (±1, 0), then `span` times (0, U(−1, 1)); targets: 1 for +1, 0 for −1."""
    generator = random.Random(rng)
    targets = [i % 2 for i in range(count)]
    inputs = [[[2.0 * y - 1, 0.0], *([0.0, generator.uniform(-1, 1)] for _ in range(span))] for y in targets]
    return inputs, targets


def accuracy_after_training(cell: str, span: int, rng: int = 0, epochs: int = 12) -> float:
    """Return the accuracy on 40 new sequences after training on 32; random guesses would give ½."""
    model = Memory(cell, rng)
    adam = partial(Adam, lr=0.05)
    fit(
        model, COST, *sequences(32, span, rng),
        epochs=epochs, batch_size=8, optimizer=adam, clip_norm=1.0, rng=rng, progress=False,
    )  # fmt: skip
    xs, targets = sequences(40, span, rng + 100)
    with no_grad():
        return accuracy([int(model(x).data > 0) for x in xs], targets)


def gradient_of_first_input(cell: str, span: int, gate_bias: float = 3.0, seeds: Sequence[int] = range(5)) -> float:
    """Return |∂E/∂x_1| for the final cost E and the symbol x_1, the geometric mean over untrained networks."""
    logarithms = 0.0
    for rng in seeds:
        [[_, *noise]], [target] = sequences(1, span, rng)
        symbol = Value(2.0 * target - 1)
        table = grad_table(COST(Memory(cell, rng, gate_bias)([[symbol, 0.0], *noise]), target))
        logarithms += math.log(abs(table[symbol]))
    return math.exp(logarithms / len(seeds))


def main(spans: Sequence[int] = (5, 30), seeds: Sequence[int] = range(3)) -> None:
    """Print |∂E/∂x_1| before training, and the accuracies after training."""
    print("|∂E/∂x_1| before training, gate bias in parentheses\n span     RNN  LSTM (0)   GRU (0)  LSTM (3)   GRU (3)")
    columns = [("RNN", 0.0), ("LSTM", 0.0), ("GRU", 0.0), ("LSTM", 3.0), ("GRU", 3.0)]
    for span in (1, 5, 10, 20, 30):
        print(f"{span:5}" + "  ".join(f"{gradient_of_first_input(cell, span, bias):8.1e}" for cell, bias in columns))
    print(f"\naccuracy on new sequences, seeds {', '.join(map(str, seeds))}")
    for span in spans:
        for cell in CELLS:
            accuracies = "  ".join(f"{accuracy_after_training(cell, span, rng):4.0%}" for rng in seeds)
            print(f"span {span:2}  {cell:4}  {accuracies}")


if __name__ == "__main__":
    main()
