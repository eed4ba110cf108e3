"""Progress display: tqdm's bar where tqdm is installed, else one updated line; by default only in a terminal."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

from microgradlib._support.optional import import_optional
from microgradlib.errors import MissingExtraError

if TYPE_CHECKING:
    from microgradlib.training.history import History

__all__ = ["Progress"]


class Progress:
    """Show on standard error how many of `total` epochs are completed, with a line of text.

    `show`: True always, False never, None if standard error is a terminal.
    """

    def __init__(self, total: int, *, show: bool | None = None) -> None:
        self.total, self.done = total, 0
        terminal = sys.stderr is not None and sys.stderr.isatty()  # stderr is None if Python runs without a console
        self.shown = sys.stderr is not None and (terminal if show is None else show)
        self.bar: Any = None
        if self.shown:
            try:
                self.bar = import_optional("tqdm.auto", "a progress bar").tqdm(
                    total=total, unit="epoch", file=sys.stderr
                )
            except MissingExtraError:
                self.bar = None

    def advance(self, history: History) -> None:
        """Count one more epoch and show the numbers of the last one."""
        self.done += 1
        if self.bar is not None:
            self.bar.set_postfix_str(history.line(), refresh=False)
            self.bar.update()
        elif self.shown:
            self._write("\r\x1b[K", f"epoch {self.done} of {self.total}: {history.line()}")

    def _write(self, before: str, line: str, after: str = "") -> None:
        width = shutil.get_terminal_size().columns - 1  # a wrapped line could not be overwritten
        sys.stderr.write(f"{before}{line[:width]}{after}")
        sys.stderr.flush()

    def write_line(self, text: str) -> None:
        """Show `text` on a separate line."""
        if self.bar is not None:
            self.bar.write(text, file=sys.stderr)
        elif self.shown:
            self._write("", text, "\n")

    def close(self) -> None:
        """End the progress line."""
        if self.bar is not None:
            self.bar.close()
        elif self.shown and self.done:
            sys.stderr.write("\n")
