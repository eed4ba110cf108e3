"""Elementwise kernels: what the op table's rules of some ops compute, as NumPy calls that write in place.

A test holds each to the table. Results and adjoints may lie in the rows of an operand: a kernel writes `out` in its last
call, or in `work`, which is `out` only where that shares no memory with an operand.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib.compiler.numpy_functions import array_functions, is_finite, numpy
from microgradlib.compiler.slopes import rule_arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.compiler.instructions import Instruction
    from microgradlib.ops import Op

    Call = tuple[Callable[..., Any], tuple[Any, ...]]
    """A function and its arguments: what is run each time."""
    Lowering = Callable[["Arrays"], list[Call]]

__all__ = ["KERNELS", "Adjoint", "Arrays", "Kernel", "elementwise_calls", "kernel_of", "number_like"]


class Arrays(NamedTuple):
    """The arrays that an op is lowered to calls on. Of an adjoint, the first input is the cotangent.

    `scratch(name, like)` gives an array as another, for numbers that only the op's own calls need.
    """

    op: Op
    inputs: list[Any]
    out: Any
    scratch: Callable[..., Any]

    @property
    def work(self) -> Any:
        """The output where no input shares its memory, else scratch."""
        np = numpy()
        shared = any(np.may_share_memory(self.out, array) for array in self.inputs)
        return self.scratch("work", self.out) if shared else self.out


class Adjoint(NamedTuple):
    """Calls that write g · ∂op/∂(one input), from g and those of (output, input 0, input 1 …) that `reads` names."""

    reads: tuple[int, ...]
    lower: Lowering


class Kernel(NamedTuple):
    """How an op is computed, and its adjoint by each input; without one, the table's rule is run."""

    forward: Lowering
    adjoints: tuple[Adjoint, ...] = ()


def number_like(number: float, like: Any) -> Any:
    """Return a number as an array without axes, of the type of another: NumPy takes it quicker than Python's own."""
    return numpy().array(number, like.dtype)


def kernel_of(op: Op) -> Kernel | None:
    """Return the kernel of an op, that for its own settings before that for any.

    >>> from microgradlib.ops import TABLE
    >>> kernel_of(TABLE["pow"].bind(2.0)) is KERNELS["pow", 2.0], kernel_of(TABLE["pow"].bind(3.0)) is KERNELS["pow", ...]
    (True, True)
    >>> kernel_of(TABLE["erf"]) is None
    True
    """
    if not op.settings:
        return KERNELS.get(op.name)
    return KERNELS.get((op.name, *op.settings)) or KERNELS.get((op.name, ...))


def elementwise_calls(instruction: Instruction, arrays: Arrays) -> list[Call]:
    """Return the calls of an elementwise instruction or adjoint."""
    kernel = kernel_of(instruction.op)
    if instruction.wrt is None:
        return kernel.forward(arrays) if kernel else [(_write_value, (arrays,))]
    reads = instruction.reads
    if kernel and instruction.wrt < len(kernel.adjoints):
        adjoint = kernel.adjoints[instruction.wrt]
        if set(adjoint.reads) <= set(reads):
            g, *read = arrays.inputs
            return adjoint.lower(arrays._replace(inputs=[g, *[read[reads.index(place)] for place in adjoint.reads]]))
    return [(_write_adjoint, (instruction, arrays))]


def _write_value(arrays: Arrays) -> None:
    arrays.out[...] = arrays.op.value(array_functions(), *arrays.inputs, *arrays.op.settings)


def _write_adjoint(instruction: Instruction, arrays: Arrays) -> None:
    op, (g, *read) = arrays.op, arrays.inputs
    rule = op.derivatives[instruction.wrt]  # type: ignore[index]
    arrays.out[...] = rule(array_functions(), *rule_arguments(op, instruction.reads, read), *op.settings) * g


def _ufunc(name: str) -> Lowering:
    return lambda k: [(getattr(numpy(), name), (*k.inputs, k.out))]


def _neg(k: Arrays) -> list[Call]:
    return [(numpy().multiply, (k.inputs[0], number_like(-1.0, k.out), k.out))]  # negative misreads arrays with gaps


def _copy(k: Arrays) -> list[Call]:
    return [(numpy().copyto, (k.out, k.inputs[0]))]


def _relu(k: Arrays) -> list[Call]:
    return [(partial(numpy().maximum, out=k.out), (number_like(0.0, k.out), k.inputs[0]))]


def _relu_adjoint(k: Arrays) -> list[Call]:
    np, (g, z) = numpy(), k.inputs
    mask = k.scratch("mask", k.out, bool)
    return [(np.greater, (z, number_like(0.0, k.out), mask)), (np.multiply, (g, mask, k.out))]


def _sigmoid(k: Arrays) -> list[Call]:
    """Write e/(1 + e) with e = eˣ, which is not let overflow: the result is 1 long before."""
    np, [x] = numpy(), k.inputs
    e, sum_ = k.work, k.scratch("sum", k.out)
    largest = number_like(80.0, k.out)
    return [
        (partial(np.minimum, out=e), (x, largest)),
        (np.exp, (e, e)),
        (np.add, (e, number_like(1.0, e), sum_)),
        (np.divide, (e, sum_, k.out)),
    ]


