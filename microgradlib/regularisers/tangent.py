"""Tangent propagation: a penalty on the derivative of the output along a direction of known invariance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import non_negative
from microgradlib._support.number import is_array
from microgradlib._support.pytree import flatten, unflatten
from microgradlib.core.value import as_node
from microgradlib.derivatives.transforms import jvp
from microgradlib.ops import reductions

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.core.value import Value

__all__ = ["TangentPropagation"]


@in_plain_words
@dataclass(frozen=True)
class TangentPropagation:
    """Ω(x) = ½λ Σ_k (∂ŷ_k/∂x · t)², which penalises a change of the outputs along t, a direction of known invariance.

    `tangent` is t, in the shape of x, or a function of x that returns it, such as the direction in which a rotation
    moves x; `coefficient` is λ. Calling it with the model and one input returns a node that can be differentiated with
    respect to the parameters: the directional derivative is itself a graph, built in forward mode (`jvp`). (Simard et
    al., 1992; *Deep Learning*, 7.14.)

    >>> from microgradlib.nn import Neuron
    >>> neuron = Neuron(2, "linear", init="zeros")
    >>> neuron.w[0].data = 3.0
    >>> slope_along_first_input = TangentPropagation([1.0, 0.0], coefficient=2.0)
    >>> penalty = slope_along_first_input(neuron, [0.5, 0.5])  # w₀², whatever x
    >>> penalty.backward()
    >>> penalty.data, neuron.w[0].grad
    (9.0, 6.0)
    """

    tangent: Any
    coefficient: float = 1.0

    def __post_init__(self) -> None:
        """Raise unless the coefficient is 0 or more."""
        object.__setattr__(self, "coefficient", non_negative(self.coefficient, "coefficient", example=1.0))

    def __call__(self, model: Callable[[Any], Any], x: Any) -> Value:
        """Return Ω(x). Raises `ValueError` if the shape of t differs from that of x."""
        direction = self.tangent(x) if callable(self.tangent) else self.tangent
        direction = direction.tolist() if is_array(direction) else direction
        x = x.tolist() if is_array(x) else x
        inputs = unflatten(x, map(as_node, flatten(x)))
        _, tangents = jvp(model, (inputs,), (direction,))
        slopes = flatten(tangents)
        penalty: Value = 0.5 * self.coefficient * reductions.dot(*slopes, *slopes)
        return penalty
