"""The kernel table: what the rules of some ops compute, as NumPy calls that write in place.

A kernel is a line of statements "target = function operands". Names: the inputs x and y, the output z, its cotangent g,
the op's setting p, the number of terms n, and `out`, which is written. Any other name is scratch, or, if it is upper
case, what a forward kernel keeps for its adjoint. `out` may lie in the rows of an operand of an elementwise op: it is
written last, or by statements after which no operand is read; `w` is `out` where no operand shares its memory.
A test holds each kernel to its rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from microgradlib.ops import Op

__all__ = ["KERNELS", "Kernel", "kernel_of"]


class Kernel(NamedTuple):
    """How an op is computed, and its adjoint by each input; for those that are not there the op's own rule is run."""

    forward: str
    adjoints: tuple[str, ...] = ()

    @property
    def operands(self) -> int:
        """How many operands it has."""
        return 1 + ("y" in _words(self.forward))

    def reads(self, wrt: int) -> tuple[int, ...]:
        """Return which of (output, input 0, input 1) an adjoint reads.

        >>> KERNELS["div"].reads(1)
        (0, 2)
        """
        words = _words(self.adjoints[wrt])
        return tuple([place for place, name in enumerate("zxy") if name in words])


def _words(kernel: str) -> list[str]:
    return kernel.replace(";", " ").split()


def kernel_of(op: Op) -> Kernel | None:
    """Return the kernel of an op, that for its own setting before that for any.

    >>> from microgradlib.ops import TABLE
    >>> kernel_of(TABLE["tanh"]).forward, kernel_of(TABLE["pow"].bind(2.0)).forward, kernel_of(TABLE["erf"])
    ('out = tanh x', 'out = square x', None)
    """
    if not op.settings:
        return KERNELS.get(op.name)
    return KERNELS.get((op.name, *op.settings)) or KERNELS.get((op.name, ...))


POWER_SLOPE = "w = divide z x; w = multiply w p; out = multiply g w"
SIGMOID_SLOPE = (  # g e/(1 + e)² with e = exp(−|x|)
    "w = absolute x; w = multiply w -1; w = exp w; s = add w 1; s = multiply s s; w = divide w s; out = multiply g w"
)
WINNERS_SHARE = (
    "out = equal x z; count = sum out; share = divide 1 count; share = multiply share g; out = multiply out share"
)
SOFTMAX = "share = divide g T; out = multiply E share"
FIRST_LESS_ONE = (  # the first term's share is less 1: (e₁ − 1 − rest)/total
    SOFTMAX + "; out[0] = subtract E[0] 1; out[0] = subtract out[0] R; out[0] = multiply out[0] share"
)
LOGIT_SLOPES = "share = divide g T; others = multiply x g; out = logit_slopes x E T R share others"
EXPONENTIALS = "out = max {0}; B = subtract {0} out; E = exp B; T = sum E; R = all_but_one E T; "
"""The largest xᵢ, all xᵢ less that, their exponentials, the total of these and the total but for one that is 1. As in
the rules of softmax, so what the others add, or take from a probability near 1, keeps its digits."""

KERNELS: Final[dict[Any, Kernel]] = {
    "add": Kernel("out = add x y"),
    "sub": Kernel("out = subtract x y"),
    "neg": Kernel("out = multiply x -1"),  # numpy.negative has misread arrays with gaps
    "mul": Kernel("out = multiply x y", ("out = multiply g y", "out = multiply g x")),
    "strong_mul": Kernel("w = multiply x y; out = exact w", ("out = multiply g y", "out = multiply g x")),
    "div": Kernel("out = divide x y", ("out = divide g y", "w = multiply g z; w = divide w y; out = multiply w -1")),
    "identity": Kernel("out = positive x"),
    "detach": Kernel("out = positive x"),
    "relu": Kernel("out = maximum 0 x", ("mask = greater z 0; out = multiply g mask",)),  # in this order −0 stays −0
    "exp": Kernel("out = exp x", ("out = multiply g z",)),
    "log": Kernel("out = log x", ("out = divide g x",)),
    "sqrt": Kernel("out = sqrt x", ("out = divide g z; out = multiply out 0.5",)),
    "abs": Kernel("out = absolute x"),
    "sin": Kernel("out = sin x"),
    "cos": Kernel("out = cos x"),
    "tanh": Kernel("out = tanh x", ("w = cosh x; w = divide 1 w; w = square w; out = multiply g w",)),
    # e/(1 + e) with e = eˣ, kept from overflow: the result is 1 long before
    "sigmoid": Kernel("w = minimum x 80; w = exp w; s = add w 1; out = divide w s", (SIGMOID_SLOPE,)),
    ("pow", 2.0): Kernel("out = square x", ("out = multiply g x; out = multiply out 2",)),
    ("pow", -0.5): Kernel("w = sqrt x; w = divide 1 w; out = exact w", (POWER_SLOPE,)),  # at −inf and −0 √x is not x^½
    ("pow", ...): Kernel("out = rule", (POWER_SLOPE,)),
    "sum": Kernel("out = sum x"),
    "mean": Kernel("out = sum x; out = divide out n"),
    "dot": Kernel("out = sum_of_products x y"),
    "maximum": Kernel("out = max x", (WINNERS_SHARE,)),
    "minimum": Kernel("out = min x", (WINNERS_SHARE,)),
    "logsumexp": Kernel(
        EXPONENTIALS.format("x") + "log = log1p R; out = add out log; out = exact out",
        (SOFTMAX,),
    ),
    "neg_log_softmax": Kernel(
        EXPONENTIALS.format("x") + "out = log1p R; out = subtract out B[0]; out = exact out", (FIRST_LESS_ONE,)
    ),
    # Σ wᵢ (ln Σ exp(zᵢ − m) − (zᵢ − m)), for weights x and logits y: no term is negative
    "cross_entropy": Kernel(
        EXPONENTIALS.format("y")
        + "log = log1p R; B = subtract log B; costs = multiply x B; out = sum costs; out = exact out",
        ("out = multiply g B", LOGIT_SLOPES),
    ),
}  # fmt: skip
"""By the name of an op, or its name and setting; `...` stands for any other setting."""
