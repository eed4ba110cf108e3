"""Write files atomically, and in the format of their suffix; read files up to a limit of bytes."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.drafts import draft_for, hold, open_draft, remove_dead_drafts
from microgradlib._support.printable import shorten
from microgradlib._support.shown import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["file_path", "read_limited", "save_as", "write_atomic"]

PATIENCE: Final = 2.0 if os.name == "nt" else 0.0
"""For so many seconds a file that somebody reads is tried again: Windows refuses to replace one that is open."""
CHUNK: Final = 1 << 20
"""So many bytes are read at a time."""
_BEFORE: Final = b"\xef\xbb\xbf \t\r\n"
NOT_ON_WINDOWS: Final = re.compile(
    r'(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[1-9¹²³]) *(\..*)?|.*[\x00-\x1f<>:"/\\|?*].*|.*[ .]',
    re.IGNORECASE | re.DOTALL,
)
"""Names of devices, streams of other files, and names that Windows shortens."""


def file_path(path: Any, function: str, example: str) -> Path:
    """Return the path of a file, given as a str or `os.PathLike`.

    Raises `TypeError` for anything else, `ValueError` for one with a character that no path has.

    >>> file_path(3, "save", "model.json")
    Traceback (most recent call last):
    TypeError: save takes the path of a file, such as 'model.json'; got 3
    """
    if not isinstance(path, (str, os.PathLike)) or not isinstance(os.fspath(path), str):
        message = f"{function} takes the path of a file, such as {example!r}; got {shown(path)}"
        raise TypeError(message)
    if "\0" in os.fspath(path):
        message = f"{function} takes the path of a file, such as {example!r}; no path has a null character in it"
        raise ValueError(message)
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        message = f"{function} takes the path of a file, such as {example!r}; no path has {error.object[error.start]!a}"
        raise ValueError(message) from None
    return Path(path)


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
    target = file_path(path, "save", f"graph{next(iter(formats))}")
    write = formats.get(target.suffix.lower())
    if write is None:
        name, suffix = shorten(target.name, 200), shorten(target.suffix, 200)
        message = f"cannot save {name!r}: the suffix {suffix!r} is not one of {', '.join(formats)}"
        raise ValueError(message)
    write_atomic(target, write())
    return target


def write_atomic(path: Path, content: bytes, *, private: bool = False) -> None:
    """Replace `path` by a file with this content. Readers see either the old file or the complete new one.

    A draft in the same folder is written to the disk (fsync), then takes the place of the old file, whose permissions
    it has; a link is followed, and kept. What ends the process, or the machine, leaves the old file whole, and at most
    the draft, which the next save in the folder removes. Of several processes the last one's file stays.

    A `private` file is read and written by its owner alone, whatever the permissions of the old one were, and is not
    awaited on the disk: it is one that can be made again.

    Raises:
        OSError: the folder is missing, full or not writable, or the path is that of something else than a regular file
            (a folder, a device, a pipe, a link to itself) or of one that is write-protected; nothing has changed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "greeting.txt")
    ...     write_atomic(target, b"hello")
    ...     target.read_bytes(), [file.name for file in Path(folder).iterdir()]
    (b'hello', ['greeting.txt'])
    """
    try:
        old = _status(path)
        target = Path(os.path.realpath(path))
        _check(path, target, old, private=private)
        remove_dead_drafts(target.parent)
        mode = stat.S_IMODE(old.st_mode) if old and not private else None
        while not _replaced(target, content, mode, private=private):  # a draft was taken for dead before it was held
            pass
    except OSError as error:
        raise _about(path, error) from None


def _replaced(target: Path, content: bytes, mode: int | None, *, private: bool) -> bool:
    """Write a draft and put it in the place of the target; return False, without it, if the draft vanished at once."""
    draft = draft_for(target)
    try:
        with open_draft(draft, 0o666 if mode is None and not private else 0o600) as file:
            if not hold(file, draft):
                return False
            file.write(content)
            file.flush()
            if not private:
                _await_disk(file.fileno())
            if mode is not None:
                draft.chmod(mode)
            if os.name == "nt":  # an open file can be neither moved nor removed there
                file.close()
            _replace(draft, target)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    return True


def _await_disk(number: int) -> None:
    """Return when an open file is on its disk; at once where the file system has no such function."""
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:
            raise


def _replace(draft: Path, target: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(PermissionError):
            draft.replace(target)
            return
        time.sleep(0.02)
    draft.replace(target)


def _status(path: Path) -> os.stat_result | None:
    """Return the status of the file to which a path leads, None if there is none; a link to itself is an error."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _check(path: Path, target: Path, old: os.stat_result | None, *, private: bool) -> None:
    """Raise `OSError` unless the target is a regular file that may be written, or there is none in a folder."""
    beginning = f"cannot write {shorten(os.fspath(path), 200)!r}: "
    if not target.parent.is_dir():
        message = f"there is no folder {shorten(str(target.parent), 200)!r}; make it first"
        raise FileNotFoundError(beginning + message)
    if old is not None and stat.S_ISDIR(old.st_mode):
        raise IsADirectoryError(beginning + "it is a folder; choose another name")
    if os.name == "nt" and NOT_ON_WINDOWS.fullmatch(target.name):
        raise OSError(beginning + "Windows has no files of this name; choose another one")
    if old is not None and (not stat.S_ISREG(old.st_mode) or _is_of_the_system(path)):
        raise OSError(beginning + "it is a device, a pipe or a socket, not a regular file; choose another name")
    if old is not None and not private and not os.access(target, os.W_OK):
        raise PermissionError(beginning + "it is write-protected; choose another name, or make it writable")


def _is_of_the_system(path: Path) -> bool:
    """Say whether a path is one of the system's links to open files, such as /dev/stdout where that is redirected."""
    folder = os.path.realpath(path.parent)
    return path.is_symlink() and re.match("/(dev|proc)(/|$)", folder) is not None


def read_limited(path: Path, most: int, begins: bytes = b"") -> bytes:
    """Return the content of a file, of a pipe or device too, if it has at most so many bytes.

    Of what begins with none of the bytes `begins`, after a byte-order mark and spaces, the first `CHUNK` is returned.

    Raises `ValueError` for what is larger, before it is read where its size is known; `OSError` if it cannot be read.

    >>> read_limited(Path(os.devnull), most=100)
    b''
    """
    try:
        return _read(path, most, begins)
    except OSError as error:
        raise _about(path, error) from None


def _read(path: Path, most: int, begins: bytes) -> bytes:
    content = bytearray()
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        while size <= most and (chunk := file.read(min(CHUNK, most + 1 - len(content)))):
            if begins and not content and chunk.lstrip(_BEFORE)[:1] not in begins:
                return chunk
            content += chunk
            size = max(size, len(content))
    if size > most:
        has = f"it has {size:,} bytes" if size > most + 1 else "it is larger"
        message = f"{has}, and {most:,} are read at most; if that is meant, load it with a higher max_bytes"
        raise ValueError(message)
    return bytes(content)


def _about(path: Path, error: OSError) -> OSError:
    """Return an error of the system with the path that was given, shortened; it may name a draft, or nothing."""
    return OSError(error.errno, error.strerror, shorten(os.fspath(path), 200)) if error.errno else error
