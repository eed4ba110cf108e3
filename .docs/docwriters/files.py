"""Generated files."""

from pathlib import Path

__all__ = ["write_if_new"]


def write_if_new(path: Path, content: str | bytes) -> None:
    """Write a file unless it is as it should be: Sphinx reads again what has a new date."""
    data = content.encode() if isinstance(content, str) else content
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)
