"""Whose variables give names: the innermost frame of the user's code, and the variables that it sees."""

from __future__ import annotations

import os
import sys
from os.path import dirname
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.source_lines import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType

__all__ = ["is_public", "public", "users_frame", "users_variables"]

INTERACTIVE: Final = frozenset({"In", "Out", "exit", "quit", "get_ipython"})
"""Variables that IPython puts among the user's."""

_STANDARD: Final = dirname(os.__file__) + os.sep  # noqa: PTH120  as text, as the frames' file names are


def users_frame() -> FrameType | None:
    """Return the innermost frame of the user's code: the cell, script or function that asked for a picture.

    Frames of this package, of the standard library and of installed packages are left out: those that show results in
    a notebook or run a thread. None if there is no other.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_installed(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def _is_installed(file: str) -> bool:
    return file.startswith((PACKAGE, _STANDARD, "<frozen ")) or "site-packages" in file or "dist-packages" in file


def users_variables(frame: FrameType | None) -> list[dict[str, Any]]:
    """Return the variables that a frame sees, by name: its locals, then the globals that they do not hide.

    Private ones are left out, and those that IPython puts among the user's.
    """
    if frame is None:
        return []
    if frame.f_locals is frame.f_globals:
        return [public(frame.f_globals)]
    seen = frame.f_locals
    return [public(seen), public({name: thing for name, thing in list(frame.f_globals.items()) if name not in seen})]


def public(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return variables without private ones, IPython's, and those whose names no program can write."""
    return {name: thing for name, thing in list(variables.items()) if is_public(name) and name not in INTERACTIVE}


def is_public(name: Any) -> bool:
    """Return whether a name is one that a program can write, and does not begin with `_`."""
    return isinstance(name, str) and name.isidentifier() and not name.startswith("_")
