"""How much of a graph is drawn: the first step of a ladder of detail whose picture can be read in a notebook's cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.build import choose_parts, lay_open, write
from microgradlib.viz.boxes.options import Options
from microgradlib.viz.boxes.structure import find_structure
from microgradlib.viz.drawings.collapse import ladder
from microgradlib.viz.drawings.placing import CELL, place
from microgradlib.viz.layout.placement import Spacing
from microgradlib.viz.painting.measure import measure
from microgradlib.viz.painting.paint import size
from microgradlib.viz.painting.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterator

    from microgradlib.viz.boxes.choice import Step
    from microgradlib.viz.boxes.diagram import Diagram
    from microgradlib.viz.boxes.structure import Structure
    from microgradlib.viz.drawings.collapse import Collapse
    from microgradlib.viz.layout.placement import Direction, Layout
    from microgradlib.viz.snapshots.snapshot import Snapshot

MOST_BOXES: Final = 60
LEAST_TEXT: Final = 9.0
GREATEST_HEIGHT: Final = 1200.0
MOST_CROSSINGS: Final = 200
"""A picture can be read with at most so many boxes, text of at least this size, at most this height in the cell, and at
most so many crossings of lines."""

MAX_NODES: Final = 200
"""By default, a drawing that is asked for in more detail than this many boxes collapses by itself."""

_TEXT: Final = 13.0
_SMALLEST: Final = 10.5
"""The size of the smallest text in a drawing, that on lines and beside squares."""
_CLOSE: Final = Spacing(gap=12.0, bend=12.0, longest_bend=32.0, climb=16.0, frame=9.0)
"""Shorter lines, for drawings that are too wide for the cell."""
_CLOSER: Final = 1.4
"""They make a drawing smaller by at most this factor."""
_DENSITY: Final = 0.45
"""Boxes cover at most this part of a picture."""
_FAVOUR: Final = 1.5
"""Text that is smaller by so many pixels is still better to the right than down, the direction of reading."""
_FAVOUR_SMALL: Final = 2.0
"""The same in a graph of a few boxes."""
_RETURN_COSTS: Final = (0.4, 0.7)
"""What the first line that returns to the next row of a wrapped drawing costs, and each further one."""
_HEIGHTS: Final = ((600.0, 0.003), (1000.0, 0.007))
"""Each pixel of height beyond these costs so many pixels of text: what does not fit on a screen must be scrolled."""


@dataclass(frozen=True)
class View:
    """A diagram with its layout.

    Args:
        diagram: the boxes.
        layout: their places.
        step: the step of the ladder of detail.
        score: how well it can be read: the size of its text in a cell, in pixels, less what else counts.
        fits: whether it can be read in a cell.

    """

    diagram: Diagram
    layout: Layout
    step: Step
    score: float
    fits: bool


@dataclass(frozen=True)
class Ladder:
    """The views of one graph.

    Args:
        structure: the graph.
        options: what is shown.
        direction: of the arrows; None: the one that reads better.
        collapse: what is closed; None: the size decides.
        max_nodes: of more boxes than this, a drawing that `collapse` asks for collapses further.

    """

    structure: Structure
    options: Options
    direction: Direction | None = None
    collapse: Collapse | None = None
    max_nodes: int = MAX_NODES

    @cached_property
    def best(self) -> View:
        """The view with the most detail that can be read, or the one that can be read best.

        If `collapse` says what is closed, equal groups are drawn once where this makes the drawing readable.
        """
        tried: list[View] = []
        seen: list[tuple[object, ...]] = []
        steps = list(ladder(self.structure, self.collapse))
        most = MOST_BOXES if self.collapse is None else self.max_nodes
        for step in steps:
            choice, parts = choose_parts(self.structure, step)
            shown = (parts, step.weights, step.tables)
            last = step is steps[-1] and not tried
            if not last and (shown in seen or len(parts) > most):
                continue
            seen.append(shown)
            diagram = write(self.structure, lay_open(self.structure, choice, parts), self.options)
            if _area(diagram) > _most_area() and not last and self.collapse is None:
                continue
            tried.append(self._best_direction(diagram, step))
            if tried[-1].fits or self.collapse == 0:
                return tried[-1]
            if self.collapse is not None and step.fold:
                return tried[0]
        return max(tried, key=lambda view: view.score)

    def diagram(self, opened: frozenset[str], closed: frozenset[str]) -> Diagram:
        """Return the diagram of the best view, with some groups opened and others closed by their keys."""
        step = replace(self.best.step, opened=opened, closed=closed)
        return write(self.structure, lay_open(self.structure, *choose_parts(self.structure, step)), self.options)

    def _best_direction(self, diagram: Diagram, step: Step) -> View:
        views = [_view(diagram, step, direction) for direction in self._directions()]
        return max(views, key=lambda view: (view.fits, view.score))

    def _directions(self) -> Iterator[Direction]:
        if self.direction is None:
            yield "right"
            yield "down"
        else:
            yield self.direction


def make_ladder(
    snapshot: Snapshot,
    *,
    options: Options | None = None,
    direction: Direction | None = None,
    collapse: Collapse | None = None,
    max_nodes: int = MAX_NODES,
) -> Ladder:
    """Return the views of a graph.

    Args:
        snapshot: the graph.
        options: what is shown; None: the defaults.
        direction: "right" or "down"; None: the one that reads better.
        collapse: "neuron", "layer", "step" or "example": groups of this kind are closed; a whole number: so many of
            the innermost levels of groups; 0: everything is open; None: the size decides.
        max_nodes: of more boxes than this, a drawing that `collapse` asks for collapses further.

    >>> from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
    >>> x = SnapshotNode(0, "input", "x", data=3.0)
    >>> y = SnapshotNode(1, "output", "y", "×", "mul", 9.0, None, (0, 0), (3.0, 3.0))
    >>> view = make_ladder(Snapshot((x, y), (1,))).best
    >>> len(view.diagram.boxes), view.layout.direction, view.fits
    (2, 'right', True)
    """
    return Ladder(find_structure(snapshot), options or Options(), direction, collapse, max_nodes)


def _area(diagram: Diagram) -> float:
    return sum(size.width * size.height for size in measure(diagram, "right").values())


def _most_area() -> float:
    """Return the largest area of boxes in a picture that can be read, in pixels before it is scaled to the cell."""
    scale = LEAST_TEXT / _SMALLEST
    return _DENSITY * CELL / scale * GREATEST_HEIGHT / scale


def _excess(width: float, height: float) -> float:
    """Return how many times larger than the largest picture that can be read a picture is."""
    scale = LEAST_TEXT / _SMALLEST
    return max(width * scale / CELL, height * scale / GREATEST_HEIGHT)


def _view(diagram: Diagram, step: Step, direction: Direction) -> View:
    """Return a diagram with its layout; shorter lines are tried too if it is too large."""
    view = _laid_out(diagram, step, direction, Spacing())
    width, height = size(Scene(diagram, view.layout))
    wide = direction == "right" and width > CELL
    if (wide or not view.fits) and _excess(width, height) < _CLOSER:
        closer = _laid_out(diagram, step, direction, _CLOSE)
        return max(view, closer, key=lambda one: (one.fits, one.score))
    return view


def _laid_out(diagram: Diagram, step: Step, direction: Direction, spacing: Spacing) -> View:
    plan = place(diagram, direction, wrap=True, spacing=spacing)
    width, height = size(Scene(diagram, plan))
    scale = min(1.0, CELL / width)
    score = _TEXT * scale - _RETURN_COSTS[0] * min(plan.returns, 1) - _RETURN_COSTS[1] * max(plan.returns - 1, 0)
    score -= sum(cost * max(0.0, height * scale - comfortable) for comfortable, cost in _HEIGHTS)
    if direction == "right":
        score += _FAVOUR_SMALL if diagram.captions else _FAVOUR
    legible = _SMALLEST * scale >= LEAST_TEXT and height * scale <= GREATEST_HEIGHT
    fits = legible and plan.crossings <= MOST_CROSSINGS
    return View(diagram, plan, step, score, fits)
