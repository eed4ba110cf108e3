"""Write a file whole or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path


def write_atomic(path: Path, content: bytes) -> None:
    """Replace `path` by a file with this content; whoever reads it sees the old file or the new one.

    Raises:
        OSError: the folder is missing, full or closed to us; the old file, if any, is untouched.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "greeting.txt")
    ...     write_atomic(target, b"hello")
    ...     target.read_bytes(), [file.name for file in Path(folder).iterdir()]
    (b'hello', ['greeting.txt'])
    """
    target = Path(os.path.realpath(path))  # a link stays a link; what it points to is replaced
    if not target.parent.is_dir():
        message = f"cannot write {str(path)!r}: there is no folder {str(target.parent)!r}; make it first"
        raise FileNotFoundError(message)
    draft = target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}")
    try:
        draft.write_bytes(content)
        if target.exists():
            draft.chmod(stat.S_IMODE(target.stat().st_mode))  # who may read it stays as it was
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
