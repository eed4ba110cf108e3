"""Bring a trace into one form: sums and products n-ary, constants computed, equal nodes one, unused ones gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.trace import Trace, TracedNode
from microgradlib.ops import TABLE, Op

Nodes = tuple[int, ...]

__all__ = ["canonicalize"]

ADD, MUL, DIV, SUM, DOT, WHERE, IDENTITY = (
    TABLE[name] for name in ("add", "mul", "div", "sum", "dot", "where", "identity")
)
SUMMED = {ADD, MUL, SUM, DOT}


def canonicalize(trace: Trace) -> Trace:
    """Return the same computation in canonical form, so that one written term by term and one of n-ary nodes agree.

    - Sums of sums are one `sum`; sums of products, and of dots, one `dot` of weights and inputs. Unbatched factors are
      weights; beside several of these, products of two batched numbers have a dot of their own.
    - A bias stands in a dot W x + b of which all but x is unbatched; any other is added.
    - The product that begins a family w₁x₁, w₁x₁ + w₂x₂ …, as in causal attention, is a dot of one term. In its softmax
      what x is divided by in x/x, and in x/(x + y), is a sum, as in x/(x + y + z).
    - An operation on constants is its number, equal operations on equal arguments are one node, identities are gone.
    - Weights, inputs, and the arguments of other n-ary ops are all batched or all unbatched: `identity` is a copy of an
      unbatched number into the batch.

    >>> from microgradlib.compiler.trace import trace
    >>> [str(node) for node in canonicalize(trace(lambda x: 2 * x[0] + (x[1] * 3 + 4), [[0.0, 0.0]], [])).nodes]
    ['input 0', 'input 1', 'constant 2.0', 'constant 3.0', 'constant 4.0', 'dot 2, 3, 0, 1, 4']
    """
    writer = _Writer(trace)
    for position, node in enumerate(trace.nodes):
        if position not in writer.absorbed:
            writer.places[position] = writer.take(position, node)
    nodes = _with_sums_of_any_length(_with_dots_of_one_term(writer.nodes, writer.spaces), writer.spaces)
    return _pruned(nodes, writer.spaces, [writer.places[y] for y in trace.outputs], trace)


class _Writer:
    """The new nodes as they are written, and at which of their `places` each node of the trace stands.

    `absorbed` are the sums, products and dots that only one sum reads: they are written as its terms.
    """

    def __init__(self, trace: Trace) -> None:
        self.traced = trace.nodes
        sums = [node.op is ADD or node.op is SUM for node in trace.nodes]
        terms = Counter(chain.from_iterable([node.arguments for node, is_sum in zip(trace.nodes, sums) if is_sum]))
        others = chain.from_iterable([node.arguments for node, is_sum in zip(trace.nodes, sums) if not is_sum])
        once = {a for a, uses in terms.items() if uses == 1 and trace.nodes[a].op in SUMMED}
        self.absorbed = once.difference(others, trace.outputs)
        self.nodes: list[TracedNode] = []
        self.spaces: list[int] = []
        self.known: dict[Any, int] = {}
        self.places: dict[int, int] = {}

    def take(self, position: int, node: TracedNode) -> int:
        """Write a node of the trace; return its place."""
        op = node.op
        if op is None:
            return self._enter(repr(node.number) if node.kind == "constant" else position, node)
        if op in SUMMED:
            return self._write_sum(*self._terms(position))
        arguments = tuple([self.places[a] for a in node.arguments])
        if op is DIV and arguments[0] == arguments[1] and self.spaces[arguments[0]] == BATCHED:
            arguments = arguments[0], self._write(SUM, arguments[:1])
        if op.variadic:
            arguments = self._in_one_space(arguments)
        return arguments[0] if op is IDENTITY else self._write(op, arguments)

    def _terms(self, position: int) -> tuple[list[Nodes], list[int]]:
        """Return a sum's products, as pairs of factors, and its other terms."""
        pairs: list[Nodes] = []
        others: list[int] = []
        waiting = [position]
        while waiting:
            i = waiting.pop()
            op, arguments = self.traced[i].op, self.traced[i].arguments
            if i != position and i not in self.absorbed:
                others.append(self.places[i])
            elif op is ADD or op is SUM:
                waiting += reversed(arguments)
            else:
                factors, n = [*map(self.places.__getitem__, arguments)], len(arguments) // 2
                pairs += zip(factors[:n], factors[n : 2 * n])
                others += factors[2 * n :]
        return pairs, others

    def _write_sum(self, pairs: Sequence[Nodes], terms: list[int]) -> int:
        """Write Σ w x + Σ terms: dots of the products, then what adds them and the terms; return its place."""
        spaces = self.spaces
        groups = [pairs]
        if any(spaces[x] for x, _ in pairs):
            pairs = [(y, x) if spaces[x] > spaces[y] else (x, y) for x, y in pairs]
            groups = [[pair for pair in pairs if spaces[pair[0]] == space] for space in (UNBATCHED, BATCHED)]
        for group in groups if len(groups[0]) > 1 else [pairs]:
            if len(group) == 1:
                terms.append(self._write(MUL, group[0]))
            elif group:
                w, x = map(self._in_one_space, zip(*group))
                has_bias = len(terms) == 1 and spaces[w[0]] == spaces[terms[0]] < spaces[x[0]]
                dot = self._write(DOT, (*w, *x, *terms) if has_bias else (*w, *x))
                terms = [dot] if has_bias else [dot, *terms]
        if len(terms) == 1:
            return terms[0]
        return self._write(ADD, tuple(terms)) if len(terms) == 2 else self._write(SUM, self._in_one_space(tuple(terms)))

    def _write(self, op: Op, arguments: Nodes) -> int:
        """Write an operation, unless it is there already or its number is known; return the place of its result."""
        key = (op.name, op.settings, arguments)
        if key in self.known:
            return self.known[key]
        if op is WHERE and self.nodes[arguments[0]].kind == "constant":
            return arguments[1] if self.nodes[arguments[0]].number else arguments[2]
        if self.nodes[arguments[0]].kind == "constant" and all(self.nodes[a].kind == "constant" for a in arguments):
            number = op.compute(*[self.nodes[a].number for a in arguments])
            return self._enter(repr(number), TracedNode("constant", number=number))
        return self._enter(key, TracedNode("op", op, arguments))

    def _in_one_space(self, part: Nodes) -> Nodes:
        if len(set(map(self.spaces.__getitem__, part))) < 2:
            return part
        return tuple([a if self.spaces[a] else self._enter((a,), TracedNode("op", IDENTITY, (a,))) for a in part])

    def _enter(self, key: Any, node: TracedNode) -> int:
        place = self.known.setdefault(key, len(self.nodes))
        if place == len(self.nodes):
            reads = map(self.spaces.__getitem__, reversed(node.arguments))
            self.spaces.append(BATCHED if node.kind == "input" or node.op is IDENTITY or any(reads) else UNBATCHED)
            self.nodes.append(node)
        return place


