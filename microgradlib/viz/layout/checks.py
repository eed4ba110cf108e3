"""Check the arguments of a layout before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping

from microgradlib._support.shown import shown
from microgradlib.viz.boxes.diagram import Diagram
from microgradlib.viz.layout.placement import Size


def check(diagram: Diagram, sizes: Mapping[str, Size], direction: str) -> None:
    """Raise an error that says what is wrong with the arguments of a layout, if something is.

    Raises:
        ValueError: an id is unknown or given twice, a frame comes before the frame around it, a box has no size, or the
            direction is neither "right" nor "down".

    """
    if direction not in {"right", "down"}:
        message = f"direction is {shown(direction)}; give 'right' or 'down'"
        raise ValueError(message)
    frames: set[str] = set()
    for frame in diagram.frames:
        if frame.id in frames:
            message = f"two frames share the id {frame.id!r}; give every frame its own id"
            raise ValueError(message)
        if frame.parent and frame.parent not in frames:
            message = f"frame {frame.id!r} lies in {frame.parent!r}, which is not before it; put outer frames first"
            raise ValueError(message)
        frames.add(frame.id)
    boxes: set[str] = set()
    for box in diagram.boxes:
        if box.id in boxes:
            message = f"two boxes share the id {box.id!r}; give every box its own id"
            raise ValueError(message)
        if box.frame and box.frame not in frames:
            message = f"box {box.id!r} lies in the frame {box.frame!r}, which is not among the frames; add it"
            raise ValueError(message)
        if box.kind != "bus" and box.id not in sizes:
            message = f"box {box.id!r} has no size; give the size of every box that is not a bar"
            raise ValueError(message)
        boxes.add(box.id)
    for arrow in diagram.arrows:
        for end in (arrow.tail, arrow.head):
            if end not in boxes:
                message = f"an arrow joins {arrow.tail!r} and {arrow.head!r}, but there is no box {end!r}; add it"
                raise ValueError(message)
