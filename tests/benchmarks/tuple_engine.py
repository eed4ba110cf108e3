"""A minimal scalar engine in the design of microgpt's: the rival in eager.py where microgpt's own file is absent.

A node has slots and no closures, and keeps its inputs and their local derivatives in tuples; − and ÷ are computed by
×, + and **. The backward pass sorts by recursion and fails with RecursionError on deep graphs.
"""

from __future__ import annotations

import math


class TupleValue:
    """A number, the inputs it was computed from and the local derivative with respect to each."""

    __slots__ = ("data", "grad", "inputs", "local_derivatives")

    def __init__(
        self, data: float, inputs: tuple[TupleValue, ...] = (), local_derivatives: tuple[float, ...] = ()
    ) -> None:
        self.data = data
        self.grad: float = 0
        self.inputs = inputs
        self.local_derivatives = local_derivatives

    def __add__(self, other: TupleValue | float) -> TupleValue:
        other = other if isinstance(other, TupleValue) else TupleValue(other)
        return TupleValue(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other: TupleValue | float) -> TupleValue:
        other = other if isinstance(other, TupleValue) else TupleValue(other)
        return TupleValue(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent: float) -> TupleValue:
        return TupleValue(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def __neg__(self) -> TupleValue:
        return self * -1

    def __sub__(self, other: TupleValue | float) -> TupleValue:
        return self + (-other)

    def __truediv__(self, other: TupleValue | float) -> TupleValue:
        return self * other**-1

    def __radd__(self, other: float) -> TupleValue:
        return self + other

    def __rmul__(self, other: float) -> TupleValue:
        return self * other

    def __rsub__(self, other: float) -> TupleValue:
        return -self + other

    def __rtruediv__(self, other: float) -> TupleValue:
        return self**-1 * other

    def exp(self) -> TupleValue:
        y = math.exp(self.data)
        return TupleValue(y, (self,), (y,))

    def log(self) -> TupleValue:
        return TupleValue(math.log(self.data), (self,), (1 / self.data,))

    def relu(self) -> TupleValue:
        return TupleValue(max(0, self.data), (self,), (float(self.data > 0),))

    def backward(self) -> None:
        """Add ∂self/∂node to the grad of each node that self depends on."""
        order: list[TupleValue] = []
        seen: set[TupleValue] = set()

        def visit(node: TupleValue) -> None:
            if node in seen:
                return
            seen.add(node)
            for parent in node.inputs:
                visit(parent)
            order.append(node)

        visit(self)
        self.grad = 1
        for node in reversed(order):
            for parent, local_derivative in zip(node.inputs, node.local_derivatives):
                parent.grad += local_derivative * node.grad
