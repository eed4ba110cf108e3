"""Build an expression graph from a plan, within limits, such that every input of an op is in its sample interval.

A plan is a list of ops, each with bytes (picks) that select its inputs. It is plain data, drawn before the graph is
built, so Hypothesis can shorten the list and shrink the picks: pick 0 is always the simplest choice. A step that would
exceed the limits is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

from microgradlib.ops import Op, arithmetic, trigonometric
from microgradlib.testing.conditioning import sample_interval
from microgradlib.testing.expression_graph import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Interval", "Limits", "PartialGraph", "build"]

Interval: TypeAlias = "tuple[float, float]"

_PICKS = 256
"""The number of values of a pick, which is a byte."""

_LARGEST = 100.0
"""The largest magnitude of a result; beyond it, rounding errors would dominate derivatives of later steps."""

_ANY_RANGE = frozenset({"add", "sub", "neg", "mul", "sum", "mean", "dot", "where", "strong_mul", "identity"})
"""Ops that are well conditioned for numbers of any magnitude: their inputs are not squashed by tanh."""

_SIMPLE_NUMBERS = (1.0, 2.0, 0.5, -1.0, 0.0, 0.25)


@dataclass(frozen=True)
class Limits:
    """The limits of a graph: None means no limit; `sharing` allows several uses of the result of an op."""

    inputs: int
    nodes: int
    depth: int | None
    width: int | None
    sharing: bool


@dataclass(frozen=True)
class _Node:
    interval: Interval
    depth: int


@dataclass(frozen=True)
class PartialGraph:
    """A graph under construction: its inputs with their intervals, its steps, and the range and depth of each name.

    It is immutable: its methods return a new, larger graph.
    """

    limits: Limits
    inputs: dict[str, Interval] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    nodes: dict[str, _Node] = field(default_factory=dict)
    used: frozenset[str] = frozenset()

    def with_input(self, interval: Interval) -> tuple[PartialGraph, str]:
        """Add an argument, its interval narrowed for numeric derivatives; return the new graph and the name."""
        low, high = interval
        margin = min(0.1 * max(1.0, abs(low), abs(high)), (high - low) / 4)
        inner = (round(low + margin, 6), round(high - margin, 6))
        name = f"x{len(self.inputs) + 1}"
        nodes = {**self.nodes, name: _Node(interval, 0)}
        return replace(self, inputs={**self.inputs, name: inner}, nodes=nodes), name

    def with_step(
        self, op: Op, arguments: Sequence[str | float], interval: Interval | None = None
    ) -> PartialGraph | None:
        """Add the step op(*arguments), whose range is `interval` if known; return None if that would exceed a limit."""
        names = [a for a in arguments if isinstance(a, str)]
        ranges = [self.nodes[a].interval if isinstance(a, str) else (a, a) for a in arguments]
        interval = interval or _range(op, tuple(ranges))
        if not names or interval is None:
            return None
        depth = 1 + max(self.nodes[a].depth for a in names)
        limits = self.limits
        level = sum(node.depth == depth for node in self.nodes.values())
        if len(self.steps) >= limits.nodes or depth > (limits.depth or depth) or level >= (limits.width or level + 1):
            return None
        name = f"t{len(self.steps) + 1}"
        nodes = {**self.nodes, name: _Node(interval, depth)}
        steps = (*self.steps, Step(name, op, tuple(arguments)))
        return replace(self, steps=steps, nodes=nodes, used=self.used.union(names))

    def squashed(self, name: str, interval: Interval) -> tuple[PartialGraph, str] | None:
        """Add centre + half · tanh(name), which is always in the interval; return None if that would exceed a limit."""
        centre, half = (interval[0] + interval[1]) / 2, (interval[1] - interval[0]) / 2
        centre, half = round(centre, 9), round(half, 9)
        graph = self.with_step(trigonometric.tanh, [name])
        if graph and half != 1:
            graph = graph.with_step(arithmetic.mul, [half, graph.steps[-1].name], (-half, half))
        if graph and centre != 0:
            graph = graph.with_step(arithmetic.add, [centre, graph.steps[-1].name], interval)
        if graph is None:
            return None
        result = graph.steps[-1].name
        return replace(graph, used=graph.used | {result}), result

    def choose(self, op: Op, index: int, pick: int, constants: str) -> tuple[PartialGraph, str | float]:
        """Choose input `index` of an op: a node in range, a new argument, a node squashed into range, or a constant.

        Unused nodes are preferred, the latest before the earlier ones, so that steps form chains. `constants` is the
        rank of a constant among the options: "first", "last" or "never".
        """
        interval = sample_interval(op, index)
        if interval[0] == interval[1]:
            return self, interval[0]
        wide = (-_LARGEST, _LARGEST) if op.name in _ANY_RANGE else interval
        free = [name for name in reversed(self.nodes) if name not in self.used]
        shared = [name for name in self.nodes if name in self.used and (self.limits.sharing or name in self.inputs)]
        options = [("node", name) for name in free if _inside(self.nodes[name].interval, wide)]
        options += [("input", "")] * (len(self.inputs) < self.limits.inputs)
        options += [("node", name) for name in shared if _inside(self.nodes[name].interval, wide)]
        options += [("squash", name) for name in free + shared if ("node", name) not in options][:2]
        options[0 if constants == "first" else len(options) :] = [("constant", "")] * (constants != "never")
        if options:
            kind, name = options[pick * pick * len(options) // _PICKS**2]  # quadratic: earlier options are more likely
            if kind == "node":
                return replace(self, used=self.used | {name}), name
            if kind == "input":
                return self.with_input(interval)
            squashed = self.squashed(name, interval) if kind == "squash" else None
            if squashed:
                return squashed
        return self, _constant(interval, pick)


def build(plan: Sequence[tuple[Op, bytes]], limits: Limits) -> PartialGraph:
    """Return the graph of a plan: for each op, the first pick is the number of inputs, the others select them."""
    graph = PartialGraph(limits)
    for op, (count_pick, *picks) in plan:
        count = 2 + count_pick % 3 if op.arity is None else op.arity
        extended = graph
        arguments: list[str | float] = []
        last = count - op.setting_count - 1
        for i in range(count):
            needs_node = i == last and not any(isinstance(a, str) for a in arguments)
            constants = "never" if needs_node else "first" if i > last else "last"
            extended, argument = extended.choose(op, i, picks[i % len(picks)], constants)
            arguments.append(argument)
        graph = extended.with_step(op, arguments) or graph
    return graph if graph.nodes else graph.with_input((-3.0, 3.0))[0]


def _inside(inner: Interval, outer: Interval) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _constant(interval: Interval, pick: int) -> float:
    """Return a number in the interval; for small picks a simple one such as 1.0, if the interval contains any."""
    low, high = interval
    simple = [x for x in _SIMPLE_NUMBERS if low <= x <= high]
    if pick < _PICKS // 2 and simple:
        return simple[pick % len(simple)]
    return min(max(round(low + (high - low) * (pick + 1) / (_PICKS + 1), 3), low), high)


@lru_cache(maxsize=4096)
def _range(op: Op, intervals: tuple[Interval, ...]) -> Interval | None:
    """Return the range of the op's results on a grid of inputs; None if it is not finite or too large."""
    steps = 4 if len(intervals) <= 2 else 2
    axes = [
        [low + (high - low) * k / steps for k in range(steps + 1)] if low < high else [low] for low, high in intervals
    ]
    results = [op.compute(*point) for point in product(*axes)]
    if not all(map(math.isfinite, results)):
        return None
    low, high = min(results), max(results)
    return (low, high) if max(abs(low), abs(high)) <= _LARGEST else None
