"""Save a model's parameters to a JSON file, and load them back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import in_plain_words
from microgradlib._support.saved_json import MAX_BYTES, FileFormat, damaged, decode_float, decode_floats, encode_float
from microgradlib._support.shown import shown

if TYPE_CHECKING:
    from microgradlib.nn.module import Module

__all__ = ["load", "save"]

FORMAT = FileFormat("microgradlib parameters", version=2, older=(1,), sealed=2)


@in_plain_words
def save(model: Module, path: str | os.PathLike[str]) -> Path:
    """Write the model's parameters to a human-readable JSON file, and return its path.

    Each float is written so that `load` restores it exactly; nan and infinities, which JSON lacks, are written as text.
    The checksums tell `load` whether anything has changed since. The file is replaced atomically: whatever ends the
    process, the old file or the new one is there, whole. Raises `TypeError` for anything but a Module and a path,
    `OSError` if the file cannot be written, or is a device, a pipe or a folder.

    >>> import tempfile
    >>> from microgradlib.nn import Neuron
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(Neuron(1, init="zeros"), Path(folder, "neuron.json"))
    ...     print(path.read_text(), end="")
    {
      "format": "microgradlib parameters",
      "version": 2,
      "model": "ReLUNeuron(1)",
      "parameters": {
        "w.0": 0.0,
        "b": 0.0
      },
      "checksums": {
        "model": "f3e40259424f46aa",
        "parameters": "6d644956d60b9182"
      }
    }
    """
    _check_model(model, path, "save")
    numbers = {name: encode_float(number) for name, number in model.state_dict().items()}
    return FORMAT.write(path, {"model": _description(model), "parameters": numbers}, by_line=True)


@in_plain_words
def load(
    model: Module, path: str | os.PathLike[str], *, strict: bool = True, check: bool = True, max_bytes: int = MAX_BYTES
) -> tuple[list[str], list[str]]:
    """Set the model's parameters to those of a file that `save` wrote; return the missing and the unknown names.

    A file edited by hand, whose checksums no longer fit, loads with `check=False`. One of more than `max_bytes`, two
    million parameters, is refused before it is read.

    Raises `SavedFileError` for a file that is damaged, too large, of another format or of a later version, `ValueError`
    for one of another model (unless `strict=False`, see `Module.load_state_dict`), `OSError` for one that cannot be
    read, `TypeError` if `model` is not a Module; the model is then unchanged.

    >>> import tempfile
    >>> from microgradlib.nn import MLP
    >>> one, other = MLP([2, 3, 1], rng=0), MLP([2, 3, 1], rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     differences = load(other, save(one, Path(folder, "model.json")))
    >>> differences, one.state_dict() == other.state_dict()
    (([], []), True)
    """
    _check_model(model, path, "load")
    content = FORMAT.read(path, check=check, max_bytes=max_bytes)
    return model.load_state_dict(_parameters(content, path), strict=strict)


def _check_model(model: Any, path: Any, function: str) -> None:
    if isinstance(model, type) or not hasattr(model, "state_dict") or not hasattr(model, "named_parameters"):
        message = f"{function} takes a model and a path, in this order, got {shown(model)} and {shown(path)}"
        raise TypeError(message)


def _parameters(content: dict[str, Any], path: str | os.PathLike[str]) -> dict[str, float]:
    numbers = content.get("parameters")
    if not isinstance(numbers, dict):
        raise damaged(path, '"parameters" is not an object of names and numbers')
    try:
        return dict(zip(numbers, decode_floats(numbers.values())))
    except ValueError:
        return {name: _number(name, number, path) for name, number in numbers.items()}  # the error names the parameter


def _number(name: str, number: Any, path: str | os.PathLike[str]) -> float:
    try:
        return decode_float(number)
    except ValueError as error:
        raise damaged(path, f"parameter {name!r}: {error}") from None


def _description(model: Module) -> str:
    try:
        text = repr(model)
    except Exception:  # noqa: BLE001  any: what was learnt is saved all the same
        return type(model).__name__
    return text if len(text) <= 200 and " at 0x" not in text else type(model).__name__
