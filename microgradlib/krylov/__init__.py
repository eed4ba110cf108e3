"""Hessian-vector products and the Hessian as a SciPy linear operator, for Krylov methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float
from microgradlib._support.optional import import_optional
from microgradlib._support.shown import shown
from microgradlib.core.autodiff import gradients, tangent_table
from microgradlib.core.graph import node_list
from microgradlib.core.modes import recording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scipy.sparse.linalg import LinearOperator  # type: ignore[import-untyped, import-not-found, unused-ignore]

    from microgradlib.core.value import Value

__all__ = ["hessian_operator", "hessian_products"]


def hessian_products(output: Value, inputs: Sequence[Value]) -> Callable[[Sequence[float]], list[float]]:
    """Return the function v ↦ H·v for H = ∂²output/∂inputs∂inputs; v and H·v have one number for each input.

    The gradient's graph is built once; each product is one forward pass over it (forward over reverse). H is taken at
    the current data of `inputs`, which must still be the numbers from which `output` was computed. A v of another
    length raises `ValueError`.

    >>> from microgradlib import Value
    >>> x, y = Value(1.0), Value(2.0)
    >>> product = hessian_products(x * x * y, [x, y])
    >>> product([1.0, 10.0])
    [24.0, 2.0]
    """
    inputs = node_list(inputs, "inputs", "[x, y]")
    if len(set(inputs)) < len(inputs):
        raise ValueError("hessian_products needs different inputs, got one of them twice")
    with recording():
        slopes = gradients(output, inputs)

    def product(v: Sequence[float]) -> list[float]:
        if not hasattr(v, "__iter__"):
            message = f"a product H·v takes a list of one number for each input, got {shown(v)}"
            raise TypeError(message)
        numbers = [as_float(number) for number in v]
        if len(numbers) != len(inputs):
            message = f"a product H·v needs one number for each of the {len(inputs)} inputs, got {len(numbers)}"
            raise ValueError(message)
        table = tangent_table(slopes, dict(zip(inputs, numbers)))
        return [table[slope] for slope in slopes]

    return product


def hessian_operator(output: Value, inputs: Sequence[Value]) -> LinearOperator:
    """Return H = ∂²output/∂inputs∂inputs as a `scipy.sparse.linalg.LinearOperator` of shape (n, n), n inputs.

    The products are those of `hessian_products`; H itself is never formed, so `cg` (solve H·x = g) and `eigsh` (extreme
    eigenvalues) need the memory of one graph and a few vectors.

    Raises `MissingExtraError` without SciPy: `pip install "microgradlib[scipy]"`.

    >>> from microgradlib import Value
    >>> x, y = Value(1.0), Value(2.0)
    >>> H = hessian_operator(x * x * y, [x, y])
    >>> H.matvec([1.0, 10.0]).tolist()
    [24.0, 2.0]
    """
    linalg = import_optional("scipy.sparse.linalg", "hessian_operator")
    inputs = node_list(inputs, "inputs", "[x, y]")
    product, n = hessian_products(output, inputs), len(inputs)

    def multiply(v: Any) -> list[float]:
        return product(v.ravel().tolist())

    return linalg.LinearOperator((n, n), matvec=multiply, rmatvec=multiply, dtype=float)
