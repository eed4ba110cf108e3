"""The Hypothesis strategy for random expression graphs over chosen ops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from hypothesis import reject, strategies as st

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, boolean, whole_number
from microgradlib._support.shown import shown
from microgradlib.ops import TABLE, Op, arithmetic
from microgradlib.ops.record import check_op
from microgradlib.testing.building import Interval, Limits, PartialGraph, build
from microgradlib.testing.conditioning import crosses_kink, is_smooth
from microgradlib.testing.expression_graph import ExpressionGraph, Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hypothesis.strategies import SearchStrategy

__all__ = ["graphs"]

_BLOCKS = 12
"""The largest number of lists into which the steps are divided."""

_PICK_COUNT = 6
"""The number of picks for each op: one for the number of inputs, the others for the inputs."""


@in_plain_words
def graphs(
    ops: Iterable[Op] | None = None,
    *,
    inputs: WholeNumber = 3,
    max_nodes: WholeNumber = 12,
    max_depth: WholeNumber | None = None,
    max_width: WholeNumber | None = None,
    sharing: bool = True,
) -> SearchStrategy[ExpressionGraph]:
    """Draw a function of one to `inputs` numbers, as an `ExpressionGraph` over `ops`, and a point to evaluate it at.

    The range of each result is tracked, so that every op gets inputs in its sample intervals, on which it is well
    conditioned. An input with another range is mapped into the interval by centre + half · tanh, so tanh, × and + may
    occur in addition to the chosen ops. The point is away from the kinks of the ops. Graphs shrink to few, simple ops
    and round numbers.

    Args:
        ops: ops of the table, by default all smooth ones.
        inputs: the largest number of arguments.
        max_nodes: the largest number of ops.
        max_depth: the largest number of ops on a path.
        max_width: the largest number of ops at one depth.
        sharing: whether the result of an op may be used several times; arguments may in any case.

    Raises:
        TypeError: an op is none, or a limit no whole number.
        ValueError: there are no ops, or a limit is less than 1.

    >>> from hypothesis import find
    >>> find(graphs(), lambda graph: any(step.op.name == "exp" for step in graph.steps))
    import microgradlib as mg
    <BLANKLINE>
    def f(x):
        t1 = mg.exp(x)
        return t1
    <BLANKLINE>
    f(0.0)
    """
    chosen = _smooth_ops() if ops is None else _checked_ops(ops)
    depth, width = (
        None if most is None else whole_number(most, name)
        for most, name in ((max_depth, "max_depth"), (max_width, "max_width"))
    )
    nodes = whole_number(max_nodes, "max_nodes")
    return _graphs(chosen, Limits(whole_number(inputs, "inputs"), nodes, depth, width, boolean(sharing, "sharing")))


@st.composite
def _graphs(draw: st.DrawFn, chosen: list[Op], limits: Limits) -> ExpressionGraph:
    picks = st.binary(min_size=_PICK_COUNT, max_size=_PICK_COUNT)
    steps = st.lists(st.tuples(st.sampled_from(chosen), picks), min_size=1, max_size=1 + limits.nodes // _BLOCKS)
    blocks = draw(st.lists(steps, min_size=1, max_size=_BLOCKS))  # nested: Hypothesis seldom draws long lists
    graph = build([step for block in blocks for step in block], limits)
    names, program, output, intervals = _pruned(graph, largest=draw(st.integers(0, 3)) > 0)
    drawn = [draw(st.floats(low, high)) for low, high in intervals]
    for _ in range(limits.inputs - len(drawn)):
        draw(st.booleans())  # unused: without them, Hypothesis would take a graph of fewer inputs for simpler
    for point in _points(drawn, intervals):
        candidate = ExpressionGraph(names, program, output, point)
        if not _is_near_kink(candidate):
            return candidate
    return reject()  # rare: each of the 33 points is near a kink


def _checked_ops(ops: Any) -> list[Op]:
    if isinstance(ops, (str, Op)) or not isinstance(ops, Iterable):
        message = f"ops must be a list of ops, such as [mg.tanh, mg.add], got {shown(ops)}"
        raise TypeError(message)
    chosen = list(ops)
    if not chosen:
        raise ValueError("graphs needs at least one op, got none; leave ops out for all smooth ones")
    for op in chosen:
        check_op(op)
    return chosen


def _smooth_ops() -> list[Op]:
    """Return the smooth ops of the table, arithmetic first, since graphs shrink towards the first ops."""
    return [op for op in sorted(TABLE.values(), key=lambda op: op.name not in vars(arithmetic)) if is_smooth(op)]


def _pruned(graph: PartialGraph, *, largest: bool) -> tuple[tuple[str, ...], tuple[Step, ...], str, list[Interval]]:
    """Return names, steps, output and intervals of the graph of one node: the last, or that with the most ancestors."""
    ancestors = {name: frozenset([name]) for name in graph.inputs}
    for step in graph.steps:
        parents = [argument for argument in step.arguments if isinstance(argument, str)]
        ancestors[step.name] = frozenset([step.name]).union(*[ancestors[parent] for parent in parents])
    output = max(reversed(ancestors), key=lambda name: largest * len(ancestors[name]))  # reversed: ties take the last
    needed = ancestors[output]
    inputs = [name for name in graph.inputs if name in needed]
    kept = [step for step in graph.steps if step.name in needed]
    names = [*"xyz"] if len(inputs) <= 3 else [f"x{i + 1}" for i in range(len(inputs))]
    new = dict(zip(inputs, names)) | {step.name: f"t{i}" for i, step in enumerate(kept, start=1)}
    steps = [
        Step(new[step.name], step.op, tuple([new[a] if isinstance(a, str) else a for a in step.arguments]))
        for step in kept
    ]
    return tuple([new[name] for name in inputs]), tuple(steps), new[output], [graph.inputs[name] for name in inputs]


def _points(drawn: Sequence[float], intervals: Sequence[Interval]) -> Iterator[tuple[float, ...]]:
    """Yield the drawn point, then 32 others; each input has a different step, so that equal inputs become different."""
    for k in range(33):
        shifted = [
            low + (x - low + 0.25 * k * (i + 1)) % (high - low)
            for i, (x, (low, high)) in enumerate(zip(drawn, intervals))
        ]
        yield tuple([round(x, 9) for x in shifted]) if k else tuple(drawn)


def _is_near_kink(graph: ExpressionGraph) -> bool:
    table: dict[str | float, float] = dict(zip(graph.names, graph.inputs))
    for step in graph.steps:
        arguments = [table[a] if isinstance(a, str) else a for a in step.arguments]
        if crosses_kink(step.op, arguments):
            return True
        table[step.name] = step.op.compute(*arguments)
    return False
