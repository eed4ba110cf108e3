"""Examples of a batch: the terms of one mean or sum that come from the same model and share nothing but leaves."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["examples"]

TRIES: Final = 8
"""So many means and sums are tried, those nearest to the outputs first."""


def examples(
    outputs: Sequence[Any], index: Mapping[Any, int], parameters: Collection[Any], called: set[int]
) -> list[list[int]]:
    """Return the indices of the nodes of each example of a batch, in the order of the examples; or an empty list.

    The terms of a mean or a sum, n-ary or written a + b + c, are examples if no node of an op is in two of them, each
    has nodes of a call of a module, which are those in `called`, and all read the same parameters: then they come from
    one model at several points. Each has an input or target of its own: the same point twice is no batch. The mean or
    sum itself is outside of the model: one in a call of it adds the model's own parts.

    >>> from microgradlib import Value, mean, topological_sort
    >>> w = Value(2.0)
    >>> loss = mean([w * 1.0, w * 3.0])
    >>> index = {node: i for i, node in enumerate(topological_sort(loss))}
    >>> examples([loss], index, {w}, called={2, 4})
    [[2], [4]]
    """
    level, tries, seen = [node for node in outputs if node.op is not None], 0, set(outputs)
    while level and parameters and tries < TRIES:
        below: list[Any] = []
        for node in level:
            terms = [] if index[node] in called else _terms(node)
            if len(terms) > 1:
                tries += 1
                found = _parted(terms, index, parameters)
                if found and all(not called.isdisjoint(nodes) for nodes in found):
                    return found
            below += [parent for parent in terms or node.parents if parent.op is not None]
        level = [node for node in dict.fromkeys(below) if node not in seen]
        seen.update(level)
        if len(seen) > 10 * TRIES:
            break
    return []


def _terms(node: Any) -> list[Any]:
    """Return the terms of a mean or sum, each the node of an op; empty for another node, or if a term is a leaf."""
    if node.op.name not in {"mean", "sum", "add"}:
        return []
    terms = [*reversed(node.parents)]
    while node.op.name == "add" and terms[-1].op is not None and terms[-1].op.name == "add":
        right, left = terms.pop().parents[::-1]
        terms += [right, left]
    return [] if any(term.op is None for term in terms) else terms[::-1]


def _parted(terms: list[Any], index: Mapping[Any, int], parameters: Collection[Any]) -> list[list[int]]:
    """Return the nodes of ops of each term if the terms are examples, else an empty list."""
    owner: dict[Any, int] = {}
    found: list[list[int]] = []
    common: set[Any] = set()
    leaves: list[set[Any]] = []
    for number, term in enumerate(terms):
        nodes: list[int] = []
        read: set[Any] = set()
        others: set[Any] = set()
        stack = [term]
        while stack:
            node = stack.pop()
            if node.op is None:
                (read if node in parameters else others).add(node)
            elif node not in owner:
                owner[node] = number
                nodes.append(index[node])
                stack += node.parents
            elif owner[node] != number:
                return []
        if not read or (number and read != common):
            return []
        common = read
        leaves.append(others)
        found.append(sorted(nodes))
    uses = Counter([leaf for others in leaves for leaf in others])
    have_their_own = all(any(uses[leaf] == 1 for leaf in others) for others in leaves)
    return found if have_their_own else []
