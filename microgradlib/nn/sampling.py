"""Draw a class from probabilities or logits, with a temperature and a top-k cut, as language models are sampled."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, check_order, non_negative, whole_number
from microgradlib._support.number import as_float
from microgradlib._support.rng import Rng, as_random
from microgradlib._support.shown import shown
from microgradlib.core.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterable

    from microgradlib.nn.vectors import Number

__all__ = ["sample", "sample_from_logits"]

TOLERANCE = 1e-6
"""How far the sum of the probabilities may be from 1."""


@in_plain_words
def sample(
    probabilities: Iterable[Number], rng: Rng, *, temperature: float = 1.0, top_k: WholeNumber | None = None
) -> int:
    """Return a class k, 0 to n − 1, drawn with probability p_k, or proportional to p_k^(1/T) among the most probable.

    `probabilities`: n floats or Values ≥ 0 whose sum is 1, as `softmax` gives them. `rng`: a `random.Random`, of which
    one number is drawn, or a seed, with which each call draws the same class. `temperature` is T ≥ 0: below 1 the
    probable classes become more probable, above 1 less; at 0 the first most probable class is returned and nothing is
    drawn. `top_k`: only the k most probable classes are drawn, of equal ones the first; None or k ≥ n means all.

    Raises `ValueError` for no probabilities, a negative one, nan, a sum other than 1, or a setting out of range.

    >>> import random
    >>> rng = random.Random(0)
    >>> [sample([0.25, 0.5, 0.25], rng) for _ in range(8)]
    [2, 2, 1, 1, 1, 1, 2, 1]
    >>> sample([0.25, 0.5, 0.25], rng, temperature=0), sample([0.4, 0.6], rng, top_k=1)
    (1, 1)
    """
    numbers = _numbers(probabilities, "probabilities")
    total = math.fsum(numbers)
    if not all(p >= 0 for p in numbers) or not abs(total - 1) <= TOLERANCE:
        fault = f"they sum to {total!r}" if all(p >= 0 for p in numbers) else f"the smallest is {min(numbers)!r}"
        message = f"probabilities must be >= 0 and sum to 1, but {fault}; for logits write sample_from_logits"
        raise ValueError(message)
    return _drawn([math.log(p) if p > 0 else -math.inf for p in numbers], numbers, rng, temperature, top_k)


@in_plain_words
def sample_from_logits(
    logits: Iterable[Number], rng: Rng, *, temperature: float = 1.0, top_k: WholeNumber | None = None
) -> int:
    """Return a class k drawn with probability softmax(z/T)_k: what `sample` draws, from the logits z.

    A logit of −inf is never drawn. Raises `ValueError` for no logits, nan, +inf, or only −inf; the other arguments and
    errors are those of `sample`.

    >>> import random
    >>> rng = random.Random(0)
    >>> [sample_from_logits([0.0, 1000.0, -1000.0], rng) for _ in range(3)]
    [1, 1, 1]
    """
    numbers = _numbers(logits, "logits")
    largest = max(numbers)
    if not all(z < math.inf for z in numbers) or largest == -math.inf:
        message = f"logits must be below inf, not nan, and not all -inf, got {numbers}"
        raise ValueError(message)
    return _drawn(numbers, [math.exp(z - largest) for z in numbers], rng, temperature, top_k)


def _numbers(xs: Any, name: str) -> list[float]:
    check_order(xs, name, iterators=True)
    if not hasattr(xs, "__iter__"):
        message = f"{name} must be a list of one number for each class, got {shown(xs)}"
        raise TypeError(message)
    numbers = [as_float(x.data if isinstance(x, Node) else x) for x in xs]
    if not numbers:
        message = f"{name} must have at least one number"
        raise ValueError(message)
    return numbers


def _drawn(logits: list[float], weights: list[float], rng: Rng, temperature: float, top_k: WholeNumber | None) -> int:
    """Draw a class with probability proportional to `weights` = exp(logits), changed by temperature and top-k."""
    temperature = non_negative(temperature, "temperature", example=0.8)
    count = len(logits) if top_k is None else whole_number(top_k, "top_k")
    generator = as_random(rng)
    by_rank = sorted(range(len(logits)), key=lambda k: -logits[k])  # stable: of equal ones the first comes first
    if temperature == 0:
        return by_rank[0]
    if temperature != 1:
        largest = logits[by_rank[0]]
        weights = [math.exp((z - largest) / temperature) for z in logits]
    classes = sorted(k for k in by_rank[:count] if weights[k] > 0)
    return generator.choices(classes, [weights[k] for k in classes])[0]
