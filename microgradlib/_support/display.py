"""How results show themselves: by functions of higher rooms, which the package puts here when it is imported.

What is shown in cells is written by `microgradlib.viz.cells`, which knows names and colours, and compiled programs by
`microgradlib.listing` and `microgradlib.source`; the classes that show themselves lie below and know only this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Renderer = Callable[[str, object, "int | None"], "str | None"]
    Namer = Callable[[Sequence[Any]], dict[Any, str]]

__all__ = [
    "SCREEN", "InFull", "ShowsItself", "drawing", "html", "latex", "listing", "names", "set_namer",
    "set_program_writers", "set_renderer", "source", "text",
]  # fmt: skip

SCREEN = 30
"""The most rows that a table shows where nothing else is asked for; of a longer one, as many in all of both ends."""

_renderers: list[Renderer] = []
_namers: list[Namer] = []
_program_writers: list[Callable[..., Any]] = []


def set_renderer(renderer: Renderer) -> None:
    """Let renderer(form, thing, rows) write things from now on, in the form "html", "latex" or "text"."""
    _renderers[:] = [renderer]


def set_namer(namer: Namer) -> None:
    """Let namer(nodes) name the nodes of a graph from now on: by labels, paths of parameters and users' variables."""
    _namers[:] = [namer]


def set_program_writers(listing: Callable[[Any], str], drawing: Callable[..., Any], source: Callable[..., str]) -> None:
    """Let listing(program), drawing(program, **options) and source(program, **options) write compiled programs."""
    _program_writers[:] = [listing, drawing, source]


def listing(program: Any) -> str:
    """Return a compiled program as mathematics."""
    result: str = _program_writers[0](program)
    return result


def drawing(program: Any, **options: Any) -> Any:
    """Return the drawing of a compiled program."""
    return _program_writers[1](program, **options)


def source(program: Any, **options: Any) -> str:
    """Return a compiled program as text for a framework."""
    result: str = _program_writers[2](program, **options)
    return result


def names(order: Sequence[Any]) -> dict[Any, str]:
    """Return the names of the nodes that have one; `order` are all nodes of a graph, parents first."""
    return _namers[0](order) if _namers else {}


def html(thing: object, rows: int | None = SCREEN) -> str | None:
    """Return a thing as HTML, with at most so many rows (None: all); None if there is no such form of it."""
    return _renderers[0]("html", thing, rows) if _renderers else None


def latex(thing: object) -> str | None:
    """Return a thing as LaTeX between dollar signs; None if there is no such form of it."""
    return _renderers[0]("latex", thing, None) if _renderers else None


def text(thing: object, rows: int | None = SCREEN) -> str | None:
    """Return a thing as lines of text, with at most so many rows (None: all); None if there is no such form of it."""
    return _renderers[0]("text", thing, rows) if _renderers else None


class ShowsItself:
    """The base of classes whose objects notebooks show as HTML, and `show()` shows in full."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        return html(self)

    @in_plain_words
    def show(self, rows: int | None = None) -> InFull:
        """Return an object that shows all rows, or at most so many, in notebooks and terminals."""
        return InFull(self, None if rows is None else whole_number(rows, "rows", example=SCREEN))


class InFull:
    """A thing with as many rows as were asked for: notebooks show it as HTML, terminals as text."""

    def __init__(self, thing: object, rows: int | None) -> None:
        self.thing, self.rows = thing, rows

    def _repr_html_(self) -> str | None:
        return html(self.thing, self.rows)

    def __repr__(self) -> str:
        return text(self.thing, self.rows) or repr(self.thing)
