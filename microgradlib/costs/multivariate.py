"""The Gaussian with a full covariance matrix, given by its Cholesky factor; gradients scaled by a factor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import in_plain_words
from microgradlib._support.lookup import lookup
from microgradlib._support.number import as_float, as_operand
from microgradlib._support.shown import shown
from microgradlib.core.node import Node
from microgradlib.core.recorded_calls import recorded
from microgradlib.core.scopes import Function
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value
from microgradlib.costs.reduction import reduce_costs
from microgradlib.costs.regression import checked_target
from microgradlib.nn.sequences import is_sequence
from microgradlib.ops import GRAPH, activations, arithmetic, exponential, reductions

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["cholesky_factor", "multivariate_gaussian_nll", "scale_gradient"]

DIAGONALS = {"exp": exponential.exp, "softplus": activations.softplus}
"""The functions that make the diagonal of a Cholesky factor positive, by name."""


@in_plain_words
def cholesky_factor(entries: Iterable[Any], *, diagonal: str = "exp") -> list[list[Any]]:
    """Return a lower triangular matrix L with a positive diagonal, row i of i + 1 entries, from unconstrained numbers.

    `entries` are the n(n + 1)/2 numbers of the triangle by rows, such as the net inputs of a linear layer. Those on the
    diagonal go through `diagonal`: "exp", whose logarithm is the entry itself, or "softplus", which grows more slowly.
    Every covariance matrix is L Lᵀ for exactly one such L, and every L Lᵀ is positive definite. (*Deep Learning*,
    6.2.2.4.) Raises `ValueError` for another number of entries, or an unknown name, `TypeError` for no list of numbers.

    >>> cholesky_factor([0.0, 0.5, 0.0])
    [[1.0], [0.5, 1.0]]
    """
    positive = lookup(diagonal, DIAGONALS, "diagonal")
    if not hasattr(entries, "__iter__"):
        message = (
            f"the entries of a triangle are a list of numbers, as in cholesky_factor([0, 0, 0]), got {shown(entries)}"
        )
        raise TypeError(message)
    numbers = [as_operand(x) for x in entries]
    n = (math.isqrt(8 * len(numbers) + 1) - 1) // 2
    if n < 1 or n * (n + 1) // 2 != len(numbers):
        message = f"a lower triangle has n(n + 1)/2 entries, as 1, 3, 6, 10, got {len(numbers)}"
        raise ValueError(message)
    rows = [numbers[i * (i + 1) // 2 : (i + 1) * (i + 2) // 2] for i in range(n)]
    return [[*row[:-1], positive(row[-1])] for row in rows]


@recorded(Function("Gaussian cost", "½ ‖u‖² + Σ ln L_ii, L u = y − μ"))
def multivariate_gaussian_nll(output: Any, target: Any, *, reduction: str | None = None) -> Any:
    """Return L = ½‖u‖² + Σ_i ln L_ii, L u = y − μ: −ln of a Gaussian's density with covariance L Lᵀ, up to ½ n ln 2π.

    `output` is the pair (μ, L) of the n means and the rows of the lower triangular factor, row i of i + 1 numbers, as
    `cholesky_factor` returns them, or of n numbers with zeros above the diagonal, as NumPy and PyTorch do; a *list* of
    pairs is a batch. `target` has n numbers. u is found by forward substitution, n(n + 1)/2 products; neither matrix
    nor determinant is formed. ∂L/∂μ is −Σ⁻¹(y − μ). `reduction` is that of `squared_error`, over examples.

    Raises `ValueError` where lengths differ, a diagonal entry is not above 0 or one above it is not 0, `LabelError` for
    a target that is nan or infinite, naming the example.

    >>> multivariate_gaussian_nll(([0.0, 0.0], [[1.0], [0.5, 1.0]]), [1.0, 0.5])
    0.5
    """
    return reduce_costs(_terms, output, target, batch=isinstance(output, list), reduction=reduction)


def _terms(output: Any, target: Any) -> list[tuple[Any, Any]]:
    if not isinstance(output, tuple) or len(output) != 2 or not all(map(is_sequence, output)):
        message = f"multivariate_gaussian_nll takes the pair (means, rows of the factor) as output, got {shown(output)}"
        raise ValueError(message)
    means, n = output[0], len(output[0])
    factor = _lower_triangle(output[1], n)
    if not is_sequence(target) or len(target) != n:
        message = f"the target must have one number for each of the {n} means, got {shown(target)}"
        raise ValueError(message)
    log_diagonal = [_log_positive(row[-1]) for row in factor]
    u: list[Any] = []
    for mean, row, y in zip(means, factor, target):
        rest = GRAPH.sub(checked_target(y), mean)
        known = reductions.dot(*row[:-1], *u) if u else 0.0
        u.append(_over_positive(rest - known, row[-1]))
    return [(0.5 * reductions.sum(*[u_i * u_i for u_i in u]) + reductions.sum(*log_diagonal), 1.0)]


def _lower_triangle(factor: Any, n: int) -> list[Any]:
    """Return the rows up to the diagonal. Raises `ValueError` for other lengths and numbers above it other than 0."""
    lengths = [len(row) if is_sequence(row) else 0 for row in factor]
    if not n:
        raise ValueError("the cost of no components is not defined: give at least one mean")
    if lengths == list(range(1, n + 1)):
        return list(factor)
    if lengths != [n] * n:
        message = (
            f"the factor of {n} means must have rows of {', '.join(map(str, range(1, n + 1)))} numbers, "
            f"got {lengths}: see cholesky_factor"
        )
        raise ValueError(message)
    for i, row in enumerate(factor):
        for entry in row[i + 1 :]:
            if isinstance(entry, Symbol) or (entry.data if isinstance(entry, Node) else as_float(entry)) != 0:
                message = f"a Cholesky factor has zeros above its diagonal, got {shown(entry)} in row {i}"
                raise ValueError(message)
    return [row[: i + 1] for i, row in enumerate(factor)]


def _over_positive(x: Any, entry: Any) -> Any:
    """Return x/L_ii; for L_ii = eᵃ as x e⁻ᵃ, whose slopes are finite where eᵃ overflows."""
    if getattr(entry, "op", None) is exponential.exp:
        return x * exponential.exp(-entry.parents[0])
    return arithmetic.div(x, entry)


def _log_positive(entry: Any) -> Any:
    """Return ln L_ii, and the parent itself of an entry that exp made. Raises `ValueError` for a number ≤ 0."""
    number = entry._float if isinstance(entry, Value) else entry
    if not isinstance(number, Node) and not as_float(number) > 0:
        message = f"the diagonal of a Cholesky factor must be above 0, got {shown(number)}: see cholesky_factor"
        raise ValueError(message)
    if getattr(entry, "op", None) is exponential.exp:
        return entry.parents[0]
    return exponential.log(entry)


def scale_gradient(x: Any, factor: Any) -> Any:
    """Return x, unchanged, through which the gradient flows times `factor`, which counts as a constant.

    The heuristic for a Gaussian's mean with learned variance (Murray and Larochelle, 2014): ∂L/∂μ = (μ − y)/σ² is large
    where σ is small; scaled by σ it is (μ − y)/σ. For the mean and precision of `GaussianOutput`, σ = β^−½:

    >>> from microgradlib.costs import gaussian_nll
    >>> mean, precision = Value(1.0), Value(100.0)
    >>> gaussian_nll((scale_gradient(mean, precision**-0.5), precision), 3.0).backward()
    >>> mean.grad  # ∂L/∂μ = −200, σ = 0.1
    -20.0

    The result is x + factor · (x − x), one of the x detached, for finite x; a number is returned as a float. What is
    scaled is no gradient of any cost: gradcheck and second derivatives see the scaled one. Raises `TypeError` for what
    is no number: apply it to each entry of a list.
    """
    if not isinstance(x, Node):
        return as_float(x)
    constant = GRAPH.detach(x)
    return constant + GRAPH.detach(factor) * (x - constant)
