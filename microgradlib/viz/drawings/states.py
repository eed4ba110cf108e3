"""A graph that paints itself, and the states that its groups, opened and closed by click, lead to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from microgradlib.viz.boxes.words import text_of
from microgradlib.viz.numbers import counted
from microgradlib.viz.painting.paint import paint, size
from microgradlib.viz.painting.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.viz.boxes.diagram import Diagram
    from microgradlib.viz.picture import Canvas

_MOST: Final = (16, 240)
_MOST_AT_FIRST: Final = (24, 700)
"""A drawing holds at most so many states, and so many boxes in all of them, so that a notebook does not grow without
bound and a picture does not wait; more of those that open or close what is seen at first, single neurons aside."""
_OPENABLE: Final = ("closed", "table", "card", "elided")


class Reopen(Protocol):
    """How groups are opened and closed."""

    def diagram(self, opened: frozenset[str], closed: frozenset[str]) -> Diagram:
        """Return the diagram with these groups opened and those closed."""

    def scene(self, diagram: Diagram) -> Scene:
        """Return a diagram with its layout and all that a picture of it shows."""


@dataclass(frozen=True)
class GraphCanvas:
    """A graph as a canvas.

    Args:
        scene: what it shows, and where.
        buttons: for the groups that open and close by click, whether they are open.
        caption: the caption of a highlight, in words.

    """

    scene: Scene
    buttons: tuple[tuple[str, bool], ...] = ()
    caption: str = ""

    @property
    def width(self) -> float:
        """Its natural width, in pixels."""
        return size(self.scene)[0]

    @property
    def height(self) -> float:
        """Its natural height, in pixels."""
        return size(self.scene)[1]

    @property
    def title(self) -> str:
        """How many boxes and arrows it has."""
        return f"Computation graph: {counts(self.scene.diagram)}"

    @property
    def text(self) -> str:
        """The graph in words, see `words.text_of`."""
        return "\n".join(part for part in (text_of(self.scene.diagram), self.caption) if part)

    def markup(self, colour: Callable[[str], str], prefix: str) -> str:
        """Return the markup of the graph, see `paint.paint`."""
        return paint(self.scene, colour, prefix=prefix, buttons=dict(self.buttons))


def counts(diagram: Diagram) -> str:
    """Say how many boxes and arrows a diagram has.

    >>> from microgradlib.viz.boxes.diagram import Box, Diagram
    >>> counts(Diagram((Box("n0", "input"),), ()))
    '1 box and 0 arrows'
    """
    return f"{counted(len(diagram.boxes), 'box')} and {counted(len(diagram.arrows), 'arrow')}"


def reachable(canvas: Canvas, reopen: Reopen | None) -> tuple[list[Canvas], list[dict[str, int]]]:
    """Return the states that clicks lead to, nearest first, and for each the state to which each of its groups leads.

    The number of states is bounded. Where the state with one more group opened or closed is beyond the bound, a click
    leads to the first state or to the one in which this group alone is changed; if there is none, it is no button.

    Args:
        canvas: the first state.
        reopen: how groups are opened and closed; None if nothing opens.

    """
    if reopen is None or not isinstance(canvas, GraphCanvas):
        return [canvas], [{}]
    found = _Found([canvas.scene], [(frozenset(), frozenset())], [{}])
    first = dict(_groups(canvas.scene.diagram))
    place = 0
    while place < len(found.scenes):
        # Groups that can be seen at first come first, neurons last: what lies deeper is asked for less.
        groups = _groups(found.scenes[place].diagram)
        neurons = {box.group for box in found.scenes[place].diagram.boxes if box.kind == "card"}
        for group, opened in sorted(groups, key=lambda item: (item[0] not in first, item[0] in neurons)):
            most = _MOST_AT_FIRST if place == 0 and group not in neurons else _MOST
            target = _target(found, (place, group), reopen, opened=opened, most=most)
            if target is not None and target != place:
                found.moves[place][group] = target
        place += 1
    canvases: list[Canvas] = []
    for scene, moves in zip(found.scenes, found.moves, strict=True):
        buttons = tuple((group, opened) for group, opened in _groups(scene.diagram) if group in moves)
        canvases.append(replace(canvas, scene=scene, buttons=buttons))
    return canvases, found.moves


@dataclass(frozen=True)
class _Found:
    scenes: list[Scene]
    keys: list[tuple[frozenset[str], frozenset[str]]]
    moves: list[dict[str, int]]


def _groups(diagram: Diagram) -> list[tuple[str, bool]]:
    """Return the groups of a diagram, and whether they are open."""
    groups = [(frame.group, True) for frame in diagram.frames if frame.group]
    groups += [(box.group, False) for box in diagram.boxes if box.group and box.kind in _OPENABLE]
    return list(dict(groups).items())


def _target(
    found: _Found, button: tuple[int, str], reopen: Reopen, *, opened: bool, most: tuple[int, int]
) -> int | None:
    """Return the state to which the button of a group leads in one state, laid out if it is new; None if to none."""
    place, group = button
    key = _key(found.keys[place], group, opened=opened)
    if key in found.keys:
        return found.keys.index(key)
    boxes = sum(len(scene.diagram.boxes) for scene in found.scenes)
    if len(found.scenes) >= most[0] or boxes >= most[1]:
        # Beyond the bound: the first state, if there the group is as asked for, or that in which it alone is changed.
        at_first = dict(_groups(found.scenes[0].diagram))
        return 0 if at_first.get(group, opened) is not opened else found.moves[0].get(group)
    diagram = reopen.diagram(*key)
    for known, scene in enumerate(found.scenes):
        if scene.diagram == diagram:
            return known
    found.scenes.append(reopen.scene(diagram))
    found.keys.append(key)
    found.moves.append({})
    return len(found.scenes) - 1


def _key(
    key: tuple[frozenset[str], frozenset[str]], group: str, *, opened: bool
) -> tuple[frozenset[str], frozenset[str]]:
    """Return which groups are opened and closed after a click on one; a second click undoes the first.

    >>> one = _key((frozenset(), frozenset()), "s1", opened=False)
    >>> [sorted(groups) for groups in one], _key(one, "s1", opened=True) == (frozenset(), frozenset())
    ([['s1'], []], True)
    """
    by_click, closed = key
    if opened:
        return (by_click - {group}, closed) if group in by_click else (by_click, closed | {group})
    return (by_click, closed - {group}) if group in closed else (by_click | {group}, closed)
