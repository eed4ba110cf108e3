"""Write files atomically, and in the format of their suffix."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["save_as", "write_atomic"]


def save_as(path: str | os.PathLike[str], formats: Mapping[str, Callable[[], bytes]]) -> Path:
    """Write a file in the format of its suffix, and return its path; `formats` has what writes each suffix.

    Raises:
        TypeError: `path` is no path.
        ValueError: no format has the suffix.
        OSError: the file cannot be written; an old one is unchanged.

    >>> save_as("graph.jpg", {".svg": bytes, ".html": bytes})
    Traceback (most recent call last):
    ValueError: cannot save 'graph.jpg': the suffix '.jpg' is not one of .svg, .html
    """
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        message = f"save takes the path of a file, such as 'graph{next(iter(formats))}'; got {path!r:.80}"
        raise TypeError(message)
    target = Path(path)
    write = formats.get(target.suffix.lower())
    if write is None:
        message = f"cannot save {target.name!r}: the suffix {target.suffix!r} is not one of {', '.join(formats)}"
        raise ValueError(message)
    write_atomic(target, write())
    return target


def write_atomic(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replace `path` by a file with this content. Readers see either the old file or the complete new one.

    A `private` one is read and written by its owner alone, whatever the permissions of the old one were.

    Raises:
        OSError: the folder is missing, full or not writable, or the path is that of a folder; the old file, if any, is
            unchanged.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "greeting.txt")
    ...     write_atomic(target, b"hello")
    ...     target.read_bytes(), [file.name for file in Path(folder).iterdir()]
    (b'hello', ['greeting.txt'])
    """
    target = Path(os.path.realpath(path))  # a symbolic link is kept; the file it points to is replaced
    if not target.parent.is_dir():
        message = f"cannot write {str(path)!r}: there is no folder {str(target.parent)!r}; make it first"
        raise FileNotFoundError(message)
    if target.is_dir():
        message = f"cannot write {str(path)!r}: it is a folder; choose another name"
        raise IsADirectoryError(message)
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    try:
        if private:
            temporary.touch(0o600, exist_ok=False)
        temporary.write_bytes(content)
        if not private and target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))  # keep the permissions of the old file
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
