"""The entry point that registers the strategies with Hypothesis, for `st.from_type(Value)` and type hints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from microgradlib.core.value import Value
    from microgradlib.testing.expression_graph import ExpressionGraph

__all__ = ["register"]


def register() -> None:
    """Register the strategies for `Value` and `ExpressionGraph` with Hypothesis.

    An entry point of the group `hypothesis` names this function; Hypothesis calls it at the end of its own import.
    The strategies are built at their first use.

    >>> from hypothesis import find, strategies as st
    >>> from microgradlib import Value
    >>> find(st.from_type(Value), lambda v: v.data > 1.5)
    Value(data=2.0, grad=0.0)
    """
    from hypothesis import strategies as st  # noqa: PLC0415  Hypothesis imports this module during its own import

    from microgradlib.core.value import Value  # noqa: PLC0415
    from microgradlib.testing.expression_graph import ExpressionGraph  # noqa: PLC0415

    st.register_type_strategy(Value, _values)
    st.register_type_strategy(ExpressionGraph, _graphs)


def _values(_: type[Value]) -> SearchStrategy[Value]:
    from microgradlib.testing.points import values  # noqa: PLC0415

    return values()


def _graphs(_: type[ExpressionGraph]) -> SearchStrategy[ExpressionGraph]:
    from microgradlib.testing.graphs import graphs  # noqa: PLC0415

    return graphs()
