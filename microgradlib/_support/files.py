"""Write files atomically."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

__all__ = ["write_atomic"]


def write_atomic(path: Path, content: bytes) -> None:
    """Replace `path` by a file with this content. Readers see either the old file or the complete new one.

    Raises:
        OSError: the folder is missing, full or not writable; the old file, if any, is unchanged.

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
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(content)
        if target.exists():
            temporary.chmod(stat.S_IMODE(target.stat().st_mode))  # keep the permissions of the old file
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
