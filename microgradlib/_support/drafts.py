"""Drafts: the files under names of their own that become a saved file all at once, and their removal after a kill."""

from __future__ import annotations

import os
import re
import secrets
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

with suppress(ImportError):  # not on Windows, where nobody can remove a file that another process has open
    import fcntl
HAS_LOCKS: Final = hasattr(globals().get("fcntl"), "flock")
"""In a browser there may be an empty module of that name."""

__all__ = ["draft_for", "hold", "open_draft", "remove_dead_drafts"]

NAME = re.compile(r"\.microgradlib-[0-9a-f]{16}\.draft")
OLD = 3600.0
"""The age in seconds from which a draft is dead where nothing else tells: without locks on files."""


def draft_for(target: Path) -> Path:
    """Return a new name in the folder of `target`, short enough for any file system whatever the target's is."""
    return target.with_name(f".microgradlib-{secrets.token_hex(8)}.draft")


def open_draft(draft: Path, mode: int) -> BinaryIO:
    """Return the draft as a new file, open for writing, with these permissions less those that the umask takes."""
    return open(draft, "xb", opener=lambda path, flags: os.open(path, flags, mode))


def hold(file: BinaryIO, draft: Path) -> bool:
    """Lock an open draft, so that nobody takes it for dead; say whether it is still there.

    The system takes the lock back when the process ends, whatever ended it, also on other machines and in containers
    that share the folder, whose processes have numbers of their own.
    """
    if sys.platform != "win32" and HAS_LOCKS:
        with suppress(OSError):  # a file system without locks, where OLD holds
            fcntl.flock(file.fileno(), fcntl.LOCK_EX)
    return draft.exists()


def remove_dead_drafts(folder: Path) -> None:
    """Remove the drafts in a folder that a process left behind when it was killed; it is no error if that fails."""
    with suppress(OSError):
        with os.scandir(folder) as entries:
            drafts = [Path(entry.path) for entry in entries if NAME.fullmatch(entry.name)]
        for draft in drafts:
            with suppress(OSError):
                _remove_if_dead(draft)


def _remove_if_dead(draft: Path) -> None:
    if sys.platform != "win32" and HAS_LOCKS:
        number = os.open(draft, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(number)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # somebody is writing it
                return
            except OSError:
                if not _is_old(status):
                    return
            if stat.S_ISREG(status.st_mode):
                draft.unlink()
        finally:
            os.close(number)
    elif _is_old(draft.lstat()):
        draft.unlink()


def _is_old(status: os.stat_result) -> bool:
    return time.time() - status.st_mtime > OLD
