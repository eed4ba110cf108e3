"""Packs: scalars that are computed alike from the same arrays, each pack after those that it reads.

Products of a part of a row get all of it first, with zeros, so that they are one product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from microgradlib.ops import TABLE, Op
from microgradlib.source.graph import NOTHING, Graph, Group, Scalar

__all__ = ["SYMMETRIC", "Pack", "packs_of"]

SYMMETRIC = frozenset({"sum", "mean", "var", "std", "prod", "norm", "maximum", "minimum", "logsumexp"})
"""Reductions whose terms may be read in any order."""


@dataclass
class Pack:
    """Scalars of one formula: what one of them reads is in `parts`, lists that are equally long for all members.

    "dot" has two parts for each of its `products`, pairs of lists of factors, then one for each number added to them.
    "softmax" and "neg_log_softmax" have one, which may be shorter for some of the members, and which number of it each
    member is in `indices`.
    """

    kind: str
    op: Op
    batched: bool
    products: int
    members: list[int] = field(default_factory=list)
    parts: list[tuple[Group, ...]] = field(default_factory=list)
    indices: list[int] = field(default_factory=list)
    is_product: bool = False
    """Whether it is written as a product of matrices."""

    @property
    def form(self) -> tuple[object, ...]:
        """What it has in common with packs that do the same with other arrays."""
        return self.kind, self.op.name, self.op.settings, len(self.members), tuple(map(len, self.parts[0]))


def packs_of(graph: Graph) -> list[Pack]:
    """Return the packs that the outputs need, in the order in which one would compute them, the first argument first.

    Two scalars are in one pack if their op is the same and what they read is, in turn, in the same arrays: the steps of
    a recurrent network are packs of their own, the positions of a transformer are one. Of scalars that are the same
    number, as the factors of their products are swapped, only the first is kept, in the outputs too.
    """
    _complete_windows(graph)
    _complete_attention(graph)
    colours = [NOTHING] * (len(graph.scalars) + 1)
    for colour, leaf in enumerate(graph.leaves):
        for member in leaf.scalars:
            colours[member] = colour
    needed, known = _needed(graph), dict[Any, int]()
    padding = {NOTHING, graph.zero}
    constant, packs = len(graph.leaves), dict[int, Pack]()
    same, first = [*range(len(graph.scalars)), NOTHING], dict[Any, int]()
    for number, written in enumerate(graph.scalars):
        if written.kind == "constant":
            colours[number] = constant
        elif number in needed and written.kind != "leaf":
            scalar = written._replace(groups=tuple([tuple([same[s] for s in group]) for group in written.groups]))
            parts, products = _parts(scalar, colours, padding)
            op: Any = scalar.op
            ragged = scalar.kind == "softmax"
            read = [
                (tuple(dict.fromkeys([colours[s] for s in part if s not in padding])), 0 if ragged else len(part))
                for part in parts
            ]
            key = scalar.kind, op.name, op.settings, scalar.batched, products, *read
            same[number] = first.setdefault((key, parts, scalar.index), number)
            colour = colours[number] = known.setdefault(key, constant + 1 + len(known))
            pack = packs.setdefault(colour, Pack(scalar.kind, op, scalar.batched, products))
            if same[number] == number:
                pack.members.append(number)
                pack.parts.append(parts)
                pack.indices.append(scalar.index)
    graph.outputs = [same[output] for output in graph.outputs]
    return _ordered([colours[output] for output in graph.outputs], packs, colours)


def _needed(graph: Graph) -> set[int]:
    needed, waiting = set[int](), list(graph.outputs)
    while waiting:
        number = waiting.pop()
        if number not in needed:
            needed.add(number)
            waiting += graph.scalars[number].arguments
    return needed


def _parts(scalar: Scalar, colours: list[int], padding: set[int]) -> tuple[tuple[Group, ...], int]:
    """Return what a scalar reads, sorted by the arrays where the order does not matter, and its number of products."""
    colour: Callable[[int], int] = colours.__getitem__
    if scalar.kind == "dot":
        return _dot_parts(scalar.groups, colour, padding)
    if scalar.kind == "reduce" and scalar.op is not None and scalar.op.name in SYMMETRIC:
        terms = sorted(scalar.groups[0], key=lambda term: (colour(term), term))
        return tuple([tuple(run) for _, run in groupby(terms, colour)]), 0
    return scalar.groups, 0


def _dot_parts(
    groups: tuple[Group, ...], colour: Callable[[int], int], padding: set[int]
) -> tuple[tuple[Group, ...], int]:
    w, x, added = groups
    of_w, of_x = (next((colour(one) for one in part if one not in padding), NOTHING) for part in (w, x))

    def colours_of(pair: tuple[int, int]) -> tuple[int, int]:  # of padding, those of the others
        a, b = (colour(one) if one not in padding else other for one, other in zip(pair, (of_w, of_x)))
        return a, b

    pairs = [pair if (both := colours_of(pair))[0] <= both[1] else pair[::-1] for pair in zip(w, x)]
    of_w, of_x = min(of_w, of_x), max(of_w, of_x)
    pairs.sort(key=lambda pair: (max(colours_of(pair)), min(colours_of(pair))))
    runs = [list(run) for _, run in groupby(pairs, colours_of)]
    factors = [tuple([pair[k] for pair in run]) for run in runs for k in range(2)]
    return (*factors, *[(term,) for term in sorted(added, key=colour)]), len(runs)


def _ordered(outputs: list[int], packs: dict[int, Pack], colours: list[int]) -> list[Pack]:
    """Return the packs in post-order: each directly after what only it needs, so that steps in time stay together."""
    reads = {
        colour: list(dict.fromkeys([colours[s] for parts in pack.parts for part in parts for s in part]))
        for colour, pack in packs.items()
    }
    done: dict[int, Pack] = {}
    for output in outputs:
        waiting = [output]
        while waiting:
            colour = waiting[-1]
            missing = [read for read in reads.get(colour, ()) if read in packs and read not in done]
            if missing:
                waiting.append(missing[0])
                continue
            waiting.pop()
            if colour in packs:
                done.setdefault(colour, packs[colour])
    return list(done.values())


def _complete_windows(graph: Graph) -> None:
    """Let products with a part of a row of weights have all of it, and 0 for what lies outside of the image."""
    scalars, completed = graph.scalars, dict[int, Group]()
    pairs = {i: _weights(graph, one) for i, one in enumerate(scalars) if one.batched and _is_product(one)}
    row_of = dict[int, Group]()
    for i, weights in pairs.items():
        row_of |= {
            w: tuple(weights) for w in weights if len(weights) > len(row_of.get(w, ())) and scalars[i].kind == "dot"
        }
    rows = set[Group]()
    for i in sorted(pairs, key=lambda i: scalars[i].kind != "dot"):  # one product alone, in a corner: only beside dots
        row = row_of.get(next(iter(pairs[i]), NOTHING), ())
        if pairs[i].keys() < {*row} and (scalars[i].kind == "dot" or row in rows):
            rows.add(row)
            added = scalars[i].groups[2] if scalars[i].kind == "dot" else ()
            completed[i] = added
            scalars[i] = _dot(scalars[i], row, tuple([pairs[i].get(weight, graph.zero) for weight in row]), added)
    for i, scalar in enumerate(scalars if completed else ()):
        if scalar.op is TABLE["add"]:
            dot, term = sorted(scalar.arguments, key=lambda argument: argument not in completed)
            if dot in completed and not scalars[term].batched:
                w, x, _ = scalars[dot].groups
                scalars[i] = _dot(scalars[dot], w, x, (*completed[dot], term))


def _complete_attention(graph: Graph) -> None:
    """Let a position of causal attention have all values, those of later ones with the weight 0 of its softmax."""
    row_of, found = dict[int, Group](), list[tuple[int, Group, Group]]()
    weights = {i for i, scalar in enumerate(graph.scalars) if scalar.kind == "softmax"}
    for i, scalar in enumerate(graph.scalars):
        for p, v in (
            (scalar.groups[:2], scalar.groups[1::-1]) if _is_product(scalar) and not any(scalar.groups[2:]) else ()
        ):
            whole = p and p[0] in weights and len({*p} - {NOTHING}) == len(graph.scalars[p[0]].groups[0])
            if whole and {*p} - {NOTHING} <= weights and NOTHING not in v and weights.isdisjoint(v):
                found.append((i, p, v))
                row_of[v[0]] = max(row_of.get(v[0], ()), v, key=len)
    for i, p, v in found:
        row = row_of[v[0]]
        if len(v) < len(row) and row[: len(v)] == v and max(row) < i:
            graph.scalars[i] = _dot(graph.scalars[i], (*p, *[NOTHING] * (len(row) - len(p))), row, ())


def _is_product(scalar: Scalar) -> bool:
    return scalar.kind == "dot" or scalar.op is TABLE["mul"]


def _dot(scalar: Scalar, w: Group, x: Group, added: Group) -> Scalar:
    return scalar._replace(kind="dot", op=TABLE["dot"], groups=(w, x, added))


def _weights(graph: Graph, scalar: Scalar) -> dict[int, int]:
    """Return the other factors of a product by those that are parameters, each once, if all others are of a batch."""
    for weights, others in (scalar.groups[:2], scalar.groups[1::-1]):
        both = [pair for pair in zip(weights, others) if NOTHING not in pair]
        pairs = dict(both)
        leaves = all(graph.scalars[w].kind == "leaf" and not graph.scalars[w].batched for w in pairs)
        if leaves and len(pairs) == len(both):
            return pairs if all(graph.scalars[x].batched for x in pairs.values()) else {}
    return {}
