"""Closed groups: what they compute, what they count, and strips of squares for their values and gradients."""

from __future__ import annotations

import re
from collections import Counter
from math import isqrt
from typing import TYPE_CHECKING, Final

from microgradlib.viz.boxes.diagram import Box, Row, Strip
from microgradlib.viz.boxes.labels import base_name, relative_name, scope_title
from microgradlib.viz.boxes.neurons import owner
from microgradlib.viz.boxes.sheet import Sheet, Written
from microgradlib.viz.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.viz.boxes.parts import Part
    from microgradlib.viz.snapshots.snapshot import Scope

_IMAGE: Final = 16
"""So many inputs at least, and a square number of them, are an image."""
_MOST_SQUARES: Final = 256
"""Strips show so many numbers; of more, there is a note only."""
_MOST_KINDS: Final = 5
"""So many kinds of ops are named in a box for many."""
_LAST_NUMBER: Final = re.compile(r"(?<!\d)\d+$")
_PLACES: Final = re.compile(r"\d+")


def write_closed(sheet: Sheet, place: int) -> Written:
    """Return the box of a closed group: its formula, how much is in it, and its outputs with their gradients."""
    part = sheet.parts[place]
    scope = part.scope
    if scope is None:
        message = "a closed group needs a scope"
        raise ValueError(message)
    groups = sheet.structure.groups
    outputs = sheet.outside(place)
    rows = [Row(scope.formula, kind="formula")] if scope.formula else []
    rows += [Row(text, kind="note") for text in [", ".join(_counts(sheet, part, outputs))] if text]
    box = Box(
        f"g{groups.keys[scope]}",
        "closed",
        title=scope_title(scope, part.path),
        rows=(*rows, *_only_number(sheet, outputs)),
        strips=_strips(sheet, outputs),
        nodes=part.nodes,
        alike="/".join(str(groups.shapes[one]) for one in (*part.path, scope)),
        group=groups.keys[scope],
        tooltip=scope.path if scope.path != scope.name else "",
        output=sheet.has_output(place),
        count=sheet.choice.folded.get(scope, 1),
    )
    return Written(box, joins=len(outputs) > 1, silent=True)


def write_sum(sheet: Sheet, place: int) -> Written:
    """Return the box of additions that are one sum."""
    part = sheet.parts[place]
    i = part.nodes[-1]
    node = sheet.structure.nodes[i]
    own = sheet.row(i)
    terms = len(part.nodes) + 1
    return Written(
        Box(
            f"n{i}",
            "output" if node.kind == "output" else "op",
            title=sheet.labels.title(i, part.path),
            op="+",
            rows=(Row(f"sum of {terms:,} terms", kind="note"), *([own] if own.value else [])),
            nodes=part.nodes,
            output=sheet.has_output(place),
        ),
        silent=True,
    )


def write_vector(sheet: Sheet, place: int) -> Written:
    """Return the box of the same op on each element of a vector, or of neurons beside one another."""
    part = sheet.parts[place]
    results = sheet.outside(place)
    nodes = [sheet.structure.nodes[i] for i in results]
    bases = list(dict.fromkeys(base_name(node.name) for node in nodes))
    title = relative_name(bases[0], part.path) if len(bases) == 1 else ""
    neuron = sheet.structure.absorbed.loose.get(results[0]) if sheet.choice.step.cards else None
    if neuron is None:
        parameters = {parent for i in part.nodes for parent in sheet.structure.nodes[i].parents if parent in sheet.rows}
        words = [f"{len(nodes):,} values", *([counted(len(parameters), "parameter")] if parameters else [])]
        rows = [Row(", ".join(words), kind="note")]
    else:
        bias = any(weight.edge is None for weight in neuron.weights)
        formula = "W x + b" if bias else "W x"
        for i in neuron.functions:
            formula = f"{sheet.structure.nodes[i].op}({formula})"
        loose = sheet.structure.absorbed.loose
        parameters = {weight.parameter for i in results if i in loose for weight in loose[i].weights}
        title = owner([sheet.structure.nodes[i].name for i in sorted(parameters)]) or title
        words = [f"{len(nodes):,} neurons", counted(len(parameters), "parameter")]
        rows = [Row(formula, kind="formula"), Row(", ".join(words), kind="note")]
    box = Box(
        f"v{part.nodes[0]}",
        "closed",
        title=title,
        op="" if neuron is not None else sheet.labels.op(results[0], frozenset(), sheet.digits),
        rows=tuple(rows),
        strips=_strips(sheet, results),
        nodes=part.nodes,
        output=sheet.has_output(place),
    )
    return Written(box, joins=True, silent=True)


