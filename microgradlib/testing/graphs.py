"""The strategy of whole random expression graphs over chosen ops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import reject
from hypothesis import strategies as st

from microgradlib.ops import TABLE, arithmetic
from microgradlib.testing.conditioning import crosses_kink, is_smooth
from microgradlib.testing.expression_graph import ExpressionGraph, Step
from microgradlib.testing.growing import Grown, Interval, Limits, grow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from microgradlib.ops import Op

__all__ = ["graphs"]

_BLOCKS = 12
_PICK_COUNT = 6
"""How many inputs an op of any number of them gets at most, and one more pick that says how many."""


@st.composite
def graphs(
    draw: Any,
    ops: Iterable[Op] | None = None,
    *,
    inputs: int = 3,
    max_nodes: int = 12,
    max_depth: int | None = None,
    max_width: int | None = None,
    sharing: bool = True,
) -> ExpressionGraph:
    """Draw a function of one to `inputs` numbers, as an `ExpressionGraph` over `ops`, with a point to take it at.

    Ranges are tracked, so that every op gets its inputs from its sample intervals, on which it is well conditioned. An
    input whose range does not fit is squashed into the interval by centre + half · tanh: tanh, × and + may join the
    chosen ops. The point lies away from the kinks of the ops.

    `ops`: ops of the table, by default all smooth ones. `max_nodes`: how many ops in all. `max_depth`: how many may
    follow one another. `max_width`: how many may stand at one depth. `sharing`: whether the result of an op may be
    used more than once; the arguments of the function may in any case. Graphs shrink to few, simple ops and round
    numbers. Raises `ValueError` for no ops or no inputs.

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
    chosen = list(_smooth_ops() if ops is None else ops)
    if not chosen or inputs < 1:
        message = f"graphs needs at least one op and one input, got {len(chosen)} ops and inputs={inputs}"
        raise ValueError(message)
    picks = st.binary(min_size=_PICK_COUNT, max_size=_PICK_COUNT)
    steps = st.lists(st.tuples(st.sampled_from(chosen), picks), min_size=1, max_size=1 + max_nodes // _BLOCKS)
    blocks = draw(st.lists(steps, min_size=1, max_size=_BLOCKS))  # lists of lists, as single lists seldom grow long
    grown = grow([step for block in blocks for step in block], Limits(inputs, max_nodes, max_depth, max_width, sharing))
    names, program, output, intervals = _finished(grown, largest=draw(st.integers(0, 3)) > 0)
    drawn = [draw(st.floats(low, high)) for low, high in intervals]
    for _ in range(inputs - len(drawn)):
        draw(st.booleans())  # for nothing: else a graph of few inputs, squashed to fit, would count as simpler
    for point in _points(drawn, intervals):
        graph = ExpressionGraph(names, program, output, point)
        if not _meets_kink(graph):
            return graph
    return reject()  # so rare that it does no harm: each of 33 points all over meets some kink


def _smooth_ops() -> list[Op]:
    """Return the smooth ops of the table, those of arithmetic first: graphs shrink towards the first."""
    return [op for op in sorted(TABLE.values(), key=lambda op: op.name not in arithmetic.__all__) if is_smooth(op)]


def _finished(grown: Grown, *, largest: bool) -> tuple[tuple[str, ...], tuple[Step, ...], str, list[Interval]]:
    """Take the last node, or the one that stands on the most, for the output; drop what it does not need."""
    below = {name: frozenset([name]) for name in grown.inputs}
    for step in grown.steps:
        below[step.name] = frozenset([step.name]).union(*[below[a] for a in step.arguments if isinstance(a, str)])
    output = max(reversed(below), key=lambda name: largest * len(below[name]))  # the last of equals
    needed = below[output]
    inputs = [name for name in grown.inputs if name in needed]
    kept = [step for step in grown.steps if step.name in needed]
    names = [*"xyz"] if len(inputs) <= 3 else [f"x{i + 1}" for i in range(len(inputs))]
    new = dict(zip(inputs, names)) | {step.name: f"t{i}" for i, step in enumerate(kept, start=1)}
    steps = [
        Step(new[step.name], step.op, tuple([new[a] if isinstance(a, str) else a for a in step.arguments]))
        for step in kept
    ]
    return tuple([new[name] for name in inputs]), tuple(steps), new[output], [grown.inputs[name] for name in inputs]


def _points(drawn: Sequence[float], intervals: Sequence[Interval]) -> Iterator[tuple[float, ...]]:
    """Yield the drawn point, then others that go round the intervals, each input at its own pace, so that ties part."""
    for k in range(33):
        shifted = [
            low + (x - low + 0.25 * k * (i + 1)) % (high - low)
            for i, (x, (low, high)) in enumerate(zip(drawn, intervals))
        ]
        yield tuple([round(x, 9) for x in shifted]) if k else tuple(drawn)


def _meets_kink(graph: ExpressionGraph) -> bool:
    table: dict[str | float, float] = dict(zip(graph.names, graph.inputs))
    for step in graph.steps:
        arguments = [table[a] if isinstance(a, str) else a for a in step.arguments]
        if crosses_kink(step.op, arguments):
            return True
        table[step.name] = step.op.compute(*arguments)
    return False
