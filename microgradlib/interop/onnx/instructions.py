"""Instructions as nodes: each one of the forward pass, on the tensors that it reads."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from typing import Final

from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, Slots
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.interop.onnx.graph import Body, Tensor
from microgradlib.interop.onnx.reading import Reader, Source
from microgradlib.interop.onnx.reductions import reduced
from microgradlib.ops import TABLE, Op

__all__ = ["Writer"]

MUL: Final = TABLE["mul"]
FEW_TERMS: Final = 3
"""Dot products of so many terms at most are written as products and sums, if the terms come from several tensors."""


class Writer:
    """Writes instructions into a graph. The axes that methods return with a tensor are those behind the batch."""

    def __init__(self, graph: Body, reader: Reader) -> None:
        self.graph, self.reader, self.symbols = graph, reader, reader.symbols
        self.made_by: dict[int, Instruction] = {}

    def write(self, i: Instruction) -> None:
        """Write an instruction, and make its results known to the reader."""
        if not self._is_another_name(i):
            self._enter(i, *self._written(i))

    def _is_another_name(self, i: Instruction) -> bool:
        """Give the results of identity and detach the symbols that these read, if that needs no axis of a batch."""
        if i.op.name not in {"identity", "detach"}:
            return False
        read = self.symbols.read(i.operands[0])
        if i.operands[0].space != i.space and not self.reader.is_known(read):
            return False
        self.symbols.at[i.space][i.results.slots] = read
        return True

    def _enter(self, i: Instruction, tensor: Tensor, shape: tuple[int, ...]) -> None:
        """Make the results of an instruction a block of their own."""
        number = len(self.symbols.blocks)
        block = self.symbols.add("result", "", (i.size,))
        self.symbols.at[i.space][i.results.slots] = block.symbols
        self.reader.sources[number] = Source(tensor, shape, is_batched=i.space == BATCHED)
        self.made_by[number] = i

    def _written(self, i: Instruction) -> tuple[Tensor, tuple[int, ...]]:
        """Return the tensor of an instruction's results, and the lengths of its axes behind the batch."""
        if i.kind == "matmul":
            return self._matmul(i)
        if i.kind == "reduce":
            return self._reduce(i, [self.symbols.read(operand).reshape(i.size, i.terms) for operand in i.operands])
        if i.kind == "segment_reduce":
            return self._segments(i)
        softmax = self._softmax_input(i)
        if softmax is None:
            return self._elementwise(i)
        shape = softmax.shape[len(softmax) == 1 :]
        logits = self.reader.read(softmax.reshape(shape), batched=i.space == BATCHED)
        return self.graph.node("Softmax", logits, axis=-1), shape

    def _elementwise(self, i: Instruction) -> tuple[Tensor, tuple[int, ...]]:
        """Apply an op to operands of one shape; what repeats along an axis is read once, with 1 for that axis."""
        read = [self.symbols.read(operand) for operand in i.operands]
        shape = self._shape(read)
        parts = [_once(wanted.reshape(shape)) for wanted in read]
        if numpy().broadcast_shapes(*[part.shape for part in parts]) != shape:
            parts[0] = read[0].reshape(shape)
        result = self._applied(i.op, [(operand.space, part) for operand, part in zip(i.operands, parts)])
        if i.space == BATCHED and all(operand.space == UNBATCHED for operand in i.operands):
            result = self.reader.repeated(result, shape)
        return result, shape

    def _shape(self, read: Sequence[Slots]) -> tuple[int, ...]:
        """Return the axes of an elementwise instruction: those of a tensor that it reads, or by which others repeat."""
        sources = [self.reader.whole(wanted) for wanted in read]
        shapes = {source.shape for source in sources if source and len(source.shape) > 1}
        if len(shapes) == 1:
            return shapes.pop()
        for wanted in read:
            for period in _periods(wanted):
                table = wanted.reshape(-1, period)
                if _once(table).size < len(wanted):
                    return len(table), period
        return (len(read[0]),)

    def _applied(self, op: Op, operands: Sequence[tuple[int, Slots]]) -> Tensor:
        """Apply an elementwise op to what operands read; known numbers, if they are alike, are read as one."""
        numbers = [self.reader.number(wanted.ravel()) for _, wanted in operands]
        if None not in numbers:
            numbers[0] = None
        inputs = [
            self.reader.read(wanted, batched=space == BATCHED) if number is None else number
            for number, (space, wanted) in zip(numbers, operands)
        ]
        result: Tensor = self.graph.call(op, *inputs)
        return result

    def _reduce(self, i: Instruction, read: list[Slots]) -> tuple[Tensor, tuple[int, ...]]:
        """Reduce the last axis of each operand, (results, terms), to 1; a few products are written out."""
        spaces = [operand.space for operand in i.operands]
        is_mixed = not i.counts and any(len({*self.reader.owners(wanted).flat}) > 1 for wanted in read)
        if i.op.name == "dot" and is_mixed and read[0].shape[1] <= FEW_TERMS:
            products = [self._applied(MUL, list(zip(spaces, pair))) for pair in zip(*[wanted.T for wanted in read])]
            return reduce(partial(self.graph.node, "Add"), products), read[0].shape[:1]
        shape = read[0].shape[len(read[0]) == 1 :]
        tensors = [
            self.reader.read(wanted.reshape(shape), batched=space == BATCHED) for space, wanted in zip(spaces, read)
        ]
        return reduced(self.graph, i.op, tensors, shape[-1]), (*shape[:-1], 1)

    def _segments(self, i: Instruction) -> tuple[Tensor, tuple[int, ...]]:
        """Reduce segments, padded to one length: sums with 0, a maximum or minimum with its first term again."""
        np, longest = numpy(), max(i.counts)
        starts = np.cumsum([0, *i.counts[:-1]])
        terms = starts[:, None] + np.arange(longest)
        is_padding = np.arange(longest) >= np.array(i.counts)[:, None]
        terms = np.where(is_padding, starts[:, None], terms)
        read = []
        for operand in i.operands:
            runs = self.symbols.read(operand).reshape(-1, i.width)[terms]
            if i.op.name not in {"maximum", "minimum"}:
                runs[is_padding] = self.symbols.at[operand.space][-1]
            read.append(runs.swapaxes(1, 2).reshape(-1, longest))
        result, shape = self._reduce(i, read)
        if i.op.name == "mean":
            counts = np.repeat(i.counts, i.width).reshape(shape)
            result = result * (longest / counts)
        return result, shape

    def _matmul(self, i: Instruction) -> tuple[Tensor, tuple[int, ...]]:
        """Multiply matrices; where a row of ones makes the last weights a bias, these are added."""
        (w_space, w), (x_space, x) = [(operand.space, self.symbols.read(operand)) for operand in i.operands]
        count, rows, terms, columns = i.shape
        w, x = w.reshape(count, rows, terms), x.reshape(count, terms, columns)
        bias = None
        if x_space == BATCHED and terms > 1 and (x[:, -1] == self.symbols.one).all():
            bias, w, x = w[:, :, -1:], w[:, :, :-1], x[:, :-1]
        lead = count == 1
        reads = partial(self.reader.read, batched=False), partial(self.reader.read, batched=True)
        if lead and columns == 1 and (w_space, x_space) == (UNBATCHED, BATCHED):
            inputs = [reads[1](x[0, :, 0]), reads[0](w[0])]
            if bias is not None:
                inputs.append(reads[0](bias.ravel()))
            return self.graph.node("Gemm", *inputs, transB=1), (rows,)
        result = self.graph.node("MatMul", reads[w_space](w[0] if lead else w), reads[x_space](x[0] if lead else x))
        if bias is not None:
            result = result + reads[w_space](bias[0] if lead else bias)
        return result, (count, rows, columns)[lead:]

    def _origin(self, wanted: Slots, name: str) -> list[Slots] | None:
        """Return what one instruction of this op reads for these of its results, (results, terms) of each operand."""
        owners = self.reader.owners(wanted)
        i = self.made_by.get(int(owners.flat[0]))
        if i is None or i.op.name != name or i.counts or (owners != owners.flat[0]).any():
            return None
        places = wanted - self.symbols.blocks[int(owners.flat[0])].start
        return [self.symbols.read(operand).reshape(i.size, -1)[places] for operand in i.operands]

    def _softmax_input(self, i: Instruction) -> Slots | None:
        """Return x, (rows, terms), where an instruction computes exp(x − max x)/Σ exp(x − max x) for each row."""
        if i.op.name != "div":
            return None
        exponentials, totals = [self.symbols.read(operand) for operand in i.operands]
        terms = self._origin(totals, "sum")
        moved = self._origin(exponentials, "exp")
        less = self._origin(moved[0].ravel(), "sub") if moved else None
        largest = self._origin(less[1].ravel(), "maximum") if less else None
        if terms is None or less is None or largest is None or i.size % terms[0].shape[1]:
            return None
        count = terms[0].shape[1]
        for summed, numbers in ((terms[0], exponentials), (largest[0], less[0])):
            rows = numbers.reshape(-1, 1, count)
            if summed.shape != (i.size, count) or (summed.reshape(-1, count, count) != rows).any():
                return None
        return less[0].reshape(-1, count)


def _once(wanted: Slots) -> Slots:
    """Return symbols with one entry along each axis along which they repeat."""
    for axis in range(wanted.ndim):
        first = wanted.take([0], axis)
        if (wanted == first).all():
            wanted = first
    return wanted


def _periods(wanted: Slots) -> list[int]:
    """Return after how many symbols the first one comes again, or another one: lengths of rows, if rows they are."""
    first = wanted == wanted[0]
    found = [int(1 + numpy().argmax(is_it)) for is_it in (first[1:], ~first[1:]) if is_it.any()]
    return [period for period in found if period > 1 and len(wanted) % period == 0]
