"""A letter-level GPT over scalars, in microgpt's architecture, for any engine with + × ÷ ** exp log relu."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

WIDTH, HEADS, BLOCK = 16, 4, 16
HEAD_WIDTH = WIDTH // HEADS
ALPHABET = "abcdefghijklmnopqrstuvwxyz"
BOUNDARY = len(ALPHABET)
"""The token before the first letter and after the last."""

NAMES = ("matilda", "otto", "gwendolyn", "ivo", "josephine", "kasimir")


def matvec(matrix: list[list[Any]], x: list[Any]) -> list[Any]:
    """Return the matrix-vector product, with a node for every product and every sum."""
    return [sum(w * x_i for w, x_i in zip(row, x)) for row in matrix]


def softmax(logits: list[Any]) -> list[Any]:
    """Return the softmax of the logits; the largest is subtracted as a constant."""
    largest = max(logit.data for logit in logits)
    powers = [(logit - largest).exp() for logit in logits]
    total = sum(powers)
    return [power / total for power in powers]


def rms_norm(x: list[Any]) -> list[Any]:
    """Return x divided by its root mean square."""
    mean_square = sum(x_i * x_i for x_i in x) / len(x)
    factor = (mean_square + 1e-5) ** -0.5
    return [x_i * factor for x_i in x]


def add(x: list[Any], y: list[Any]) -> list[Any]:
    """Return x + y, element by element."""
    return [a + b for a, b in zip(x, y)]


class ScalarGPT:
    """One transformer layer: token and position embeddings, attention with four heads, a ReLU network, output logits.

    `engine` is the class of the nodes, called with a number.
    """

    SHAPES = {  # noqa: RUF012 - never changed
        "token": (BOUNDARY + 1, WIDTH), "position": (BLOCK, WIDTH), "output": (BOUNDARY + 1, WIDTH),
        "query": (WIDTH, WIDTH), "key": (WIDTH, WIDTH), "value": (WIDTH, WIDTH), "projection": (WIDTH, WIDTH),
        "expand": (4 * WIDTH, WIDTH), "contract": (WIDTH, 4 * WIDTH),
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

    def attention(self, x: list[Any], cache: list[tuple[list[Any], list[Any]]]) -> list[Any]:
        """Return causal self-attention at this position; appends its key and value to `cache`, those of all before."""
        query = matvec(self.weights["query"], x)
        cache.append((matvec(self.weights["key"], x), matvec(self.weights["value"], x)))
        heads = []
        for start in range(0, WIDTH, HEAD_WIDTH):
            head = range(start, start + HEAD_WIDTH)
            weights = softmax([sum(query[i] * key[i] for i in head) / HEAD_WIDTH**0.5 for key, _ in cache])
            heads += [sum(weight * value[i] for weight, (_, value) in zip(weights, cache)) for i in head]
        return matvec(self.weights["projection"], heads)

    def logits(self, token: int, position: int, cache: list[tuple[list[Any], list[Any]]]) -> list[Any]:
        """Return a logit for each token that may come next."""
        x = rms_norm(add(self.weights["token"][token], self.weights["position"][position]))
        x = add(self.attention(rms_norm(x), cache), x)
        hidden = [h.relu() for h in matvec(self.weights["expand"], rms_norm(x))]
        x = add(matvec(self.weights["contract"], hidden), x)
        return matvec(self.weights["output"], x)

    def loss(self, name: str) -> Any:
        """Return the mean cross-entropy, in nats, of the letters of a name and its end."""
        tokens = [BOUNDARY, *map(ALPHABET.index, name), BOUNDARY][: BLOCK + 1]
        cache: list[tuple[list[Any], list[Any]]] = []
        losses = [
            -softmax(self.logits(token, position, cache))[target].log()
            for position, (token, target) in enumerate(pairwise(tokens))
        ]
        return sum(losses) * (1 / len(losses))


class Adam:
    """Adam with microgpt's settings: learning rate 0.01, decay rates 0.85 and 0.99 of the moments."""

    def __init__(self, parameters: list[Any]) -> None:
        self.parameters = parameters
        self.first_moments = [0.0] * len(parameters)
        self.second_moments = [0.0] * len(parameters)
        self.steps = 0

    def step(self) -> None:
        """Update every parameter by its gradient and set the gradient to 0."""
        self.steps += 1
        first_correction, second_correction = 1 - 0.85**self.steps, 1 - 0.99**self.steps
        for i, parameter in enumerate(self.parameters):
            gradient = parameter.grad
            self.first_moments[i] += 0.15 * (gradient - self.first_moments[i])
            self.second_moments[i] += 0.01 * (gradient**2 - self.second_moments[i])
            scale = (self.second_moments[i] / second_correction) ** 0.5 + 1e-8
            parameter.data -= 0.01 * (self.first_moments[i] / first_correction) / scale
            parameter.grad = 0


class Training:
    """A model and its optimiser; each `step()` trains on the next name and returns the loss before the update."""

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
