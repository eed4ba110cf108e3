"""Generated files."""

from pathlib import Path

__all__ = ["write_if_new"]


def write_if_new(path: Path, text: str) -> None:
    """Write a file unless it is as it should be: Sphinx reads again what has a new date."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
