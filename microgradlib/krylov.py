"""The Hessian as a SciPy linear operator, for Krylov methods: H is multiplied by, never formed."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from microgradlib.autodiff import gradients, tangent_table
from microgradlib.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.value import Value

__all__ = ["hessian_operator"]


def hessian_operator(output: Value, inputs: Sequence[Value]) -> Any:
    """Return H = ∂²output/∂inputs∂inputs as a `scipy.sparse.linalg.LinearOperator` of shape (n, n), n inputs.

    Each product H·v is one forward sweep over the gradient's graph, which is built once: forward over reverse. So `cg`
    solves H·x = g and `eigsh` finds extreme eigenvalues in the memory of a few vectors and one graph. H belongs to the
    inputs' numbers as they were when `output` was computed.

    Raises `MissingExtraError` without SciPy: `pip install "microgradlib[scipy]"`.

    >>> from microgradlib import Value
    >>> x, y = Value(1.0), Value(2.0)
    >>> H = hessian_operator(x * x * y, [x, y])
    >>> H.matvec([1.0, 10.0]).tolist()
    [24.0, 2.0]
    """
    try:
        linalg = importlib.import_module("scipy.sparse.linalg")
    except ImportError:
        message = 'hessian_operator needs SciPy: pip install "microgradlib[scipy]"'
        raise MissingExtraError(message) from None
    slopes = gradients(output, inputs)
    n = len(inputs)

    def product(v: Any) -> Any:
        table = tangent_table(slopes, dict(zip(inputs, v.ravel().tolist())))  # type: ignore[arg-type]  # Values in, Values out
        return [table[slope] for slope in slopes]  # type: ignore[index]

    return linalg.LinearOperator((n, n), matvec=product, rmatvec=product, dtype=float)
