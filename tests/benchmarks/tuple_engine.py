"""The smallest scalar engine that trains: the rival in eager.py, after the design of microgpt's.

A node keeps its inputs and their local derivatives in tuples, has slots and no closures, and writes − and ÷ in
terms of ×, + and **. The backward pass sorts by recursion, so deep graphs are beyond it.
"""

from __future__ import annotations

import math


class TupleValue:
    """A number with the inputs it came from and the local derivative to each."""

    __slots__ = ("data", "grad", "inputs", "slopes")

    def __init__(self, data: float, inputs: tuple[TupleValue, ...] = (), slopes: tuple[float, ...] = ()) -> None:
        self.data = data
        self.grad = 0
        self.inputs = inputs
        self.slopes = slopes

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
        """Add the derivative of self by each node below it to the node's grad."""
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
            for parent, slope in zip(node.inputs, node.slopes):
                parent.grad += slope * node.grad
