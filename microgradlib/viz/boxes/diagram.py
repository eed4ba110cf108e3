"""Diagrams: boxes, frames around them and arrows between them, as plain text, before anything has a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BoxKind = Literal[
    "input", "parameter", "constant", "target", "op", "output", "card", "closed", "table", "elided", "bus"
]  # fmt: skip
RowKind = Literal["number", "parameter", "note", "formula", "code"]


@dataclass(frozen=True)
class Row:
    """One line of a box: a name, a number and its gradient; a note, a formula or a line of code has its name only.

    Args:
        name: may be empty in a box that has a single number.
        value, gradient: as texts, "—" for a gradient that nothing has reached; empty where there is none to show.
        kind: what it is.
        node: the index in the snapshot of the node whose numbers these are.
        stale: whether the value was computed from numbers that have been changed since.
        share: the gradient is only the part that comes from this use of a parameter that is used elsewhere too.
        tooltip: the full name, where `name` is shortened.
        number: the node's place in topological order, from 1, where these are asked for.

    """

    name: str = ""
    value: str = ""
    gradient: str = ""
    kind: RowKind = "number"
    node: int | None = None
    stale: bool = False
    share: bool = False
    tooltip: str = ""
    number: str = ""


@dataclass(frozen=True)
class Table:
    """A layer as a table: a column for each weight, then z and f(z); a row for each neuron, values over gradients."""

    columns: tuple[str, ...]
    parameters: int  # so many of the first columns are parameters
    rows: tuple[tuple[str, tuple[Row, ...]], ...]  # the neuron's name, and one Row for each column


@dataclass(frozen=True)
class Strip:
    """Numbers as squares, sign as colour and size as √|number|; with `image`, as the pixels of a square picture."""

    name: str
    numbers: tuple[float | None, ...]
    image: bool = False


@dataclass(frozen=True)
class Box:
    """One box.

    Args:
        id: a short ASCII name, unique in its diagram, such as `n3`.
        kind: determines shape and colours. A "bus" is a bar in which the lines of many sources meet.
        title: its name; may be empty and may contain any characters.
        op: the operation, such as `tanh` or `× 0.25`.
        rows, table, strips: its contents, from top to bottom. A bus has one row for each of its sources, in the order
            of the places at which their lines enter.
        frame: the id of the innermost frame around it, or an empty string.
        nodes: the indices of the snapshot's nodes that it stands for.
        alike: boxes of one key (not empty) are made equally wide, so that equal parts look alike.
        group: a key for click and `collapse`: the scope that a closed box, card or table stands for; or empty.
        note: a short addition to the title, such as `1 of 3`.
        tooltip: the full name, where `title` is shortened.
        number: the node's place in topological order, from 1, where these are asked for.
        output: whether an output of the graph is computed in it; True also for a box of kind "output".
        count: more than 1 for a closed group that stands for so many equal ones.

    """

    id: str
    kind: BoxKind
    title: str = ""
    op: str = ""
    rows: tuple[Row, ...] = ()
    table: Table | None = None
    strips: tuple[Strip, ...] = ()
    frame: str = ""
    nodes: tuple[int, ...] = ()
    alike: str = ""
    group: str = ""
    note: str = ""
    tooltip: str = ""
    number: str = ""
    output: bool = False
    count: int = 1


@dataclass(frozen=True)
class Frame:
    """A frame around boxes: an open scope. `count` > 1: it stands for so many equal ones."""

    id: str
    title: str
    formula: str = ""
    parent: str = ""  # the id of the frame around it
    count: int = 1
    alike: str = ""
    group: str = ""


@dataclass(frozen=True)
class Arrow:
    """A line from the box of an operand to the box computed from it.

    Args:
        tail, head: ids of boxes.
        text: the local derivative, or what else stands on the line; may be empty.
        tooltip: the same in full, such as `∂z/∂w = x = 3`.
        port: the row of the head box (a bus too; in a table, the column) beside which it enters; None: anywhere.
            Rows are entered from the left, columns from above.
        tail_port: the row of a table beside which it leaves to the right; None: anywhere.
        source: lines of one tail and one source share their way and then branch.
        lines: how many arrows of the graph it stands for.
        passes: whether a gradient passes along it; if not, it is drawn grey and dashed.
        edges: the arrows of the graph that it stands for, as pairs (node index, place among its parents).

    """

    tail: str
    head: str
    text: str = ""
    tooltip: str = ""
    port: int | None = None
    source: str = ""
    lines: int = 1
    passes: bool = True
    edges: tuple[tuple[int, int], ...] = ()
    tail_port: int | None = None


@dataclass(frozen=True)
class Diagram:
    """Boxes in topological order, arrows in the order of their heads, frames with outer ones first, and a note.

    With `captions`, as in a small graph, a box of one node has two rows, named `data` and `grad`, one below the other.
    """

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    frames: tuple[Frame, ...] = ()
    note: str = ""
    captions: bool = False
