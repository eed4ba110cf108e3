"""Penalties on the size of the weights: L2 (weight decay) and L1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from microgradlib._support.number import as_float
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.ops import reductions, selection

if TYPE_CHECKING:
    from collections.abc import Callable

    Coefficient = float | Mapping[str, float]

__all__ = ["L1", "L2", "l1_norm", "l2_norm"]


def l2_norm(weights: Iterable[Any], coefficient: float) -> Any:
    """Return (λ/2) Σ w², whose gradient is λw, as one node over all the weights.

    For the cost λ Σ w², with gradient 2λw, double the coefficient. (*Deep Learning*, 7.1.1.)

    >>> l2_norm([3.0, 4.0], 0.5)
    6.25
    """
    w = list(weights)
    return 0.5 * as_float(coefficient) * weighted_sum(w, w) if w else 0.0


def l1_norm(weights: Iterable[Any], coefficient: float) -> Any:
    """Return λ Σ |w|, whose gradient is λ sign w, which draws small weights to 0 altogether.

    (*Deep Learning*, 7.1.2.)

    >>> l1_norm([3.0, -4.0], 0.5)
    3.5
    """
    w = list(weights)
    return as_float(coefficient) * reductions.sum(*map(selection.abs, w)) if w else 0.0


@dataclass(frozen=True)
class _Norm:
    coefficient: Coefficient
    biases: bool = False

    def __post_init__(self) -> None:
        """Refuse coefficients below 0."""
        grouped = isinstance(self.coefficient, Mapping)
        if isinstance(self.coefficient, Mapping) and not self.coefficient:
            raise ValueError("there are no groups: give each a coefficient, as in {'layers.0': 0.1}")
        for number in self.coefficient.values() if isinstance(self.coefficient, Mapping) else [self.coefficient]:
            if not as_float(number) >= 0:
                message = (
                    f"a coefficient is 0 or more, got {number!r}{' in ' + repr(self.coefficient) if grouped else ''}"
                )
                raise ValueError(message)

    def _penalty(self, norm: Callable[[Iterable[Any], float], Any], model: Any) -> Any:
        if not hasattr(model, "named_parameters"):
            message = (
                f"a penalty takes the model, a Module, got {type(model).__name__}; for a list see l2_norm and l1_norm"
            )
            raise TypeError(message)
        chosen = dict(model.named_parameters())
        if not self.biases:
            weights = set(type(model).weights(model))  # an attribute of a model may have that name
            chosen = {name: p for name, p in chosen.items() if p in weights}
        if not isinstance(self.coefficient, Mapping):
            return norm(chosen.values(), self.coefficient)
        terms = []
        for group, coefficient in self.coefficient.items():
            members = [p for name, p in chosen.items() if name == group or name.startswith(f"{group}.")]
            if not members:
                message = f"no weights of the model have names that begin with {group!r}; names are {_some(chosen)}"
                raise ValueError(message)
            terms.append(norm(members, coefficient))
        return reductions.sum(*terms)


def _some(names: Iterable[str]) -> str:
    first = list(names)
    return ", ".join(first[:3]) + (f" … {first[-1]}" if len(first) > 3 else "")


class L2(_Norm):
    """Weight decay: L2(λ)(model) is (λ/2) Σ w² over the model's weights, not its biases unless `biases=True`.

    A dict gives groups of parameters, by the beginnings of their names, their own λ_k: Σ_k (λ_k/2) Σ_{w in k} w². Added
    to the mean cost (the empirical risk) it makes the structural risk. Raises `ValueError` for a λ below 0 and a group
    without members. (*Deep Learning*, 7.1.1.)

    >>> from microgradlib.nn import MLP
    >>> model = MLP([2, 3, 1], rng=0)
    >>> L2(0.01)(model).op.name
    'mul'
    >>> penalty = L2({"layers.0": 0.1, "layers.1": 0.01})(model)
    """

    def __call__(self, model: Any) -> Any:
        """Return the penalty as a node, to be added to the cost."""
        return self._penalty(l2_norm, model)


class L1(_Norm):
    """Sparsity: L1(λ)(model) is λ Σ |w| over the model's weights; arguments and errors are those of `L2`.

    (*Deep Learning*, 7.1.2.)

    >>> from microgradlib.nn import Neuron
    >>> neuron = Neuron(2, init="zeros")
    >>> neuron.w[0].data = -3.0
    >>> L1(0.5)(neuron).data
    1.5
    """

    def __call__(self, model: Any) -> Any:
        """Return the penalty as a node, to be added to the cost."""
        return self._penalty(l1_norm, model)
