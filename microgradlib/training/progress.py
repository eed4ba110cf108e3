"""Progress display: a bar that tqdm draws where it is installed, else one updated line; in terminals and notebooks."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import time
from typing import TYPE_CHECKING, Any

from microgradlib._support.notebook import ChangingOutput, in_notebook
from microgradlib._support.optional import import_optional
from microgradlib.errors import MissingExtraError

if TYPE_CHECKING:
    from microgradlib.training.history import History

__all__ = ["Progress"]

_INTERVAL = 0.1
"""Seconds between two lines in a notebook."""


class Progress:
    """Show how many of `total` epochs are completed, with a line of text, on standard error or in a notebook's cell.

    `show`: True always, False never, None in a terminal and in a notebook. In a notebook it is a widget where
    ipywidgets is installed, else a line of the cell's output that is replaced; nothing is written to standard error,
    which notebooks show on red.
    """

    def __init__(self, total: int, *, show: bool | None = None) -> None:
        self.total, self.done = total, 0
        self.bar: Any = None
        self._output, self._line, self._shown_at = ChangingOutput(), "", 0.0
        self.notebook = in_notebook()
        console = sys.stderr is not None  # it is None if Python runs without one
        self.terminal = console and sys.stderr.isatty()
        self.shown = (self.notebook or console) and (self.terminal or self.notebook if show is None else show)
        if self.shown and (not self.notebook or importlib.util.find_spec("ipywidgets") is not None):
            self.bar = self._tqdm_bar()

    def _tqdm_bar(self) -> Any:
        module, settings = ("tqdm.notebook", {}) if self.notebook else ("tqdm.auto", {"file": sys.stderr})
        try:
            return import_optional(module, "a progress bar").tqdm(total=self.total, unit="epoch", **settings)
        except MissingExtraError:
            return None

    def advance(self, history: History) -> None:
        """Count one more epoch and show the numbers of the last one."""
        self.done += 1
        if self.bar is not None:
            self.bar.set_postfix_str(history.line(), refresh=False)
            self.bar.update()
        elif self.shown:
            self._show_line(f"epoch {self.done} of {self.total}: {history.line()}")

    def _show_line(self, line: str) -> None:
        """Show a line in the place of the one before; in a file, of every tenth of the epochs one."""
        if self.notebook:
            self._line = line
            if time.monotonic() - self._shown_at >= _INTERVAL:
                self._output.show({"text/plain": line})
                self._line, self._shown_at = "", time.monotonic()
        elif self.terminal:
            width = shutil.get_terminal_size().columns - 1  # a wrapped line could not be overwritten
            sys.stderr.write(f"\r\x1b[K{line[:width]}")
            sys.stderr.flush()
        elif self.done * 10 // self.total > (self.done - 1) * 10 // self.total:
            sys.stderr.write(f"{line}\n")

    def write_line(self, text: str) -> None:
        """Show `text` on a separate line."""
        if self.shown and self.notebook:
            sys.stdout.write(f"{text}\n")
        elif self.bar is not None:
            self.bar.write(text, file=sys.stderr)
        elif self.shown:
            sys.stderr.write(f"{text}\n")

    def close(self) -> None:
        """End the progress line."""
        if self.bar is not None:
            self.bar.close()
            if self.notebook and self.done < self.total:
                self.bar.display(bar_style="info", check_delay=False)  # a run that ended early is no error, in red
        elif self._line:
            self._output.show({"text/plain": self._line})
        elif self.shown and self.terminal and self.done and not self.notebook:
            sys.stderr.write("\n")
