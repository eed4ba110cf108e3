"""Minimise a loss over Values by SciPy: conjugate gradients, quasi-Newton, Newton with Krylov methods."""

from __future__ import annotations

from collections import OrderedDict
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from microgradlib._support.calling import call, in_plain_words
from microgradlib._support.checks import check_class, positive, real_number
from microgradlib._support.lookup import check_keywords, lookup
from microgradlib._support.optional import import_optional
from microgradlib._support.shown import shown
from microgradlib.core.assignment import assign
from microgradlib.core.autodiff import grad_table
from microgradlib.core.graph import topological_sort
from microgradlib.core.lost_derivatives import looking_for_conversions, warn
from microgradlib.core.modes import recording
from microgradlib.core.value import Value
from microgradlib.krylov import hessian_products
from microgradlib.optim.parameters import checked_values, numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

__all__ = ["METHODS", "MinimizeResult", "minimize"]

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
"""SciPy's methods that use derivatives, with their arguments: `jac`, the gradient; `hessp`, the Hessian times v."""

SCIPY_OPTIONS = ("bounds", "constraints", "tol", "callback", "options")
"""The arguments of SciPy's `minimize` that a caller may give; the others are the loss and its derivatives."""

CACHED_POINTS = 2
"""The size of the cache: a trust-region method that rejects a step returns to the previous point."""


class MinimizeResult(Protocol):
    """SciPy's `OptimizeResult`: the fields that every method sets; other fields are attributes too."""

    x: NDArray[Any]
    """The minimiser found, a NumPy array."""
    fun: float
    """The loss at `x`."""
    success: bool
    """Whether the method converged."""
    message: str
    """Why the method stopped."""
    nit: int
    """The number of iterations."""
    nfev: int
    """The number of evaluations of the loss."""

    def __getattr__(self, name: str) -> Any: ...


@in_plain_words
def minimize(
    loss: Callable[[], Value], parameters: Value | Iterable[Value], method: str = "L-BFGS-B", **options: Any
) -> MinimizeResult:
    """Set the parameters to a minimiser of the loss, found by `scipy.optimize.minimize`; return its `OptimizeResult`.

    `loss()` builds the graph of the loss from the parameters' current numbers. It must be deterministic: computed
    on the whole data set, without dropout or noise. SciPy gets the gradient ∇f(x) from one backward pass and, if the
    method uses it, the product H(x)·v from one more; H is never formed. `method` is one of

        CG                            nonlinear conjugate gradients
        BFGS, L-BFGS-B                quasi-Newton, with a full and with a limited memory
        Newton-CG, TNC                Newton, each step solved for by conjugate gradients
        trust-ncg, trust-krylov       Newton in a trust region, by conjugate gradients and by Lanczos
        SLSQP, trust-constr           for constraints

    SciPy's trust-krylov is for the default tolerance, a gradient of 10⁻⁴. Below that it may end with success=False, on
    SciPy's own derivatives as on these: from 200 random starts in Rosenbrock's valley it ended so 11 times with
    `tol=1e-6`, at gradients of 6 to 9 · 10⁻⁶, and 121 times with `tol=1e-10`; trust-ncg never did.

    `options` are passed to SciPy: `tol=1e-10`, `options={"maxiter": 50}`, `callback`, `bounds`. When SciPy returns, for
    whatever reason, the parameters are set to `result.x`; `result.success` says whether it converged. If anything
    raises, Ctrl-C included, the parameters are restored. Their `grad` is not changed. (*Deep Learning*, 8.6.)

    Raises `MissingExtraError` without SciPy: `pip install "microgradlib[scipy]"`; `ValueError` for another method, and
    for other bounds than a pair for each parameter; `TypeError` if the loss is not a function or does not return a
    Value. Warns, by a `LostDerivativeWarning`, if the loss depends on none of the parameters.

    >>> x, y = Value(-1.2), Value(1.0)
    >>> result = minimize(lambda: (1 - x) ** 2 + 100 * (y - x * x) ** 2, [x, y], method="BFGS")
    >>> result.success, round(x.data, 5), round(y.data, 5)
    (True, 1.0, 1.0)
    """
    check_keywords(options, ["loss", "parameters", "method", *SCIPY_OPTIONS], "minimize")
    derivative_names = lookup(method, METHODS, "method with derivatives")
    given: Any = loss
    if not callable(given):
        message = (
            f"loss must be a function without arguments that returns the loss, as in lambda: ..., got {shown(given)}"
        )
        raise TypeError(message)
    values = checked_values(parameters)
    if options.get("tol") is not None:
        options["tol"] = positive(options["tol"], "tol", example=1e-10)
    if options.get("options") is not None:
        check_class(options["options"], dict, "options", 'of SciPy\'s, as in options={"maxiter": 50}')
    if options.get("bounds") is not None and not hasattr(options["bounds"], "lb"):  # SciPy's own Bounds have lb and ub
        options["bounds"] = _checked_bounds(options["bounds"], len(values))
    if options.get("callback") is not None and not callable(options["callback"]):
        message = f"callback must be a function of the parameters' numbers, got {shown(options['callback'])}"
        raise TypeError(message)
    optimize = import_optional("scipy.optimize", "minimize")
    before = [value.data for value in values]
    objective = _Objective(loss, values)
    derivatives = {name: getattr(objective, name) for name in derivative_names}
    try:
        with looking_for_conversions(values):
            at_start = objective.at(numpy().array(before))
        if set(values).isdisjoint(topological_sort(at_start.output)):
            warn("the loss depends on none of the parameters, so they stay as they are: compute it from them")
        result: MinimizeResult = optimize.minimize(objective.value, before, method=method, **derivatives, **options)
        assign(values, "_float", [float(number) for number in result.x])
    except BaseException:
        assign(values, "_float", before)
        raise
    return result


