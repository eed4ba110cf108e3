"""Penalties on the size of the weights: L2 (weight decay) and L1."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, overload

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import boolean, non_negative, real_number
from microgradlib._support.shown import shown
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.recorded_calls import recorded
from microgradlib.core.scopes import Function
from microgradlib.ops import reductions, selection

if TYPE_CHECKING:
    from microgradlib.core.value import Value
    from microgradlib.nn import Module

    Coefficient = float | Mapping[str, float]
    Norm = Callable[[Iterable[Value], float], Value]

__all__ = ["L1", "L2", "l1_norm", "l2_norm"]


@overload
def l2_norm(weights: Iterable[Value], coefficient: float) -> Value: ...
@overload
def l2_norm(weights: Iterable[float], coefficient: float) -> float: ...
@recorded(Function("L2 penalty", "½ λ Σ w²"))
def l2_norm(weights: Iterable[Any], coefficient: float) -> Any:
    """Return (λ/2) Σ w², whose gradient is λw, as one node over all the weights.

    For numbers the result is a number, for an empty list 0.0. For the cost λ Σ w², with gradient 2λw, double the
    coefficient. (*Deep Learning*, 7.1.1.)

    >>> l2_norm([3.0, 4.0], 0.5)
    6.25
    """
    w = _listed(weights)
    return 0.5 * real_number(coefficient, "coefficient", finite=False) * weighted_sum(w, w) if w else 0.0


def _listed(weights: Any) -> list[Any]:
    if not hasattr(weights, "__iter__"):
        message = f"a norm takes a list of weights, as in l2_norm(model.weights(), 0.1), got {shown(weights)}"
        raise TypeError(message)
    return list(weights)


@overload
def l1_norm(weights: Iterable[Value], coefficient: float) -> Value: ...
@overload
def l1_norm(weights: Iterable[float], coefficient: float) -> float: ...
@recorded(Function("L1 penalty", "λ Σ |w|"))
def l1_norm(weights: Iterable[Any], coefficient: float) -> Any:
    """Return λ Σ |w|, whose gradient λ sign w drives small weights to exactly 0.

    For numbers the result is a number, for an empty list 0.0. (*Deep Learning*, 7.1.2.)

    >>> l1_norm([3.0, -4.0], 0.5)
    3.5
    """
    w = _listed(weights)
    return real_number(coefficient, "coefficient", finite=False) * reductions.sum(*map(selection.abs, w)) if w else 0.0


@in_plain_words
@dataclass(frozen=True)
class NormPenalty:
    """The base class of `L1` and `L2`: one coefficient, or one for each group of parameters."""

    coefficient: Coefficient
    biases: bool = False

    def __post_init__(self) -> None:
        """Raise unless every coefficient is 0 or more, and `biases` True or False."""
        object.__setattr__(self, "biases", boolean(self.biases, "biases", numbers=True))
        if not isinstance(self.coefficient, Mapping):
            object.__setattr__(self, "coefficient", non_negative(self.coefficient, "coefficient", example=0.01))
            return
        if not self.coefficient:
            raise ValueError("coefficient is an empty dict: give each group a coefficient, as in {'layers.0': 0.1}")
        for group, number in self.coefficient.items():
            non_negative(number, f"coefficient[{group!r}]")

    def _penalty(self, norm: Norm, model: Module) -> Value:
        """Return the norm of the parameters, or the sum over the groups of the norms of their parameters."""
        if isinstance(model, type) or not hasattr(model, "named_parameters"):
            message = f"a penalty takes a Module, got {shown(model)}; for a list of weights use l2_norm or l1_norm"
            raise TypeError(message)
        penalised = dict(model.named_parameters())
        if not self.biases:
            weights = set(type(model).weights(model))  # through the class: a module may be stored as model.weights
            penalised = {name: p for name, p in penalised.items() if p in weights}
        if not isinstance(self.coefficient, Mapping):
            return norm(penalised.values(), self.coefficient)
        terms = []
        for group, coefficient in self.coefficient.items():
            members = [p for name, p in penalised.items() if name == group or name.startswith(f"{group}.")]
            if not members:
                message = (
                    f"no weights of the model have names that begin with {group!r}; names are {_abbreviated(penalised)}"
                )
                raise ValueError(message)
            terms.append(norm(members, coefficient))
        penalty: Value = reductions.sum(*terms)
        return penalty


def _abbreviated(names: Iterable[str]) -> str:
    """Return the first three names and the last, as text."""
    listed = list(names)
    return ", ".join(listed[:3]) + (f" … {listed[-1]}" if len(listed) > 3 else "")


class L2(NormPenalty):
    """Weight decay: L2(λ)(model) is (λ/2) Σ w² over the model's weights, with `biases=True` also over its biases.

    A dict {prefix: λ_k} gives each group of parameters, those whose dotted paths begin with the prefix, a coefficient
    of its own: Σ_k (λ_k/2) Σ_{w in k} w². The mean cost (the empirical risk) plus this penalty is the structural risk.
    Raises `ValueError` for a λ that is negative, infinite or nan, and for a group without weights. (*Deep Learning*,
    7.1.1.)

    >>> from microgradlib.nn import MLP
    >>> model = MLP([2, 3, 1], rng=0)
    >>> L2(0.01)(model).op.name
    'mul'
    >>> penalty = L2({"layers.0": 0.1, "layers.1": 0.01})(model)
    """

    def __call__(self, model: Module) -> Value:
        """Return the penalty as a node, to be added to the cost; 0.0 for a model without weights."""
        return self._penalty(l2_norm, model)


class L1(NormPenalty):
    """Sparsity: L1(λ)(model) is λ Σ |w| over the model's weights; arguments and errors are those of `L2`.

    (*Deep Learning*, 7.1.2.)

    >>> from microgradlib.nn import Neuron
    >>> neuron = Neuron(2, init="zeros")
    >>> neuron.w[0].data = -3.0
    >>> L1(0.5)(neuron).data
    1.5
    """

    def __call__(self, model: Module) -> Value:
        """Return the penalty as a node, to be added to the cost; 0.0 for a model without weights."""
        return self._penalty(l1_norm, model)
