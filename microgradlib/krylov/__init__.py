"""The Hessian as a SciPy linear operator, for Krylov methods: H is multiplied by, never formed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.optional import import_optional
from microgradlib.core.autodiff import gradients, tangent_table
from microgradlib.core.modes import recording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from microgradlib.core.value import Value

__all__ = ["hessian_operator", "hessian_products"]


def hessian_products(output: Value, inputs: Sequence[Value]) -> Callable[[Sequence[float]], list[float]]:
    """Return the function v ↦ H·v, H = ∂²output/∂inputs∂inputs; v has a number for each input.

    Each product is one forward sweep over the gradient's graph, which is built once: forward over reverse. H belongs to
    the inputs' numbers as they were when `output` was computed; they must still hold them when this is called.

    >>> from microgradlib import Value
    >>> x, y = Value(1.0), Value(2.0)
    >>> product = hessian_products(x * x * y, [x, y])
    >>> product([1.0, 10.0])
    [24.0, 2.0]
    """
    with recording():
        slopes = gradients(output, inputs)

    def product(v: Sequence[float]) -> list[float]:
        table = tangent_table(slopes, dict(zip(inputs, v)))  # type: ignore[arg-type]  # Values in, Values out
        return [table[slope] for slope in slopes]  # type: ignore[index]

    return product


def hessian_operator(output: Value, inputs: Sequence[Value]) -> Any:
    """Return H = ∂²output/∂inputs∂inputs as a `scipy.sparse.linalg.LinearOperator` of shape (n, n), n inputs.

    The products are those of `hessian_products`. So `cg` solves H·x = g and `eigsh` finds extreme eigenvalues in the
    memory of a few vectors and one graph.

    Raises `MissingExtraError` without SciPy: `pip install "microgradlib[scipy]"`.

    >>> from microgradlib import Value
    >>> x, y = Value(1.0), Value(2.0)
    >>> H = hessian_operator(x * x * y, [x, y])
    >>> H.matvec([1.0, 10.0]).tolist()
    [24.0, 2.0]
    """
    linalg = import_optional("scipy.sparse.linalg", "hessian_operator")
    product, n = hessian_products(output, inputs), len(inputs)

    def row(v: Any) -> list[float]:
        return product(v.ravel().tolist())

    return linalg.LinearOperator((n, n), matvec=row, rmatvec=row, dtype=float)
