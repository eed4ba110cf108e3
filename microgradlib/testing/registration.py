"""What Hypothesis calls when it is imported, so that `st.from_type(Value)` and type hints just work."""

from __future__ import annotations

from typing import Any

__all__ = ["register"]


def register() -> None:
    """Tell Hypothesis how to draw a `Value` and an `ExpressionGraph` from the type alone.

    An entry point of the group `hypothesis` names this function; Hypothesis calls it at the end of its own import.
    Strategies are built when first asked for.

    >>> from hypothesis import find, strategies as st
    >>> from microgradlib import Value
    >>> find(st.from_type(Value), lambda v: v.data > 1.5)
    Value(data=2.0, grad=0.0)
    """
    from hypothesis import strategies as st  # noqa: PLC0415  this module must load while Hypothesis still does

    from microgradlib.core.value import Value  # noqa: PLC0415
    from microgradlib.testing.expression_graph import ExpressionGraph  # noqa: PLC0415

    st.register_type_strategy(Value, _values)
    st.register_type_strategy(ExpressionGraph, _graphs)


def _values(_: type) -> Any:
    from microgradlib.testing.points import values  # noqa: PLC0415

    return values()


def _graphs(_: type) -> Any:
    from microgradlib.testing.graphs import graphs  # noqa: PLC0415

    return graphs()
