"""Save a program to a JSON file, without code or pickle, and load it to run it elsewhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.pytree import flatten
from microgradlib._support.saved_json import FileFormat, damaged, decode_float, encode_float
from microgradlib.compiler.arguments import columns_of
from microgradlib.compiler.batched import Batched
from microgradlib.compiler.engines import make_engine
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, Instruction, Operand
from microgradlib.compiler.parameters import Parameters
from microgradlib.compiler.program import Program
from microgradlib.compiler.program_check import check_program
from microgradlib.core.value import Value
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from microgradlib.compiler.engines.engine import Engine

__all__ = ["LoadedProgram", "load_program", "save_program"]

FORMAT = FileFormat("microgradlib program", version=2, older=(1,))
OLD_KINDS = {"map": "elementwise", "product": "matmul", "reduce": "reduce", "segments": "segment_reduce"}
"""The kinds of instructions by their names in version 1."""
ONE_PAIR = [1, 1, 1, 1]


class LoadedProgram(Batched):
    """A program from a file, to be called like a compiled function, for rows of the `shapes` it was compiled for."""

    def __init__(self, program: Program, dtype: str, shapes: Any, listed: list[Value], captured: list[Value]) -> None:
        self._engine, self.shapes = make_engine("numpy", program, dtype), shapes
        self._parameters, self._captured = Parameters(listed), tuple(captured)

    @property
    def program(self) -> Program:
        """The program."""
        return self._engine.program  # type: ignore[return-value]

    def _ready(self, arguments: tuple[Any, ...]) -> tuple[Engine, tuple[Any, list[Any]]]:
        dtype = self._engine.dtype
        columns, shapes = columns_of(arguments, dtype)
        if shapes != self.shapes:
            message = f"the program takes rows of the shapes {self.shapes}, got {shapes}"
            raise ValueError(message)
        return self._engine, (self._parameters.numbers(self._captured, dtype), columns)


def save_program(program: Program, path: str | os.PathLike[str], numbers: Any, shapes: Any, places: Any) -> Path:
    """Write a forward program, the shapes of its rows and its parameters' numbers to a file; return the path."""
    content = {
        "dtype": str(numbers.dtype),
        "rows": [list(shape) for shape in shapes],
        "result": program.shape,
        "input_order": list(program.input_order),
        "ones": list(program.ones),
        "sizes": list(program.sizes),
        "parameter_order": list(program.parameter_order),
        "parameters": places.tolist(),
        "numbers": [encode_float(x) for x in numbers.tolist()],
        "constants": [encode_float(x) for x in program.constants],
        "constant_slots": list(program.constant_slots),
        "outputs": [_slots(y) for y in program.outputs],
        "instructions": [
            {
                "kind": i.kind, "op": i.op.name, "settings": [encode_float(x) for x in i.op.settings],
                "results": _slots(i.results), "operands": [_slots(operand) for operand in i.operands],
                "terms": i.terms, "shape": list(i.shape), "counts": list(i.counts),
            }
            for i in program.instructions
        ],
    }  # fmt: skip
    return FORMAT.write(path, content)


def _slots(operand: Operand) -> list[int]:
    return [operand.space, *operand.slots.tolist()]


def load_program(path: str | os.PathLike[str]) -> LoadedProgram:
    """Return the program that `Compiled.save` wrote. The file holds no code: only ops of the table are run.

    Raises `SavedFileError` for a file that is damaged, of another format or of a later version, or that uses an op not
    defined here; `OSError` for one that cannot be read.
    """
    content = FORMAT.read(path)
    try:
        return _loaded(_of_version_1(content) if content["version"] == 1 else content)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise damaged(path, f"{type(error).__name__} {error}") from None


def _loaded(content: dict[str, Any]) -> LoadedProgram:
    if content["dtype"] not in {"float64", "float32"}:
        message = f"programs compute with float64 or float32, not {content['dtype']!r}"
        raise ValueError(message)
    numbers = [Value(decode_float(x)) for x in content["numbers"]]
    shapes = tuple([tuple(map(int, shape)) for shape in content["rows"]])
    places = list(map(int, content["parameters"]))
    distinct = list(dict.fromkeys(places))
    unbatched_size, batched_size = map(int, content["sizes"])
    program = Program(
        instructions=tuple(map(_instruction, content["instructions"])),
        outputs=tuple(map(_operand, content["outputs"])),
        shape=content["result"],
        input_order=tuple(map(int, content["input_order"])),
        parameter_order=tuple(map(int, content["parameter_order"])),
        constants=tuple(map(decode_float, content["constants"])),
        constant_slots=tuple(map(int, content["constant_slots"])),
        unbatched_size=unbatched_size,
        batched_size=batched_size,
        ones=tuple(map(int, content["ones"])),
    )
    if len(numbers) != len(program.parameter_order):
        raise ValueError("the order of the parameters does not fit their numbers")
    if distinct != list(range(len(distinct))) or len(distinct) > len(numbers):
        raise ValueError("a parameter has no number")
    if sum(math.prod(shape) for shape in shapes) != program.inputs:
        raise ValueError("the rows do not hold as many numbers as there are inputs")
    if len(program.outputs) != len(flatten(program.shape)):
        raise ValueError("the outputs are not as many as the result has numbers")
    check_program(program)
    listed, captured = [numbers[place] for place in places], numbers[len(distinct) :]
    return LoadedProgram(program, content["dtype"], shapes, listed, captured)


def _instruction(record: dict[str, Any]) -> Instruction:
    if record["op"] not in TABLE:
        message = f"it uses the op {record['op']!r}, which is not defined here: define it first (define_op)"
        raise ValueError(message)
    op = TABLE[record["op"]]
    if record["settings"]:
        op = op.bind(*map(decode_float, record["settings"]))
    count, rows, terms, columns = map(int, record["shape"])
    return Instruction(
        str(record["kind"]),
        op,
        _operand(record["results"]),
        tuple(map(_operand, record["operands"])),
        terms=int(record["terms"]),
        shape=(count, rows, terms, columns),
        counts=tuple(map(int, record["counts"])),
    )


def _operand(slots: list[int]) -> Operand:
    space, *places = map(int, slots)
    if space not in (UNBATCHED, BATCHED) or not places:
        message = f"an operand names a space, 0 or 1, and slots in it, got {slots[:5]}"
        raise ValueError(message)
    return Operand.of(space, places)


def _of_version_1(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a file of version 1 as version 2 has it: a dot with a bias becomes a dot, and a sum."""
    sizes, records = list(map(int, content["sizes"])), []
    for old in content["instructions"]:
        space, start, size, terms, rows = (int(old[name]) for name in ("bank", "start", "size", "terms", "rows"))
        kind, operands = OLD_KINDS[old["kind"]], old["operands"]
        results = [space, *range(start, start + size)]
        record = {**old, "kind": kind, "terms": terms if kind == "reduce" else 1, "shape": ONE_PAIR, "results": results}
        if kind == "matmul":
            record["shape"] = [1, rows, terms, size // rows]
        records.append(record)
        if old["op"] == "dot" and len(operands) == 3:
            product = [space, *range(sizes[space], sizes[space] + size)]
            sizes[space] += size
            record |= {"results": product, "operands": operands[:2]}
            add = {"kind": "elementwise", "op": "add", "settings": [], "terms": 1, "shape": ONE_PAIR, "counts": []}
            records.append({**add, "results": results, "operands": [product, operands[2]]})
    n = len(content["numbers"])
    constants = list(range(n, n + len(content["constants"])))
    return {**content, "sizes": sizes, "constant_slots": constants, "instructions": records}
