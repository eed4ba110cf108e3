"""The stepper of one graph as an object: a page in a notebook, a file, or lines of text."""

from __future__ import annotations

import html
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.files import save_as
from microgradlib._support.notebook import in_notebook
from microgradlib.viz.numbers import counted
from microgradlib.viz.picture import mime_bundle
from microgradlib.viz.stepper.page_build import frame_html, page_html
from microgradlib.viz.stepper.sentences import sentences
from microgradlib.viz.stepper.widget import TWIN, make_widget
from microgradlib.viz.stepper.words import say

if TYPE_CHECKING:
    import os
    from collections.abc import Container
    from pathlib import Path

    from microgradlib.viz.captions import Language
    from microgradlib.viz.stepper.tapes.subject import Level, Subject
    from microgradlib.viz.theme import Theme

__all__ = ["HEIGHT", "Explanation", "Settings"]

HEIGHT: Final = 760
"""Pixels of the page in a notebook."""
_LINES: Final = 30
"""So many lines are shown where only text can be."""


@dataclass(frozen=True)
class Settings:
    """How the stepper of a graph begins: the arguments of `explain` of these names, `title` as it is shown."""

    title: str = ""
    lang: Language = "en"
    theme: Theme | None = None
    mode: str = "reverse"
    bug: str | None = None
    collapse: str | int | None = None
    height: int = HEIGHT


class Explanation:
    """The stepper of one graph: `mg.explain` makes it. A notebook displays it; `save` writes one HTML file.

    `html` is a page that needs no network and no kernel, `tape` the data that it shows, `frames` the steps of the pass
    that it begins with, `lines` these steps in words, with their numbers, and `text` all of it for a terminal.
    """

    def __init__(self, subject: Subject, settings: Settings) -> None:
        self._subject = subject
        self._settings = settings

    @cached_property
    def _shown(self) -> tuple[list[Level], int | None]:
        return self._subject.levels(self._settings.collapse)

    @cached_property
    def tape(self) -> dict[str, Any]:
        """Everything that the page shows, as JSON has it."""
        keys = ("title", "lang", "theme", "bug", "mode")
        chosen = {key: getattr(self._settings, key) for key in keys}
        return {**self._subject.tape(*self._shown), **chosen, "live": False}

    @property
    def level(self) -> dict[str, Any]:
        """The level of detail that is shown first."""
        level: dict[str, Any] = self.tape["levels"][self.tape["start"]]
        return level

    @property
    def frames(self) -> list[dict[str, Any]]:
        """The steps of the first pass: what happens at each, without numbers."""
        frames: list[dict[str, Any]] = self.level["passes"][self._settings.mode]
        return frames

    @property
    def lines(self) -> list[str]:
        """The steps of the first pass in words, with their numbers."""
        return sentences(self.level, self._settings.mode, self._settings.lang)

    @property
    def text(self) -> str:
        """The steps for a terminal."""
        return "\n".join([repr(self), *[f"  {line}" for line in self.lines]])

    @property
    def _heading(self) -> str:
        return self._settings.title or say(self._settings.lang, "steps_title")

    @cached_property
    def html(self) -> str:
        """One self-contained page."""
        return page_html(self.tape, title=self._heading, lang=self._settings.lang, theme=self._settings.theme)

    def _file(self) -> bytes:
        return self.html.encode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file, which opens from disk without network, and return the path.

        Raises:
            TypeError: `path` is no path.
            ValueError: the suffix is not .html or .htm.
            OSError: the file cannot be written.

        """
        return save_as(path, dict.fromkeys((".html", ".htm"), self._file))

    def __repr__(self) -> str:
        title = f" of {self._settings.title}" if self._settings.title else ""
        counts = f"{counted(len(self.level['nodes']), 'node')}, {counted(len(self.frames) - 1, 'step')}"
        return f"<Explanation{title}: {counts}>"

    @property
    def _short_text(self) -> str:
        lines = self.text.splitlines()
        if len(lines) <= _LINES:
            return "\n".join(lines)
        return "\n".join([*lines[:_LINES], f"  … {len(lines) - _LINES} more: print(explanation.text)"])

    @cached_property
    def widget(self) -> Any:
        """The live widget: the same page, whose sliders are answered by Python's own Values.

        Raises:
            MissingExtraError: anywidget is not installed.

        """
        return make_widget(self._subject, self.tape, self._shown[0], self._settings.height)

    def _page(self, twin: str = "") -> str:
        """Return the page in a frame of its own, so that its styles and scripts and the notebook's stay apart.

        The steps in words stand below, folded: what is left of it in a notebook that is not trusted. `twin` is the id
        of a live widget, which hides it.
        """
        frame = frame_html(self.html, title=self._heading, height=self._settings.height)
        words = html.escape(say(self._settings.lang, "in_words"))
        text = f"<details><summary>{words}</summary><pre>{html.escape(self._short_text)}</pre></details>"
        mark = f' {TWIN}="{twin}"' if twin else ""
        return f"<div{mark}>{frame}{text}</div>"

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, Any]:
        return mime_bundle({"text/html": self._page, "text/plain": lambda: self._short_text}, include, exclude)

    def _ipython_display_(self) -> None:
        """Show the live widget, and the page of the file, which is seen wherever the widget is not alive.

        That is in a notebook opened later, in one written as HTML, and where widgets are not installed.
        """
        if not in_notebook() or find_spec("anywidget") is None:
            raise NotImplementedError  # IPython then asks for the MIME bundle
        show = sys.modules["IPython"].display.display
        show({**_data_of(self.widget), "text/plain": repr(self)}, raw=True)
        show({"text/html": self._page(self.widget.twin), "text/plain": self._short_text}, raw=True)


def _data_of(widget: Any) -> dict[str, Any]:
    """Return the reference to a widget by which a notebook finds it."""
    bundle = widget._repr_mimebundle_()
    data: dict[str, Any] = bundle[0] if isinstance(bundle, tuple) else bundle
    return {form: content for form, content in data.items() if form.startswith("application/")}
