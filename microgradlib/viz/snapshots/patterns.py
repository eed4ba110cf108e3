"""Softmax and its logarithm in a graph, recognised by their nodes: exp(zᵢ − max)/Σ and zᵢ − ln Σ exp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

__all__ = ["Pattern", "softmaxes"]


@dataclass(frozen=True)
class Pattern:
    """A function recognised by its nodes: its name and formula, its nodes and inputs, the constant 0 of the largest."""

    name: str
    formula: str
    nodes: tuple[int, ...]
    inputs: tuple[int, ...]
    zero: int | None = None
    shift: int | None = None


def softmaxes(order: Sequence[Any], index: Mapping[Any, int], places: Sequence[Hashable]) -> list[Pattern]:
    """Return the softmaxes and log-softmaxes of a graph whose nodes are all in one place, as records say.

    >>> from microgradlib import Value, softmax, topological_sort
    >>> order = topological_sort(softmax([Value(1.0), Value(2.0)])[0])
    >>> [found] = softmaxes(order, {node: i for i, node in enumerate(order)}, [()] * len(order))
    >>> found.name, [str(order[i].op) for i in found.nodes]
    ('softmax', ['-', 'exp', 'exp', 'sum', '/'])
    """
    results: dict[Any, list[Any]] = {}
    for node in order:
        if node.op is None:
            continue
        kind = node.op.name
        if kind in {"div", "sub"}:
            part, total = node.parents
            is_total = _is(total, "sum") and _is(part, "exp") if kind == "div" else _is(total, "logsumexp")
            if is_total and any(part is other for other in total.parents):
                results.setdefault(total, []).append(node)
    found = []
    for total, outputs in results.items():
        exponentials = total.parents if total.op.name == "sum" else ()
        if not all(_is(e, "exp") for e in exponentials):
            continue
        moved = [e.parents[0] for e in exponentials] or list(total.parents)
        shift = _shift(moved)
        if shift is None:
            continue
        differences = [m for m in moved if m.op is not None]
        nodes = [*differences, *exponentials, total, *outputs]
        constants = [m for m in moved if m.op is None]
        inputs = [m.parents[0] for m in differences]
        if constants:
            inputs.append(shift)
        elif shift.op is not None:
            nodes += [shift, *(shift.parents if shift.op.name == "detach" else ())]
        indices = sorted({index[node] for node in nodes} - {index[x] for x in inputs})
        if len({places[i] for i in indices}) == 1:
            logarithm = total.op.name == "logsumexp"
            found.append(
                Pattern(
                    "log softmax" if logarithm else "softmax",
                    "z − ln Σ exp z" if logarithm else "exp z / Σ exp z",
                    tuple(indices),
                    tuple([index[x] for x in inputs]),
                    index[constants[0]] if constants else None,
                    None if constants else index[shift],
                )
            )
    return found


def _is(node: Any, op: str) -> bool:
    return node.op is not None and node.op.name == op


def _shift(moved: list[Any]) -> Any:
    """Return what is subtracted from all but at most one, which is the constant 0; None if it is not one node."""
    constants = [m for m in moved if m.op is None]
    differences = [m for m in moved if m.op is not None]
    if len(constants) > 1 or not differences or not all(_is(m, "sub") for m in differences):
        return None
    shifts = {id(m.parents[1]): m.parents[1] for m in differences}
    if len(shifts) != 1 or (constants and getattr(constants[0], "data", None) != 0.0):
        return None
    return next(iter(shifts.values()))
