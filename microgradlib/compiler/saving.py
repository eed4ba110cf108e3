"""Save a program to a JSON file, without code or pickle, and load it to run it elsewhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, NoReturn

from microgradlib._support.calling import in_plain_words
from microgradlib._support.saved_json import MAX_BYTES, FileFormat, damaged, decode_floats, encode_float
from microgradlib._support.shown import shown
from microgradlib.compiler.arguments import Parameters
from microgradlib.compiler.batched import Batched, Ready
from microgradlib.compiler.engines import choose_backend, make_engine
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.program import Program
from microgradlib.compiler.saved_checks import check_program
from microgradlib.compiler.saved_forms import decode_list, decode_program, decode_wholes, encode_program, of_version_1
from microgradlib.core.value import Value

__all__ = ["LoadedProgram", "load_program", "save_program"]

FORMAT: Final = FileFormat("microgradlib program", version=3, older=(1, 2), sealed=3)


class LoadedProgram(Batched):
    """A program from a file, to be called like a compiled function, for rows of the `shapes` it was compiled for."""

    def __init__(self, program: Program, dtype: str, backend: str, listed: list[Value], captured: list[Value]) -> None:
        self.dtype, self.backend, self._parameters = numpy().dtype(dtype), backend, Parameters(listed)
        self.shapes = tuple([shape for _, shape in program.arguments])
        super().__init__()
        self._newest = Ready(self.shapes, make_engine(backend, program, dtype), tuple(captured), [])

    def __getstate__(self) -> NoReturn:
        """Refuse to be copied or pickled, as compiled functions do: the file is there for it."""
        raise TypeError("a loaded program can neither be copied nor pickled: load it again, by load_program(path)")

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
        "numbers": list(map(encode_float, numbers.tolist())),
        **encode_program(ready.engine.program),
    }
    return FORMAT.write(path, content)


@in_plain_words
def load_program(
    path: str | os.PathLike[str], *, backend: str = "auto", check: bool = True, max_bytes: int = MAX_BYTES
) -> LoadedProgram:
    """Return the program that `Compiled.save` wrote. The file holds no code: only ops of the table are run.

    `backend` is the engine that runs it, as of `compile`, and raises what it raises there. A file edited by hand, whose
    checksums no longer fit, loads with `check=False`; whether it can be executed is checked all the same. One of more
    than `max_bytes` is refused before it is read. Raises `SavedFileError` for a file that is damaged, too large, of
    another format or of a later version, or that uses an op not defined here; `OSError` for one that cannot be read.
    """
    backend, content = choose_backend(backend), FORMAT.read(path, check=check, max_bytes=max_bytes)
    try:
        return _loaded(of_version_1(content) if content["version"] == 1 else content, backend)
    except ValueError as error:
        raise damaged(path, str(error)) from None


def _loaded(content: dict[str, Any], backend: str) -> LoadedProgram:
    dtype, program = content.get("dtype"), decode_program(content)
    if dtype not in ("float64", "float32"):
        message = f"programs compute with float64 or float32, not {shown(dtype)}"
        raise ValueError(message)
    numbers = decode_floats(decode_list(content.get("numbers")))
    places = decode_wholes(content.get("parameters"))
    distinct = list(dict.fromkeys(places))
    if distinct != list(range(len(distinct))) or len(distinct) > len(numbers):
        raise ValueError("a parameter has no number")
    check_program(program, len(numbers))
    values = list(map(Value, numbers))
    return LoadedProgram(program, dtype, backend, [values[place] for place in places], values[len(distinct) :])