def write_leaves(sheet: Sheet, place: int) -> Written:
    """Return one box for many leaves; a square number of inputs is shown as an image."""
    part = sheet.parts[place]
    nodes = sorted(
        (sheet.structure.nodes[i] for i in part.nodes), key=lambda node: (base_name(node.name), _places(node.name))
    )
    bases = list(dict.fromkeys(base_name(node.name) for node in nodes))
    kind = nodes[0].kind
    side = isqrt(len(nodes))
    values = tuple(node.data for node in nodes)
    image = kind == "input" and len(bases) == 1 and len(nodes) >= _IMAGE and side * side == len(nodes)
    strips: tuple[Strip, ...] = ()
    if not sheet.symbolic and image:
        strips = (Strip("value", values, image=True),)
    elif not sheet.symbolic and len(values) <= _MOST_SQUARES:
        gradients = tuple(node.grad for node in nodes)
        strips = (Strip("value", values), *([Strip("gradient", gradients)] if kind in {"input", "parameter"} else []))
    named = [relative_name(base, part.path) for base in bases if base]
    return Written(
        Box(
            f"n{part.nodes[0]}",
            kind,
            title=", ".join(named[:2]) + (", …" if len(named) > 2 else ""),
            rows=(Row(f"{len(nodes):,} {kind}s", kind="note"),),
            strips=strips,
            nodes=part.nodes,
            tooltip=", ".join(node.name for node in nodes[:20] if node.name) + (", …" if len(nodes) > 20 else ""),
            output=sheet.has_output(place),
        ),
        joins=True,
    )


def _places(name: str) -> tuple[int, ...]:
    return tuple(map(int, _PLACES.findall(name)))


def write_elided(sheet: Sheet, place: int) -> Written:
    """Return the box for the middle of the ops of a frame, or of a series of equal groups."""
    part = sheet.parts[place]
    nodes = [sheet.structure.nodes[i] for i in part.nodes if sheet.structure.nodes[i].parents]
    kinds = Counter(node.op or "?" for node in nodes)
    words = ", ".join(f"{count:,} {op}" for op, count in list(kinds.items())[:_MOST_KINDS])
    words += ", …" if len(kinds) > _MOST_KINDS else ""
    outputs = sheet.outside(place)
    rows = [Row(words, kind="note")]
    title = f"… {len(nodes):,} more"
    group = ""
    steps = _whole_steps(sheet, part)
    if len(steps) > 1:
        title = _series_title(steps)
        rows = [Row(f"{len(nodes):,} operations", kind="note"), *rows]
    if part.kind == "series" and part.scope is not None:
        title = _series_title(part.scopes)
        rows = [
            Row(f"{len(part.scopes):,} more, all alike", kind="note"),
            Row(f"{len(nodes):,} operations", kind="note"),
        ]
        group = sheet.structure.groups.keys[part.scope]
    box = Box(
        f"e{part.nodes[0]}",
        "elided",
        title=title,
        rows=tuple(rows),
        nodes=part.nodes,
        group=group,
        output=sheet.has_output(place),
    )
    return Written(box, joins=len(outputs) > 1, silent=True)


def _whole_steps(sheet: Sheet, part: Part) -> list[Scope]:
    """Return the time steps and examples that lie in a part as a whole, in their order."""
    depth, own = len(part.path), set(part.nodes)
    found: dict[Scope, bool] = {}
    for i, path in enumerate(sheet.structure.groups.paths):
        if len(path) > depth and path[depth].kind in {"step", "example"}:
            found[path[depth]] = found.get(path[depth], True) and i in own
    steps = [scope for scope, is_whole in found.items() if is_whole]
    return sorted(steps, key=lambda scope: _places(scope.name))


def _series_title(scopes: Sequence[Scope]) -> str:
    first, last = scopes[0].name, scopes[-1].name
    ends = _LAST_NUMBER.search(first), _LAST_NUMBER.search(last)
    if ends[0] and ends[1] and first[: ends[0].start()] == last[: ends[1].start()]:
        return f"{first} … {ends[1][0]}"
    return f"{first} … {last}"


def _counts(sheet: Sheet, part: Part, outputs: Sequence[int]) -> list[str]:
    nodes = sheet.structure.nodes
    ops = [nodes[i] for i in part.nodes if nodes[i].parents]
    parameters = {parent for node in ops for parent in node.parents if nodes[parent].kind == "parameter"}
    words = [f"{len(outputs):,} outputs"] if len(outputs) > 1 else []
    if parameters:
        words.append(counted(len(parameters), "parameter"))
    else:
        words.append(counted(len(ops), "operation"))
    return words


def _only_number(sheet: Sheet, outputs: Sequence[int]) -> list[Row]:
    if len(outputs) != 1 or sheet.symbolic:
        return []
    [i] = outputs
    return [sheet.row(i, relative_name(sheet.structure.nodes[i].name, sheet.structure.groups.paths[i]))]


def _strips(sheet: Sheet, outputs: Sequence[int]) -> tuple[Strip, ...]:
    if sheet.symbolic or not 1 < len(outputs) <= _MOST_SQUARES:
        return ()
    nodes = [sheet.structure.nodes[i] for i in outputs]
    return (
        Strip("value", tuple(node.data for node in nodes)),
        Strip("gradient", tuple(node.grad for node in nodes)),
    )
