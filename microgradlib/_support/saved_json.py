"""Read and write saved files: JSON with a format name, a version and checksums; floats are stored exactly.

Everything that the library reads back goes through `FileFormat.read`, with the same limits. A new version of a format:

1. Give the `FileFormat` the next number, and put the one before into `older`.
2. Write a function from the content of that version to the content of the new one, and call it after `read`.
3. Put a small file of the new version into `tests/saved_files/`, whose test says what it holds. The files there are
   never changed, nor removed: every file that was saved loads for ever.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from microgradlib._support.checks import boolean, whole_number
from microgradlib._support.checksum import checksum
from microgradlib._support.files import file_path, read_limited, write_atomic
from microgradlib._support.shown import shown
from microgradlib._support.strict_json import check_depth, parse_json
from microgradlib.errors import SavedFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["MAX_BYTES", "FileFormat", "damaged", "decode_float", "decode_floats", "encode_float"]

MAX_BYTES: Final = 100_000_000
"""Default of `max_bytes` of all that loads files. Two million parameters are so large."""
BYTES_OF_A_PART: Final = 20
"""Larger files than most have at least so many bytes for each list, object and text in them."""
_NOT_IN_JSON = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


class FileFormat(NamedTuple):
    """A format of saved files: its name, the version that this library writes, and the older ones that it reads too.

    Versions from `sealed` on hold a checksum of each part: a number that changed by itself is found.

    >>> import tempfile
    >>> example = FileFormat("an example", 1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = example.write(Path(folder, "example.json"), {"numbers": [1.0, encode_float(math.inf)]})
    ...     print(path.read_text(), end="")
    ...     example.read(path)["numbers"]
    {"format": "an example", "version": 1, "numbers": [1.0, "inf"], "checksums": {"numbers": "399da05c078f542b"}}
    [1.0, 'inf']
    """

    name: str
    version: int
    older: tuple[int, ...] = ()
    sealed: int = 1

    def write(self, path: str | os.PathLike[str], content: Mapping[str, Any], *, by_line: bool = False) -> Path:
        """Write `content` with the format's name and version, and return the path; the file is replaced atomically.

        With `by_line` each part, and each entry of an object that is a part, has a line of its own.

        Raises:
            TypeError: `path` is no path.
            ValueError: `content` holds a nan or an infinite float, which JSON cannot represent: use `encode_float`.
            OSError: the file cannot be written; an old file is unchanged.

        """
        target = file_path(path, "save", "model.json")
        sealed = self.with_checksums(content)
        lines = [f"{_text(key)}: {_by_line(part) if by_line else _text(part)}" for key, part in sealed.items()]
        text = "{\n  " + ",\n  ".join(lines) + "\n}\n" if by_line else "{" + ", ".join(lines) + "}\n"
        del lines
        # half of a pair of surrogates, which is no character, becomes the escape of JSON
        encoded = text.encode("utf-8", "backslashreplace")
        del text
        check_depth(encoded)
        write_atomic(target, encoded)
        return target

    def with_checksums(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the content as it is written: behind the format's name and version, with checksums of its parts."""
        parts = {name: part for name, part in content.items() if name not in {"format", "version", "checksums"}}
        head = {"format": self.name, "version": self.version}
        return {**head, **parts, "checksums": {name: _checksum(head, name, part) for name, part in parts.items()}}

    def read(self, path: str | os.PathLike[str], *, check: bool = True, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
        """Return the content of a file written by `write`, with the keys "format" and "version".

        `check=False` reads it whatever its checksums are. `max_bytes` is the size above which files are refused, before
        they are read.

        Raises:
            TypeError: `path` is no path.
            SavedFileError: the file is too large, not JSON, of another format or version, or a checksum differs.
            OSError: the file cannot be read.

        """
        source, check = file_path(path, "load", "model.json"), boolean(check, "check")
        most = whole_number(max_bytes, "max_bytes", example=MAX_BYTES)
        try:
            encoded = read_limited(source, most, begins=b"{[")
        except ValueError as error:
            message = f"{path} is too large: {error}"
            raise SavedFileError(message) from None
        try:
            content = parse_json(encoded, most // BYTES_OF_A_PART)
        except (ValueError, RecursionError) as error:
            message = f"{path} is not a JSON file, or is damaged: {_reason(error)}"
            raise SavedFileError(message) from None
        if not isinstance(content, dict) or content.get("format") != self.name:
            message = f'{path} is not a file that save wrote: it has no "format": "{self.name}"'
            raise SavedFileError(message)
        self._check_version(content.get("version"), path)
        if check:
            self._check_parts(content, path)
        return content

    def _check_version(self, version: Any, path: str | os.PathLike[str]) -> None:
        if type(version) is not int or version not in (self.version, *self.older):
            is_later = type(version) is int and version > self.version
            advice = "a later microgradlib wrote it: update microgradlib" if is_later else "there is no such version"
            message = (
                f"{path} has version {shown(version)} of the format, but this library reads version {self.version} and "
                f"older ones: {advice}"
            )
            raise SavedFileError(message)

    def _check_parts(self, content: dict[str, Any], path: str | os.PathLike[str]) -> None:
        """Raise `SavedFileError` unless each part has its checksum; older files may have none at all."""
        given = content.get("checksums")
        if given is None and content["version"] < self.sealed:
            return
        sums = given if isinstance(given, dict) else {}
        head = {name: content[name] for name in ("format", "version")}
        parts = content.keys() - {"format", "version", "checksums"}
        wrong = [name for name in content if name in parts and sums.get(name) != _checksum(head, name, content[name])]
        wrong += [name for name in sums if name not in parts]
        if wrong:
            named = ", ".join([shown(name) for name in wrong[:5]]) + (", …" if len(wrong) > 5 else "")
            message = (
                f"{path} is damaged, or was edited: the checksum of {named} does not fit. Take an intact copy of the "
                "file; or, if it was edited on purpose, load it with check=False, and save it again"
            )
            raise SavedFileError(message)


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
    given = repr(number)[:40] if type(number) is int else shown(number)
    message = f"{given} is not a number that a float can hold"
    raise ValueError(message)


def decode_floats(numbers: Iterable[Any]) -> list[float]:
    """Return the floats that `encode_float` encoded, without a call for each where all are finite floats."""
    given = list(numbers)
    if set(map(type, given)) <= {float} and all(map(math.isfinite, given)):
        return given
    return list(map(decode_float, given))


def _checksum(head: Mapping[str, Any], name: str, part: Any) -> str:
    return checksum(f"{head['format']} {head['version']} {name}", part)


def _text(part: Any) -> str:
    return json.dumps(part, ensure_ascii=False, allow_nan=False)


def _by_line(part: Any) -> str:
    """Return an object with a line for each entry; `json.dumps(indent=…)` would be ten times slower."""
    if not (isinstance(part, dict) and part):
        return _text(part)
    text = json.dumps(part, ensure_ascii=False, allow_nan=False, separators=(",\n    ", ": "))
    return "{\n    " + text[1:-1] + "\n  }"


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"it is not text in UTF-8, from byte {error.start} on"
    if isinstance(error, RecursionError):
        return "there is too little stack for what is nested in it"
    return str(error)
