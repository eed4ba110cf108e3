"""Whether this program runs in a notebook, and what only notebooks can do: outputs of a cell that change."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["ChangingOutput", "in_notebook", "interactive_shell"]


def interactive_shell() -> Any:
    """Return IPython's shell, None if this does not run in one. IPython is looked at, not imported."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def in_notebook() -> bool:
    """Return whether this runs in a Jupyter kernel, which can change what a cell has shown.

    >>> in_notebook()
    False
    """
    return hasattr(interactive_shell(), "kernel")


class ChangingOutput:
    """One output of the running cell, as a dict from MIME types to data, that `show` replaces by another."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, data: dict[str, Any]) -> None:
        """Show `data` in the place of what was shown before."""
        display = sys.modules["IPython"].display
        if self._handle is None:
            self._handle = display.display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)
