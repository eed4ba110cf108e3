"""The base class of drawings and charts: display in notebooks and saving to files."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, Protocol

from microgradlib._support.absent import lacking
from microgradlib._support.files import save_as
from microgradlib._support.other_names import ADVICE_ON_PICTURES
from microgradlib.viz.html import State, page_part, svg_document, whole_page
from microgradlib.viz.theme import colours

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Container, Mapping, Sequence
    from pathlib import Path

_HTML: Final = "text/html"
_SVG: Final = "image/svg+xml"
_TEXT: Final = "text/plain"


class Canvas(Protocol):
    """What paints itself in given colours: the content of an `<svg>` element."""

    @property
    def width(self) -> float:
        """Its natural width, in pixels."""

    @property
    def height(self) -> float:
        """Its natural height, in pixels."""

    @property
    def title(self) -> str:
        """One sentence, for screen readers."""

    @property
    def text(self) -> str:
        """The picture in words, one part a line."""

    def markup(self, colour: Callable[[str], str], prefix: str) -> str:
        """Return its markup.

        Args:
            colour: the function from a role to its colour, see `theme.colours`.
            prefix: the start of all ids.

        """


@lacking(ADVICE_ON_PICTURES)
class Picture(ABC):
    """A picture with an SVG form, an HTML form and a text form. Jupyter displays it; `save` writes it to a file."""

    __slots__ = ()

    @property
    @abstractmethod
    def svg(self) -> str:
        """The picture as an SVG document of its natural size."""

    @property
    @abstractmethod
    def html(self) -> str:
        """The picture as HTML: as wide as the page allows, up to its natural size, in the page's theme."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The picture in words, for terminals, screen readers and where no pictures are shown."""

    @property
    @abstractmethod
    def _title(self) -> str:
        """One sentence: the title of a page of its own."""

    def _encoders(self) -> Mapping[str, Callable[[], bytes]]:
        """Return the supported suffixes, each with a function that returns the bytes of a file in that format."""
        return {".svg": self._svg_file, ".html": self._html_file}

    def _svg_file(self) -> bytes:
        return self.svg.encode()

    def _html_file(self) -> bytes:
        return whole_page(self.html, title=self._title).encode()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the format of the suffix, and return the path.

        The file is replaced atomically: after an error, an old file is unchanged.

        Raises:
            TypeError: `path` is no path.
            ValueError: the suffix is not one of the supported formats.
            MissingExtraError, DrawingError: the format needs Graphviz, see `Drawing`.
            OSError: the file cannot be written.

        """
        return save_as(path, self._encoders())

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        forms = {_HTML: lambda: self.html, _SVG: lambda: self.svg, _TEXT: lambda: self.text}
        return mime_bundle(forms, include, exclude)


def mime_bundle(
    forms: Mapping[str, Callable[[], str]], include: Container[str] | None, exclude: Container[str] | None
) -> dict[str, str]:
    """Return the forms that a notebook asks for, of those to include (None: all) less those to exclude.

    >>> mime_bundle({"text/plain": lambda: "y", "text/html": lambda: "<p>y"}, None, {"text/html"})
    {'text/plain': 'y'}
    """
    asked = [form for form in forms if not include or form in include]
    return {form: forms[form]() for form in asked if not exclude or form not in exclude}


def file_svg(canvas: Canvas, theme: str) -> str:
    """Return a picture as an SVG document with an id made from its content; equal pictures give the same text.

    Args:
        canvas: the picture.
        theme: `"light"` or `"dark"`.

    """
    name = _id(canvas.title + canvas.text)
    return _renamed(svg_document(_state(canvas, theme, name), name=name), name)


def page_html(canvases: Sequence[Canvas], moves: Sequence[Mapping[str, int]] = ({},), theme: str | None = None) -> str:
    """Return a picture as HTML, see `html.page_part`.

    Args:
        canvases: its states; the first is shown at first.
        moves: of each state, the state that a click on each group leads to.
        theme: `"light"` or `"dark"`; None for the theme of the page.

    """
    name = _id(canvases[0].title + canvases[0].text)
    states = [
        _state(canvas, theme or "page", f"{name}-s{place}", targets)
        for place, (canvas, targets) in enumerate(zip(canvases, moves, strict=True))
    ]
    return _renamed(page_part(states, file_svg(canvases[0], theme or "light"), name=name), name)


def _state(canvas: Canvas, theme: str, name: str, moves: Mapping[str, int] | None = None) -> State:
    markup = canvas.markup(colours(theme), name)
    return State(canvas.width, canvas.height, markup, canvas.title, canvas.text, moves or {})


def _renamed(markup: str, name: str) -> str:
    """Replace the first id, which no label can contain, by one made from everything that is shown."""
    return markup.replace(name, _id(markup))


def _id(content: str) -> str:
    return "mg" + hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:10]
