"""The program as a graph: each instruction of the forward pass as nodes on the tensors that it reads."""

from __future__ import annotations

import math
from functools import partial
from itertools import islice
from typing import Any

from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, Operand, ProgramData, Slots
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.interop.onnx.elementary import Elementary
from microgradlib.interop.onnx.graph import Body, Functions, Tensor, onnx
from microgradlib.interop.onnx.reading import Reader, Source
from microgradlib.interop.onnx.reductions import reduced
from microgradlib.listing.parameter_groups import names_by_role
from microgradlib.listing.symbols import Block, Symbols

__all__ = ["model_of"]


def model_of(program: ProgramData, numbers: Any) -> Any:
    """Return the ONNX model of a forward program, checked; `numbers` are those of its parameters, in its precision."""
    return _Exporter(program, numbers).model()


class _Exporter:
    """A program on its way: `reader` knows the tensor of each block that has been written."""

    def __init__(self, program: ProgramData, numbers: Any) -> None:
        self.program = program
        self.functions = Functions(numbers.dtype, Elementary)
        self.graph = Body(self.functions)
        names = program.parameter_names[: len(program.parameter_order)] or names_by_role(program)
        self.symbols = Symbols(program, names)
        self.reader = Reader(self.graph, self.symbols)
        self.made_by: dict[int, Instruction] = {}
        self.arrays: list[Any] = []
        self.inputs: list[Any] = []
        shapes = iter([shape for _, shape in program.arguments])
        for number, block in enumerate(self.symbols.blocks):
            if block.kind == "argument":
                self._argument(number, block, next(shapes, block.lengths))
            elif block.kind != "constant":
                self._parameters(number, block, numbers)

    def _argument(self, number: int, block: Block, shape: tuple[int, ...]) -> None:
        """Make an argument an input of the graph, (batch,) or (batch, …)."""
        tensor = self.graph.tensor(block.name)
        self.reader.rows = tensor if self.reader.rows is None else self.reader.rows
        self.inputs.append(self._info(tensor.name, shape))
        self.reader.sources[number] = Source(tensor, shape, is_batched=True)

    def _parameters(self, number: int, block: Block, numbers: Any) -> None:
        """Make a group of parameters an initialiser."""
        np, tensor = numpy(), self.graph.tensor(block.name)
        at, order = self.symbols.at[UNBATCHED][:-1], np.array(self.program.parameter_order)
        slots = np.flatnonzero(self.symbols.owner_numbers(at) == number)
        array = np.empty(block.size, numbers.dtype)
        array[at[slots] - block.start] = numbers[order[slots]]
        self.arrays.append(onnx().numpy_helper.from_array(array.reshape(block.lengths), tensor.name))
        self.reader.sources[number] = Source(tensor, block.lengths, is_batched=False)

    def _info(self, name: str, shape: tuple[int, ...]) -> Any:
        kind = onnx().helper.np_dtype_to_tensor_dtype(self.functions.dtype)
        return onnx().helper.make_tensor_value_info(name, kind, ["batch", *shape])

    def model(self) -> Any:
        """Return the model."""
        for instruction in self.program.instructions:
            tensor, shape = self._written(instruction)
            self._enter(instruction, tensor, shape)
        outputs, helper = self._outputs(), onnx().helper
        nodes = self.graph.needed([output.name for output in outputs])
        read = {name for node in nodes for name in node.input}
        arrays = [array for array in self.arrays if array.name in read]
        graph = helper.make_graph(nodes, "program", self.inputs, outputs, arrays)
        model = helper.make_model(
            graph, functions=self.functions.used(nodes), opset_imports=self.functions.opsets, ir_version=10,
            producer_name="microgradlib",
        )  # fmt: skip
        onnx().checker.check_model(model, full_check=True)
        return model

    def _enter(self, i: Instruction, tensor: Tensor, shape: tuple[int, ...]) -> None:
        """Make the results of an instruction a block of their own."""
        number = len(self.symbols.blocks)
        block = self.symbols.add("result", "", (i.size,))
        self.symbols.at[i.space][i.results.slots] = block.symbols
        self.reader.sources[number] = Source(tensor, shape, is_batched=i.space == BATCHED)
        self.made_by[number] = i

    def _read(self, operand: Operand, shape: tuple[int, ...]) -> Tensor:
        return self.reader.read(self.symbols.read(operand).reshape(shape), batched=operand.space == BATCHED)

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
        """Apply an op to operands of one shape; what is the same number everywhere is read once, with axes of 1."""
        read = [self.symbols.read(operand) for operand in i.operands]
        single = [len(wanted) > 1 and bool((wanted == wanted[0]).all()) for wanted in read]
        if all(single):
            single[0] = False
        sources = [self.reader.whole(wanted) for wanted, once in zip(read, single) if not once]
        shapes = {source.shape if source else (i.size,) for source in sources}
        shape = shapes.pop() if len(shapes) == 1 else (i.size,)
        shape = shape or (1,)
        inputs: list[Any] = []
        for operand, wanted, once in zip(i.operands, read, single):
            number = self.reader.number(wanted) if once or i.size == 1 else None
            axes = wanted[:1].reshape((1,) * len(shape)) if once else wanted.reshape(shape)
            inputs.append(self.reader.read(axes, batched=operand.space == BATCHED) if number is None else number)
        result = self.graph.call(i.op, *inputs)
        if i.space == BATCHED and all(operand.space == UNBATCHED for operand in i.operands):
            result = self.reader.repeated(result, shape)
        return result, shape

    def _reduce(self, i: Instruction, read: list[Slots]) -> tuple[Tensor, tuple[int, ...]]:
        """Reduce the last axis of each operand, (results, terms), to 1."""
        shape = read[0].shape[len(read[0]) == 1 :]
        tensors = [
            self.reader.read(wanted.reshape(shape), batched=operand.space == BATCHED)
            for operand, wanted in zip(i.operands, read)
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
        top = self._origin(less[1].ravel(), "detach") if less else None
        largest = self._origin(top[0].ravel(), "maximum") if top else None
        if terms is None or less is None or largest is None or i.size % terms[0].shape[1]:
            return None
        count = terms[0].shape[1]
        for summed, numbers in ((terms[0], exponentials), (largest[0], less[0])):
            rows = numbers.reshape(-1, 1, count)
            if summed.shape != (i.size, count) or (summed.reshape(-1, count, count) != rows).any():
                return None
        return less[0].reshape(-1, count)

    def _outputs(self) -> list[Any]:
        """Write the outputs, an array for each part of the result that is one, and return their descriptions."""
        np, leaves, infos = numpy(), iter(self.program.outputs), []
        for k, shape in enumerate(_arrays(self.program.shape)):
            group = list(islice(leaves, math.prod(shape)))
            wanted = np.concatenate([self.symbols.read(leaf) for leaf in group])
            if all(leaf.space == BATCHED for leaf in group):
                result = self.reader.read(wanted.reshape(shape), batched=True)
            else:
                joined = self.graph.node("Concat", *map(self._batched, group), axis=1)
                result = self.reader.reshaped(joined, (len(group),), shape, batched=True)
            name = self.graph.named("output" if _axes(self.program.shape) is not None else f"output_{k}")
            self.graph.nodes.append(onnx().helper.make_node("Identity", [result.name], [name], name))
            infos.append(self._info(name, shape))
        return infos

    def _batched(self, leaf: Operand) -> Tensor:
        """Return one output for each example, (batch, 1)."""
        tensor = self._read(leaf, (1,))
        return tensor if leaf.space == BATCHED else self.reader.repeated(tensor, (1,))


def _arrays(shape: Any) -> list[tuple[int, ...]]:
    """Return the axes of the largest parts of nested lists, tuples and dicts that are arrays."""
    axes = _axes(shape)
    if axes is not None:
        return [axes]
    return [axes for part in (shape.values() if isinstance(shape, dict) else shape) for axes in _arrays(part)]


def _axes(shape: Any) -> tuple[int, ...] | None:
    """Return the lengths of the axes of a number, an array, or nested lists of equal lengths; None for all else."""
    if not isinstance(shape, (list, tuple)):
        return None if isinstance(shape, dict) else getattr(shape, "shape", ())
    inner = {_axes(part) for part in shape}
    return None if len(inner) != 1 or None in inner else (len(shape), *inner.pop())  # type: ignore[misc]
