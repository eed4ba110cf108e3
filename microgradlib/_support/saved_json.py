"""Read and write saved files: JSON with a format name and a version; floats are stored exactly."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib._support.files import write_atomic
from microgradlib.errors import SavedFileError

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

__all__ = ["FileFormat", "damaged", "decode_float", "encode_float"]

_NOT_IN_JSON = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class FileFormat(NamedTuple):
    """A format of saved files: its name, the version that this library writes, and the older ones that it reads too.

    >>> import tempfile
    >>> example = FileFormat("an example", 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = example.write(Path(folder, "example.json"), {"numbers": [1.0, encode_float(math.inf)]})
    ...     example.read(path)
    {'format': 'an example', 'version': 1, 'numbers': [1.0, 'inf']}
    """

    name: str
    version: int
    older: tuple[int, ...] = ()

    def write(self, path: str | os.PathLike[str], content: Mapping[str, Any], *, indent: int | None = None) -> Path:
        """Write `content` with the format's name and version, and return the path; the file is replaced atomically.

        Raises:
            ValueError: `content` holds a nan or an infinite float, which JSON cannot represent: use `encode_float`.
            OSError: the file cannot be written; an old file is unchanged.

        """
        complete = {"format": self.name, "version": self.version, **content}
        text = json.dumps(complete, indent=indent, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomic(Path(path), text.encode())
        return Path(path)

    def read(self, path: str | os.PathLike[str]) -> dict[str, Any]:
        """Return the content of a file written by `write`, with the keys "format" and "version".

        Raises:
            SavedFileError: the file is not JSON, repeats a key, or is of another format or version.
            OSError: the file cannot be read.

        """
        try:
            text = Path(path).read_text(encoding="utf-8")
            content = json.loads(text, parse_constant=_reject_constant, object_pairs_hook=_reject_repeated_keys)
        except (ValueError, RecursionError) as error:
            message = f"{path} is not a JSON file, or is damaged: {error}"
            raise SavedFileError(message) from None
        if not isinstance(content, dict) or content.get("format") != self.name:
            message = f'{path} is not a file that save wrote: it has no "format": "{self.name}"'
            raise SavedFileError(message)
        version = content.get("version")
        if version not in (self.version, *self.older) or type(version) is not int:
            message = (
                f"{path} has version {version!r} of the format, but this library reads version {self.version}: "
                "update microgradlib"
            )
            raise SavedFileError(message)
        return content


def damaged(path: str | os.PathLike[str], reason: str) -> SavedFileError:
    """Return the error for a file of the right format whose content is wrong.

    >>> damaged("model.json", "there are no parameters")
    SavedFileError('model.json is damaged: there are no parameters')
    """
    return SavedFileError(f"{path} is damaged: {reason}")


def encode_float(number: float) -> float | str:
    """Return a float in a form that JSON can represent: itself, or `"nan"`, `"inf"` or `"-inf"`.

    >>> encode_float(0.1), encode_float(-math.inf)
    (0.1, '-inf')
    """
    return number if math.isfinite(number) else repr(number)


def decode_float(number: Any) -> float:
    """Return the float that `encode_float` encoded.

    Raises:
        ValueError: `number` is anything else: other text, a bool, or a number beyond the range of a float.

    >>> decode_float(1), decode_float("-inf")
    (1.0, -inf)
    """
    if isinstance(number, str) and number in _NOT_IN_JSON:
        return _NOT_IN_JSON[number]
    if isinstance(number, (int, float)) and not isinstance(number, bool) and abs(number) < math.inf:
        try:
            return float(number)
        except OverflowError:
            pass
    message = f"{repr(number)[:40]} is not a number that a float can hold"
    raise ValueError(message)


def _reject_constant(constant: str) -> None:
    message = f"{constant} is not JSON"
    raise ValueError(message)


def _reject_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        message = f"{next(key for key in keys if keys.count(key) > 1)!r} occurs twice"
        raise ValueError(message)
    return content
