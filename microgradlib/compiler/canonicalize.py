"""Bring a trace into one form: sums and products n-ary, constants computed, equal nodes one, unused ones gone."""

from __future__ import annotations

from collections import Counter, deque
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.trace import Trace, TracedNode
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from microgradlib.ops import Op

    Pair = tuple[int, ...]
    """The factors of a product."""

__all__ = ["canonicalize", "spaces_of"]

ADD, MUL, SUM, DOT, WHERE, IDENTITY = (TABLE[name] for name in ("add", "mul", "sum", "dot", "where", "identity"))


def canonicalize(trace: Trace) -> Trace:
    """Return the same computation in canonical form, so that one written term by term and one of n-ary nodes agree.

    - Sums of sums are one `sum`; sums of products, and of dots, one `dot` of weights and inputs. Unbatched factors are
      weights; beside several of these, products of two batched numbers have a dot of their own.
    - A bias stands in a dot W x + b of which all but x is unbatched; any other is added.
    - An operation on constants is its number, equal operations on equal arguments are one node, identities are gone.
    - Weights, inputs, and the arguments of other n-ary ops are all batched or all unbatched: `identity` is a copy of an
      unbatched number into the batch.

    >>> from microgradlib import Value
    >>> from microgradlib.compiler.trace import trace
    >>> w = [Value(1.0), Value(2.0)]
    >>> for node in canonicalize(trace(lambda x: x[0] * w[0] + w[1] * x[1] + 3, [[0.0, 0.0]], w)).nodes:
    ...     print(node.kind, node.op.name if node.op else node.number, node.arguments)
    input 0.0 ()
    parameter 0.0 ()
    parameter 0.0 ()
    input 0.0 ()
    constant 3.0 ()
    op dot (1, 2, 0, 3, 4)
    """
    writer = _Writer(trace)
    for position, node in enumerate(trace.nodes):
        writer.take(position, node)
    return _pruned(writer.nodes, [writer.place(y) for y in trace.outputs], trace)


def spaces_of(nodes: Iterable[TracedNode]) -> list[int]:
    """Return the space of each node of a canonical trace."""
    spaces: list[int] = []
    for node in nodes:
        batched = node.kind == "input" or node.op is IDENTITY or any(map(spaces.__getitem__, node.arguments))
        spaces.append(BATCHED if batched else UNBATCHED)
    return spaces


