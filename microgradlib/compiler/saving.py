"""Save a program to a JSON file, without code or pickle, and load it to run it elsewhere."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

from microgradlib._support.pytree import flatten
from microgradlib._support.saved_json import FileFormat, damaged, decode_float, encode_float
from microgradlib.compiler.arguments import columns_of, rounded
from microgradlib.compiler.batched import Batched
from microgradlib.compiler.instructions import BATCH, FIXED, Instruction, Operand
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.program import Program
from microgradlib.compiler.runner import Runner
from microgradlib.compiler.spread import PAIRED
from microgradlib.ops import TABLE

__all__ = ["LoadedProgram", "load_program", "save_program"]

FORMAT = FileFormat("microgradlib program", version=1)
KINDS = ("map", "product", "reduce", "segments")


class LoadedProgram(Batched):
    """A program from a file, to be called like a compiled function: for values, `value_and_grad` and `jacobian`.

    `set_parameters` replaces the parameters that were saved with it.
    """

    def __init__(self, program: Program, shapes: tuple[tuple[int, ...], ...], numbers: Any, places: Any) -> None:
        self._runner, self.shapes = Runner(program, numbers.dtype), shapes
        self._numbers, self._places = numbers, places

    @property
    def program(self) -> Program:
        """The program."""
        return self._runner.program

    def set_parameters(self, array: Any) -> None:
        """Set the parameters to the numbers of an array, in their order. Raises `ValueError` for another shape."""
        array = rounded(numpy().asarray(array), self._numbers.dtype)
        if array.shape != self._places.shape:
            message = f"there are {len(self._places)} parameters, got an array of shape {array.shape}"
            raise ValueError(message)
        self._numbers = self._numbers.copy()
        self._numbers[self._places] = array

    def _ready(self, arguments: tuple[Any, ...]) -> tuple[Runner, list[Any], Any]:
        columns, shapes = columns_of(arguments, self._numbers.dtype)
        if shapes != self.shapes:
            message = f"the program takes rows of the shapes {self.shapes}, got {shapes}"
            raise ValueError(message)
        return self._runner, columns, self._numbers

    def _spread(self, gradient: Any) -> Any:
        return gradient[self._places]


def save_program(program: Program, path: str | os.PathLike[str], numbers: Any, shapes: Any, places: Any) -> Path:
    """Write a program, the shapes of its rows and its parameters' numbers to a file; return the path."""
    content = {
        "dtype": str(numbers.dtype),
        "rows": [list(shape) for shape in shapes],
        "result": program.shape,
        "input_order": list(program.input_order),
        "ones": list(program.ones),
        "sizes": [program.fixed_size, program.batch_size],
        "parameter_order": list(program.parameter_order),
        "parameters": places.tolist(),
        "numbers": [encode_float(x) for x in numbers.tolist()],
        "constants": [encode_float(x) for x in program.constants],
        "outputs": [[y.bank, *y.slots] for y in program.outputs],
        "instructions": [
            {
                "kind": i.kind, "op": i.op.name, "settings": [encode_float(x) for x in i.op.settings], "bank": i.bank,
                "start": i.start, "size": i.size, "terms": i.terms, "rows": i.rows, "counts": list(i.counts),
                "operands": [[operand.bank, *operand.slots] for operand in i.operands],
            }
            for i in program.instructions
        ],
    }  # fmt: skip
    return FORMAT.write(path, content)


def load_program(path: str | os.PathLike[str]) -> LoadedProgram:
    """Return the program that `Compiled.save` wrote. The file holds no code: only ops of the table are run.

    Raises `SavedFileError` for a file that is damaged, of another format or of a later version, or that uses an op not
    defined here; `OSError` for one that cannot be read.
    """
    content = FORMAT.read(path)
    try:
        return _loaded(content)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise damaged(path, f"{type(error).__name__} {error}") from None


def _loaded(content: dict[str, Any]) -> LoadedProgram:
    np = numpy()
    instructions = tuple(map(_instruction, content["instructions"]))
    fixed_size, batch_size = map(int, content["sizes"])
    program = Program(
        instructions,
        tuple(map(_operand, content["outputs"])),
        content["result"],
        tuple(map(int, content["input_order"])),
        tuple(map(int, content["parameter_order"])),
        tuple(map(decode_float, content["constants"])),
        fixed_size,
        batch_size,
        tuple(map(int, content["ones"])),
    )
    if content["dtype"] not in {"float64", "float32"}:
        message = f"programs compute with float64 or float32, not {content['dtype']!r}"
        raise ValueError(message)
    numbers = np.array([decode_float(x) for x in content["numbers"]], content["dtype"])
    shapes = tuple([tuple(map(int, shape)) for shape in content["rows"]])
    places = np.array(content["parameters"], dtype=int)
    _check(program, len(numbers), shapes, places)
    return LoadedProgram(program, shapes, numbers, places)


