"""Save a model's parameters to a JSON file, and load them back."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microgradlib._support.files import write_atomic
from microgradlib.errors import SavedFileError

if TYPE_CHECKING:
    from microgradlib.nn.module import Module

__all__ = ["load", "save"]

FORMAT = "microgradlib parameters"
VERSION = 1
_NOT_IN_JSON = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def save(model: Module, path: str | os.PathLike[str]) -> Path:
    """Write the model's parameters to a JSON file that a person can read, and return its path.

    Each float is written so that it is read back exactly; nan and infinities, which JSON lacks, as text. An
    interruption leaves an old file whole. Raises `OSError` where the file cannot be written.

    >>> import tempfile
    >>> from microgradlib.nn import Neuron
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(Neuron(1, init="zeros"), Path(folder, "neuron.json"))
    ...     print(path.read_text(), end="")
    {
      "format": "microgradlib parameters",
      "version": 1,
      "model": "ReLUNeuron(1)",
      "parameters": {
        "w.0": 0.0,
        "b": 0.0
      }
    }
    """
    if not hasattr(model, "state_dict") or not hasattr(model, "named_parameters"):
        message = f"save takes a model and a path, in this order, got {type(model).__name__} and {type(path).__name__}"
        raise TypeError(message)
    numbers = {name: number if math.isfinite(number) else repr(number) for name, number in model.state_dict().items()}
    content = {"format": FORMAT, "version": VERSION, "model": _shown(model), "parameters": numbers}
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_atomic(Path(path), text.encode())
    return Path(path)


def load(model: Module, path: str | os.PathLike[str], *, strict: bool = True) -> Any:
    """Set the model's parameters to those of a file that `save` wrote; return the names missing and unknown.

    Raises `SavedFileError` for a file that is damaged, foreign or of a later version, `ValueError` for one of another
    model (unless `strict=False`, see `Module.load_state_dict`), `OSError` for one that cannot be read; the model is
    then as it was.

    >>> import tempfile
    >>> from microgradlib.nn import MLP
    >>> one, other = MLP([2, 3, 1], rng=0), MLP([2, 3, 1], rng=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     differences = load(other, save(one, Path(folder, "model.json")))
    >>> differences, one.state_dict() == other.state_dict()
    (([], []), True)
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:
        message = f"{path} is no JSON file, or is damaged: {error}"
        raise SavedFileError(message) from None
    return model.load_state_dict(_parameters(content, path), strict=strict)


def _parameters(content: Any, path: Path) -> dict[str, float]:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        message = f'{path} is not a file that save wrote: it has no "format": "{FORMAT}"'
        raise SavedFileError(message)
    version = content.get("version")
    if version != VERSION or type(version) is not int:
        message = f"{path} has version {version!r} of the format, but this library reads version {VERSION}: update it"
        raise SavedFileError(message)
    numbers = content.get("parameters")
    if not isinstance(numbers, dict):
        message = f'{path} is damaged: "parameters" is not an object of names and numbers'
        raise SavedFileError(message)
    return {name: _number(name, number, path) for name, number in numbers.items()}


def _number(name: str, number: Any, path: Path) -> float:
    if isinstance(number, str) and number in _NOT_IN_JSON:
        return _NOT_IN_JSON[number]
    if isinstance(number, (int, float)) and not isinstance(number, bool) and abs(number) < math.inf:
        try:
            return float(number)
        except OverflowError:
            pass
    message = f"{path} is damaged: parameter {name!r} is {str(number)[:40]}, not a number that a float can hold"
    raise SavedFileError(message)


def _refuse_constant(constant: str) -> None:
    message = f"{constant} is not JSON"
    raise ValueError(message)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        message = f"{next(name for name in names if names.count(name) > 1)!r} occurs twice"
        raise ValueError(message)
    return content


def _shown(model: Module) -> str:
    text = repr(model)
    return text if len(text) <= 200 and " at 0x" not in text else type(model).__name__