class _Writer:
    """Write the new nodes. Sums, products and dots are written when another node reads them: a sum absorbs them.

    `sums` are the ones not written yet, by their position in the trace, each as pairs of factors and the other terms;
    `places` are the new places of all others.
    """

    def __init__(self, trace: Trace) -> None:
        self.uses = Counter(chain.from_iterable([node.arguments for node in trace.nodes]))
        self.uses.update(trace.outputs * 2)  # never absorbed
        self.nodes: list[TracedNode] = []
        self.spaces: list[int] = []
        self.known: dict[Any, int] = {}
        self.places: dict[int, int] = {}
        self.sums: dict[int, tuple[deque[Pair], deque[int]]] = {}

    def take(self, position: int, node: TracedNode) -> None:
        op = node.op
        if op is None:
            self.places[position] = self._leaf(node)
        elif op is ADD or op is SUM:
            self.sums[position] = self._sum(node.arguments)
        elif op is MUL or op is DOT:
            arguments = self._all(node.arguments)
            n = len(arguments) // 2
            pairs: deque[Pair] = deque(zip(arguments[:n], arguments[n : 2 * n]))
            if any(map(self.spaces.__getitem__, arguments[:n])):
                pairs = deque([(y, x) if self.spaces[x] > self.spaces[y] else (x, y) for x, y in pairs])
            self.sums[position] = pairs, deque(arguments[2 * n :])
        else:
            arguments = self._all(node.arguments)
            if op.variadic:
                arguments = self._in_one_space(arguments)
            self.places[position] = arguments[0] if op is IDENTITY else self._write(op, arguments)

    def place(self, position: int) -> int:
        """Return where the node of the trace stands among the new ones, writing it if it is not yet."""
        if position in self.sums:
            self.places[position] = self._write_sum(*self.sums.pop(position))
        return self.places[position]

    def _all(self, positions: tuple[int, ...]) -> tuple[int, ...]:
        try:
            return tuple(map(self.places.__getitem__, positions))
        except KeyError:  # one is not written yet
            return tuple(map(self.place, positions))

    def _sum(self, arguments: tuple[int, ...]) -> tuple[deque[Pair], deque[int]]:
        pairs: deque[Pair] = deque()
        others: deque[int] = deque()
        for argument in arguments:
            if self.uses[argument] > 1 or argument not in self.sums:
                others.append(self.place(argument))
            else:
                more_pairs, more_others = self.sums.pop(argument)
                pairs, others = _joined(pairs, more_pairs), _joined(others, more_others)
        return pairs, others

    def _write_sum(self, pairs: Sequence[Pair], others: Iterable[int]) -> int:
        terms, spaces = list(others), self.spaces
        batched = [pair for pair in pairs if spaces[pair[0]]]
        groups = [pairs]
        if batched and len(pairs) > len(batched) + 1:
            groups = [[pair for pair in pairs if not spaces[pair[0]]], batched]
        for group in groups:
            if len(group) == 1:
                terms.append(self._write(MUL, group[0]))
            elif group:
                weights, inputs = map(self._in_one_space, zip(*group))
                has_bias = len(terms) == 1 and spaces[weights[0]] == spaces[terms[0]] < spaces[inputs[0]]
                dot = self._write(DOT, (*weights, *inputs, *terms) if has_bias else (*weights, *inputs))
                terms = [dot] if has_bias else [dot, *terms]
        if len(terms) == 1:
            return terms[0]
        return self._write(ADD, tuple(terms)) if len(terms) == 2 else self._write(SUM, self._in_one_space(tuple(terms)))

    def _leaf(self, node: TracedNode) -> int:
        key = ("constant", repr(node.number)) if node.kind == "constant" else (node.kind, node.index)
        return self._enter(key, node, BATCHED if node.kind == "input" else UNBATCHED)

    def _write(self, op: Op, arguments: tuple[int, ...]) -> int:
        key = (op.name, op.settings, arguments)
        if key in self.known:
            return self.known[key]
        if op is WHERE and self.nodes[arguments[0]].kind == "constant":
            return arguments[1] if self.nodes[arguments[0]].number else arguments[2]
        space = BATCHED if any(map(self.spaces.__getitem__, reversed(arguments))) else UNBATCHED
        if space == UNBATCHED and all(self.nodes[a].kind == "constant" for a in arguments):
            number = op.compute(*[self.nodes[a].number for a in arguments])
            return self._leaf(TracedNode("constant", number=number))
        return self._enter(key, TracedNode("op", op, arguments), space)

    def _in_one_space(self, part: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(map(self.spaces.__getitem__, part))) < 2:
            return part
        copy = partial(TracedNode, "op", IDENTITY)
        return tuple([a if self.spaces[a] else self._enter((IDENTITY, a), copy((a,)), BATCHED) for a in part])

    def _enter(self, key: Any, node: TracedNode, space: int) -> int:
        place = self.known.setdefault(key, len(self.nodes))
        if place == len(self.nodes):
            self.nodes.append(node)
            self.spaces.append(space)
        return place


def _joined(first: deque[Any], second: deque[Any]) -> deque[Any]:
    """Lengthen the longer one, so that a long chain of additions takes linear time."""
    if len(first) < len(second):
        second.extendleft(reversed(first))
        return second
    first.extend(second)
    return first


def _pruned(nodes: Sequence[TracedNode], outputs: Sequence[int], trace: Trace) -> Trace:
    """Return the nodes that an output needs, the inputs and the parameters."""
    used = set(outputs)
    for place in range(len(nodes) - 1, -1, -1):
        if place in used:
            used.update(nodes[place].arguments)
        elif nodes[place].kind in {"input", "parameter"}:
            used.add(place)
    if len(used) < len(nodes):
        moved = {place: new for new, place in enumerate(sorted(used))}
        arguments = [tuple(map(moved.__getitem__, nodes[place].arguments)) for place in moved]
        nodes = [nodes[place]._replace(arguments=read) for place, read in zip(moved, arguments)]
        outputs = [moved[y] for y in outputs]
    return Trace(tuple(nodes), tuple(outputs), trace.shape, trace.inputs, trace.parameters)
