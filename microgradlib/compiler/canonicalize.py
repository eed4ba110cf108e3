"""Bring a trace into one form: sums and products n-ary, constants computed, equal nodes one, unused ones gone."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.trace import Trace, TracedNode
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.ops import Op

    Term = tuple[int, ...]

__all__ = ["canonicalize"]

ADD, MUL, SUM, DOT, WHERE = (TABLE[name] for name in ("add", "mul", "sum", "dot", "where"))


def canonicalize(trace: Trace) -> Trace:
    """Return the same computation in canonical form, so that one written term by term and one of n-ary nodes agree.

    Sums of sums become one `sum`; sums of two or more products, and of dots, one `dot` of weights, inputs and perhaps a
    bias; an operation on constants its number; equal operations on equal arguments one node. Leaves are never merged,
    but for constants. In a product what does not depend on the inputs stands first.

    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib import Value
    >>> w = [Value(1.0), Value(2.0)]
    >>> one_by_one = trace(lambda x: x[0] * w[0] + w[1] * x[1] + 3, [[0.0, 0.0]], w)
    >>> [node.op.name for node in canonicalize(one_by_one).nodes if node.op]
    ['dot']
    """
    writer = _Writer(trace)
    for position, node in enumerate(trace.nodes):
        writer.take(position, node)
    outputs = [writer.place(y) for y in trace.outputs]
    return _pruned(writer.nodes, outputs, trace)


class _Writer:
    """Write the new nodes. Products, dots and sums wait until they are asked for: a sum may take them in.

    `products` are the arguments of products and dots that wait, `sums` the terms of sums, by position in the trace.
    """

    def __init__(self, trace: Trace) -> None:
        self.uses = [0] * len(trace.nodes)
        for node in trace.nodes:
            for argument in node.arguments:
                self.uses[argument] += 1
        for output in trace.outputs:
            self.uses[output] += 2  # an output is wanted for itself
        self.nodes: list[TracedNode] = []
        self.is_batched: list[bool] = []
        self.known: dict[Any, int] = {}
        self.places: dict[int, int] = {}
        self.products: dict[int, tuple[int, ...]] = {}
        self.sums: dict[int, deque[Term]] = {}

    def take(self, position: int, node: TracedNode) -> None:
        op = node.op
        if op is MUL:
            self.products[position] = self._product(*self._all(node.arguments))
        elif op is ADD or op is SUM:
            self.sums[position] = self._terms(node.arguments)
        elif op is DOT:
            self._take_dot(position, self._all(node.arguments))
        elif op is None:
            self.places[position] = self._leaf(node)
        else:
            self.places[position] = self._write(op, self._all(node.arguments))

    def place(self, position: int) -> int:
        """Return where the node of the trace stands among the new ones, writing it now if it waited."""
        if position in self.products:
            arguments = self.products.pop(position)
            self.places[position] = self._write(MUL if len(arguments) == 2 else DOT, arguments)
        elif position in self.sums:
            self.places[position] = self._sum(self.sums.pop(position))
        return self.places[position]

    def _all(self, positions: tuple[int, ...]) -> tuple[int, ...]:
        try:
            return tuple(map(self.places.__getitem__, positions))
        except KeyError:  # one of them waits
            return tuple(map(self.place, positions))

    def _terms(self, arguments: tuple[int, ...]) -> deque[Term]:
        terms: deque[Term] = deque()
        for argument in arguments:
            alone = self.uses[argument] == 1
            if alone and argument in self.products:
                terms.extend(_dots_terms(self.products.pop(argument)))
            elif alone and argument in self.sums:
                more = self.sums.pop(argument)
                if len(more) > len(terms):  # lengthen the longer, so that a long chain takes linear time
                    more.extendleft(reversed(terms))
                    terms = more
                else:
                    terms.extend(more)
            else:
                terms.append((self.place(argument),))
        return terms

    def _product(self, x: int, y: int) -> Term:
        return (y, x) if self.is_batched[x] and not self.is_batched[y] else (x, y)

    def _take_dot(self, position: int, arguments: tuple[int, ...]) -> None:
        n, is_batched = len(arguments) // 2, self.is_batched.__getitem__
        weights, inputs, bias = arguments[:n], arguments[n : 2 * n], arguments[2 * n :]
        if any(map(is_batched, weights)) and not all(map(is_batched, inputs)):
            weights, inputs = zip(*map(self._product, weights, inputs))
        arguments = (*weights, *inputs, *bias)
        if n == len(bias) or is_batched(max(weights, key=is_batched)) != is_batched(min(weights, key=is_batched)):
            self.sums[position] = deque(_dots_terms(arguments))
        else:
            self.products[position] = arguments

    def _sum(self, terms: Sequence[Term]) -> int:
        products = [term for term in terms if len(term) == 2]
        plain = [a for term in terms if len(term) == 1 for a in term]
        weighted = [pair for pair in products if not self.is_batched[pair[0]]]
        parts = [products]
        if 2 <= len(weighted) < len(products):  # W x + b, and beside it products of numbers that are both batched
            parts = [weighted, [pair for pair in products if self.is_batched[pair[0]]]]
        for part in parts:
            if len(part) == 1:
                plain.append(self._write(MUL, part[0]))
            elif part:
                bias = plain if len(plain) == 1 else []
                weights, inputs = zip(*part)
                dot = self._write(DOT, (*weights, *inputs, *bias))
                plain = [dot] if bias else [*plain, dot]
        if len(plain) == 1:
            return plain[0]
        return self._write(ADD if len(plain) == 2 else SUM, tuple(plain))

    def _leaf(self, node: TracedNode) -> int:
        key = ("constant", repr(node.number)) if node.kind == "constant" else (node.kind, node.index)
        return self._enter(key, node, is_batched=node.kind == "input")

    def _write(self, op: Op, arguments: tuple[int, ...]) -> int:
        key = (op.name, op.settings, arguments)
        if key in self.known:
            return self.known[key]
        if op is WHERE and self.nodes[arguments[0]].kind == "constant":
            return arguments[1] if self.nodes[arguments[0]].number else arguments[2]
        is_batched = any(map(self.is_batched.__getitem__, reversed(arguments)))  # what is_batched stands last
        if not is_batched and all(self.nodes[a].kind == "constant" for a in arguments):
            number = op.compute(*[self.nodes[a].number for a in arguments])
            return self._leaf(TracedNode("constant", number=number))
        return self._enter(key, TracedNode("op", op, arguments), is_batched=is_batched)

    def _enter(self, key: Any, node: TracedNode, *, is_batched: bool) -> int:
        place = self.known.setdefault(key, len(self.nodes))
        if place == len(self.nodes):
            self.nodes.append(node)
            self.is_batched.append(is_batched)
        return place


def _dots_terms(arguments: tuple[int, ...]) -> Sequence[Term]:
    if len(arguments) == 2:
        return (arguments,)
    n = len(arguments) // 2
    return [*zip(arguments[:n], arguments[n : 2 * n]), *zip(arguments[2 * n :])]


def _pruned(nodes: Sequence[TracedNode], outputs: Sequence[int], trace: Trace) -> Trace:
    used = [False] * len(nodes)
    for output in outputs:
        used[output] = True
    for place in range(len(nodes) - 1, -1, -1):
        if used[place]:
            for argument in nodes[place].arguments:
                used[argument] = True
    kept: dict[int, int] = {}
    new: list[TracedNode] = []
    for place, node in enumerate(nodes):
        if used[place] or node.kind in {"input", "parameter"}:
            kept[place] = len(new)
            arguments = tuple(map(kept.__getitem__, node.arguments))
            new.append(TracedNode("op", node.op, arguments) if arguments else node)
    return Trace(tuple(new), tuple(map(kept.__getitem__, outputs)), trace.shape, trace.inputs, trace.parameters)
