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
        self.places = [-1] * len(trace.nodes)

    def take(self, position: int, node: TracedNode) -> int:
        """Write a node of the trace; return its place."""
        op = node.op
        if op is None:
            return self._enter(repr(node.number), node) if node.kind == "constant" else self._append(node)
        if op in SUMMED:
            return self._write_sum(*self._terms(position))
        arguments = tuple([self.places[a] for a in node.arguments])
        if op is DIV and arguments[0] == arguments[1] and self.spaces[arguments[0]] == BATCHED:
            arguments = arguments[0], self._write(SUM, arguments[:1])
        if op.variadic:
            arguments = self._in_one_space(arguments)
        return arguments[0] if op is IDENTITY else self._write(op, arguments)

    def _terms(self, position: int) -> tuple[list[int], list[int], list[int]]:
        """Return a sum's products, as the lists of their left and of their right factors, and its other terms."""
        left: list[int] = []
        right: list[int] = []
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
                left += factors[:n]
                right += factors[n : 2 * n]
                others += factors[2 * n :]
        return left, right, others

    def _write_sum(self, left: list[int], right: list[int], terms: list[int]) -> int:
        """Write Σ w x + Σ terms: dots of the products, then what adds them and the terms; return its place."""
        spaces = self.spaces
        for w, x in self._dots(left, right):
            if len(w) == 1:
                terms.append(self._write(MUL, (w[0], x[0])))
                continue
            w, x = self._in_one_space(w), self._in_one_space(x)  # noqa: PLW2901
            has_bias = len(terms) == 1 and spaces[w[0]] == spaces[terms[0]] < spaces[x[0]]
            dot = self._write(DOT, (*w, *x, *terms) if has_bias else (*w, *x))
            terms = [dot] if has_bias else [dot, *terms]
        if len(terms) == 1:
            return terms[0]
        return self._write(ADD, tuple(terms)) if len(terms) == 2 else self._write(SUM, self._in_one_space(tuple(terms)))

    def _dots(self, left: list[int], right: list[int]) -> list[Any]:
        """Return products as one or two dots (w, x): those of two batched factors apart from several weights."""
        spaces = self.spaces
        if not any(map(spaces.__getitem__, left)):
            return [(left, right)] if left else []
        groups = [[(y, x) if spaces[x] > spaces[y] else (x, y) for x, y in zip(left, right)]]
        if len(left) > 2:
            apart = [[pair for pair in groups[0] if spaces[pair[0]] == space] for space in (UNBATCHED, BATCHED)]
            groups = apart if len(apart[0]) > 1 else groups
        return [tuple(zip(*group)) for group in groups if group]

    def _write(self, op: Op, arguments: Nodes) -> int:
        """Write an operation, unless it is there already or its number is known; return the place of its result."""
        key = (op.name, op.settings, arguments)
        place = self.known.setdefault(key, len(self.nodes))
        if place < len(self.nodes):
            return place
        first = self.nodes[arguments[0]]
        if first.kind == "constant" and op is WHERE:
            place = self.known[key] = arguments[1] if first.number else arguments[2]
        elif first.kind == "constant" and all(self.nodes[a].kind == "constant" for a in arguments):
            number = op.compute(*[self.nodes[a].number for a in arguments])
            place = self.known[key] = self._enter(repr(number), TracedNode("constant", number=number))
        else:
            self._append(TracedNode("op", op, arguments))
        return place

    def _in_one_space(self, part: Sequence[int]) -> Nodes:
        if len(set(map(self.spaces.__getitem__, part))) < 2:
            return tuple(part)
        return tuple([a if self.spaces[a] else self._enter((a,), TracedNode("op", IDENTITY, (a,))) for a in part])

    def _enter(self, key: Any, node: TracedNode) -> int:
        place = self.known.get(key)
        if place is None:
            place = self.known[key] = self._append(node)
        return place

    def _append(self, node: TracedNode) -> int:
        is_batched = node.kind == "input" or node.op is IDENTITY
        reads = map(self.spaces.__getitem__, reversed(node.arguments))
        self.spaces.append(BATCHED if is_batched or any(reads) else UNBATCHED)
        self.nodes.append(node)
        return len(self.nodes) - 1


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
    kept = {*outputs, *[place for place, node in enumerate(nodes) if node.kind in {"parameter", "input"}]}
    if len(kept.union(*[node.arguments for node in nodes])) < len(nodes):  # some node is read by no other
        used = kept.copy()
        for place in reversed(range(len(nodes))):
            if place in used:
                used.update(nodes[place].arguments)
        moved = {place: new for new, place in enumerate(sorted(used))}
        nodes = [
            TracedNode("op", node.op, tuple(map(moved.__getitem__, node.arguments))) if node.arguments else node
            for node in map(nodes.__getitem__, moved)
        ]
        outputs, spaces = [moved[y] for y in outputs], [spaces[place] for place in moved]
    return Trace(tuple(nodes), tuple(outputs), trace.shape, trace.inputs, trace.parameters, spaces=tuple(spaces))