def _sigmoid_adjoint(k: Arrays) -> list[Call]:
    """Write g e/(1 + e)² with e = exp(−|x|), which keeps its digits where σ is 1."""
    np, (g, x) = numpy(), k.inputs
    e, square = k.work, k.scratch("sum", k.out)
    return [
        (np.absolute, (x, e)),
        (np.multiply, (e, number_like(-1.0, e), e)),
        (np.exp, (e, e)),
        (np.add, (e, number_like(1.0, e), square)),
        (np.multiply, (square, square, square)),
        (np.divide, (e, square, e)),
        (np.multiply, (g, e, k.out)),
    ]


def _tanh_adjoint(k: Arrays) -> list[Call]:
    """Write g / cosh² x."""
    np, (g, x) = numpy(), k.inputs
    slope = k.work
    return [
        (np.cosh, (x, slope)),
        (np.divide, (number_like(1.0, slope), slope, slope)),
        (np.square, (slope, slope)),
        (np.multiply, (g, slope, k.out)),
    ]


def _div_adjoint_of_divisor(k: Arrays) -> list[Call]:
    """Write −g z/y."""
    np, (g, z, y) = numpy(), k.inputs
    product = k.work
    return [
        (np.multiply, (g, z, product)),
        (np.divide, (product, y, product)),
        (np.multiply, (product, number_like(-1.0, product), k.out)),
    ]


def _square_adjoint(k: Arrays) -> list[Call]:
    np, (g, x) = numpy(), k.inputs
    return [(np.multiply, (g, x, k.out)), (np.multiply, (k.out, number_like(2.0, k.out), k.out))]


def _power_adjoint(k: Arrays) -> list[Call]:
    """Write g p z/x."""
    np, (g, z, x) = numpy(), k.inputs
    slope = k.work
    return [
        (np.divide, (z, x, slope)),
        (np.multiply, (slope, number_like(k.op.settings[0], slope), slope)),
        (np.multiply, (g, slope, k.out)),
    ]


def _sqrt_adjoint(k: Arrays) -> list[Call]:
    np, (g, z) = numpy(), k.inputs
    return [(np.divide, (g, z, k.out)), (np.multiply, (k.out, number_like(0.5, k.out), k.out))]


def _strong_mul(k: Arrays) -> list[Call]:
    """Write x y; only where something is not finite can the zeros' strength show."""
    product = k.work
    return [(numpy().multiply, (*k.inputs, product)), (_value_unless_finite, (k, product))]


def _inverse_root(k: Arrays) -> list[Call]:
    """Write 1/√x, which differs from x^−½ at −inf and −0."""
    np, root = numpy(), k.work
    return [
        (np.sqrt, (k.inputs[0], root)),
        (np.divide, (number_like(1.0, root), root, root)),
        (_value_unless_finite, (k, root)),
    ]


def _value_unless_finite(k: Arrays, found: Any) -> None:
    """Write what was found, or, if some number of it is not finite, the value of the table's rule."""
    if not is_finite(found):
        _write_value(k)
    elif found is not k.out:
        k.out[...] = found


_by_other = (Adjoint((2,), _ufunc("multiply")), Adjoint((1,), _ufunc("multiply")))

KERNELS: dict[Any, Kernel] = {
    "add": Kernel(_ufunc("add")),
    "sub": Kernel(_ufunc("subtract")),
    "neg": Kernel(_neg, (Adjoint((), _neg),)),
    "mul": Kernel(_ufunc("multiply"), _by_other),
    "strong_mul": Kernel(_strong_mul, _by_other),
    "div": Kernel(
        _ufunc("divide"), (Adjoint((2,), _ufunc("divide")), Adjoint((0, 2), _div_adjoint_of_divisor))
    ),
    "identity": Kernel(_copy),
    "detach": Kernel(_copy),
    "relu": Kernel(_relu, (Adjoint((0,), _relu_adjoint),)),
    "exp": Kernel(_ufunc("exp"), (Adjoint((0,), _ufunc("multiply")),)),
    "log": Kernel(_ufunc("log"), (Adjoint((1,), _ufunc("divide")),)),
    "sqrt": Kernel(_ufunc("sqrt"), (Adjoint((0,), _sqrt_adjoint),)),
    "abs": Kernel(_ufunc("absolute")),
    "sin": Kernel(_ufunc("sin")),
    "cos": Kernel(_ufunc("cos")),
    "tanh": Kernel(_ufunc("tanh"), (Adjoint((1,), _tanh_adjoint),)),
    "sigmoid": Kernel(_sigmoid, (Adjoint((1,), _sigmoid_adjoint),)),
    ("pow", 2.0): Kernel(_ufunc("square"), (Adjoint((1,), _square_adjoint),)),
    ("pow", -0.5): Kernel(_inverse_root, (Adjoint((0, 1), _power_adjoint),)),
    ("pow", ...): Kernel(lambda k: [(_write_value, (k,))], (Adjoint((0, 1), _power_adjoint),)),
}  # fmt: skip
"""By the name of an op, or its name and settings; `...` stands for any other setting."""
