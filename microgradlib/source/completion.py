"""Completion: products of a part of a row get all of it, with zeros, so that they are one product of matrices."""

from __future__ import annotations

from microgradlib.ops import TABLE
from microgradlib.source.graph import NOTHING, Graph, Group, Scalar

__all__ = ["complete"]


def complete(graph: Graph) -> None:
    """Complete the products of convolutions at the edge of an image, and of causal attention."""
    _complete_windows(graph)
    _complete_attention(graph)


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
    for i, scalar in enumerate(graph.scalars):
        if _is_product(scalar) and not any(scalar.groups[2:]):
            for p, v in (scalar.groups[:2], scalar.groups[1::-1]):
                if p and NOTHING not in p and all(graph.scalars[weight].kind == "softmax" for weight in p):
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
