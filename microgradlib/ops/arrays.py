"""An op over NumPy arrays, element by element."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from microgradlib.ops.record import Op

__all__ = ["element_wise"]


def element_wise(op: Op, inputs: tuple[Any, ...]) -> Any:
    """Apply `op` to arrays and single numbers with NumPy's broadcasting.

    The result holds floats if no input held a Value or Symbol; otherwise it is an object array of them.

    >>> import numpy as np
    >>> from microgradlib import Value
    >>> (np.array([1.0, 2.0]) * Value(3.0)).tolist()
    [Value(data=3.0, grad=0.0, op='*'), Value(data=6.0, grad=0.0, op='*')]
    """
    numpy = importlib.import_module("numpy")  # whoever passes an array has it
    operands = []
    for x in inputs:
        operand = x
        if hasattr(x, "__apply_op__"):  # wrapped, since such nodes refuse NumPy's ufuncs
            operand = numpy.empty((), dtype=object)
            operand[()] = x
        operands.append(operand)
    result = numpy.frompyfunc(op, len(operands), 1)(*operands)
    holds_nodes = any(hasattr(x, "__apply_op__") for x in result.flat)
    return result if holds_nodes else result.astype(float)