def _checked_bounds(bounds: Any, n: int) -> list[tuple[float | None, ...]]:
    """Return bounds as pairs of floats and None, one for each of n parameters; `ValueError` for others."""
    is_list = hasattr(bounds, "__iter__") and not isinstance(bounds, (str, dict, set))
    pairs = list(bounds) if is_list else []
    if len(pairs) != n or not all(hasattr(pair, "__len__") and len(pair) == 2 for pair in pairs):
        message = f"bounds must be a list of pairs (low, high), one for each of {n} parameters, got {shown(bounds)}"
        raise ValueError(message)
    checked = [
        tuple([None if x is None else real_number(x, f"bounds[{i}]", finite=False) for x in pair])
        for i, pair in enumerate(pairs)
    ]
    for i, (low, high) in enumerate(checked):
        if low is not None and high is not None and low > high:
            message = f"bounds[{i}] must be a pair (low, high), low <= high, got {shown(pairs[i])}"
            raise ValueError(message)
    return checked


class _Objective:
    """The loss and its derivatives as functions of a vector x, with a cache of the last points."""

    def __init__(self, loss: Callable[[], Value], parameters: list[Value]) -> None:
        self.loss, self.parameters = loss, parameters
        self.cache: OrderedDict[tuple[float, ...], _Point] = OrderedDict()

    def at(self, x: Any) -> _Point:
        """Set the parameters to x and return the graph of the loss there."""
        key = tuple(x.tolist())
        assign(self.parameters, "_float", key)
        if key not in self.cache:
            self.cache[key] = _Point(self.loss, self.parameters)
        self.cache.move_to_end(key)
        if len(self.cache) > CACHED_POINTS:
            self.cache.popitem(last=False)
        return self.cache[key]

    def value(self, x: Any) -> float:
        """Return f(x)."""
        return self.at(x).output.data

    def jac(self, x: Any) -> Any:
        """Return ∇f(x) as an array."""
        return numpy().array(self.at(x).gradient)

    def hessp(self, x: Any, v: Any) -> Any:
        """Return H(x)·v as an array."""
        return numpy().array(self.at(x).hessian_product(v.tolist()))


class _Point:
    """The graph of the loss at the parameters' current numbers; its derivatives are computed on first use."""

    def __init__(self, loss: Callable[[], Any], parameters: list[Value]) -> None:
        with recording():
            output = call(loss, "loss() takes no arguments")
        if not isinstance(output, Value):
            message = f"loss() must return the loss as a Value, got {shown(output)}"
            raise TypeError(message)
        self.output, self.parameters = output, parameters

    @cached_property
    def gradient(self) -> list[float]:
        table = grad_table(self.output)
        return [table.get(parameter, 0.0) for parameter in self.parameters]

    @cached_property
    def hessian_product(self) -> Callable[[Any], list[float]]:
        return hessian_products(self.output, self.parameters)
