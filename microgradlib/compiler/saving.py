"""Save a program to a JSON file, without code or pickle, and load it to run it elsewhere."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any, Final

from microgradlib._support.pytree import flatten
from microgradlib._support.saved_json import FileFormat, damaged, decode_float, encode_float
from microgradlib.compiler.arguments import Parameters
from microgradlib.compiler.batched import Batched, Ready
from microgradlib.compiler.engines import choose_backend, make_engine
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, Operand
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.program import Program
from microgradlib.compiler.vectorize.packs import OF_ANY_LENGTH
from microgradlib.core.value import Value
from microgradlib.ops import TABLE, Op

__all__ = ["LoadedProgram", "load_program", "save_program"]

FORMAT: Final = FileFormat("microgradlib program", version=2, older=(1,))
OLD_KINDS: Final = {"map": "elementwise", "product": "matmul", "reduce": "reduce", "segments": "segment_reduce"}
"""The kinds of instructions by their names in version 1."""


class LoadedProgram(Batched):
    """A program from a file, to be called like a compiled function, for rows of the `shapes` it was compiled for."""

    def __init__(self, program: Program, dtype: str, backend: str, listed: list[Value], captured: list[Value]) -> None:
        self.dtype, self.backend, self._parameters = numpy().dtype(dtype), backend, Parameters(listed)
        self.shapes = tuple([shape for _, shape in program.arguments])
        self._last = Ready(self.shapes, make_engine(backend, program, dtype), tuple(captured), [])

    def _for(self, shapes: Any) -> Ready:
        if shapes != self.shapes:
            message = f"the program takes rows of the shapes {self.shapes}, got {shapes}"
            raise ValueError(message)
        return self._latest()


def save_program(path: str | os.PathLike[str], ready: Ready, parameters: Parameters) -> Path:
    """Write a forward program and its parameters' numbers to a file; return the path."""
    numbers = parameters.numbers(ready.captured, ready.engine.dtype)
    content = {
        "dtype": str(numbers.dtype),
        "parameters": numpy().arange(len(numbers))[parameters.places].tolist(),
        "numbers": _encoded(tuple(numbers.tolist())),
        **{name: _encoded(getattr(ready.engine.program, name)) for name in PROGRAM},
    }
    return FORMAT.write(path, content)


def _encoded(part: Any) -> Any:
    """Return a part of a program as JSON has it: operands as space and slots, ops as name and settings."""
    if isinstance(part, Operand):
        return [part.space, *part.slots.tolist()]
    if isinstance(part, Op):
        return [part.name, *map(encode_float, part.settings)]
    if isinstance(part, Instruction):
        return {name: _encoded(getattr(part, name)) for name in INSTRUCTION}
    if isinstance(part, tuple):
        return list(map(_encoded, part))
    return encode_float(part) if isinstance(part, float) else part


def load_program(path: str | os.PathLike[str], *, backend: str = "auto") -> LoadedProgram:
    """Return the program that `Compiled.save` wrote. The file holds no code: only ops of the table are run.

    `backend` is the engine that runs it, as of `compile`, and raises what it raises there. Raises `SavedFileError` for
    a file that is damaged, of another format or of a later version, or that uses an op not defined here; `OSError` for
    one that cannot be read.
    """
    backend, content = choose_backend(backend), FORMAT.read(path)
    try:
        return _loaded(_of_version_1(content) if content["version"] == 1 else content, backend)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise damaged(path, f"{type(error).__name__} {error}") from None


def _loaded(content: dict[str, Any], backend: str) -> LoadedProgram:
    if content["dtype"] not in {"float64", "float32"}:
        raise ValueError("programs compute with float64 or float32")
    numbers, places = _decoded([decode_float], content["numbers"]), _decoded([int], content["parameters"])
    program = Program(**_decoded(PROGRAM, content))
    distinct = list(dict.fromkeys(places))
    if distinct != list(range(len(numbers)))[: len(distinct)]:
        raise ValueError("a parameter has no number")
    _check(program, len(numbers))
    values = list(map(Value, numbers))
    return LoadedProgram(
        program, content["dtype"], backend, [values[place] for place in places], values[len(distinct) :]
    )


def _decoded(form: Any, part: Any) -> Any:
    """Return what JSON has in a form: [form] makes a tuple, a dict of forms a dict, any other is called with it."""
    if isinstance(form, list):
        return tuple([_decoded(form[0], element) for element in part])
    if isinstance(form, dict):
        return {name: _decoded(inner, part[name]) for name, inner in form.items()}
    return form(part)


def _op(words: list[Any]) -> Op:
    name, *settings = words
    if name not in TABLE:
        message = f"it uses the op {name!r}, which is not defined here: define it first (define_op)"
        raise ValueError(message)
    return TABLE[name].bind(*map(decode_float, settings)) if settings else TABLE[name]


def _operand(slots: list[int]) -> Operand:
    space, *places = map(int, slots)
    if space not in (UNBATCHED, BATCHED) or not places:
        message = f"an operand names a space, 0 or 1, and slots in it, got {slots[:5]}"
        raise ValueError(message)
    return Operand.of(space, places)


