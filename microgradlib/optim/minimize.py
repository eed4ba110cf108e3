"""SciPy's minimisers on a loss over Values: conjugate gradients, quasi-Newton, Newton with Krylov methods."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any

from microgradlib._support.lookup import lookup
from microgradlib._support.optional import import_optional
from microgradlib.core.autodiff import grad_table
from microgradlib.core.modes import recording
from microgradlib.core.value import Value
from microgradlib.krylov import hessian_products
from microgradlib.optim.parameters import assign, checked_values, numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["METHODS", "minimize"]

METHODS = {
    "CG": ["jac"],
    "BFGS": ["jac"],
    "L-BFGS-B": ["jac"],
    "TNC": ["jac"],
    "SLSQP": ["jac"],
    "Newton-CG": ["jac", "hessp"],
    "trust-ncg": ["jac", "hessp"],
    "trust-krylov": ["jac", "hessp"],
    "trust-constr": ["jac", "hessp"],
}
"""SciPy's methods that use derivatives, each with those it takes: the gradient, and the Hessian times a vector."""

REMEMBERED_POINTS = 2
"""A trust region that rejects a step goes back to the point before: then that one is still there."""


def minimize(
    loss: Callable[[], Value], parameters: Value | Iterable[Value], method: str = "L-BFGS-B", **options: Any
) -> Any:
    """Set the parameters to a minimiser of the loss, found by `scipy.optimize.minimize`; return its `OptimizeResult`.

    `loss()` builds the loss anew from the parameters' current numbers, the same function at each call: the whole data
    set, no noise. SciPy is fed our gradient ∇f(x) and, where the method takes it, H(x)·v, one sweep each; H is never
    formed. `method` is one of

        CG                            nonlinear conjugate gradients
        BFGS, L-BFGS-B                quasi-Newton, with a full and with a limited memory
        Newton-CG, TNC                Newton, each step solved for by conjugate gradients
        trust-ncg, trust-krylov       Newton in a trust region, by conjugate gradients and by Lanczos
        SLSQP, trust-constr           for constraints

    (SciPy's trust-krylov stalls where the gradient is about 10⁻⁷; ask it for no more, as in `tol=1e-6`.)

    `options` go to SciPy: `tol=1e-10`, `options={"maxiter": 50}`, `callback`, `bounds`. When SciPy ends, by whatever
    criterion, the parameters hold `result.x`; `result.success` says whether it converged. If anything raises, Ctrl-C
    included, the parameters hold again what they held before. Their `grad` is left alone. (*Deep Learning*, 8.6.)

    Raises `MissingExtraError` without SciPy: `pip install "microgradlib[scipy]"`; `ValueError` for another method;
    `TypeError` if the loss is no function or returns no Value.

    >>> x, y = Value(-1.2), Value(1.0)
    >>> result = minimize(lambda: (1 - x) ** 2 + 100 * (y - x * x) ** 2, [x, y], method="BFGS")
    >>> result.success, round(x.data, 5), round(y.data, 5)
    (True, 1.0, 1.0)
    """
    taken = lookup(method, METHODS, "method with derivatives")
    if not callable(loss):
        message = f"loss is a function without arguments that returns the loss, as in lambda: ..., got {loss!r}"  # type: ignore[unreachable]
        raise TypeError(message)
    values = checked_values(parameters)
    optimize = import_optional("scipy.optimize", "minimize")
    before = [value.data for value in values]
    points = _Points(loss, values)
    derivatives = {name: getattr(points, name) for name in taken}
    try:
        result = optimize.minimize(points.value, before, method=method, **derivatives, **options)
        assign(values, "_data", [float(number) for number in result.x])
    except BaseException:
        assign(values, "_data", before)
        raise
    return result


class _Points:
    """The loss and its derivatives as functions of a vector x; what was computed at the last points is kept."""

    def __init__(self, loss: Callable[[], Value], parameters: list[Value]) -> None:
        self.loss, self.parameters = loss, parameters
        self.last: OrderedDict[tuple[float, ...], _Point] = OrderedDict()

    def at(self, x: Any) -> _Point:
        """Return the point x, with the parameters set to it."""
        place = tuple(x.tolist())
        assign(self.parameters, "_data", place)
        if place not in self.last:
            self.last[place] = _Point(self.loss, self.parameters)
        self.last.move_to_end(place)
        if len(self.last) > REMEMBERED_POINTS:
            self.last.popitem(last=False)
        return self.last[place]

    def value(self, x: Any) -> float:
        return self.at(x).output.data

    def jac(self, x: Any) -> Any:
        return numpy().array(self.at(x).gradient)

    def hessp(self, x: Any, v: Any) -> Any:
        return numpy().array(self.at(x).product(v.tolist()))


class _Point:
    """The graph of the loss where the parameters stand now; its derivatives are computed when first asked for."""

    def __init__(self, loss: Callable[[], Any], parameters: list[Value]) -> None:
        with recording():
            output = loss()
        if not isinstance(output, Value):
            message = f"loss() returns the loss as a Value, got {output!r}"
            raise TypeError(message)
        self.output, self.parameters = output, parameters

    @cached_property
    def gradient(self) -> list[float]:
        table = grad_table(self.output)
        return [table.get(parameter, 0.0) for parameter in self.parameters]

    @cached_property
    def product(self) -> Callable[[Any], list[float]]:
        return hessian_products(self.output, self.parameters)
