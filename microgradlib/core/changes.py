"""Numbers that were assigned after nodes had been computed from them: what those nodes recorded is then of the past.

The rule. A node records its number and its local derivatives when it is made. `leaf.data = …` changes what is computed
from then on. To differentiate what was computed before raises `ChangedDataError` if a local derivative, computed anew,
differs from the recorded one by more than rounding: neither the derivative at the old numbers nor one at a mixture of
old and new ones is ever given for that at the new ones. (d/dx of x + 1 is 1 at both, and no error.) An inner node
becomes a leaf when a number is assigned to it, if `backward()` has set its gradient, or if nothing else holds the
leaves that it was computed from: programs make parameters by `Value(r) * 0.1`. Else assignment is refused. Nodes made
by hand have no rule to compute anew, and their `_backward` functions read the numbers when they run: what they give is
their program's concern.

Assignments are counted. A leaf knows the number of its last one, a node how many there had been when it was made. So a
graph that is younger than the last assignment, as in training, is recognised by one comparison for each node.
"""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from microgradlib.errors import ChangedDataError
from microgradlib.ops import TABLE, ZERO

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["COUNT", "become_leaf", "check_recorded", "check_unchanged", "count_assignment", "has_later_parents"]

COUNT: dict[str, Any] = {"ASSIGNMENTS": 0}
"""How many assignments there have been. The hot paths have this dict as their globals: nothing is read faster."""

_BECAME_LEAF: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
"""The nodes that had parents until a number was assigned to them: the number of that assignment."""


def count_assignment(nodes: Iterable[Any]) -> None:
    """Say that the numbers of these Values, all leaves, are now assigned: together they count as one assignment."""
    count = COUNT["ASSIGNMENTS"] = COUNT["ASSIGNMENTS"] + 1
    for node in nodes:
        node._assignments = count


def has_later_parents(node: Any) -> bool:
    """Return whether a number was assigned to a parent of this node after the node was made: copies keep this."""
    if node._left is None or (made := getattr(node, "_assignments", 0)) is COUNT["ASSIGNMENTS"]:
        return False
    return any(getattr(parent, "_assignments", 0) > made for parent in node.parents)


def become_leaf(node: Any, number: float) -> None:
    """Take the parents from a node to which a number is to be assigned; a node made by hand keeps them.

    Raises `ChangedDataError` if no gradient has been set yet by `backward()`, and others hold what the node was
    computed from: the derivatives by that would be lost, or be those at another number.
    """
    if node.op.name not in TABLE or node._float == number:
        return
    if node.grad is ZERO and not _alone_holds_its_parents(node):
        message = (
            f"{node.label or 'this node'} was computed, by {node.op}, and no number can be assigned to it: its "
            "derivatives would be those of another number. Assign to the leaves and compute it anew; or make a leaf, "
            "Value(number), and compute with that"
        )
        raise ChangedDataError(message)
    node.op, node.parents, node._left_derivative, node._right_derivative = None, (), (), None
    _BECAME_LEAF[node] = COUNT["ASSIGNMENTS"] + 1


def _alone_holds_its_parents(node: Any) -> bool:
    """Return whether a node's one or two parents are leaves to which there is no other reference.

    Without CPython's counts of references, False.
    """
    if node._left.__class__ is tuple or not hasattr(sys, "getrefcount"):
        return False
    counts = sys.getrefcount(node._left), sys.getrefcount(node._right)  # two each: the node's and the call's
    return (
        counts[0] == 2
        and node._left._left is None
        and (node._right is None or (counts[1] == 2 and node._right._left is None))
    )


def check_recorded(output: Any) -> None:
    """Raise `ValueError` for an output that was computed under `no_grad()`: its derivatives would all be 0.

    >>> from microgradlib import Value, no_grad
    >>> with no_grad():
    ...     loss = Value(3.0) * 2
    >>> loss.backward()
    Traceback (most recent call last):
    ValueError: this Value was computed under no_grad(), so it does not know from what: compute it outside of ...
    """
    if output._left is None and getattr(output, "_left_derivative", ()) is None:
        message = (
            f"{output.label or 'this Value'} was computed under no_grad(), so it does not know from what: compute it "
            "outside of the block to differentiate it"
        )
        raise ValueError(message)


def check_unchanged(order: Iterable[Any]) -> None:
    """Raise `ChangedDataError` if the local derivatives of a node are not those at its parents' present numbers.

    >>> from microgradlib import Value
    >>> w = Value(2.0, label="w")
    >>> loss = w * w
    >>> w.data = 5.0
    >>> loss.backward()
    Traceback (most recent call last):
    microgradlib.errors.ChangedDataError: a number was assigned to w after * had been computed from it: ...
    """
    now = COUNT["ASSIGNMENTS"]
    older = [node for node in order if getattr(node, "_assignments", 0) is not now and node._left is not None]
    if not older or not _any_later(older):
        return
    for node in older:
        made = getattr(node, "_assignments", 0)
        if node.op is not None and hasattr(node, "_float"):
            later = [parent for parent in node.parents if getattr(parent, "_assignments", 0) > made]
            if later and (any(_BECAME_LEAF.get(parent, -1) > made for parent in later) or _differs(node)):
                message = (
                    f"a number was assigned to {later[0].label or 'a Value'} after {node.op} had been computed from "
                    "it: the recorded derivatives are those at the old number. Compute the output anew after an "
                    "assignment, and call backward() before it"
                )
                raise ChangedDataError(message)


def _any_later(inner: Collection[Any]) -> bool:
    """Return whether a number was assigned to a leaf after the oldest node was made: if not, no node need be looked at.

    So it is where other leaves were assigned to, as by another model's training, in this thread or another.
    """
    oldest = min([getattr(node, "_assignments", 0) for node in inner])
    leaves: set[Any] = set()
    for node in inner:
        left = node._left
        if left.__class__ is tuple:
            leaves.update(left)
        else:
            leaves.add(left)
            leaves.add(node._right)
    leaves.discard(None)
    return any(leaf._left is None and getattr(leaf, "_assignments", 0) > oldest for leaf in leaves)


def _differs(node: Any) -> bool:
    """Return whether the local derivatives of a node differ from the recorded ones by more than rounding.

    Rounding, as programs move numbers and move them back: `x.data += h`, f(x), `x.data -= h`.
    """
    if node.op.name not in TABLE:  # made by hand
        return False
    _, again = node.op.record([parent._float for parent in node.parents])
    return any(
        (a is ZERO) != (b is ZERO)
        or not (math.isclose(a, b, rel_tol=1e-8, abs_tol=1e-15) or (math.isnan(a) and math.isnan(b)))
        for a, b in zip(again, node.local_derivatives)
    )
