"""The kernel table: what the rules of some ops compute, as NumPy calls that write in place.

A kernel is a line of statements "target = function operands". Names: the inputs x and y, the output z, its cotangent g,
the op's setting p, the number of terms n, and `out`, which is written. Any other name is scratch, or, if it is upper
case, what a forward kernel keeps for its adjoint; with a 0 behind it, the first term of each row. `out` may lie in the
rows of an operand of an elementwise op: it is written last, or by statements after which no operand is read; `w` is
`out` where no operand shares its memory. A test holds each kernel to its rule.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from microgradlib.compiler.engines.buffers import Buffers
from microgradlib.compiler.numpy_functions import is_finite, numpy
from microgradlib.ops import Op

__all__ = ["KERNELS", "Call", "Kernel", "exponentials_of", "kernel_calls", "kernel_of"]

Call = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and its arguments: what is run each time."""


class Kernel(NamedTuple):
    """How an op is computed, and its adjoint by each input; where there is nothing the op's own rule is run."""

    forward: str
    adjoints: tuple[str, ...] = ()


POWER_SLOPE = "w = divide z x; w = multiply w p; out = multiply g w"
SIGMOID_SLOPE = (  # g e/(1 + e)² with e = exp(−|x|)
    "w = absolute x; w = multiply w -1; w = exp w; s = add w 1; s = multiply s s; w = divide w s; out = multiply g w"
)
WINNERS_SHARE = (
    "out = equal x z; count = sum out; share = divide 1 count; share = multiply share g; out = multiply out share"
)
EXPONENTIALS = (
    "out = max {0}; B = subtract {0} out; E = exp B; rest = floor E; count = sum rest; rest = subtract E rest; "
    "R = sum rest; count = subtract count 1; R = add R count; T = add R 1; log = log1p R; "
)
"""The largest xᵢ, all xᵢ less that, their exponentials, the total of these but for one that is 1, the total, ln Σ.
As in the rules of softmax, so what the others add, or take from a probability near 1, keeps its digits."""
SOFTMAX = "share = divide g T; out = multiply E share"
FIRST_LESS_ONE = (  # the first term's share is less 1: (e₁ − 1 − rest)/total
    SOFTMAX + "; out0 = subtract E0 1; out0 = subtract out0 R; out0 = multiply out0 share"
)
LOGIT_SLOPES = (  # (eᵢ Σ_{j≠i} wⱼ − wᵢ (total − eᵢ)) g/total; eᵢ may be near the total, which is 1 + rest
    "share = divide g T; others = subtract 1 E; others = add others R; others = multiply others x; weight = sum x; "
    "out = subtract weight x; out = multiply out E; out = subtract out others; out = multiply out share"
)

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
    ("pow", ...): Kernel("", (POWER_SLOPE,)),
    "sum": Kernel("out = sum x"),
    "mean": Kernel("out = sum x; out = divide out n"),
    "dot": Kernel("products = multiply x y; out = sum products"),
    "maximum": Kernel("out = max x", (WINNERS_SHARE,)),
    "minimum": Kernel("out = min x", (WINNERS_SHARE,)),
    "logsumexp": Kernel(EXPONENTIALS.format("x") + "out = add out log; out = exact out", (SOFTMAX,)),
    "neg_log_softmax": Kernel(EXPONENTIALS.format("x") + "out = subtract log B0; out = exact out", (FIRST_LESS_ONE,)),
    # Σ wᵢ ln Σ exp(zᵢ − m) − Σ wᵢ (zᵢ − m), for weights x and logits y: no term is negative; a weight 0 stops its own
    "cross_entropy": Kernel(
        EXPONENTIALS.format("y") + "costs = multiply x B; B = subtract log B; cost = sum costs; weight = sum x; "
        "out = multiply weight log; out = subtract out cost; out = exact out",
        ("out = multiply g B", LOGIT_SLOPES),
    ),
}
"""By the name of an op, or its name and setting; `...` stands for any other setting."""

