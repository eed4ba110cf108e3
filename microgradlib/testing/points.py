"""Hypothesis strategies for Values, and for inputs at which an op is well conditioned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import reject, strategies as st

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, real_number, whole_number
from microgradlib.core.value import Value
from microgradlib.ops.record import check_op
from microgradlib.testing.conditioning import away_from_kinks, input_count, sample_interval

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from microgradlib.ops import Op

__all__ = ["floats_for", "inputs_for", "values"]


@in_plain_words
def values(min_value: float = -10.0, max_value: float = 10.0) -> SearchStrategy[Value]:
    """Draw leaf Values with `min_value` ≤ data ≤ `max_value`; each draw is a new node.

    `st.from_type(Value)` is this strategy with its default limits.

    >>> from hypothesis import find
    >>> find(values(), lambda v: v.data > 2.5)
    Value(data=3.0, grad=0.0)
    """
    low, high = real_number(min_value, "min_value"), real_number(max_value, "max_value")
    return st.builds(Value, st.floats(low, high))


@in_plain_words
def floats_for(op: Op, index: WholeNumber = 0) -> SearchStrategy[float]:
    """Draw floats for one input of an op: from its sample interval and, if it is the only input, away from kinks.

    A kink of an op of several inputs depends on all of them: use `inputs_for` to draw them together.

    >>> from hypothesis import find
    >>> from microgradlib import log, relu
    >>> find(floats_for(log), lambda x: x > 0), find(floats_for(relu), lambda x: x < 1)
    (1.0, 0.25)
    """
    check_op(op)
    index = whole_number(index, "index", 0)
    low, high = sample_interval(op, index)
    numbers = st.floats(low, high)
    if input_count(op) - len(op.defaults) > 1 or op.arity is None or index > 0:
        return numbers
    return numbers.map(lambda x: _moved_from_kinks(op, (x, *op.defaults))[0])


@in_plain_words
def inputs_for(op: Op, count: WholeNumber | None = None) -> SearchStrategy[tuple[float, ...]]:
    """Draw all inputs of an op: from its sample intervals, away from its kinks.

    `count` is the number of inputs for an op that takes any number; by default 2 to 5.

    >>> from hypothesis import find
    >>> from microgradlib import atan2
    >>> from microgradlib.ops import TABLE
    >>> find(inputs_for(atan2), lambda xs: xs[0] > 0), find(inputs_for(TABLE["maximum"]), lambda xs: len(xs) == 2)
    ((1.0, 0.0), (0.25, 0.0))
    """
    check_op(op)
    return _inputs_for(op, None if count is None else whole_number(count, "count"))


@st.composite
def _inputs_for(draw: st.DrawFn, op: Op, count: int | None) -> tuple[float, ...]:
    if count is None:
        count = draw(st.integers(2, 5)) if op.arity is None else op.arity
    return _moved_from_kinks(op, tuple([draw(st.floats(*sample_interval(op, i))) for i in range(count)]))


def _moved_from_kinks(op: Op, inputs: tuple[float, ...]) -> tuple[float, ...]:
    moved = away_from_kinks(op, inputs)
    return reject() if moved is None else moved
