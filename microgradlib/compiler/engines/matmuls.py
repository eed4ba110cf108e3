"""Matrix products: one product of BLAS with columns and batch as one axis, or one for each example."""

from __future__ import annotations

import math
from typing import Any

from microgradlib.compiler.engines.buffers import Buffers
from microgradlib.compiler.engines.kernels import Call
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction
from microgradlib.compiler.numpy_functions import is_finite, numpy

__all__ = ["matmul_calls"]

SMALL = 4096
"""Of results of so few numbers np.dot is the faster, as it is called at less cost; but it clears its result first."""

GAP = 8
"""Numbers left free behind the products of an example: read column by column, a power of two of them would meet in the
same few places of the cache."""


def matmul_calls(buffers: Buffers, instruction: Instruction, arrays: list[Any], out: Any) -> list[Call]:
    """Return the calls that write Z = W X, of arrays (count, rows, terms, batch), (count, terms, columns, batch).

    Z = W X for unbatched W is one product over the columns of all examples, [x₁₁ … x₁ₙ …]; Z = G Xᵀ summed over the
    batch is one over their terms. Others are computed example by example.
    """
    a, b = arrays
    spaces = [operand.space for operand in (*instruction.operands, instruction.results)]
    if spaces == [BATCHED, BATCHED, UNBATCHED]:
        b = _merged(b.swapaxes(1, 2)).swapaxes(1, 2)
    elif spaces[0] == UNBATCHED and spaces[1] == spaces[2]:
        b = _merged(b)
    else:
        return _by_example(buffers, instruction, arrays, out)
    return [_multiplication(*matrices) for matrices in zip(_merged(a), b, _merged(out))]


def _merged(array: Any) -> Any:
    return array.reshape(*array.shape[:2], -1)


def _multiplication(a: Any, b: Any, out: Any) -> Call:
    """Return the call that writes a @ b: by the quicker of NumPy's two ways to BLAS.

    A matrix of one number is multiplied without BLAS, which skips a 0 even if it meets inf.
    """
    np = numpy()
    if 1 in (a.size, b.size):
        return np.multiply, (a, b, out)
    quick = out.flags.c_contiguous and (a.shape[1] == 1 or out.size <= SMALL)
    return (np.dot if quick else np.matmul), (a, b, out)


def _by_example(buffers: Buffers, instruction: Instruction, arrays: list[Any], out: Any) -> list[Call]:
    """Multiply copies whose first axis is the batch, (batch, count, rows, terms) and (batch, count, terms, columns).

    A copy serves all products that read its slots, transposed or not. Beside one that is transposed another is made so
    too: BLAS is slow where only the second factor is.
    """
    np, calls, copies = numpy(), list[Any](), buffers.copies
    slots = [operand.slots.reshape(x.shape[:3]) for operand, x in zip(instruction.operands, arrays)]
    keys = [(operand.space, part.shape, part.tobytes()) for operand, part in zip(instruction.operands, slots)]
    for key, beside, part, array in zip(keys, keys[::-1], slots, arrays):
        if key not in copies:
            other = copies.get(beside)
            turned = other is not None and other.strides[2] < other.strides[3]
            source = array.transpose(3, 0, 2, 1) if turned else array.transpose(3, 0, 1, 2)
            copy = np.empty_like(source, order="C")
            calls.append((np.copyto, (copy, source)))
            copy = copy.swapaxes(2, 3) if turned else copy
            transposed = part.swapaxes(1, 2)
            copies[key[0], transposed.shape, transposed.tobytes()] = copy.swapaxes(2, 3)
            copies[key] = copy
    w, x = copies[keys[0]], copies[keys[1]]
    batch, shape = max(len(w), len(x)), out.shape[:3]
    memory = buffers.scratch("product", np.empty((batch, math.prod(shape) + GAP)))
    product = memory[:, :-GAP].reshape(batch, *shape)
    calls.append((np.matmul, (w, x, product)))
    if instruction.space == UNBATCHED:
        return [*calls, (np.add.reduce, (product, 0, None, out[..., 0]))]
    calls.append((np.copyto, (out, product.transpose(1, 2, 3, 0))))
    present = [part != NOT_REACHED for part in slots]
    if instruction.cotangent_of is None and not all(part.all() for part in present):
        calls.append((_write_without_padding, (present, arrays, product, out)))
    return calls


def _write_without_padding(present: list[Any], arrays: list[Any], product: Any, out: Any) -> None:
    """Write sums of products without padding where the padding's 0 may have met inf or nan."""
    if is_finite(product):
        return
    np, (p, q), (a, b), exact = numpy(), present, arrays, 0.0
    for t in range(a.shape[2]):
        both = p[:, :, t, None] & q[:, t, None]
        exact += np.where(both[..., None], a[:, :, t, None] * b[:, t, None], 0.0)
    np.copyto(out, exact, where=~np.isfinite(out))
