"""From a graph to a diagram at one step of the ladder of detail: the passes, one after another."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.arrows import find_lines, write_arrows
from microgradlib.viz.boxes.buses import add_buses
from microgradlib.viz.boxes.cards import write_card, write_node
from microgradlib.viz.boxes.choice import Step, choose_states
from microgradlib.viz.boxes.circles import join_circles
from microgradlib.viz.boxes.closed import write_closed, write_elided, write_leaves, write_sum, write_vector
from microgradlib.viz.boxes.copies import copy_leaves
from microgradlib.viz.boxes.diagram import Diagram, Frame
from microgradlib.viz.boxes.elision import leave_out, merge_leaves
from microgradlib.viz.boxes.labels import Labels, scope_title
from microgradlib.viz.boxes.options import Options
from microgradlib.viz.boxes.parts import find_parts
from microgradlib.viz.boxes.sheet import Sheet, Written
from microgradlib.viz.boxes.structure import Structure, find_structure
from microgradlib.viz.boxes.tables import write_table
from microgradlib.viz.boxes.totals import write_totals
from microgradlib.viz.boxes.vectors import merge_vectors
from microgradlib.viz.numbers import counted, precision

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.boxes.choice import Choice
    from microgradlib.viz.boxes.diagram import Box
    from microgradlib.viz.boxes.groups import Path
    from microgradlib.viz.boxes.parts import Part
    from microgradlib.viz.snapshots.snapshot import Snapshot

SMALL: Final = 12
"""Graphs of so many nodes, without groups, show every node as a box of its own."""
MOST_APART: Final = 1000
"""Of more arrows than these in such a graph, those between two boxes are one line, as in larger graphs."""
_COLLAPSED: Final = frozenset({"closed", "sum", "series", "elided", "vector"})
"""Parts of which the drawing does not show every op."""
_NAMES: Final = 3
"""A note names so many leaves."""


def build(snapshot: Snapshot, step: Step | None = None, options: Options | None = None) -> Diagram:
    """Return the diagram of a graph at one step of the ladder of detail.

    >>> from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
    >>> x = SnapshotNode(0, "input", "x", data=3.0, grad=6.0)
    >>> y = SnapshotNode(1, "output", "y", "×", "mul", 9.0, 1.0, (0, 0), (3.0, 3.0))
    >>> diagram = build(Snapshot((x, y), (1,)))
    >>> [(box.id, box.title, box.op) for box in diagram.boxes]
    [('n0', 'x', ''), ('n1', 'y', '×')]
    >>> [(arrow.tail, arrow.head, arrow.text) for arrow in diagram.arrows]
    [('n0', 'n1', '3'), ('n0', 'n1', '3')]
    """
    structure = find_structure(snapshot)
    return write(structure, lay_open(structure, *choose_parts(structure, step or Step())), options or Options())


def is_small(structure: Structure) -> bool:
    """Whether a graph is drawn node by node."""
    return len(structure.nodes) <= SMALL and not structure.groups.order


def choose_parts(structure: Structure, step: Step) -> tuple[Choice, list[Part]]:
    """Return what is open at one step, and the parts of the drawing, in the order of their first nodes."""
    if is_small(structure):
        step = replace(step, cards=False)
    choice = choose_states(structure, step)
    parts = find_parts(structure, choice)
    parts = leave_out(structure, merge_vectors(structure, parts, step.opened) if step.vectors else parts, step)
    return choice, merge_leaves(structure, parts, step) if step.cards else parts


def lay_open(structure: Structure, choice: Choice, parts: Sequence[Part]) -> Sheet:
    """Return the parts in topological order, before anything is written in them.

    Parts that depend on one another in a circle are joined. Without groups, a leaf has a box near each of its uses.
    """
    ordered = join_circles(structure, parts)
    if not any(part.path for part in ordered):
        ordered = copy_leaves(structure, ordered)
    return Sheet(structure, choice, tuple(ordered), Labels(structure, Options()), precision(len(ordered)))


def write(structure: Structure, sheet: Sheet, options: Options) -> Diagram:
    """Return the diagram of parts: boxes with their contents, the arrows between them, and the frames around them."""
    sheet = replace(sheet, labels=Labels(structure, options))
    captions = is_small(structure)
    copies: Counter[tuple[int, ...]] = Counter(
        [part.nodes for part in sheet.parts if part.users is not None and len(part.nodes) == 1]
    )
    written = [_numbered(_box(sheet, place, captions=captions), copies) for place in range(len(sheet.parts))]
    arrows_in_all = sum(len(node.parents) for node in structure.nodes)
    lines = find_lines(sheet, written, apart=captions and arrows_in_all <= MOST_APART)
    rest, buses, through = add_buses(sheet, written, lines)
    frames, ids = _frames(sheet, [*(part.path for part in sheet.parts), *(path for _, path, _ in buses)])
    boxes = _in_frames(sheet, written, buses, ids)
    totals = write_totals(sheet, written)
    place = {box.id: at for at, box in enumerate(boxes)}
    arrows = [*write_arrows(sheet, written, rest), *through]
    return Diagram(
        tuple(boxes if totals is None else [*boxes, totals]),
        tuple(sorted(arrows, key=lambda arrow: (place[arrow.head], arrow.edges[:1], arrow.port or 0))),
        tuple(frames),
        _note(sheet, len(sheet.parts), shares=totals is not None),
        captions,
    )


def _note(sheet: Sheet, boxes: int, *, shares: bool) -> str:
    """Return what must be known to read the drawing: how much stands in how many boxes, and what is stale."""
    nodes, snapshot = len(sheet.structure.nodes), sheet.structure.groups.snapshot
    notes = []
    if boxes < nodes and not is_small(sheet.structure):
        collapsed = any(part.kind in _COLLAPSED for part in sheet.parts) or bool(sheet.choice.folded)
        notes.append(f"{nodes:,} nodes in {counted(boxes, 'box')}{', collapsed' * collapsed}")
    if shares:
        notes.append("share: the part of a gradient that comes from this use of the parameter")
    if snapshot.changed:
        names = ", ".join(name or "a leaf without a name" for name in snapshot.changed[:_NAMES])
        more = f" and {len(snapshot.changed) - _NAMES:,} more" if len(snapshot.changed) > _NAMES else ""
        verb = "has" if len(snapshot.changed) == 1 else "have"
        stale = "values marked * and gradients" if sheet.differentiated else "values marked *"
        notes.append(f"{names}{more} {verb} changed since {stale} were computed")
    return "; ".join(notes)


def _box(sheet: Sheet, place: int, *, captions: bool) -> Written:
    kind = sheet.parts[place].kind
    if kind in {"leaf", "op"}:
        return write_node(sheet, place, captions=captions)
    writers = {
        "card": write_card,
        "table": write_table,
        "closed": write_closed,
        "sum": write_sum,
        "leaves": write_leaves,
        "vector": write_vector,
    }
    return writers.get(kind, write_elided)(sheet, place)


def _numbered(written: Written, of_leaves: Counter[tuple[int, ...]]) -> Written:
    """Return a box with which of several it is, if its leaf has several."""
    copies = of_leaves[written.box.nodes]
    if copies < 2:
        return written
    copy = int(written.box.id.partition("_")[2] or 1)
    return replace(written, box=replace(written.box, note=f"{copy} of {copies}"))


def _frames(sheet: Sheet, paths: list[Path]) -> tuple[list[Frame], dict[Path, str]]:
    """Return a frame for each open scope, outer ones first, and the id of the frame at the end of each path."""
    groups = sheet.structure.groups
    frames: list[tuple[int, Frame]] = []
    ids: dict[Path, str] = {(): ""}
    for path in paths:
        for depth, scope in enumerate(path):
            around, here = path[:depth], path[: depth + 1]
            if here in ids:
                continue
            ids[here] = f"f{groups.keys[scope]}"
            count = sheet.choice.folded.get(scope, 1)
            title = scope_title(scope, around)
            alike = "/".join(str(groups.shapes[one]) for one in here)
            frame = Frame(ids[here], title, scope.formula, ids[around], count, alike, groups.keys[scope])
            frames.append((depth, frame))
    return [frame for _, frame in sorted(frames, key=itemgetter(0))], ids


def _in_frames(
    sheet: Sheet, written: list[Written], buses: list[tuple[Box, Path, int]], ids: dict[Path, str]
) -> list[Box]:
    """Return the boxes with their frames; a bar stands before the first box that reads it."""
    before: dict[int, list[Box]] = {}
    for box, path, reader in buses:
        before.setdefault(reader, []).append(replace(box, frame=ids[path]))
    boxes: list[Box] = []
    for place, (part, one) in enumerate(zip(sheet.parts, written, strict=True)):
        boxes += [*before.get(place, []), replace(one.box, frame=ids[part.path])]
    return boxes
