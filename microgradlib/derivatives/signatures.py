"""Types of the functions that the transforms return: for type checkers, never imported at run time.

Each derivative has the structure of the argument by which f is differentiated: a float for a number, a list of floats
for a list of numbers, a node for a node. `P` are the other parameters of f.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ParamSpec, Protocol, TypeAlias, TypeVar, overload

from microgradlib.core.node import Node

__all__ = ["Gradient", "Hessian", "ListJacobian", "Numbers", "TupleJacobian", "ValueAndGradient"]

P = ParamSpec("P")
N = TypeVar("N", bound=Node)
X = TypeVar("X")

FloatList: TypeAlias = "list[float] | list[int]"
Numbers: TypeAlias = "float | Sequence[Numbers] | Mapping[Any, Numbers]"
"""A number, or a nested structure of numbers that holds no nodes."""


class Gradient(Protocol[P]):
    """What `grad` returns: the gradient has the structure of the first argument."""

    @overload
    def __call__(self, x: float, /, *args: P.args, **kwargs: P.kwargs) -> float: ...
    @overload
    def __call__(self, x: FloatList, /, *args: P.args, **kwargs: P.kwargs) -> list[float]: ...
    @overload
    def __call__(self, x: X, /, *args: P.args, **kwargs: P.kwargs) -> X: ...


class ValueAndGradient(Protocol[P]):
    """What `value_and_grad` returns: the value, and a gradient of the structure of the first argument."""

    @overload
    def __call__(self, x: float, /, *args: P.args, **kwargs: P.kwargs) -> tuple[float, float]: ...
    @overload
    def __call__(self, x: FloatList, /, *args: P.args, **kwargs: P.kwargs) -> tuple[float, list[float]]: ...
    @overload
    def __call__(self, x: N, /, *args: P.args, **kwargs: P.kwargs) -> tuple[N, N]: ...
    @overload
    def __call__(self, x: X, /, *args: P.args, **kwargs: P.kwargs) -> tuple[Any, X]: ...


class ListJacobian(Protocol[P]):
    """What `jacobian` returns for a function that returns a list: a list with the gradient of each output."""

    @overload
    def __call__(self, x: float, /, *args: P.args, **kwargs: P.kwargs) -> list[float]: ...
    @overload
    def __call__(self, x: FloatList, /, *args: P.args, **kwargs: P.kwargs) -> list[list[float]]: ...
    @overload
    def __call__(self, x: X, /, *args: P.args, **kwargs: P.kwargs) -> list[X]: ...


class TupleJacobian(Protocol[P]):
    """What `jacobian` returns for a function that returns a tuple: a tuple with the gradient of each output."""

    @overload
    def __call__(self, x: float, /, *args: P.args, **kwargs: P.kwargs) -> tuple[float, ...]: ...
    @overload
    def __call__(self, x: FloatList, /, *args: P.args, **kwargs: P.kwargs) -> tuple[list[float], ...]: ...
    @overload
    def __call__(self, x: X, /, *args: P.args, **kwargs: P.kwargs) -> tuple[X, ...]: ...


class Hessian(Protocol[P]):
    """What `hessian` returns: for each entry of the first argument a structure like that argument."""

    @overload
    def __call__(self, x: float, /, *args: P.args, **kwargs: P.kwargs) -> float: ...
    @overload
    def __call__(self, x: FloatList, /, *args: P.args, **kwargs: P.kwargs) -> list[list[float]]: ...
    @overload
    def __call__(self, x: N, /, *args: P.args, **kwargs: P.kwargs) -> N: ...
    @overload
    def __call__(self, x: object, /, *args: P.args, **kwargs: P.kwargs) -> Any: ...
