"""Matrix products: one product of BLAS with columns and batch as one axis, or one for each example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.engines.buffers import merged
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED
from microgradlib.compiler.numpy_functions import is_finite, numpy

if TYPE_CHECKING:
    from microgradlib.compiler.engines.buffers import Buffers
    from microgradlib.compiler.engines.statements import Call
    from microgradlib.compiler.instructions import Instruction

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
    spaces = (*[operand.space for operand in instruction.operands], instruction.space)
    a, b = arrays
    if spaces == (UNBATCHED, BATCHED, BATCHED):
        factors = [a[..., 0], merged(b), merged(out)]
    elif spaces == (BATCHED, BATCHED, UNBATCHED):
        right = merged(b.swapaxes(1, 2))
        factors = [merged(a), right if right is None else right.swapaxes(1, 2), out[..., 0]]
    elif spaces == (UNBATCHED, UNBATCHED, UNBATCHED):
        factors = [a[..., 0], b[..., 0], out[..., 0]]
    else:
        factors = [None]
    if any(factor is None for factor in factors):
        return _by_example(buffers, instruction, arrays, out)
    return [_multiplication(*matrices) for matrices in zip(*factors)]


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

    A copy serves all products that read its slots, transposed or not.
    """
    np = numpy()
    count, rows, terms, columns = instruction.shape
    shapes = ((count, rows, terms), (count, terms, columns))
    slots = [operand.slots.reshape(shape) for operand, shape in zip(instruction.operands, shapes)]
    keys = [(operand.space, part.shape, part.tobytes()) for operand, part in zip(instruction.operands, slots)]
    calls: list[Call] = []
    for k, (key, part, array) in enumerate(zip(keys, slots, arrays)):
        if key not in buffers.copies:
            call, copy = _batch_first(array, buffers.copies.get(keys[1 - k]))
            calls.append(call)
            transposed = part.swapaxes(1, 2)
            buffers.copies[key[0], transposed.shape, transposed.tobytes()] = copy.swapaxes(2, 3)
            buffers.copies[key] = copy
    copies = [buffers.copies[key] for key in keys]
    batch, size = max(map(len, copies)), count * rows * columns
    memory = buffers.empty("product", batch * (size + GAP)).reshape(batch, -1)
    product = memory[:, :size].reshape(batch, count, rows, columns)
    calls.append((np.matmul, (*copies, product)))
    if instruction.space == UNBATCHED:
        return [*calls, (np.add.reduce, (product, 0, None, out[..., 0]))]
    calls.append((np.copyto, (out, product.transpose(1, 2, 3, 0))))
    padded = any((part == NOT_REACHED).any() for part in slots)
    if padded and instruction.cotangent_of is None:
        calls.append((_write_without_padding, (slots, arrays, product, out)))
    return calls


def _batch_first(array: Any, other: Any) -> tuple[Call, Any]:
    """Return the call that copies matrices (count, rows, columns, batch), and the copy, (batch, count, rows, columns).

    It is row by row or column by column, as the other factor is, if that is there: BLAS is slow where only the second
    factor is transposed. Else it is as the array.
    """
    axes = sorted(range(3), key=lambda axis: -abs(array.strides[axis]))
    by_row = axes.index(1) < axes.index(2)
    if other is not None and by_row != (other.strides[2] >= other.strides[3]):
        axes = [0, 2, 1] if by_row else [0, 1, 2]
    copy = numpy().empty((array.shape[-1], *[array.shape[axis] for axis in axes]), array.dtype)
    call = numpy().copyto, (copy, array.transpose(3, *axes))
    return call, copy.transpose(0, *[1 + axes.index(axis) for axis in range(3)])


def _write_without_padding(slots: list[Any], arrays: list[Any], product: Any, out: Any) -> None:
    """Write sums of products without padding where the padding's 0 may have met inf or nan."""
    if is_finite(product):
        return
    np, (a, b) = numpy(), arrays
    present = [part != NOT_REACHED for part in slots]
    exact = np.zeros_like(out)
    for t in range(a.shape[2]):
        both = present[0][:, :, t, None] & present[1][:, t, None, :]
        exact += np.where(both[..., None], a[:, :, t, None, :] * b[:, t, None, :, :], 0.0)
    np.copyto(out, exact, where=~np.isfinite(out))
