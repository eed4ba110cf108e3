"""The model: a forward program with its arguments, parameters and outputs as an ONNX graph."""

from __future__ import annotations

import math
from itertools import islice
from typing import Any

from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Operand, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.interop.onnx.elementary import Elementary
from microgradlib.interop.onnx.graph import Body, Functions, Tensor, onnx
from microgradlib.interop.onnx.instructions import Writer
from microgradlib.interop.onnx.reading import Reader, Source
from microgradlib.listing.parameter_groups import names_by_role
from microgradlib.listing.symbols import Block, Symbols

__all__ = ["model_of"]


def model_of(program: ProgramData, numbers: Any) -> Any:
    """Return the ONNX model of a forward program, checked; `numbers` are those of its parameters, in its precision."""
    return _Exporter(program, numbers).model()


class _Exporter:
    """A program on its way: `reader` knows the tensor of each block, first of those of the leaves."""

    def __init__(self, program: ProgramData, numbers: Any) -> None:
        self.program = program
        self.functions = Functions(numbers.dtype, Elementary)
        self.graph = Body(self.functions)
        names = program.parameter_names[: len(program.parameter_order)] or names_by_role(program)
        self.symbols = Symbols(program, names)
        self.reader = Reader(self.graph, self.symbols)
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
        writer = Writer(self.graph, self.reader)
        for instruction in self.program.instructions:
            writer.write(instruction)
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
        tensor = self.reader.read(self.symbols.read(leaf), batched=leaf.space == BATCHED)
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