REDUCTIONS = {"sum": "add", "max": "maximum", "min": "minimum"}
"""Functions over the terms of each row, the last axis but one, each with the NumPy function that it repeats."""


def kernel_of(op: Op, wrt: int | None) -> str:
    """Return the statements of an op, or of its adjoint by input `wrt`: for its own setting before those for any.

    >>> from microgradlib.ops import TABLE
    >>> kernel_of(TABLE["pow"].bind(2.0), None), kernel_of(TABLE["exp"], 0), kernel_of(TABLE["erf"], 0)
    ('out = square x', 'out = multiply g z', '')
    """
    keys = [(op.name, *op.settings), (op.name, ...)] if op.settings else [op.name]
    kernel = next((KERNELS[key] for key in keys if key in KERNELS), Kernel(""))
    return kernel.forward if wrt is None else dict(enumerate(kernel.adjoints)).get(wrt, "")


def exponentials_of(op: Op) -> str:
    """Return the input whose exponentials, of its terms less the largest, a kernel keeps as E; "" for other ops."""
    first, *others = kernel_of(op, None).split("; ")
    return first.split()[-1] if "E = exp B" in others else ""


def kernel_calls(buffers: Buffers, statements: str, names: dict[str, Any], rule: Callable[[], None]) -> list[Call]:
    """Return the calls of a kernel's statements on arrays by name, to which new arrays are added.

    `rule` writes what the op's own rule gives: all where there are no statements, and instead of what is not finite
    where they say `exact`.

    >>> buffers, names = Buffers((1, 1), 1, "float64"), {name: numpy().ones((1, 1)) for name in ("x", "out")}
    >>> [function.__name__ for function, _ in kernel_calls(buffers, "w = exp x; out = add w 1", names, list)]
    ['exp', 'add']
    """
    if not statements:
        return [(rule, ())]
    np, calls, out = numpy(), list[Any](), names["out"]
    names["out0"] = out[..., :1, :]
    if not any(np.may_share_memory(out, names[name]) for name in "gzxy" if name in names):
        names["w"] = out
    for statement in statements.split("; "):
        target, _, function, *words = statement.split()
        limits = function in {"maximum", "minimum"}  # of an array of one number: a number takes three times as long
        shape = out.shape if limits else ()
        inputs = [names[word] if word in names else buffers.filled(float(word), shape) for word in words]
        if target not in names:
            names[target] = _new(buffers, target, function, inputs)
            if target.isupper():
                names[target + "0"] = names[target][..., :1, :]
        found = names[target]
        if function == "exact":
            calls.append((_write_exact, (rule, *inputs, found)))
        elif function in REDUCTIONS:
            terms = inputs[0]
            if function != "sum" and terms.strides[-2] < 0 and np.__version__.startswith(("1.", "2.0.", "2.1.")):
                terms = terms[..., ::-1, :]  # what lies backwards in memory gives wrong numbers there, with an `out`
            calls.append((getattr(np, REDUCTIONS[function]).reduce, (terms, -2, None, found, True)))
        elif limits:
            calls.append((partial(getattr(np, function), out=found), tuple(inputs)))
        else:
            calls.append((getattr(np, function), (*inputs, found)))
    return calls


def _new(buffers: Buffers, target: str, function: str, inputs: list[Any]) -> Any:
    """Return an array for the result of a function, in memory as an operand of its shape."""
    np = numpy()
    shape = np.broadcast_shapes(*[x.shape for x in inputs])
    like = next((x for x in inputs if x.shape == shape), inputs[0])
    if function in REDUCTIONS:
        like = like[..., :1, :]
    if target.isupper():
        return np.empty_like(like)
    return buffers.scratch(target, like, bool if function == "greater" else buffers.dtype)


def _write_exact(rule: Callable[[], None], found: Any, out: Any) -> None:
    """Write what was found, or by the table's rule if some number of it is not finite: a strong 0 · inf is 0."""
    if not is_finite(found):
        rule()
    elif found is not out:
        out[...] = found
