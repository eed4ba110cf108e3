"""The Drawing that `draw` returns: a picture of a graph that Jupyter displays and that saves itself to files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import check_class
from microgradlib._support.shown import shown
from microgradlib.errors import DrawingError
from microgradlib.viz.dot.engine import render
from microgradlib.viz.dot.source import Look, to_dot, to_graphviz
from microgradlib.viz.drawings.placing import place
from microgradlib.viz.drawings.states import GraphCanvas, Reopen, counts, reachable
from microgradlib.viz.painting.scene import Scene
from microgradlib.viz.picture import Picture, file_svg, page_html
from microgradlib.viz.theme import check_theme, replace_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from microgradlib.viz.boxes.diagram import Diagram
    from microgradlib.viz.layout.placement import Direction
    from microgradlib.viz.picture import Canvas
    from microgradlib.viz.routes.search import Highlight

_VIEW_BOX: Final = re.compile(r'viewBox="([^"]*)"')
_TOOLTIP: Final = re.compile(r'<a xlink:title="([^"]*)">')

Engine = Literal["own", "dot"]


@dataclass(frozen=True)
class DotCanvas:
    """A graph that Graphviz has laid out and drawn in marks for the roles of its colours.

    Args:
        document: the SVG document that Graphviz wrote.
        title, text: in words.

    """

    document: str
    title: str
    text: str

    @property
    def width(self) -> float:
        """Its natural width, in pixels."""
        return float(self._view[2])

    @property
    def height(self) -> float:
        """Its natural height, in pixels."""
        return float(self._view[3])

    @property
    def _view(self) -> list[str]:
        found = _VIEW_BOX.search(self.document)
        return found[1].split() if found else ["0", "0", "1", "1"]

    def markup(self, colour: Callable[[str], str], prefix: str) -> str:
        """Return what Graphviz wrote, in the colours of a theme and with ids of this picture."""
        start = self.document.index(">", self.document.index("<svg")) + 1
        inside = self.document[start : self.document.rindex("</svg>")]
        # Graphviz writes a tooltip as the title of a link to nowhere, in a namespace that its root element declares.
        inside = _TOOLTIP.sub(r"<g><title>\1</title>", inside).replace("</a>", "</g>")
        return replace_marks(inside, colour).replace(' id="', f' id="{prefix}-')


@dataclass(frozen=True)
class Content:
    """What a drawing shows.

    Args:
        canvas: the picture in this library's layout, or a picture of another kind, such as that of a network.
        diagram: the boxes and arrows, if it is a graph.
        direction: of its arrows.
        highlight: the routes that are shown.
        reopen: how groups are opened and closed; None if nothing opens.

    """

    canvas: Canvas
    diagram: Diagram | None = None
    direction: Direction = "right"
    highlight: Highlight | None = None
    reopen: Reopen | None = None


def content_of(diagram: Diagram, direction: Direction) -> Content:
    """Return a diagram, laid out in this direction, as what a drawing shows."""
    return Content(GraphCanvas(Scene(diagram, place(diagram, direction))), diagram, direction)


class Drawing(Picture):
    """A picture of a graph, laid out when it is made. Jupyter displays it; `save` writes it to a file.

    `svg` and `html` are the picture, `text` the same in words, `diagram` its boxes and arrows, `source` its DOT text.
    In HTML, groups open and close by click. `save` writes .svg and .html; .png and .pdf need Graphviz and have its
    layout; .dot and .gv are DOT text.

    >>> from microgradlib.viz.boxes.diagram import Box, Diagram
    >>> drawing = Drawing(content_of(Diagram((Box("n0", "input", title="x"),), ()), "right"))
    >>> drawing
    <Drawing of 1 box and 0 arrows>
    >>> drawing.svg.startswith("<svg")
    True
    """

    __slots__ = ("_canvas", "_content", "_engine", "_html", "_theme")

    @in_plain_words
    def __init__(self, content: Content, *, engine: Engine = "own", theme: str | None = None) -> None:
        """Make a drawing, so that errors are raised here and not when it is displayed.

        Args:
            content: what it shows.
            engine: `"own"` for this library's layout, `"dot"` for Graphviz.
            theme: `"light"` or `"dark"`; None for light files, and HTML in the theme of the page.

        Raises:
            TypeError: `content` is not what `draw` makes.
            ValueError: an unknown engine or theme.
            MissingExtraError: engine `"dot"` without Graphviz.
            DrawingError: Graphviz failed or took too long, or it cannot show this.

        """
        check_class(content, Content, "content", "as draw makes it")
        check_engine(engine)
        check_theme(theme)
        self._content = content
        self._theme = theme
        self._engine = engine
        self._html = ""
        self._canvas = content.canvas
        if engine == "dot":
            document = render(self._dot("marks"), "svg").decode()
            self._canvas = DotCanvas(document, content.canvas.title, content.canvas.text)

    @property
    def diagram(self) -> Diagram:
        """Its boxes, frames and arrows.

        Raises:
            DrawingError: it is not a graph of boxes.

        """
        if self._content.diagram is None:
            message = "the picture of a network has no boxes and arrows; draw an output of the network instead"
            raise DrawingError(message)
        return self._content.diagram

    @property
    def source(self) -> str:
        """Its DOT text."""
        return self._dot(self._theme or "light")

    @property
    def svg(self) -> str:
        """The drawing as an SVG document."""
        return file_svg(self._canvas, self._theme or "light")

    @property
    def html(self) -> str:
        """The drawing as HTML, as wide as the page allows, in which groups open and close by click."""
        if not self._html:
            reopen = None if self._engine == "dot" else self._content.reopen
            canvases, moves = reachable(self._canvas, reopen)
            self._html = page_html(canvases, moves, self._theme)
        return self._html

    @property
    def text(self) -> str:
        """One line per box, with the ids of the boxes from which it is computed."""
        return "\n".join(part for part in (repr(self), self._canvas.text) if part)

    @property
    def _title(self) -> str:
        return self._canvas.title

    def to_graphviz(self) -> Any:
        """Return the drawing as a `graphviz.Digraph`, to edit.

        Raises:
            MissingExtraError: the package graphviz is not installed.
            DrawingError: it is not a graph of boxes.

        >>> from microgradlib.viz.boxes.diagram import Box, Diagram
        >>> graph = Drawing(content_of(Diagram((Box("n0", "input", title="x"),), ()), "right")).to_graphviz()
        >>> graph.node("n1", label="another")
        """
        return to_graphviz(self.diagram, self._look(self._theme or "light"))

    def _dot(self, theme: str) -> str:
        return to_dot(self.diagram, self._look(theme))

    def _look(self, theme: str) -> Look:
        canvas = self._content.canvas
        caption = canvas.scene.caption if isinstance(canvas, GraphCanvas) else ()
        return Look(self._content.direction, theme, self._content.highlight, caption)

    def _render(self, file_format: str) -> bytes:
        return render(self.source, file_format)

    def _dot_file(self) -> bytes:
        return self.source.encode()

    def _encoders(self) -> Mapping[str, Callable[[], bytes]]:
        encoders = {**super()._encoders()}
        if self._content.diagram is not None:
            encoders |= {
                ".png": partial(self._render, "png"),
                ".pdf": partial(self._render, "pdf"),
                ".dot": self._dot_file,
                ".gv": self._dot_file,
            }
        return encoders

    def __repr__(self) -> str:
        if self._content.diagram is None:
            return f"<Drawing: {self._canvas.title}>"
        return f"<Drawing of {counts(self._content.diagram)}>"


def check_engine(engine: Any) -> None:
    """Raise an error unless this is the name of an engine.

    Raises:
        ValueError: it is not.

    """
    if not isinstance(engine, str) or engine not in get_args(Engine):
        message = f"engine must be 'own' (built in) or 'dot' (Graphviz), got {shown(engine)}"
        raise ValueError(message)
