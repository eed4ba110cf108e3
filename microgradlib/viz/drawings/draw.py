"""Draw what is given: `draw(thing)` for Values, Symbols, lists and dicts of them, modules and compiled programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, whole_number
from microgradlib.viz.boxes.diagram import Diagram
from microgradlib.viz.boxes.options import LocalDerivatives, Options
from microgradlib.viz.drawings.arguments import (
    Drawable,
    check_options,
    outputs_of,
    program_of,
    refuse,
)
from microgradlib.viz.drawings.detail import MAX_NODES, Ladder, make_ladder
from microgradlib.viz.drawings.drawing import Content, Drawing, Engine, check_engine, content_of
from microgradlib.viz.drawings.placing import CELL, place
from microgradlib.viz.drawings.states import GraphCanvas
from microgradlib.viz.networks.modules import module_picture
from microgradlib.viz.painting.paint import CAPTION_SIZE
from microgradlib.viz.painting.scene import Scene
from microgradlib.viz.routes.search import arrow_styles, find_node, highlight as find_routes
from microgradlib.viz.routes.text import caption, caption_text
from microgradlib.viz.snapshots.arguments import check_names, checked_targets
from microgradlib.viz.snapshots.bindings import is_module
from microgradlib.viz.snapshots.capture import capture
from microgradlib.viz.snapshots.frames import users_frame
from microgradlib.viz.theme import Theme, check_theme

if TYPE_CHECKING:
    from microgradlib.nn import Module
    from microgradlib.ops import Op
    from microgradlib.viz.drawings.collapse import Collapse
    from microgradlib.viz.layout.placement import Direction, Layout
    from microgradlib.viz.networks.layout import NetworkPicture
    from microgradlib.viz.routes.search import Highlight
    from microgradlib.viz.snapshots.capture import Capture

_CAPTION: Final = 640.0
"""The least width of the lines below a picture, in pixels."""


@in_plain_words
def draw(
    thing: Drawable | Module,
    *,
    direction: Direction | None = None,
    collapse: Collapse | None = None,
    highlight: Any = None,
    local_derivatives: LocalDerivatives | None = "number",
    numbers: bool = False,
    theme: Theme | None = None,
    engine: Engine = "own",
    max_nodes: WholeNumber = MAX_NODES,
    model: Any = None,
    names: Mapping[str, Any] | None = None,
    targets: Iterable[Any] = (),
    inputs: Any = None,
    outputs: Any = None,
) -> Drawing:
    """Draw a graph with its current numbers; a network; or a program.

    Inputs are round and blue, parameters amber, constants grey, targets violet with a dashed outline, outputs green
    with a thick one. Values are in ink, gradients blue, "—" where no gradient has arrived, local derivatives
    ∂head/∂tail orange on the arrows: the product along a path is the contribution of that path to the gradient. Along a
    dashed grey arrow no gradient passes.

    Modules and `with scope("name")` give frames. A graph that is too large to be read is shown with some of them
    closed, layers as tables or strips of squares, equal parts once with ×N, and says so; in a notebook, groups open and
    close by click. A drawing shows the graph as it is now: a later `backward()` does not change it.

    Args:
        thing: a Value or a Symbol, the output of a graph; a list, tuple or dict of several; a module, for a picture of
            the network; a compiled function or its program.
        direction: of the arrows, `"right"` or `"down"`; None: the one that reads better.
        collapse: what is closed: `"neuron"`, `"layer"`, `"step"` or `"example"`, or so many of the innermost levels of
            groups, 0 for none; None: the size decides.
        highlight: a pair (w, loss): all routes from w to loss are shown, the product of the local derivatives along
            each, and their sum, which is the gradient. Nodes, or their names; w alone stands for (w, the output).
        local_derivatives: `"number"`, `"formula"` for `∂t/∂w = x = 3`, or None.
        numbers: show the place of each node in topological order.
        theme: `"light"` or `"dark"`; None: files are light, and a notebook's drawing has the theme of the page.
        engine: `"own"` is this library's layout, without dependencies; `"dot"` is Graphviz.
        max_nodes: of more boxes than this, a drawing collapses by itself whatever `collapse` says; the limit of
            boxes for a program, which does not collapse.
        model: the module, or a dict of modules, whose parameters get their paths as names; found by itself if a
            variable holds it.
        names: names for nodes without a label, such as `{"t": t, "xs": xs}` or `locals()`.
        targets: the nodes that are targets, or one; those of this library's costs are known.
        inputs: of a module, what it is called with, so that its picture shows the values of this pass.
        outputs: of a module, the outputs of a call, or a cost computed from them, so that its picture shows their
            values and δ; None: those of its last call.

    Raises:
        TypeError: `thing` is none of these; an option has the wrong type, or means nothing for this thing.
        ValueError: an unknown option; nothing to draw; a node of `highlight` is not in the graph.
        GraphTooLargeError: a program of more than `max_nodes` boxes.
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
      n3  o  tanh  data 0.7616  grad 1  from n2
    """
    check_engine(engine)
    check_theme(theme)
    limit = whole_number(max_nodes, "max_nodes", example=MAX_NODES)
    check_options(direction, collapse, local_derivatives, numbers)
    check_names(model, names)
    meant = checked_targets(targets)
    for_graphs = {
        "collapse": collapse is not None,
        "highlight": highlight is not None,
        "local_derivatives": local_derivatives != "number",
        "numbers": numbers,
        "model": model is not None,
        "names": names is not None,
        "targets": bool(meant),
    }
    if is_module(thing):
        picture = module_picture(thing, inputs=inputs, outputs=outputs, frame=users_frame())
        if not isinstance(picture, list):
            refuse("the picture of a network", for_graphs)
            return _of_module(picture, direction, engine=engine, theme=theme)
        thing, model = picture, thing
    else:
        refuse("anything but a module", {"inputs": inputs is not None, "outputs": outputs is not None})
    program = program_of(thing)
    if program is not None:
        refuse("a program", {"direction": direction is not None, **for_graphs})
        return program.draw(max_nodes=limit, engine=engine, theme=theme)
    ends, given = outputs_of(thing)
    found = capture(*ends, model=model, names={**(names or {}), **given}, targets=meant, frame=users_frame())
    routes = None if highlight is None else _routes(found, highlight)
    in_formulas = [index for route in routes.routes for index, _ in route.edges] if routes and routes.formulas else []
    options = Options(local_derivatives, numbers, _ops(found), frozenset(in_formulas))
    ladder = make_ladder(found.snapshot, options=options, direction=direction, collapse=collapse, max_nodes=limit)
    return Drawing(_content(ladder, routes), engine=engine, theme=theme)


def _content(ladder: Ladder, routes: Highlight | None) -> Content:
    view = ladder.best
    reopen = _Reopen(ladder, routes, view.layout.direction)
    words = caption_text(ladder.structure.groups.snapshot, routes) if routes else ""
    canvas = GraphCanvas(reopen.with_routes(view.diagram, view.layout), caption=words)
    return Content(canvas, view.diagram, view.layout.direction, routes, reopen)


@dataclass(frozen=True)
class _Reopen:
    """The graph with other groups opened and closed, in the direction of the first picture."""

    ladder: Ladder
    routes: Highlight | None
    direction: Direction

    def diagram(self, opened: frozenset[str], closed: frozenset[str]) -> Diagram:
        return self.ladder.diagram(opened, closed)

    def scene(self, diagram: Diagram) -> Scene:
        return self.with_routes(diagram, place(diagram, self.direction, wrap=True))

    def with_routes(self, diagram: Diagram, layout: Layout) -> Scene:
        if self.routes is None:
            return Scene(diagram, layout)
        width = min(max(layout.width, _CAPTION), CELL)
        lines = caption(self.ladder.structure.groups.snapshot, self.routes, width, CAPTION_SIZE)
        styles = arrow_styles(diagram, self.routes)
        return Scene(diagram, layout, styles, lines, (self.routes.start, self.routes.end))


def _routes(found: Capture, ends: Any) -> Highlight:
    """Return the routes between two nodes, or from one to the output."""
    outputs, ops = found.snapshot.outputs, _ops(found)
    if isinstance(ends, (tuple, list)):
        if len(ends) != 2:
            message = f"highlight takes two nodes, as in highlight=(w, loss); got {len(ends)}"
            raise ValueError(message)
        start, end = (find_node(found.snapshot, found.nodes, node) for node in ends)
        return find_routes(found.snapshot, start, end, ops=ops)
    if len(outputs) != 1:
        message = f"there are {len(outputs)} outputs; say which one the routes lead to, as in highlight=(w, loss)"
        raise ValueError(message)
    return find_routes(found.snapshot, find_node(found.snapshot, found.nodes, ends), outputs[0], ops=ops)


def _ops(found: Capture) -> tuple[Op | None, ...]:
    return tuple([node.op or None for node in found.nodes])


def _of_module(
    picture: NetworkPicture | Diagram, direction: Direction | None, *, engine: Engine, theme: Theme | None
) -> Drawing:
    content = content_of(picture, direction or "right") if isinstance(picture, Diagram) else Content(picture)
    return Drawing(content, engine=engine, theme=theme)
