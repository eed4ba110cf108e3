"""A letter-level GPT out of single numbers, in microgpt's architecture, for any engine with + × ÷ ** exp log relu."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

WIDTH, HEADS, BLOCK = 16, 4, 16
HEAD_WIDTH = WIDTH // HEADS
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
EDGE = len(ALPHABET)
"""The token before the first letter and after the last."""

NAMES = ("matilda", "otto", "gwendolyn", "ivo", "josephine", "kasimir")


def weighted(matrix: list[list[Any]], x: list[Any]) -> list[Any]:
    """Return matrix times x, every product and every sum a node of its own."""
    return [sum(w * x_i for w, x_i in zip(row, x)) for row in matrix]


def shares(scores: list[Any]) -> list[Any]:
    """Return the softmax of the scores, the largest taken off as a constant."""
    top = max(score.data for score in scores)
    powers = [(score - top).exp() for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def rms_normalised(x: list[Any]) -> list[Any]:
    """Return x divided by its root mean square."""
    mean_square = sum(x_i * x_i for x_i in x) / len(x)
    factor = (mean_square + 1e-5) ** -0.5
    return [x_i * factor for x_i in x]


def added(x: list[Any], y: list[Any]) -> list[Any]:
    """Return x + y, element by element."""
    return [a + b for a, b in zip(x, y)]


class ScalarGPT:
    """One transformer layer: token and place embeddings, attention by four heads, a ReLU network, scores of letters."""

    SHAPES = {  # noqa: RUF012 - never changed
        "token": (EDGE + 1, WIDTH), "place": (BLOCK, WIDTH), "score": (EDGE + 1, WIDTH),
        "query": (WIDTH, WIDTH), "key": (WIDTH, WIDTH), "value": (WIDTH, WIDTH), "mix": (WIDTH, WIDTH),
        "widen": (4 * WIDTH, WIDTH), "narrow": (WIDTH, 4 * WIDTH),
    }  # fmt: skip

    def __init__(self, engine: Any, seed: int = 42) -> None:
        draw = random.Random(seed)
        self.weights = {
            name: [[engine(draw.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]
            for name, (rows, columns) in self.SHAPES.items()
        }

    def parameters(self) -> list[Any]:
        """Return every weight, matrix by matrix and row by row."""
        return [weight for matrix in self.weights.values() for row in matrix for weight in row]

    def attention(self, x: list[Any], past: list[tuple[list[Any], list[Any]]]) -> list[Any]:
        """Return what the heads read from the places so far; this place's own key and value join `past`."""
        query = weighted(self.weights["query"], x)
        past.append((weighted(self.weights["key"], x), weighted(self.weights["value"], x)))
        read = []
        for start in range(0, WIDTH, HEAD_WIDTH):
            head = range(start, start + HEAD_WIDTH)
            attention = shares([sum(query[i] * key[i] for i in head) / HEAD_WIDTH**0.5 for key, _ in past])
            read += [sum(a * value[i] for a, (_, value) in zip(attention, past)) for i in head]
        return weighted(self.weights["mix"], read)

    def scores(self, token: int, place: int, past: list[tuple[list[Any], list[Any]]]) -> list[Any]:
        """Return a score for each token that may come next."""
        x = rms_normalised(added(self.weights["token"][token], self.weights["place"][place]))
        x = added(self.attention(rms_normalised(x), past), x)
        hidden = [h.relu() for h in weighted(self.weights["widen"], rms_normalised(x))]
        x = added(weighted(self.weights["narrow"], hidden), x)
        return weighted(self.weights["score"], x)

    def loss(self, name: str) -> Any:
        """Return the mean surprise, in nats, at the letters of a name and its end."""
        tokens = [EDGE, *map(ALPHABET.index, name), EDGE][: BLOCK + 1]
        past: list[tuple[list[Any], list[Any]]] = []
        surprises = [
            -shares(self.scores(token, place, past))[following].log()
            for place, (token, following) in enumerate(pairwise(tokens))
        ]
        return sum(surprises) * (1 / len(surprises))


class Adam:
    """Adam with microgpt's settings: rate 0.01, decays 0.85 and 0.99."""

    def __init__(self, parameters: list[Any]) -> None:
        self.parameters = parameters
        self.means = [0.0] * len(parameters)
        self.squares = [0.0] * len(parameters)
        self.steps = 0

    def step(self) -> None:
        """Move every parameter against its gradient, and clear the gradient."""
        self.steps += 1
        unbias_mean, unbias_square = 1 - 0.85**self.steps, 1 - 0.99**self.steps
        for i, parameter in enumerate(self.parameters):
            gradient = parameter.grad
            self.means[i] += 0.15 * (gradient - self.means[i])
            self.squares[i] += 0.01 * (gradient**2 - self.squares[i])
            parameter.data -= 0.01 * (self.means[i] / unbias_mean) / ((self.squares[i] / unbias_square) ** 0.5 + 1e-8)
            parameter.grad = 0


class Training:
    """A model and its optimiser; each `step()` learns the next name and returns the loss before it."""

    def __init__(self, engine: Any) -> None:
        self.model = ScalarGPT(engine)
        self.optimiser = Adam(self.model.parameters())

    def step(self) -> float:
        """Take one training step on one name."""
        loss = self.model.loss(NAMES[self.optimiser.steps % len(NAMES)])
        loss.backward()
        self.optimiser.step()
        number: float = loss.data
        return number
