"""Compiled programs on disk, in files that only their owner can have written; whatever fails, there is no cache."""

from __future__ import annotations

import hashlib
import marshal
import os
import stat
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from microgradlib._support.files import write_atomic
from microgradlib.compiler.instructions import Instruction
from microgradlib.compiler.llvm.machine import host
from microgradlib.compiler.planning.data import Plan, StridedView

__all__ = ["cached", "folder", "program_key"]

MOST_BYTES = 256 << 20
"""So much is kept; what was used last longest ago goes first."""

FOLDERS = {"win32": ("LOCALAPPDATA", "AppData/Local"), "darwin": ("XDG_CACHE_HOME", "Library/Caches")}
"""The variable that names the user's folder for caches, and what it is without, of systems that have their own."""

HEAD, MAGIC, SUFFIX = struct.Struct("<8s32sQ32s"), b"mgnative", ".native"
"""A file is magic, key, length and SHA-256 of what follows, then that."""

SOURCES = (
    "__init__.py",
    "_support/*.py",
    "ops/*.py",
    "compiler/planning/*.py",
    "compiler/llvm/*.py",
    "compiler/engines/native/*.py",
)
"""What native code depends on, besides the plan."""

READ = [field.name for field in fields(Instruction) if field.name not in ("op", "results", "operands", "cotangent_of")]


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


def program_key(plan: Plan, *settings: Any) -> str | None:
    """Return the key of the code of a plan, for settings that can be written as text; None where there is none.

    Code is made of the steps' views, not of the slots of their instructions, of the rows of leaves and results, and of
    the rules of the ops. The code of ops that the library does not define is not known by their names.
    """
    program, steps = plan.program, []
    for step in plan.steps:
        i = step.instruction
        if i is not None and not (getattr(i.op.value, "__module__", None) or "").startswith("microgradlib.ops."):
            return None
        what = i and (i.op.name, i.op.settings, *[getattr(i, name) for name in READ])
        steps.append((what, step.phase, *map(_written, (step.results, *step.operands))))
    leaves = program.input_order, program.parameter_order, program.constants, [shape for _, shape in program.arguments]
    spaces = [[o.space for o in operands] for operands in (program.seeds, program.outputs, program.cotangents)]
    rows = plan.rows, plan.constant_rows, plan.one_rows, plan.seed_rows, plan.output_rows, plan.cotangent_rows
    content = marshal.dumps((steps, leaves, spaces, rows, program.forward, repr(settings), _surroundings()), 2)
    return hashlib.sha256(content).hexdigest() if _surroundings() else None


def _written(view: Any) -> tuple[Any, ...]:
    if isinstance(view, StridedView):
        return view.space, view.start, view.sizes, view.steps
    return view.space, view.rows


@cache
def _surroundings() -> str | None:
    """Return a digest of the machine, of LLVM and of our sources; None where these are in an archive."""
    known = hashlib.sha256(repr((host(), sys.maxsize)).encode())
    for pattern in SOURCES:
        paths = sorted(Path(__file__).parents[3].glob(pattern))
        if not paths:
            return None
        for path in paths:
            known.update(path.read_bytes())
    return known.hexdigest()


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
            head, content = opened.read(HEAD.size), opened.read()
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