def _with_dots_of_one_term(nodes: Sequence[TracedNode], spaces: Sequence[int]) -> list[TracedNode]:
    """Return the nodes with a batched product w₁ x₁ as a dot, if dots of two and of three terms begin with x₁."""
    dots = {(len(node.arguments), node.arguments[len(node.arguments) // 2]) for node in nodes if node.op is DOT}
    return [
        node._replace(op=DOT)
        if node.op is MUL and spaces[node.arguments[0]] and {(4, node.arguments[1]), (6, node.arguments[1])} <= dots
        else node
        for node in nodes
    ]


def _with_sums_of_any_length(nodes: Sequence[TracedNode], spaces: Sequence[int]) -> Sequence[TracedNode]:
    """Return the nodes with x + y as a sum where x is divided by it, if others are divided by sums with more terms.

    Else what is divided by the sum of itself alone is divided by itself.
    """
    quotients = [(place, node.arguments) for place, node in enumerate(nodes) if node.op is DIV and spaces[place]]
    divisors = {y for _, (x, y) in quotients if nodes[y].op in (ADD, SUM) and x in nodes[y].arguments}
    found = list(nodes)
    if any(len(nodes[y].arguments) > 2 for y in divisors):
        for y in divisors:
            found[y] = nodes[y]._replace(op=SUM)
    else:
        for place, (x, y) in quotients:
            if nodes[y].arguments == (x,) and nodes[y].op is SUM:
                found[place] = nodes[place]._replace(arguments=(x, x))
    return found


def _pruned(nodes: Sequence[TracedNode], spaces: Sequence[int], outputs: Sequence[int], trace: Trace) -> Trace:
    """Return the parameters and inputs, and the other nodes that an output needs."""
    used = {*outputs, *[place for place, node in enumerate(nodes) if node.kind in {"parameter", "input"}]}
    for place in reversed(range(len(nodes))):
        if place in used:
            used.update(nodes[place].arguments)
    if len(used) < len(nodes):
        moved = {place: new for new, place in enumerate(sorted(used))}
        nodes = [
            TracedNode("op", node.op, tuple(map(moved.__getitem__, node.arguments))) if node.arguments else node
            for node in map(nodes.__getitem__, moved)
        ]
        outputs, spaces = [moved[y] for y in outputs], [spaces[place] for place in moved]
    return Trace(tuple(nodes), tuple(outputs), trace.shape, trace.inputs, trace.parameters, spaces=tuple(spaces))
