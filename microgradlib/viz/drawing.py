"""Draw a computation graph: `draw(output)` and the Drawing it returns."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal, get_args

from microgradlib.viz.dot import to_dot
from microgradlib.viz.from_graph import MAX_NODES, from_graph
from microgradlib.viz.graphviz_engine import render
from microgradlib.viz.markup import clean
from microgradlib.viz.picture import Picture
from microgradlib.viz.svg import to_svg

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from microgradlib._support.checks import WholeNumber
    from microgradlib.core.node import Node
    from microgradlib.viz.diagram import Diagram

Engine = Literal["own", "dot"]


class Drawing(Picture):
    """A picture of a diagram, laid out when it is created. Jupyter displays it; `save` writes it to a file.

    `diagram` holds the boxes and arrows, `svg` is the SVG text, `source` the DOT text, `text` one line per box.

    >>> from microgradlib.viz.diagram import Box, Diagram
    >>> drawing = Drawing(Diagram((Box("n0", "leaf", title="x"),), ()))
    >>> drawing
    <Drawing of 1 box and 0 arrows>
    >>> drawing.svg.startswith("<svg")
    True
    """

    __slots__ = ("_svg", "diagram", "source")

    def __init__(self, diagram: Diagram, *, engine: Engine = "own") -> None:
        """Lay out the diagram, so that errors are raised here and not when the drawing is displayed.

        Args:
            diagram: what to draw.
            engine: `"own"` for this library's layout, `"dot"` for Graphviz.

        Raises:
            ValueError: an unknown engine, or arrows that form a cycle.
            MissingExtraError: engine `"dot"` without Graphviz.
            DrawingError: Graphviz failed or took too long.

        """
        if engine not in get_args(Engine):
            message = f"engine must be 'own' (built in) or 'dot' (Graphviz), got {engine!r}"
            raise ValueError(message)
        self.diagram = diagram
        self.source = to_dot(diagram)
        self._svg = to_svg(diagram) if engine == "own" else _without_prolog(render(self.source, "svg").decode())

    @property
    def svg(self) -> str:
        """The drawing as SVG text."""
        return self._svg

    @property
    def html(self) -> str:
        """The drawing as HTML."""
        return f"<div>{self._svg}</div>"

    @property
    def text(self) -> str:
        """One line per box, with the ids of the boxes from which it is computed."""
        lines = [repr(self)]
        for box in self.diagram.boxes:
            tails = ", ".join(arrow.tail for arrow in self.diagram.arrows_into(box.id))
            lines.append(f"  {clean(box.text)}" + (f"  from {tails}" if tails else ""))
        return "\n".join(lines)

    def _encoders(self) -> Mapping[str, Callable[[], bytes]]:
        return {
            **super()._encoders(),
            ".png": partial(render, self.source, "png"),
            ".pdf": partial(render, self.source, "pdf"),
            ".dot": self.source.encode,
            ".gv": self.source.encode,
        }

    def __repr__(self) -> str:
        boxes, arrows = len(self.diagram.boxes), len(self.diagram.arrows)
        return f"<Drawing of {boxes} box{'es' * (boxes != 1)} and {arrows} arrow{'s' * (arrows != 1)}>"


def _without_prolog(document: str) -> str:
    """Return an SVG document without its XML prolog, which is not allowed inside an HTML page."""
    return document[document.index("<svg") :]


def draw(output: Node, *, engine: Engine = "own", max_nodes: WholeNumber = MAX_NODES) -> Drawing:
    """Draw the graph of `output`, with its current data and gradients.

    Leaves are blue, operations amber, the output green with a thicker frame. Each arrow shows the local derivative
    ∂head/∂tail, so the product along a path is the contribution of that path to the gradient. A later
    `backward()` does not change an existing drawing.

    `.save("g.svg")` writes it to a file; `.png` and `.pdf` need Graphviz and use its layout.

    Args:
        output: the Value or Symbol to draw.
        engine: `"own"` is this library's layout, without dependencies; `"dot"` is Graphviz.
        max_nodes: the largest number of nodes that is drawn.

    Raises:
        TypeError: `output` is not a node, or `max_nodes` is not a whole number.
        ValueError: an unknown engine, or `max_nodes` below 1.
        GraphTooLargeError: more than `max_nodes` nodes.
        MissingExtraError: engine `"dot"` without Graphviz.
        DrawingError: Graphviz failed or took too long.

    >>> from microgradlib import Value
    >>> w, x = Value(2.0, label="w"), Value(0.5, label="x")
    >>> o = (w * x).tanh()
    >>> o.backward()
    >>> print(draw(o).text)
    <Drawing of 4 boxes and 3 arrows>
      n0  w  data 2  grad 0.21
      n1  x  data 0.5  grad 0.8399
      n2  ×  data 1  grad 0.42  from n0, n1
      n3  tanh  data 0.7616  grad 1  from n2
    """
    return Drawing(from_graph(output, max_nodes=max_nodes), engine=engine)
