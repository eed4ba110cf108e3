"""Types of the arguments of modules and costs: numbers and vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsFloat, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection

    from microgradlib.core.node import Node

__all__ = ["Number", "Vector"]

Number: TypeAlias = "Node | SupportsFloat"
"""One number: a Value, a Symbol, a float, an int or a NumPy scalar."""

Vector: TypeAlias = "Collection[Number]"
"""Several numbers: a list, a tuple or a one-dimensional NumPy array.

Modules annotate their results as Values, which they are for inputs of numbers and Values. Inputs of Symbols give
Symbols.
"""
