"""Numbers that PyTorch computes: nodes whose ops are PyTorch's own functions on float64 tensors without axes."""

from __future__ import annotations

import math
import operator
from functools import cache, partial, reduce
from typing import TYPE_CHECKING, Any, ClassVar

from microgradlib._support.number import as_float
from microgradlib._support.optional import import_optional
from microgradlib.core.node import Node
from microgradlib.core.value import Value
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.ops import Op

__all__ = ["LOOSE", "TorchNode", "torch"]

SAME = (
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "copysign", "cos", "cosh",
    "digamma", "div", "erf", "erfc", "exp", "exp2", "expm1", "floor", "fmod", "greater", "greater_equal", "hypot",
    "less", "less_equal", "lgamma", "log", "log10", "log1p", "log2", "logaddexp", "logit", "mul", "neg", "pow",
    "reciprocal", "relu", "round", "sigmoid", "sign", "sin", "sinc", "sinh", "sqrt", "square", "sub", "tan", "tanh",
    "trunc", "xlogy",
)  # fmt: skip
"""The ops that PyTorch has under the same name, with the same arguments and the same meaning."""

FUNCTIONAL = {
    "log_sigmoid": "logsigmoid", "mish": "mish", "selu": "selu",
    "silu": "silu", "softsign": "softsign",
}  # fmt: skip
"""The ops that are functions of `torch.nn.functional`, with their names there."""


def torch(feature: str = "assert_same_as_torch") -> Any:
    """Return the module torch. Raises `MissingExtraError` where it is not installed."""
    return import_optional("torch", feature)


def _stacked(function: Any) -> Callable[..., Any]:
    return lambda *xs: function(torch().stack(xs), 0)


def _logsumexp(*xs: Any) -> Any:
    """Return PyTorch's logsumexp of x − max x, plus max x: the slopes exp(x − z) of theirs lose digits at 1e8."""
    t = torch()
    stacked = t.stack(xs)
    top = t.nan_to_num(t.amax(stacked.detach(), 0), nan=0.0, posinf=0.0, neginf=0.0)
    return top + t.logsumexp(stacked - top, 0)


@cache
def _functions() -> dict[str, Callable[..., Any]]:
    t = torch()
    functional = t.nn.functional
    zero = _tensor(0.0)
    return {
        **{name: getattr(t, name) for name in SAME},
        **{name: getattr(functional, theirs) for name, theirs in FUNCTIONAL.items()},
        "degrees": t.rad2deg, "radians": t.deg2rad, "mod": t.remainder,
        "cbrt": lambda x: t.sign(x) * t.abs(x) ** (1 / 3),
        "gamma": lambda x: t.exp(t.lgamma(x)) * t.where(x < 0, 1 - 2 * t.remainder(t.floor(x), 2), 1.0),
        "leaky_relu": lambda x, slope: t.where(x > 0, x, slope * x),
        "elu": lambda x, scale: t.where(x > 0, x, scale * t.expm1(t.where(x > 0, 0.0, x))),
        "softplus": lambda x: t.logaddexp(x, zero),  # their softplus is x from 20 on, which is off by 1e-10 there
        "ndtr": lambda x: t.erfc(x * -math.sqrt(0.5)) / 2,  # theirs, (1 + erf)/2, has six digits at −5
        "xlog1py": t.special.xlog1py,
        # The op's rule has a constant 0 at y = 0, where its derivative by y is 1/x.
        "pow_slope": lambda x, y: t.where((x == 0) & (y == 0), 0.0, y * t.pow(x, y - 1)),
        "polygamma": lambda x, order: t.polygamma(int(order), x),
        "heaviside": lambda x, at_zero: t.where(x > 0, 1.0, t.where(x < 0, 0.0, t.where(x == 0, at_zero, x.detach()))),
        "clip": t.clamp, "strong_mul": t.mul, "identity": lambda x: x, "detach": lambda x: x.detach(),
        "where": lambda condition, x, y: t.where(condition != 0, x, y),
        "sum": _stacked(t.sum), "mean": _stacked(t.mean),
        "prod": lambda *xs: reduce(t.mul, xs),  # the derivative of theirs divides, which rounds
        "maximum": _stacked(t.amax), "minimum": _stacked(t.amin), "logsumexp": _logsumexp,
        "var": lambda *xs: t.var(t.stack(xs), correction=0), "std": lambda *xs: t.std(t.stack(xs), correction=0),
        "norm": lambda *xs: t.linalg.vector_norm(t.stack(xs)),
        "neg_log_softmax": lambda *xs: -t.log_softmax(t.stack(xs), 0)[0],
    }  # fmt: skip


LOOSE = {"digamma": 1e-8, "polygamma": 1e-8, "gamma": 2e-13}
"""The relative errors of PyTorch's trigamma and polygamma functions, and of exp(lgamma x), which may be exp(709)."""


class _Namespace:
    """The namespace `xp` over tensors: PyTorch's functions, and for ops that it lacks the value rules of the table."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = _functions().get(name)
        if function is None:
            return partial(TABLE[name].value, self)
        return lambda *xs: function(*map(_tensor, xs)).to(torch().float64)


def _tensor(x: Any) -> Any:
    t = torch()
    return x if isinstance(x, t.Tensor) else t.tensor(float(x), dtype=t.float64)


class TorchNode(Node):
    """A node that PyTorch computed: `tensor` is its number, with PyTorch's own graph behind it.

    Operators, methods and functions of microgradlib make such nodes by PyTorch's functions. A Value that meets one
    counts as a constant. Comparisons compare the numbers, as those of Values do.
    """

    __slots__ = ("__weakref__", "tensor")
    _fields: ClassVar[tuple[str, ...]] = ("op", "_left", "_right", "label", "tensor")

    def __init__(self, tensor: Any, label: str = "") -> None:
        self.tensor, self.label, self.op = tensor, label, None
        self._left = self._right = None

    @staticmethod
    def __apply_op__(op: Op, inputs: tuple[Any, ...]) -> Any:
        """Make the node op(*inputs) by PyTorch's function of that name, or by the op's value rule."""
        parents = tuple(x if isinstance(x, TorchNode) else TorchNode(_tensor(_number(x))) for x in inputs)
        node = TorchNode(getattr(_Namespace(), op.name)(*[parent.tensor for parent in parents], *op.settings))
        node.op, node.parents = op, parents
        return node

    @property
    def data(self) -> float:  # type: ignore[override]
        """The number."""
        return float(self.tensor.detach())

    def detach(self) -> TorchNode:
        """Return a leaf with the same number, through which no gradient flows."""
        return TorchNode(self.tensor.detach(), self.label)

    _without_history = detach

    def _compare(self, other: Any, holds: Callable[[float, float], bool]) -> bool:
        return holds(self.data, _number(other))

    def __lt__(self, other: Any) -> bool:
        return self._compare(other, operator.lt)

    def __le__(self, other: Any) -> bool:
        return self._compare(other, operator.le)

    def __gt__(self, other: Any) -> bool:
        return self._compare(other, operator.gt)

    def __ge__(self, other: Any) -> bool:
        return self._compare(other, operator.ge)

    def __float__(self) -> float:
        return self.data

    def __int__(self) -> int:
        return int(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __repr__(self) -> str:
        return f"TorchNode({self.data!r})"


def _number(x: Any) -> float:
    return x.data if isinstance(x, (Value, TorchNode)) else as_float(x)
