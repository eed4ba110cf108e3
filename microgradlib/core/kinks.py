"""Where a derivative is a convention, undefined or infinite: the nodes of a graph that say why, in words."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from microgradlib._support import display
from microgradlib.core.autodiff import grad_table
from microgradlib.core.graph import topological_sort
from microgradlib.core.modes import current_mode
from microgradlib.core.node import Node
from microgradlib.errors import AnomalyError
from microgradlib.ops import ZERO

__all__ = ["Kinks", "check_gradients", "described", "indeterminate", "kinks"]

N = TypeVar("N", bound=Node)


class Kinks(list[N], display.ShowsItself):
    """A list of nodes; `notes` says of each what its derivative is there, and `str` shows them."""

    notes: dict[N, str]

    def __str__(self) -> str:
        shown = [f"{described(node)}: {note}" for node, note in self.notes.items()]
        more = [f"… {len(shown) - display.SCREEN:,} more: show() shows all"] if len(shown) > display.SCREEN else []
        return "\n".join([*shown[: display.SCREEN], *more]) or "no kinks"

    __repr__ = __str__


def kinks(output: N) -> Kinks[N]:
    """Return the nodes below `output` at which a derivative is a convention or cannot be had, with notes.

    A convention: relu at 0, |x| at 0, a tie in maximum, the edge of a clip; judged by the parents' data as it is now.
    The note is the op's (`node.op.kink_note`). Indeterminate: a node at which `grad_table` multiplies 0 by inf, so that
    the gradient is nan; by local derivatives alone it cannot be known. The note says where the infinity comes from and
    what to write instead.

    >>> from microgradlib import Value, relu, sqrt
    >>> x = Value(0.0, label="x")
    >>> print(kinks(relu(x) - relu(-x)))
    relu(0.0): relu′(0) = 0
    relu(-0.0): relu′(0) = 0
    >>> print(kinks(sqrt(x * x)))
    *(0.0, 0.0): indeterminate, 0 · inf: the local derivative of *(0.0, 0.0) is 0, and the gradient inf comes from ...
    """
    order: list[Any] = topological_sort(output)
    at_kink = [n for n in order if n.op and n.op.kink and n.op.kink(*[p.data for p in n.parents], *n.op.settings)]
    notes = {node: node.op.kink_note for node in at_kink} | indeterminate(grad_table(output))
    found = Kinks(node for node in order if node in notes)
    found.notes = {node: notes[node] for node in found}
    return found


def indeterminate(table: dict[Any, float]) -> dict[Any, str]:
    """Return a note for each node of a `grad_table` whose gradient times a local derivative is 0 · inf.

    >>> from microgradlib import Value, cbrt, grad_table
    >>> y = cbrt(Value(0.0)) ** 3
    >>> list(indeterminate(grad_table(y)).values())
    ['indeterminate, 0 · inf: the local derivative of cbrt(0.0) is inf, and the gradient that it multiplies is 0']
    """
    notes: dict[Any, str] = {}
    infinite: dict[Any, Any] = {}  # a node with an infinite gradient, and the node whose local derivative made it so
    for node, gradient in reversed(table.items()):
        if gradient is ZERO:
            continue
        for parent, local in zip(node.parents, node.local_derivatives):
            product = gradient * local
            if math.isinf(product):
                infinite.setdefault(parent, infinite.get(node, node))
            elif local is not ZERO and math.isnan(product) and not math.isnan(gradient) and not math.isnan(local):
                notes[node] = _note(node, infinite.get(node, node))
    return notes


def _note(node: Any, source: Any) -> str:
    """Return why 0 · inf was met at `node`: the infinity is made by the local derivative of `source`."""
    if source is node:
        reason = f"the local derivative of {described(node)} is inf, and the gradient that it multiplies is 0"
    else:
        reason = f"the local derivative of {described(node)} is 0, and the gradient inf comes from {described(source)}"
    advice = getattr(source.op, "infinite_note", "")
    return f"indeterminate, 0 · inf: {reason}{'; ' if advice else ''}{advice}"


def described(node: Any) -> str:
    """Return a node as its op at the numbers of its inputs, a leaf as its name.

    >>> from microgradlib import Value
    >>> described(Value(2.0) * Value(3.0, label="x")), described(Value(3.0, label="x")), described(Value(3.0))
    ('*(2.0, 3.0)', 'x', 'a leaf')
    """
    if node.op is None:
        return node.label or "a leaf"
    return f"{node.op}({', '.join([repr(parent.data) for parent in node.parents])})"


def check_gradients(table: dict[Any, float]) -> None:
    """Raise `AnomalyError` for the first node, in the order of the backward pass, whose gradient is nan or inf."""
    mode = current_mode()
    lines = (mode.lines if mode else None) or {}
    for node, gradient in reversed(table.items()):
        if not math.isfinite(gradient):
            name = node.label or (f"a result of {node.op}" if node.op else "a leaf")
            made = f", made at {lines[node]}" if node in lines else ""
            message = f"the gradient of {name} = {node.data!r} is {gradient}{made}{_cause(node, table, lines)}"
            raise AnomalyError(message)


def _cause(node: Any, table: dict[Any, float], lines: dict[Any, str]) -> str:
    """Return which local derivative made the gradient of a node nan or inf, as the end of a message."""
    notes = indeterminate(table)
    for consumer, gradient in table.items():
        for parent, local in zip(consumer.parents, consumer.local_derivatives):
            if parent is node and local is not ZERO and gradient is not ZERO and not math.isfinite(local * gradient):
                where = f" at {lines[consumer]}" if consumer in lines else ""
                advice = "" if math.isfinite(local) else consumer.op.infinite_note
                why = notes.get(consumer, advice)
                return f"; the local derivative of {consumer.op}{where} is {local}{'; ' if why else ''}{why}"
    return ""
