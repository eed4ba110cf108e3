"""A cache on disk of code: only files that their owner alone can write are believed, and no failure is an error."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from microgradlib._support.files import write_atomic

__all__ = ["cached", "folder"]

MOST_BYTES = 256 << 20
"""So much is kept; what was used last longest ago goes first."""

FOLDERS = {"win32": ("LOCALAPPDATA", "AppData/Local"), "darwin": ("XDG_CACHE_HOME", "Library/Caches")}
"""The variable that names the user's folder for caches, and what it is without, of systems that have their own."""

HEAD, MAGIC, SUFFIX = struct.Struct("<8s32sQ32s"), b"mgnative", ".native"
"""A file is magic, key, length and SHA-256 of what follows, then that."""


def cached(key: str | None, make: Callable[[], bytes]) -> bytes:
    """Return what was made for this key before, by this process or another, else what `make` gives, and keep it.

    The folder is `MICROGRADLIB_CACHE_DIR`, else the system's for caches of this user; "off", or nothing, is no folder.
    None is no key: it is made anew.
    """
    path = folder()
    if key is None or path is None:
        return make()
    found = _read(path, key)
    if found is None:
        found = make()
        _write(path, key, found)
    return found


def folder() -> Path | None:
    """Return the folder of the cache, which need not exist; None where there is to be none."""
    own = os.environ.get("MICROGRADLIB_CACHE_DIR")
    if own is not None:
        return Path(own).absolute() / "native" if own not in ("", "off") else None
    name, default = FOLDERS.get(sys.platform, ("XDG_CACHE_HOME", ".cache"))
    given = Path(os.environ.get(name, ""))
    try:
        return (given if given.is_absolute() else Path.home() / default) / "microgradlib" / "native"
    except RuntimeError:  # a user without a home
        return None


def _is_own(status: os.stat_result) -> bool:
    """Whether a file or folder is this user's, and nobody else may write to it. What is in it will be executed."""
    return not hasattr(os, "geteuid") or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)


def _read(path: Path, key: str) -> bytes | None:
    """Return what is kept for a key; None if nothing is, or the file is another's, damaged, or of another key."""
    file, flags = path / (key + SUFFIX), os.O_RDONLY
    for name in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):
        flags |= getattr(os, name, 0)
    try:
        if not _is_own(path.stat()):
            return None
        with os.fdopen(os.open(file, flags), "rb") as opened:
            status = os.fstat(opened.fileno())
            if not stat.S_ISREG(status.st_mode) or not _is_own(status) or status.st_size > MOST_BYTES:
                return None
            head, content = opened.read(HEAD.size), opened.read(MOST_BYTES)
    except OSError:
        return None
    if head != _head(key, content):
        return None
    with suppress(OSError):
        os.utime(file)
    return content


def _write(path: Path, key: str, content: bytes) -> None:
    """Keep content for a key, if the folder can be written and is this user's own; make room for it."""
    with suppress(OSError):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_own(path.stat()) and HEAD.size + len(content) <= MOST_BYTES:
            write_atomic(path / (key + SUFFIX), _head(key, content) + content, private=True)
            _make_room(path)


def _head(key: str, content: bytes) -> bytes:
    return HEAD.pack(MAGIC, bytes.fromhex(key), len(content), hashlib.sha256(content).digest())


def _make_room(path: Path) -> None:
    """Remove the files that were used last longest ago, half written ones too, until the rest is small enough."""
    found = [file for file in path.iterdir() if SUFFIX in file.name]
    files = sorted([(status.st_mtime, status.st_size, file) for file in found for status in [file.lstat()]])
    total = sum([size for _, size, _ in files])
    for _, size, file in files:
        if total > MOST_BYTES:
            file.unlink(missing_ok=True)
            total -= size
