"""Places on a line for things that pull each other together and must keep their order and distances.

Sweeps go over the columns, forwards and backwards; things move towards the neighbours in the direction from which the
sweep comes. What begins in a column is placed as a least-squares problem, which pooling of adjacent violators solves
exactly, between what stands there already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

_MOST_WORK: Final = 24_000
"""Limit on sweeps times things: larger diagrams get fewer sweeps, to bound the time."""
_MOST_SWEEPS: Final = 24
_TWO_SIDED: Final = 6
"""So many of the last sweeps look at both sides, so that none is favoured."""
_SLIGHT: Final = 1e-3
"""Lines with less than this part of the largest weight do not count as lines of their side."""
_NO_PULL: Final = 0.01
"""The weight of the wish of a thing without neighbours to stay where it is."""
_FAR: Final = 1e12


class Pull(NamedTuple):
    """A line that is straight if this thing stands `offset` behind the `other` one; `before`: the other is its tail."""

    other: int
    offset: float
    weight: float
    before: bool


class _Active(NamedTuple):
    """Things that a sweep places together: a column's, in order, with their distances, and what bounds them."""

    things: Sequence[int]
    distances: Sequence[float]
    above: Sequence[Sequence[tuple[int, float]]]  # for each thing, others above it, with the distances to them
    below: Sequence[Sequence[tuple[int, float]]]


def place_things(
    chains: Sequence[Sequence[int]], gap: Callable[[int, int], float], pulls: Mapping[int, Sequence[Pull]]
) -> dict[int, float]:
    """Return the middle of each thing.

    Args:
        chains: what stands in each column, in order; a thing may stand in several columns.
        gap: the least distance between the middles of two neighbours.
        pulls: for each thing, the lines that join it to others.

    Raises:
        ValueError: two columns hold the same things in different orders.

    >>> pulls = {0: [Pull(1, 5.0, 1.0, True)], 1: [Pull(0, -5.0, 1.0, False)], 2: []}
    >>> place = place_things([[0, 2], [1, 2]], lambda one, other: 10.0, pulls)
    >>> place[0] - place[1], place[2] - place[0] >= 10.0
    (5.0, True)
    """
    after: dict[int, dict[int, float]] = {thing: {} for chain in chains for thing in chain}
    before: dict[int, dict[int, float]] = {thing: {} for thing in after}
    for chain in chains:
        for one, other in pairwise(chain):
            if other not in after[one]:
                after[one][other] = before[other][one] = gap(one, other)
    place = _middle_of_slack(_topological(after, before), after, before)
    forwards = _actives(chains, after, before)
    backwards = _actives(chains[::-1], after, before)
    sweeps = max(6, min(_MOST_SWEEPS, _MOST_WORK // (len(place) + 1)))
    for sweep in range(sweeps):
        ahead = sweep % 2 == 1
        wish = _both if sweep >= sweeps - _TWO_SIDED else _mean
        for active in forwards if ahead else backwards:
            _place_active(active, place, [wish(thing, pulls[thing], place, ahead) for thing in active.things])
    return place


def _actives(
    chains: Sequence[Sequence[int]],
    after: Mapping[int, Mapping[int, float]],
    before: Mapping[int, Mapping[int, float]],
) -> list[_Active]:
    """Return for each column, in the order given, the things that no earlier one holds."""
    seen: set[int] = set()
    actives = []
    for chain in chains:
        things: list[int] = []
        distances: list[float] = []
        since = 0.0
        for i, thing in enumerate(chain):
            since += after[chain[i - 1]][thing] if i else 0.0
            if thing not in seen:
                distances += [since] if things else []
                things.append(thing)
                since = 0.0
        seen.update(things)
        if things:
            here = set(things)
            above = [[pair for pair in before[thing].items() if pair[0] not in here] for thing in things]
            below = [[pair for pair in after[thing].items() if pair[0] not in here] for thing in things]
            actives.append(_Active(things, distances, above, below))
    return actives


def _mean(thing: int, pulls: Sequence[Pull], place: Mapping[int, float], ahead: bool) -> tuple[float, float]:
    """Return the mean of the places at which the lines that come from the sweep's side are straight, and its weight."""
    return _weighted([pull for pull in pulls if pull.before == ahead], place, place[thing])


def _both(thing: int, pulls: Sequence[Pull], place: Mapping[int, float], ahead: bool) -> tuple[float, float]:
    """Return the mean for the lines of both sides, or for the heavier side if there is one line on each.

    So a line through several boxes that cannot be straight bends in one place, not a little at each of them.
    """
    most = max([pull.weight for pull in pulls], default=0.0)
    before = [pull for pull in pulls if pull.before and pull.weight > _SLIGHT * most]
    behind = [pull for pull in pulls if not pull.before and pull.weight > _SLIGHT * most]
    if len(before) == len(behind) == 1:
        difference = before[0].weight - behind[0].weight
        pulls = before if difference > 0 or (difference == 0 and ahead) else behind
    return _weighted(pulls, place, place[thing])


def _weighted(pulls: Sequence[Pull], place: Mapping[int, float], present: float) -> tuple[float, float]:
    pulled = total = 0.0
    for other, offset, weight, _ in pulls:
        pulled += weight * (place[other] + offset)
        total += weight
    return (pulled / total, total) if total else (present, _NO_PULL)


def _place_active(active: _Active, place: dict[int, float], wishes: Sequence[tuple[float, float]]) -> None:
    """Move things to their wishes, pairs of place and weight, as far as their order and the other things allow."""
    targets = least_squares_positions([place for place, _ in wishes], [w for _, w in wishes], active.distances)
    lows = [max([place[other] + distance for other, distance in near], default=-_FAR) for near in active.above]
    highs = [min([place[other] - distance for other, distance in near], default=_FAR) for near in active.below]
    for i, distance in enumerate(active.distances):
        lows[i + 1] = max(lows[i + 1], lows[i] + distance)
    for i in reversed(range(len(active.distances))):
        highs[i] = min(highs[i], highs[i + 1] - active.distances[i])
    for thing, target, low, high in zip(active.things, targets, lows, highs, strict=True):
        place[thing] = max(low, min(target, high))


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
