"""Where PyTorch and JAX are known to err, or to choose otherwise: by op, region and order, each with its reason."""

import math
from collections.abc import Callable
from typing import NamedTuple

from microgradlib import grad_table, topological_sort

__all__ = ["FAULTS", "Fault", "Nature", "compared_orders", "faults_met"]

HUGE, TINY = 1e75, 1e-75
"""Beyond these, a square, a cube or a quotient of two such numbers is infinite or 0 in a float."""


class Fault(NamedTuple):
    """Of ops whose inputs and output are in a region, a peer's numbers of an order and all higher ones are wrong.

    `at(z, *xs)` is the region. Order 0 is the value, 1 the gradient, 2 the Hessian times a vector.
    """

    peers: str
    ops: str
    at: Callable[..., bool]
    order: int
    reason: str


def _overflows(z, *xs):
    return any(0 < abs(x) < 1e-150 or abs(x) > 1e150 for x in xs)


def _is_pole(z, x):
    return x <= 0 and x % 1 == 0  # not −inf, whose remainder is nan


def _is_whole_quotient(z, x, y):
    quotient = x / y if y else math.nan
    return math.isfinite(quotient) and abs(quotient - round(quotient)) <= 1e-12 * abs(quotient)


FAULTS = (
    Fault("torch", "sign", lambda z, x: math.isnan(x), 0, "the sign of nan is 0 there, nan in NumPy and JAX"),
    Fault("torch jax", "copysign", lambda z, x, y: math.isnan(y), 0, "no standard fixes the sign of a nan"),
    Fault("torch", "copysign", lambda z, x, y: abs(x) < 1e-3, 2, "the derivative of z/x, which is 0, has z/x² − z/x²"),
    Fault("torch jax", "norm std", _overflows, 0, "squares over- and underflow: the norm of 1e-200 and 1e-200 is 0"),
    Fault("torch jax", "norm", lambda z, *xs: z < 1e-3, 2, "1/z − x²/z³ cancels"),
    Fault("torch jax", "logsumexp neg_log_softmax", lambda z, *xs: abs(z) < 0.01, 0, "log of a sum near 1, not log1p"),
    Fault("torch", "logaddexp", lambda z, x, y: abs(x - y) > 700, 2, "exp(x − y), divided by its square, overflows"),
    Fault("torch", "gamma", _is_pole, 0, "infinite there, of either sign, and nan here"),
    Fault("torch jax", "digamma", _is_pole, 0, "it or its slope is infinite there, of either sign, and nan here"),
    Fault("torch jax", "sinc", lambda z, x: x and x % 1 == 0, 0, "sin πx is 1e-16, not 0, of either sign"),
    Fault("torch jax", "sinc", lambda z, x: abs(x) < 0.1, 1, "(cos πx − sinc x)/x cancels: a digit is left at 1e-8"),
    Fault("torch", "fmod", _is_whole_quotient, 1, "the slope is that of the rounded quotient, the value is exact"),
    Fault("jax", "mod fmod", _is_whole_quotient, 1, "the slope is that of the rounded quotient, the value is exact"),
)
"""Known faults, found by differential fuzzing: `test_differential` shows each."""


class Nature:
    """What a graph has that excuses a peer's nan, or the library's: found once for each program."""

    def __init__(self, output, derivative):
        nodes = topological_sort(output)
        self.leaves_domain = any(map(_leaves_domain, nodes))
        self.is_extreme = any(map(_is_extreme, topological_sort(output, derivative)))
        self.has_zeros = any(0.0 in node.local_derivatives for node in nodes)
        self.has_closed_branch = _has_closed_branch(output, nodes)

    def excuses(self, order, ours, theirs):
        """Say whether one of two different numbers, of which one is nan, is so by a convention or by a peer's fault.

        The library's derivative is nan outside of a domain, where log′(−1) is −1 in a peer. A peer's is nan where it
        multiplies by the 0 of a branch that is not taken what is infinite or nan in it, so also a second derivative
        of what has no slope at all, and where the squares in its formulas over- or underflow.
        """
        if math.isnan(ours):
            return order > 0 and self.leaves_domain
        if not math.isnan(theirs):
            return False
        return self.has_closed_branch or self.is_extreme or (order == 2 and ours == 0 and self.has_zeros)


def compared_orders(peer, output):
    """Return the number of orders, from the value up, in which no known fault of the peer is met: 0 to 3."""
    return min([fault.order for fault in faults_met(peer, output)], default=3)


def faults_met(peer, output):
    """Return the known faults of a peer at the nodes of a graph."""
    return [
        fault
        for node in topological_sort(output)
        for fault in FAULTS
        if peer in fault.peers.split() and node.op is not None and node.op.name in fault.ops.split()
        if fault.at(node.data, *[parent.data for parent in node.parents])
    ]


def _leaves_domain(node):
    """Say whether nan is new here, in the value or a local derivative."""
    is_new = not any(math.isnan(parent.data) for parent in node.parents)
    return is_new and any(map(math.isnan, (node.data, *node.local_derivatives)))


def _is_extreme(node):
    return any(0 < abs(x) < TINY or abs(x) > HUGE for x in (node.data, *node.local_derivatives))


def _has_closed_branch(output, nodes):
    """Say whether a local derivative of 0 meets inf or nan: that of its node, one below, or the gradient from above."""
    below, table = set(), grad_table(output)
    for node in nodes:
        if not all(map(math.isfinite, (node.data, *node.local_derivatives))) or below.intersection(node.parents):
            below.add(node)
        if 0.0 in node.local_derivatives and (node in below or not math.isfinite(table.get(node, 0.0))):
            return True
    return False
