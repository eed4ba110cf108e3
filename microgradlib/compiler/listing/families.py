"""Families of parameters: those with one path but for running indices, as the weights of a layer."""

from __future__ import annotations

from collections import defaultdict
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from microgradlib.compiler.instructions import BATCH, FIXED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import ProgramData

    Path = tuple[str, ...]

__all__ = ["Family", "families", "in_braces", "names_by_role"]

UNITS = "neurons"
"""What a layer calls its list of units: their index runs even where there is but one."""

MOST_NAMES = 12
"""How many names are listed; of more only the first and the last."""


class Family(NamedTuple):
    """Parameters of one path: which they are, in the order of their indices, and the lengths of its axes."""

    name: str
    members: tuple[int, ...]
    lengths: tuple[int, ...]


def families(program: ProgramData, names: Sequence[str]) -> list[Family]:
    """Return the families of a program's parameters, in their order.

    Running are the indices at the end of a path, and those in it that differ within one matrix: of
    `layers.0.neurons.3.w.1` the 3 and the 1. The list they run through is left out where that is clear: `layers.0.w`.
    """
    paths = [tuple(name.split(".")) for name in names]
    running = _running(program, paths)
    members: dict[Path, list[int]] = defaultdict(list)
    for i, path in enumerate(paths):
        kept = [part for part, runs in zip(path, _runs(path, running)) if not runs]
        members[tuple(kept)].append(i)
    short = {key: _shortened(key, paths[group[0]], running) for key, group in members.items()}
    names_used = [*short.values()]
    result = []
    for key, group in members.items():
        name = short[key] if names_used.count(short[key]) == 1 else key
        result.append(_in_grid(group, paths, running)._replace(name=".".join(name)))
    return result


def names_by_role(program: ProgramData) -> list[str]:
    """Return paths for parameters without any: W1, W2, … for matrices, b1, b2, … for what is added to their products.

    >>> from microgradlib.compiler.canonical import canonical
    >>> from microgradlib.compiler.roll import roll
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [2, 1])
    >>> names_by_role(roll(canonical(trace(model, [[0.0, 0.0]], model.parameters()))))
    ['W1.0.0', 'W1.0.1', 'b1.0', 'W1.1.0', 'W1.1.1', 'b1.1', 'W2.0.0', 'W2.0.1', 'b2.0']
    """
    order = program.parameter_order
    names: dict[int, str] = {}
    count = 0
    for instruction in program.instructions:
        if instruction.kind != "product":
            continue
        for operand, letter in zip(instruction.operands[::2], "Wb"):
            indices = [order[slot] for slot in operand.slots if operand.bank == FIXED and slot < len(order)]
            if len(set(indices)) < len(operand.slots) or not names.keys().isdisjoint(indices):
                continue
            count += letter == "W"
            width = instruction.terms if letter == "W" else 1
            rows = sorted(sorted(indices[i : i + width]) for i in range(0, len(indices), width))
            for r, row in enumerate(rows):
                for t, index in enumerate(row):
                    names[index] = f"{letter}{count}.{r}" + (f".{t}" if letter == "W" else "")
    return [names.get(i, f"θ.{i}") for i in range(len(order))]


def _pattern(path: Path) -> Path:
    return tuple(["*" if part.isdecimal() else part for part in path])


def _running(program: ProgramData, paths: Sequence[Path]) -> set[tuple[Path, int]]:
    """Return the (pattern, place) of the indices in paths that differ within a matrix, or a vector beside one."""
    running: set[tuple[Path, int]] = set()
    for instruction in program.instructions:
        matrix = instruction.kind == "product" and instruction.rows > 1
        if not matrix and (instruction.bank != BATCH or instruction.kind == "product"):
            continue
        for operand in instruction.operands:
            seen: dict[Path, Path] = {}
            slots = [s for s in operand.slots if s < len(program.parameter_order)] if operand.bank == FIXED else []
            for slot in slots:
                path = paths[program.parameter_order[slot]]
                pattern = _pattern(path)
                first = seen.setdefault(pattern, path)
                running.update([(pattern, k) for k, (a, b) in enumerate(zip(first, path)) if a != b])
    return running


def _runs(path: Path, running: set[tuple[Path, int]]) -> list[bool]:
    """Say for each part of a path whether it is a running index."""
    pattern = _pattern(path)
    end = len(path)
    while end > 1 and pattern[end - 1] == "*":
        end -= 1
    return [
        part == "*" and (k >= end or (pattern, k) in running or (k > 0 and path[k - 1] == UNITS))
        for k, part in enumerate(pattern)
    ]


def _shortened(key: Path, path: Path, running: set[tuple[Path, int]]) -> Path:
    """Leave out the list of units: the part before a running index before the last name."""
    runs = _runs(path, running)
    names = [k for k, run in enumerate(runs) if not run]
    if len(names) > 1 and names[-1] - names[-2] > 1 and not path[names[-2]].isdecimal():
        return (*key[:-2], key[-1])
    return key


def _in_grid(group: list[int], paths: Sequence[Path], running: set[tuple[Path, int]]) -> Family:
    """Return the family of a group, still without a name: on a grid if the running indices fill one."""
    places = {i: tuple([int(p) for p, runs in zip(paths[i], _runs(paths[i], running)) if runs]) for i in group}
    if len({len(place) for place in places.values()}) == 1:
        axes = [sorted(set(axis)) for axis in zip(*places.values())]
        ordered = sorted(group, key=places.__getitem__)
        if [places[i] for i in ordered] == list(product(*axes)):
            return Family("", tuple(ordered), tuple([len(axis) for axis in axes]))
    return Family("", tuple(group), (len(group),))


def in_braces(rows: Sequence[Sequence[str]]) -> str:
    """Write families side by side, and below each other, as one path: what differs in braces, `;` where a row ends.

    Where that will not do, row by row in square brackets.

    >>> in_braces([["cell.i.U", "cell.i.W"], ["cell.f.U", "cell.f.W"]]), in_braces([["a.w"], ["b.v"]])
    ('cell.{i; f}.{U, W}', '[a.w; b.v]')
    """
    paths = [[name.split(".") for name in row] for row in rows]
    across, down = paths[0], [row[0] for row in paths]
    if len({len(path) for row in paths for path in row}) == 1:
        parts = [(list(dict.fromkeys(a)), list(dict.fromkeys(d))) for a, d in zip(zip(*across), zip(*down))]
        choices = [a if len(a) > 1 else d for a, d in parts]
        combined = all(1 in (len(a), len(d)) for a, d in parts)
        names = list(dict.fromkeys(name for row in rows for name in row))
        if combined and sorted(".".join(path) for path in product(*choices)) == sorted(names):
            signs = [", " if len(a) > 1 else "; " for a, _ in parts]
            return ".".join([c[0] if len(c) == 1 else f"{{{s.join(_few(c))}}}" for c, s in zip(choices, signs)])
    return f"[{'; '.join(_few([', '.join(row) for row in rows]))}]"


def _few(names: list[str]) -> list[str]:
    return names if len(names) <= MOST_NAMES else [*names[:2], "…", names[-1]]
