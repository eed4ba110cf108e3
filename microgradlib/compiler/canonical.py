"""Bring a trace into one form: sums and products n-ary, constants computed, equal nodes one, unused ones gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.trace import Node, Trace
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.ops import Op

    Term = tuple[int, ...]

__all__ = ["canonical"]

ADD, MUL, SUM, DOT, WHERE = (TABLE[name] for name in ("add", "mul", "sum", "dot", "where"))


def canonical(trace: Trace) -> Trace:
    """Return the same computation in canonical form, so that one written term by term and one of n-ary nodes agree.

    Sums of sums become one `sum`; sums of two or more products, and of dots, one `dot` of weights, inputs and perhaps a
    bias; an operation on constants its number; equal operations on equal arguments one node. Leaves are never merged,
    but for constants. In a product what does not depend on the inputs stands first.

    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib import Value
    >>> w = [Value(1.0), Value(2.0)]
    >>> one_by_one = trace(lambda x: x[0] * w[0] + w[1] * x[1] + 3, [[0.0, 0.0]], w)
    >>> [node.op.name for node in canonical(one_by_one).nodes if node.op]
    ['dot']
    """
    writer = _Writer(trace)
    for position, node in enumerate(trace.nodes):
        writer.take(position, node)
    outputs = [writer.place(y) for y in trace.outputs]
    return _pruned(writer.nodes, outputs, trace)


class _Writer:
    """Write the new nodes. A sum with one consumer waits, as its terms, to see whether that is a sum too."""

    def __init__(self, trace: Trace) -> None:
        self.uses = [0] * len(trace.nodes)
        for node in trace.nodes:
            for argument in node.arguments:
                self.uses[argument] += 1
        for output in trace.outputs:
            self.uses[output] += 2  # an output is wanted for itself
        self.nodes: list[Node] = []
        self.varies: list[bool] = []
        self.known: dict[Any, int] = {}
        self.places: dict[int, int] = {}
        self.waiting: dict[int, list[Term]] = {}

    def take(self, position: int, node: Node) -> None:
        op = node.op
        if op in (ADD, SUM) or op is DOT:
            self.waiting[position] = self._terms(node)
        elif op is MUL:
            self.waiting[position] = [self._product(*map(self.place, node.arguments))]
        elif op is None:
            self.places[position] = self._leaf(node)
        else:
            self.places[position] = self._write(op, tuple(map(self.place, node.arguments)))

    def place(self, position: int) -> int:
        """Return where the node of the trace stands among the new ones, writing it now if it waited."""
        if position not in self.places:
            self.places[position] = self._sum(self.waiting.pop(position))
        return self.places[position]

    def _terms(self, node: Node) -> list[Term]:
        if node.op is DOT:
            places = [self.place(a) for a in node.arguments]
            n = len(places) // 2
            return [*map(self._product, places[:n], places[n : 2 * n]), *[(b,) for b in places[2 * n :]]]
        terms: list[Term] = []
        for argument in node.arguments:
            if self.uses[argument] == 1 and argument in self.waiting:
                more = self.waiting.pop(argument)
                if len(more) > len(terms):  # lengthen the longer list, so that a long chain takes linear time
                    more, terms = terms, more
                    terms[:0] = more
                else:
                    terms.extend(more)
            else:
                terms.append((self.place(argument),))
        return terms

    def _product(self, x: int, y: int) -> Term:
        return (y, x) if self.varies[x] and not self.varies[y] else (x, y)

    def _sum(self, terms: Sequence[Term]) -> int:
        products = [term for term in terms if len(term) == 2]
        plain = [term[0] for term in terms if len(term) == 1]
        if len(products) == 1:
            plain.append(self._write(MUL, products[0]))
        elif products:
            bias = plain if len(plain) == 1 else []
            dot = self._write(DOT, (*[x for x, _ in products], *[y for _, y in products], *bias))
            plain = [dot] if bias else [*plain, dot]
        if len(plain) == 1:
            return plain[0]
        return self._write(ADD if len(plain) == 2 else SUM, tuple(plain))

    def _leaf(self, node: Node) -> int:
        key = ("constant", repr(node.number)) if node.kind == "constant" else (node.kind, node.index)
        return self._enter(key, node, varies=node.kind == "input")

    def _write(self, op: Op, arguments: tuple[int, ...]) -> int:
        key = (op.name, op.settings, arguments)
        if key in self.known:
            return self.known[key]
        if op is WHERE and self.nodes[arguments[0]].kind == "constant":
            return arguments[1] if self.nodes[arguments[0]].number else arguments[2]
        if all(self.nodes[a].kind == "constant" for a in arguments):
            number = op.compute(*[self.nodes[a].number for a in arguments])
            return self._leaf(Node("constant", number=number))
        return self._enter(key, Node("op", op, arguments), varies=any(self.varies[a] for a in arguments))

    def _enter(self, key: Any, node: Node, *, varies: bool) -> int:
        place = self.known.setdefault(key, len(self.nodes))
        if place == len(self.nodes):
            self.nodes.append(node)
            self.varies.append(varies)
        return place


def _pruned(nodes: Sequence[Node], outputs: Sequence[int], trace: Trace) -> Trace:
    used = [False] * len(nodes)
    for output in outputs:
        used[output] = True
    for place in range(len(nodes) - 1, -1, -1):
        if used[place]:
            for argument in nodes[place].arguments:
                used[argument] = True
    kept: dict[int, int] = {}
    for place, node in enumerate(nodes):
        if used[place] or node.kind in {"input", "parameter"}:
            kept[place] = len(kept)
    new = [
        Node(n.kind, n.op, tuple([kept[a] for a in n.arguments]), n.index, n.number)
        for place, n in enumerate(nodes)
        if place in kept
    ]
    return Trace(tuple(new), tuple(kept[y] for y in outputs), trace.shape, trace.inputs, trace.parameters)
