"""Find the cause of a disagreement: the op whose local derivative is wrong, or what hides a dependency."""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any

from microgradlib.core.autodiff import evaluate, tangent_table
from microgradlib.core.graph import descendants
from microgradlib.core.hand_made import HandMadeOp
from microgradlib.core.kinks import described, indeterminate
from microgradlib.core.modes import tracing_lines
from microgradlib.numeric.branch_changes import Recording, record, record_or_none
from microgradlib.numeric.comparison import SAFETY, Comparison, compare
from microgradlib.numeric.complex_step import op_derivative
from microgradlib.numeric.extrapolation import NumericDerivative
from microgradlib.numeric.report import Fault
from microgradlib.numeric.rounding import rounding_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from microgradlib.core.value import Value

__all__ = ["FaultFinder", "indeterminate_note"]

_MISSING = (
    "every op agrees with differences of its own value, so a dependency is missing from the graph: look for "
    ".data, float(), detach() or no_grad() in f"
)
_OTHER_PATH = (
    "f takes another path at this very point than beside it, and the derivative along that path is not that of f"
)
_MADE_BY_HAND = "was made by hand, so its local derivatives cannot be checked one by one"
_CLOSER = 0.1  # a complex step this much closer to a derivative than differences are proves these wrong
_PARTS = (1.0, -1.0, 0.61, -0.61, 0.13, -0.13)  # of the widest step: a whole step may be a period of f
_EXACT = 1e-12  # relative; local derivatives closer to a complex step are correct
_CONFIRMED = 2.0  # times the error of differences of f: a derivative by complex steps so close to them is confirmed
_ROUNDING = 1e-9  # relative; reverse and forward mode add the same products in another order


class FaultFinder:
    """It finds why derivatives of f at a point disagree with differences: each op is looked at once for all of them."""

    def __init__(self, f: Callable[..., Any], point: Sequence[float]) -> None:
        self._f, self._point = f, point
        self._faults: dict[tuple[Value, int], Fault | None] = {}
        self._slopes: dict[tuple[Value, int], float | None] = {}

    @cached_property
    def _recording(self) -> tuple[Recording, dict[Any, str]]:
        """The recording of f at the point, and the user's line that made each node."""
        with tracing_lines() as lines:
            return record(self._f, self._point), lines

    def find(self, i: int, found: Comparison) -> tuple[Fault | None, str]:
        """Return the cause of a disagreement between ∂f/∂xᵢ and differences: the op at fault, or else words.

        Causes are, in this order: an op whose recorded local derivative disagrees with differences of the op's own
        value; one that disagrees with a complex step, if complex steps through all ops agree with differences of f; a
        product of 0 and inf, or another local derivative that is not finite; a node made by hand, whose local
        derivatives cannot be checked; a dependency that the graph does not contain, so that f differs from its graph
        evaluated anew beside the point; products of correct local derivatives that reverse and forward mode add
        differently. If there is none of them, the result is (None, ""): the differences of f are wrong, for example
        because every step skips whole periods.
        """
        here, lines = self._recording
        dependent = descendants(here.table, [here.inputs[i]])
        reached = [node for node in here.table if node.parents and node in dependent]
        for node in reached:
            for k in range(len(node.parents)):
                fault = self._local_fault(node, k)
                if fault:
                    return fault, ""
        if found.verdict == "differs" and math.isfinite(found.reverse):
            fault = self._fault_by_complex_steps(i, found)
            if fault:
                return fault, ""
        note = indeterminate_note(here.table, lines)
        if note and math.isnan(found.reverse):
            return None, note
        for node in reached:
            if not all(map(math.isfinite, node.local_derivatives)):
                slopes = ", ".join(map(repr, node.local_derivatives))
                return None, f"{described(node)}{_made(node, lines)} has the local derivatives {slopes}"
            if node.op is None or isinstance(node.op, HandMadeOp):
                return None, f"the node {node!r} {_MADE_BY_HAND}"
        if _differs_from_its_graph(self._f, self._point, i, found):
            return None, _OTHER_PATH if found.boundary else _MISSING
        if abs(found.reverse - found.forward) > _ROUNDING * max(abs(found.reverse), abs(found.forward)):
            return None, "every op agrees with differences of its own value, but reverse and forward mode disagree"
        return None, ""

    def _local_fault(self, node: Value, k: int) -> Fault | None:
        """Return the fault of a node's derivative by its input k, None if it agrees or cannot be judged."""
        if (node, k) not in self._faults:
            line = self._recording[1].get(node, "")
            self._faults[node, k] = _local_fault(node, k, node.local_derivatives[k], line)
        return self._faults[node, k]

    def _slope(self, node: Value, k: int) -> float | None:
        """Return a node's derivative by its input k by a complex step, None if there is none."""
        if (node, k) not in self._slopes:
            op = node.op if _can_be_checked(node) else None
            self._slopes[node, k] = None if op is None else op_derivative(op, _inputs(node), k)
        return self._slopes[node, k]

    def _fault_by_complex_steps(self, i: int, found: Comparison) -> Fault | None:
        """Return the fault that explains the whole disagreement of f, by complex steps of the ops on the way.

        Differences of f can be more exact than those of its ops, as where f(x) = log(exp(x)) or an op has an input
        twice.
        """
        here, lines = self._recording
        recorded = tangent_table(here.output, {here.inputs[i]: 1.0})
        exact = dict.fromkeys(here.table, 0.0) | {here.inputs[i]: 1.0}
        fault, largest = None, 0.0
        for node, gradient in here.table.items():
            for k, (parent, local) in enumerate(zip(node.parents, node.local_derivatives)):
                slope = self._slope(node, k)
                slope = local if slope is None else slope
                exact[node] += slope * exact[parent] if slope and exact[parent] else 0.0
                effect = abs(gradient * (local - slope) * recorded[parent])
                if node.op and effect > largest and abs(local - slope) > _EXACT * abs(slope):
                    numeric = NumericDerivative(slope, _EXACT * abs(slope), 0.0)
                    fault, largest = Fault(node.op.name, k, _inputs(node), local, numeric, lines.get(node, "")), effect
        return fault if abs(exact[here.output] - found.numeric.value) <= _CONFIRMED * found.numeric.error else None


