"""What native code depends on beside its program: the machine, LLVM, and the sources that write it."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path

from microgradlib.compiler.llvm.machine import host

__all__ = ["surroundings"]

SOURCES = (
    "__init__.py",
    "_support/*.py",
    "ops/*.py",
    "compiler/planning/*.py",
    "compiler/llvm/*.py",
    "compiler/engines/*.py",
    "compiler/engines/native/*.py",
)
"""The sources, in the package's folder."""


@cache
def surroundings() -> str | None:
    """Return a digest of the machine, of LLVM and of our sources; None where these are in an archive."""
    known = hashlib.sha256(repr((host(), sys.maxsize)).encode())
    for pattern in SOURCES:
        paths = sorted(Path(__file__).parents[2].glob(pattern))
        if not paths:
            return None
        for path in paths:
            known.update(path.read_bytes())
    return known.hexdigest()