def _instruction(record: dict[str, Any]) -> Instruction:
    if record["op"] not in TABLE:
        message = f"it uses the op {record['op']!r}, which is not defined here: define it first (define_op)"
        raise ValueError(message)
    op = TABLE[record["op"]]
    if record["settings"]:
        op = op.bind(*map(decode_float, record["settings"]))
    if record["kind"] not in KINDS:
        message = f"there is no instruction {record['kind']!r}"
        raise ValueError(message)
    bank, start, size = (int(record[name]) for name in ("bank", "start", "size"))
    operands = tuple(map(_operand, record["operands"]))
    counts = tuple(map(int, record["counts"]))
    terms, rows = int(record["terms"]), int(record["rows"])
    return Instruction(record["kind"], op, bank, start, size, operands, terms, rows, counts)


def _operand(slots: list[int]) -> Operand:
    bank, *places = map(int, slots)
    if bank not in (FIXED, BATCH) or not places:
        message = f"an operand names a bank, 0 or 1, and slots in it, got {slots[:5]}"
        raise ValueError(message)
    return Operand(bank, tuple(places))


def _check(program: Program, numbers: int, shapes: tuple[tuple[int, ...], ...], places: Any) -> None:
    """Refuse a program that reads slots before they are written, or whose parts do not fit together."""
    if sorted(program.parameter_order) != list(range(numbers)):
        raise ValueError("the order of the parameters does not fit their numbers")
    if len(places) and not (places.min() >= 0 and places.max() < numbers):
        raise ValueError("a parameter has no number")
    if sum(math.prod(shape) for shape in shapes) != program.inputs:
        raise ValueError("the rows do not hold as many numbers as there are inputs")
    if sorted(program.input_order) != list(range(program.inputs)):
        raise ValueError("the order of the inputs does not fit their number")
    written, ones = [numbers + len(program.constants), program.inputs], set(program.ones)
    if len(ones) != len(program.ones):
        raise ValueError("a one is held twice")
    for i in program.instructions:
        while i.bank == BATCH and written[BATCH] in ones:
            ones.remove(written[BATCH])
            written[BATCH] += 1
        if i.start != written[i.bank] or i.size < 1 or i.terms < 0 or i.rows < 0:
            raise ValueError("an instruction does not write the next free slots")
        _check_operands(i, written)
        written[i.bank] += i.size
    _check_read(program.outputs, written)
    if not program.outputs or len(program.outputs) != len(flatten(program.shape)):
        raise ValueError("the outputs are not as many as the result has numbers")
    if any(len(output.slots) != 1 for output in program.outputs):
        raise ValueError("an output is no single number")
    if ones or written != [program.fixed_size, program.batch_size]:
        raise ValueError("the sizes of the banks are not those of what is written to them")


def _check_operands(i: Instruction, written: list[int]) -> None:
    _check_read(i.operands, written)
    banks = [operand.bank for operand in i.operands]
    copies = i.op.name == "identity" and i.bank == BATCH
    if (i.bank != max(banks) and not copies) or (i.kind == "product" and banks[:2] != [FIXED, i.bank]):
        message = f"{i.kind} {i.op.name} reads other banks than it can"
        raise ValueError(message)
    _check_kind(i)
    lengths = [len(operand.slots) for operand in i.operands]
    columns = i.size // i.rows if i.rows else 0
    expected = {
        "map": [i.size] * len(lengths),
        "product": [i.rows * i.terms, columns * i.terms, i.size][: len(lengths)],
        "reduce": [i.size * i.terms, i.size * i.terms, i.size][: len(lengths)],
        "segments": [sum(i.counts), sum(i.counts), i.size][: len(lengths)],
    }[i.kind]
    if i.kind in {"reduce", "segments"} and i.op.name != "dot":
        expected = expected[: len(i.operands)]
    if i.kind == "map" and len(lengths) != i.op.arity:
        expected = []
    if lengths != expected or (i.kind == "segments" and (len(i.counts) != i.size or min(i.counts) < 1)):
        message = f"the operands of {i.kind} {i.op.name} do not fit its size"
        raise ValueError(message)


def _check_kind(i: Instruction) -> None:
    """Refuse an instruction of a kind that its op is not computed by, or with too few operands or too many."""
    counts, fits = {1}, i.op.variadic
    if i.kind == "map":
        counts, fits = {i.op.arity or 0}, not i.op.variadic
    elif i.op.name == "dot":
        counts = {2, 3}
    elif i.op.name in PAIRED:
        counts = {1, 2}
    if i.kind == "product":
        fits = i.op.name == "dot" and i.rows > 0 and i.size % i.rows == 0
    if not fits or len(i.operands) not in counts or (i.counts and i.kind != "segments"):
        message = f"{len(i.operands)} operands, {i.size} results and {i.rows} rows do not fit {i.kind} {i.op.name}"
        raise ValueError(message)


def _check_read(operands: tuple[Operand, ...], written: list[int]) -> None:
    for operand in operands:
        if not (min(operand.slots) >= 0 and max(operand.slots) < written[operand.bank]):
            raise ValueError("a slot is read before it is written")