def indeterminate_note(table: dict[Value, float], lines: Mapping[Value, str]) -> str:
    """Return where a `grad_table` multiplies 0 by inf, so that a derivative is nan, and why; "" if it does not."""
    notes = [f"{described(node)}{_made(node, lines)} is {note}" for node, note in indeterminate(table).items()]
    return notes[0] if notes else ""


def _made(node: Value, lines: Mapping[Value, str]) -> str:
    return f", made at {lines[node]}," if node in lines else ""


def _local_fault(node: Value, k: int, recorded: float, line: str) -> Fault | None:
    """Return the fault of a node's derivative by its input k, None if it agrees or cannot be judged."""
    op, at = node.op, _inputs(node)
    if op is None or not _can_be_checked(node):
        return None
    found = compare(op, at, k, record(op, at), recorded)
    if found.verdict != "differs":
        return None
    exact = op_derivative(op, at, k)
    if exact is not None and abs(exact - recorded) <= _CLOSER * abs(found.numeric.value - recorded):
        return None
    return Fault(op.name, k, at, recorded, found.numeric, line)


def _inputs(node: Value) -> tuple[float, ...]:
    return tuple([parent.data for parent in node.parents])


def _can_be_checked(node: Value) -> bool:
    """Return whether the node's op has a value rule and is finite here; `detach` hides its derivative on purpose."""
    known = node.op is not None and node.op.name != "detach" and not isinstance(node.op, HandMadeOp)
    return known and all(map(math.isfinite, (node.data, *_inputs(node))))


def _differs_from_its_graph(f: Callable[..., Any], point: Sequence[float], i: int, found: Comparison) -> bool:
    """Return whether f beside the point differs from the graph recorded at the point, evaluated beside it."""
    here = record(f, point)
    kept = {node: node.data for node in here.table if node.op is not None and node.op.name == "detach"}
    for part in _PARTS:
        at = point[i] + part * found.numeric.step
        there = record_or_none(f, [*point[:i], at, *point[i + 1 :]])
        if there is not None:
            again = evaluate(here.output, {**kept, here.inputs[i]: at})
            if not abs(again - there.output.data) <= SAFETY * rounding_error(there):
                return True
    return False
