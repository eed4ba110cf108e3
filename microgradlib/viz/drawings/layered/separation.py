"""Places on a line for things that pull each other together and must keep their order and distances.

Things that stand in one column each are placed by sweeps over the columns; each is a least-squares problem that pooling
of adjacent violators solves exactly. Things that stand in several columns at once move one by one towards their
neighbours within their slack, and things that touch move together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

_MOST_WORK: Final = 24_000
"""Limit on sweeps times things: larger diagrams get fewer sweeps, to bound the time."""
_MOST_SWEEPS: Final = 24
_MOST_MOVES: Final = 48
_TOUCHING: Final = 1e-6
_NO_PULL: Final = 0.01
"""The weight of the wish of a thing without neighbours to stay where it is."""


class Pull(NamedTuple):
    """A line that is straight if this thing stands `offset` behind the `other` one; `before`: the other is its tail."""

    other: int
    offset: float
    weight: float
    before: bool


Chains = Sequence[Sequence[int]]
Gap = Callable[[int, int], float]
Pulls = Mapping[int, Sequence[Pull]]


def place_in_columns(chains: Chains, gap: Gap, pulls: Pulls) -> dict[int, float]:
    """Place things each of which stands in one column only.

    Args:
        chains: the things of each column, in order.
        gap: the least distance between the middles of two neighbours.
        pulls: for each thing, the lines that join it to others.

    >>> pulls = {0: [Pull(1, 0.0, 1.0, False)], 1: [Pull(0, 0.0, 1.0, True)], 2: []}
    >>> place = place_in_columns([[0], [1, 2]], lambda one, other: 10.0, pulls)
    >>> place[0] == place[1], place[2] - place[1] >= 10.0
    (True, True)
    """
    gaps = [[gap(above, below) for above, below in pairwise(chain)] for chain in chains]
    place: dict[int, float] = {}
    for chain, distances in zip(chains, gaps, strict=True):
        middle = -sum(distances) / 2
        for thing, step in zip(chain, [*distances, 0.0], strict=True):
            place[thing] = middle
            middle += step
    sweeps = max(6, min(_MOST_SWEEPS, _MOST_WORK // (len(place) + 1)))
    order = list(range(len(chains)))
    for sweep in range(sweeps):
        both = sweep >= sweeps - 3  # the last sweeps use both sides, so that none is favoured
        forwards = sweep % 2 == 1
        for index in order if forwards else reversed(order):
            targets, weights = [], []
            for thing in chains[index]:
                pulled = total = 0.0
                for other, offset, weight, before in pulls[thing]:
                    if both or before == forwards:
                        pulled += weight * (place[other] + offset)
                        total += weight
                targets.append(pulled / total if total else place[thing])
                weights.append(total or _NO_PULL)
            positions = least_squares_positions(targets, weights, gaps[index])
            place.update(zip(chains[index], positions, strict=True))
    return place


def least_squares_positions(
    targets: Sequence[float], weights: Sequence[float], distances: Sequence[float]
) -> list[float]:
    """Return the positions closest to `targets` that keep their order and at least the given distances.

    Minimises Σ weightᵢ (positionᵢ − targetᵢ)² subject to positionᵢ₊₁ − positionᵢ ≥ distanceᵢ, exactly, by pooling
    adjacent violators (isotonic regression after shifting by the distances).

    >>> least_squares_positions([0.0, 0.0], [1.0, 1.0], [10.0])
    [-5.0, 5.0]
    """
    shifts = [0.0]
    for distance in distances:
        shifts.append(shifts[-1] + distance)
    pools: list[tuple[float, float, int]] = []  # mean, weight, number of things
    for target, weight, shift in zip(targets, weights, shifts, strict=True):
        mean, total, size = target - shift, weight, 1
        while pools and pools[-1][0] >= mean:
            other, other_weight, other_size = pools.pop()
            mean = (mean * total + other * other_weight) / (total + other_weight)
            total += other_weight
            size += other_size
        pools.append((mean, total, size))
    means = [mean for mean, _, size in pools for _ in range(size)]
    return [mean + shift for mean, shift in zip(means, shifts, strict=True)]


def place_blocks(chains: Chains, gap: Gap, pulls: Pulls) -> dict[int, float]:
    """Place things that may stand in several columns at once; arguments as those of `place_in_columns`.

    Raises:
        ValueError: two columns hold the same things in different orders.

    >>> pulls = {0: [Pull(1, 5.0, 1.0, True)], 1: [Pull(0, -5.0, 1.0, False)], 2: []}
    >>> place = place_blocks([[0, 2], [1, 2]], lambda one, other: 10.0, pulls)
    >>> place[0] - place[1], place[2] - place[0] >= 10.0
    (5.0, True)
    """
    after: dict[int, dict[int, float]] = {thing: {} for chain in chains for thing in chain}
    before: dict[int, dict[int, float]] = {thing: {} for thing in after}
    for chain in chains:
        for one, other in pairwise(chain):
            if other not in after[one]:
                after[one][other] = before[other][one] = gap(one, other)
    order = _topological(after, before)
    place = _middle_of_slack(order, after, before)
    moves = max(8, min(_MOST_MOVES, 2 * _MOST_WORK // (len(order) + 1)))
    for move in range(moves):
        for thing in order if move % 2 else reversed(order):
            total = sum([pull.weight for pull in pulls[thing]])
            if total:
                wish = sum([weight * (place[other] + offset) for other, offset, weight, _ in pulls[thing]]) / total
                low = max([place[other] + distance for other, distance in before[thing].items()], default=wish)
                high = min([place[other] - distance for other, distance in after[thing].items()], default=wish)
                place[thing] = min(max(wish, low), max(high, low))
        if move % 4 == 3:
            _move_touching(order, after, before, pulls, place)
    return place


def _topological(after: Mapping[int, Mapping[int, float]], before: Mapping[int, Mapping[int, float]]) -> list[int]:
    waiting = {thing: len(ahead) for thing, ahead in before.items()}
    order = [thing for thing in after if not waiting[thing]]
    for thing in order:  # the list grows during the iteration
        for other in after[thing]:
            waiting[other] -= 1
            if not waiting[other]:
                order.append(other)
    if len(order) < len(after):
        raise ValueError("two columns hold the same frames in different orders; order them alike in all columns")
    return order


def _middle_of_slack(
    order: Sequence[int], after: Mapping[int, Mapping[int, float]], before: Mapping[int, Mapping[int, float]]
) -> dict[int, float]:
    """Place each thing halfway between the first and the last place where it can be in the smallest breadth."""
    first: dict[int, float] = {}
    for thing in order:
        first[thing] = max([first[other] + distance for other, distance in before[thing].items()], default=0.0)
    end = max(first.values(), default=0.0)
    last: dict[int, float] = {}
    for thing in reversed(order):
        last[thing] = min([last[other] - distance for other, distance in after[thing].items()], default=end)
    return {thing: (first[thing] + last[thing]) / 2 for thing in order}


def _move_touching(
    order: Sequence[int],
    after: Mapping[int, Mapping[int, float]],
    before: Mapping[int, Mapping[int, float]],
    pulls: Pulls,
    place: dict[int, float],
) -> None:
    """Move each set of things that touch as one, towards the weighted mean of their wishes."""
    cluster, members = _clusters(order, after, place)
    for key, things in members.items():
        outside = [
            (weight, place[other] + offset - place[thing])
            for thing in things
            for other, offset, weight, _ in pulls[thing]
            if cluster[other] != key
        ]
        total = sum([weight for weight, _ in outside])
        if len(things) == 1 or not total:
            continue
        step = sum([weight * distance for weight, distance in outside]) / total
        near = after if step > 0 else before
        slack = [
            abs(place[other] - place[thing]) - distance
            for thing in things
            for other, distance in near[thing].items()
            if cluster[other] != key
        ]
        size = max(0.0, min([abs(step), *slack]))
        for thing in things:
            place[thing] += size if step > 0 else -size


def _clusters(
    order: Sequence[int], after: Mapping[int, Mapping[int, float]], place: Mapping[int, float]
) -> tuple[dict[int, int], dict[int, list[int]]]:
    """Return the key of each thing's cluster, and the things of each: those that touch, one after another."""
    cluster = {thing: thing for thing in order}
    members = {thing: [thing] for thing in order}
    for thing in order:
        for other, distance in after[thing].items():
            one, two = cluster[thing], cluster[other]
            if one != two and place[other] - place[thing] - distance < _TOUCHING:
                if len(members[one]) < len(members[two]):
                    one, two = two, one
                for moved in members[two]:
                    cluster[moved] = one
                members[one] += members.pop(two)
    return cluster, members
