"""The backward pass on the nodes' own `grad`: the loop of `grad_table` without the table, for speed."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from microgradlib._support.shown import shown
from microgradlib.core.changes import COUNT, check_recorded, check_unchanged
from microgradlib.core.graph import topological_sort
from microgradlib.core.hand_made import BackwardFunction
from microgradlib.core.own_attributes import own_attributes
from microgradlib.ops import ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LEAVES_WITH_FUNCTIONS", "accumulate", "refuse_wrong_grads", "run_leaf_functions"]

LEAVES_WITH_FUNCTIONS: WeakSet[Any] = WeakSet()
"""The nodes to which a `_backward` function was assigned while they had no parents."""


def accumulate(output: Any, seed: float) -> None:
    """Set `grad` of each node below `output` that has parents; add to `grad` of each leaf.

    A test holds it to `grad_table`, bit for bit: the same edges in the same order. It reads the slots of the nodes
    rather than their tuples of parents, and leaves out the leaves, which have no parents to add to. Raises
    `ChangedDataError` or `ValueError`, before any change, for what `core.changes` says.
    """
    order, used, is_current = _inner_nodes(output)
    if not (order and is_current):
        check_recorded(output)
        check_unchanged(order)
    for node in used:
        node.grad = ZERO
    output.grad = (seed or ZERO) if order else output.grad + seed
    rest = reversed(order)
    try:
        while _stops_at_none(rest):
            pass
    except TypeError:
        _take_back(order, len(order) - len(list(rest)))
        raise


def _stops_at_none(rest: Iterator[Any]) -> bool:
    """Add what the gradients of these nodes, consumers first, give to those of their parents; go on if it returns True.

    It does so after a parent whose gradient was None.
    """
    try:
        for node in rest:
            gradient = node.grad
            if gradient is not ZERO:
                left, right, derivative = node._left, node._right, node._left_derivative
                if right is not None:
                    if derivative is not ZERO:
                        left.grad += gradient * derivative
                    derivative = node._right_derivative
                    if derivative is not ZERO:
                        right.grad += gradient * derivative
                elif left.__class__ is not tuple:
                    if derivative is not ZERO:
                        left.grad += gradient * derivative
                else:
                    for parent, local_derivative in zip(left, derivative):
                        if local_derivative is not ZERO:
                            parent.grad += gradient * local_derivative
    except TypeError:
        if node._left_derivative.__class__ is BackwardFunction or not _add_from_none_on(node):
            raise
        return True
    return False


def _add_from_none_on(node: Any) -> bool:
    """Add to the gradients of a node's parents from the first that is None on, which becomes 0; return whether one is.

    The sums before it have been made. `p.grad = None` is how PyTorch's programs write that there is no gradient.
    """
    edges = [(x, derivative) for x, derivative in zip(node.parents, node.local_derivatives) if derivative is not ZERO]
    first = next((i for i, (parent, _) in enumerate(edges) if not isinstance(parent.grad, Real)), len(edges))
    if first == len(edges) or edges[first][0].grad is not None:
        return False
    for parent, derivative in edges[first:]:
        parent.grad = (ZERO if parent.grad is None else parent.grad) + node.grad * derivative
    return True


def _take_back(order: list[Any], done: int) -> None:
    """Undo a pass that failed at the last of `done` nodes: take from the leaves what was added, and clear the others.

    A leaf gets back the number that it had before, to rounding; 0 exactly if that was all it had.
    """
    added: dict[Any, list[float]] = {}
    for node in reversed(order[len(order) - done :]):
        if node.grad is ZERO or node._left_derivative.__class__ is BackwardFunction:  # which adds by itself
            continue
        for parent, derivative in zip(node.parents, node.local_derivatives):
            if derivative is ZERO:
                continue
            if not isinstance(parent.grad, Real):  # where the pass failed
                break
            if parent._left is None:
                added.setdefault(parent, []).append(node.grad * derivative)
    for leaf, terms in added.items():
        total: float = ZERO
        for term in terms:
            total += term
        is_all = total == leaf.grad or not math.isfinite(leaf.grad)
        leaf.grad = ZERO if is_all else math.fsum([leaf.grad, *[-term for term in terms]])
    for node in order:
        node.grad = ZERO


def _inner_nodes(output: Any) -> tuple[list[Any], list[Any], bool]:
    """Return the nodes of `topological_sort(output)` that have parents, in the same order.

    And those of them that have a gradient, and whether all were made since the last assignment to `data`.
    """
    now, is_current = COUNT["ASSIGNMENTS"], True
    order: list[Any] = []
    used: list[Any] = []
    seen: set[Any] = set()
    stack = [output] if output._left is not None else []
    while stack:
        node = stack.pop()
        if node is None:  # a mark: all parents of the node under it on the stack are in the order
            order.append(stack.pop())
        elif node not in seen:
            seen.add(node)
            if node._assignments is not now:
                is_current = False
            if node.grad is not ZERO:
                used.append(node)
            stack.append(node)
            stack.append(None)
            left, right = node._left, node._right
            if left.__class__ is tuple:
                for parent in reversed(left):
                    if parent._left is not None and parent not in seen:
                        stack.append(parent)  # noqa: PERF401  extending the stack by a list takes longer
                continue
            if right is not None and right._left is not None and right not in seen:
                stack.append(right)
            if left._left is not None and left not in seen:
                stack.append(left)
    return order, used, is_current


def run_leaf_functions(output: Any) -> None:
    """Run the `_backward` functions of the leaves below `output`, which a backward pass does not visit, at its end."""
    for node in reversed(topological_sort(output)):
        if node in LEAVES_WITH_FUNCTIONS and not node.parents:
            own_attributes(node).get("_backward", tuple)()


def refuse_wrong_grads(output: Any) -> None:
    """Raise `TypeError` if the `grad` of a leaf is neither a number nor None: nothing can be added to it."""
    for node in topological_sort(output):
        if not (node.parents or node.grad is None or isinstance(node.grad, Real)):
            name = repr(node.label) if node.label else "a leaf"
            message = f"the grad of {name} is {shown(node.grad)}, to which nothing can be added: write p.grad = 0.0"
            raise TypeError(message)