INSTRUCTION: Final = {
    "kind": str, "op": _op, "results": _operand, "operands": [_operand], "terms": int, "shape": [int], "counts": [int],
}  # fmt: skip
"""The fields of an instruction that are saved, with their forms in JSON."""
PROGRAM: Final = {
    "instructions": [lambda record: Instruction(**_decoded(INSTRUCTION, record))], "outputs": [_operand],
    "arguments": [lambda pair: (str(pair[0]), _decoded([int], pair[1]))], "shape": lambda shape: shape,
    "input_order": [int], "parameter_order": [int], "constants": [decode_float], "constant_slots": [int],
    "unbatched_size": int, "batched_size": int, "ones": [int],
}  # fmt: skip
"""The same of a program."""


def _check(program: Program, parameters: int) -> None:
    """Raise `ValueError` for a program that could not be executed: slots or lengths of instructions do not fit."""
    inputs = sum(math.prod(shape) for _, shape in program.arguments)
    orders = (program.parameter_order, parameters, "parameters"), (program.input_order, inputs, "inputs")
    for order, count, what in orders:
        if len(order) != count or sorted(order) != list(range(count)):
            message = f"the order of the {what} does not fit their number"
            raise ValueError(message)
    if len(program.constants) != len(program.constant_slots):
        raise ValueError("the constants are not as many as their slots")
    written = [[*range(parameters), *program.constant_slots], [*range(inputs), *program.ones]]
    known = list(map(set, written))
    for i in program.instructions:
        written[i.space].extend(i.results.slots.tolist())
    if any(len(slots) != size or sorted(slots) != list(range(size)) for slots, size in zip(written, program.sizes)):
        raise ValueError("the slots that are written are not those of the spaces, each once")
    for i in program.instructions:
        if not _fits(i):
            message = f"the operands or results of {i.kind} {i.op.name} do not fit it"
            raise ValueError(message)
        padding = {NOT_REACHED} if i.kind == "matmul" and i.operands[0].space == BATCHED else set()
        if not all(set(operand.slots.tolist()) - padding <= known[operand.space] for operand in i.operands):
            raise ValueError("a slot is read before it is written")
        known[i.space].update(i.results.slots.tolist())
    if not all(len(output.slots) == 1 and output.slots[0] in known[output.space] for output in program.outputs):
        raise ValueError("an output is no single number that is computed")
    if not 0 < len(program.outputs) == len(flatten(program.shape)):
        raise ValueError("the outputs are not as many as the result has numbers, or there is none")


def _fits(i: Instruction) -> bool:
    """Say whether the op is computed by this kind of instruction, and the operands have its lengths and spaces."""
    spaces, lengths = [operand.space for operand in i.operands], [len(operand.slots) for operand in i.operands]
    if (numpy().diff(i.results.slots) != 1).any() or bool(i.counts) != (i.kind == "segment_reduce"):
        return False
    if max(spaces, default=-1) != i.space and i.op.name != "identity":
        return False
    if i.kind == "elementwise":
        return i.terms == 1 and lengths == [i.size] * (i.op.arity or 0)
    if i.kind == "matmul":
        count, rows, terms, columns = i.shape
        fits = lengths == [count * rows * terms, count * terms * columns] and i.size == count * rows * columns
        return fits and i.op.name == "dot" and min(i.shape) > 0 and spaces in ([UNBATCHED, i.space], [BATCHED, BATCHED])
    if i.kind not in {"reduce", "segment_reduce"}:
        message = f"there is no instruction {i.kind!r}"
        raise ValueError(message)
    counts = i.counts or (i.terms,) * i.size
    if len(counts) != i.size or min(counts) < 1 or (i.counts and i.op.name not in OF_ANY_LENGTH):
        return False
    operands = {"dot": (2,), "cross_entropy": (1, 2)}.get(i.op.name, (1,))
    one_space = i.op.name == "dot" or len(set(spaces)) == 1
    return one_space and i.op.variadic and len(lengths) in operands and set(lengths) == {sum(counts)}


def _of_version_1(content: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a file of version 1 as version 2 has it: a dot with a bias becomes a dot, and a sum."""
    sizes, records = list(map(int, content["sizes"])), []
    for old in content["instructions"]:
        space, start, size, terms, rows = (int(old[name]) for name in ("bank", "start", "size", "terms", "rows"))
        kind, op, operands = OLD_KINDS[old["kind"]], [old["op"], *old["settings"]], old["operands"]
        results = [space, *range(start, start + size)]
        record = {
            "kind": kind, "op": op, "results": results, "operands": operands, "counts": old["counts"],
            "terms": terms if kind == "reduce" else 1, "shape": [1, rows, terms, size // max(rows, 1)],
        }  # fmt: skip
        if op == ["dot"] and len(operands) == 3:
            product = [space, *range(sizes[space], sizes[space] + size)]
            sizes[space] += size
            records.append({**record, "results": product, "operands": operands[:2]})
            add = {"kind": "elementwise", "op": ["add"], "terms": 1, "counts": []}
            record |= {**add, "operands": [product, operands[2]]}
        records.append(record)
    first, (unbatched, batched) = len(content["numbers"]), sizes
    return content | {
        "instructions": records, "shape": content["result"], "unbatched_size": unbatched, "batched_size": batched,
        "arguments": [[f"x{i}", shape] for i, shape in enumerate(content["rows"])],
        "constant_slots": list(range(first, first + len(content["constants"]))),
    }  # fmt: skip
