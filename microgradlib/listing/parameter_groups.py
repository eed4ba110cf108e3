"""Groups of parameters: those with one path but for running indices, as the weights of a layer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import chain, product
from typing import NamedTuple

from microgradlib._support.printable import as_identifier
from microgradlib.compiler.instructions import BATCHED, UNBATCHED, ProgramData, Slots
from microgradlib.compiler.numpy_functions import numpy

Path = tuple[str, ...]

__all__ = ["ParameterGroup", "few", "in_braces", "legible", "names_by_role", "parameter_groups"]

INDEX = "."
"""Stands for an index in the pattern of a path, whose parts have no point in them."""

UNITS = "neurons"
"""What a layer calls its list of units: their index runs even where there is but one."""

MOST_NAMES = 12
"""How many names are listed; of more only the first and the last."""


class ParameterGroup(NamedTuple):
    """Parameters of one path: which they are, in the order of their indices, and the lengths of its axes."""

    name: str
    members: tuple[int, ...]
    lengths: tuple[int, ...]


def parameter_groups(program: ProgramData, names: Sequence[str]) -> list[ParameterGroup]:
    """Return the groups of a program's parameters, in their order.

    Running are the indices at the end of a path, and those in it that differ within one matrix: of
    `layers.0.neurons.3.w.1` the 3 and the 1. The list they run through is left out where that is clear: `layers.0.w`.

    >>> from microgradlib import compile
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [3, 1])
    >>> program = compile(model, model.parameters()).lower([[0.0, 0.0]])
    >>> [(group.name, group.lengths) for group in parameter_groups(program, program.parameter_names)]
    [('layers.0.w', (3, 2)), ('layers.0.b', (3,)), ('layers.1.w', (1, 3)), ('layers.1.b', (1,))]
    """
    paths = [tuple(name.split(".")) for name in names]
    running = _running(program, paths)
    runs = [_runs(path, running) for path in paths]
    places = [tuple([int(part) for part, run in zip(*pair) if run]) for pair in zip(paths, runs)]
    members: dict[Path, list[int]] = defaultdict(list)
    for i, pair in enumerate(zip(paths, runs)):
        members[tuple([part for part, run in zip(*pair) if not run])].append(i)
    short = {key: _shortened(key, paths[i], runs[i]) for key, (i, *_) in members.items()}
    count = Counter(short.values())
    chosen = {key: key if count[name] > 1 else name for key, name in short.items()}
    return [ParameterGroup(".".join(chosen[key]), *_in_grid(group, places)) for key, group in members.items()]


def legible(name: str) -> str:
    """Return the path of a group as names and indices, whatever text the user's names are.

    What no name has in it is _, and a part of which nothing is left is θ, as parameters without names are called. `.T`
    and `.flat` are not those of a formula.

    >>> legible("layers.0.w"), legible("a + b.2"), legible("."), legible("softmax.T")
    ('layers.0.w', 'a___b.2', 'θ.θ', 'softmax.T_')
    """
    parts = name.split(".")
    for k, part in enumerate(parts):
        if not (k and part.isdecimal()):
            found = as_identifier(part)
            parts[k] = f"{part}_" if k and part in {"T", "flat"} else found if found.strip("_") else "θ"
    return ".".join(parts)


def names_by_role(program: ProgramData) -> list[str]:
    """Return paths for parameters without any: W1, W2, … for matrices, b1, b2, … for what is added to their products.

    >>> from microgradlib import compile
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [2, 1])
    >>> names_by_role(compile(model, model.parameters()).lower([[0.0, 0.0]]))
    ['W1.0.0', 'W1.0.1', 'b1.0', 'W1.1.0', 'W1.1.1', 'b1.1', 'W2.0.0', 'W2.0.1', 'b2.0']
    """
    order = program.parameter_order
    names: dict[int, str] = {}
    count = 0
    for letter, slots in _matrices_and_biases(program):
        rows = sorted([sorted([order[slot] for slot in row]) for row in slots.tolist() if max(row) < len(order)])
        if len({*chain(*rows)}) < slots.size or not names.keys().isdisjoint(chain(*rows)):
            continue
        count += letter == "W"
        for r, row in enumerate(rows):
            names |= {index: f"W{count}.{r}.{t}" if letter == "W" else f"b{count}.{r}" for t, index in enumerate(row)}
    return [names.get(i, f"θ.{i}") for i in range(len(order))]


def _matrices_and_biases(program: ProgramData) -> list[tuple[str, Slots]]:
    """Return ("W", slots of a matrix), and ("b", a column of slots) for what is added to its products."""
    found: list[tuple[str, Slots]] = []
    before = None
    for instruction in program.instructions[: program.forward]:
        first = instruction.operands[0]
        if instruction.kind == "matmul" and first.space == UNBATCHED:
            count, rows, terms, _ = instruction.shape
            w, x = first.slots.reshape(count * rows, terms), instruction.operands[1].slots.reshape(count * terms, -1)
            one = numpy().isin(x, program.ones).all(1)[:terms] & (instruction.operands[1].space == BATCHED)
            found += [("W", w[:, ~one]), *[("b", w[:, [t]]) for t in one.nonzero()[0]]]
        elif instruction.op.name == "add" and first == before and instruction.operands[1].space == UNBATCHED:
            found.append(("b", instruction.operands[1].slots[:, None]))
        before = instruction.results if instruction.kind == "matmul" else None
    return found


def _pattern(path: Path) -> Path:
    return tuple([INDEX if part.isdecimal() and len(part) < 10 else part for part in path])  # longer ones are names


def _running(program: ProgramData, paths: Sequence[Path]) -> dict[Path, set[int]]:
    """Return by pattern the places of the indices in paths that differ within a matrix, or a vector beside one."""
    running: defaultdict[Path, set[int]] = defaultdict(set)
    for instruction in program.instructions[: program.forward]:
        if instruction.shape[1] == 1 if instruction.kind == "matmul" else instruction.space != BATCHED:
            continue
        for operand in instruction.operands:
            seen: dict[Path, Path] = {}
            slots = operand.slots[operand.slots < len(paths)] if operand.space == UNBATCHED else ()
            for slot in slots:
                path = paths[program.parameter_order[slot]]
                pattern = _pattern(path)
                first = seen.setdefault(pattern, path)
                running[pattern].update([k for k, (a, b) in enumerate(zip(first, path)) if a != b])
    return running


def _runs(path: Path, running: dict[Path, set[int]]) -> list[bool]:
    """Say for each part of a path whether it is a running index."""
    pattern = _pattern(path)
    places, end = running.get(pattern, set()), len(path)
    while end > 1 and pattern[end - 1] == INDEX:
        end -= 1
    return [
        part == INDEX and (k >= end or k in places or (k > 0 and path[k - 1] == UNITS))
        for k, part in enumerate(pattern)
    ]


def _shortened(key: Path, path: Path, runs: Sequence[bool]) -> Path:
    """Leave out the list of units: the part before a running index before the last name."""
    names = [k for k, run in enumerate(runs) if not run]
    units = len(names) > 1 and names[-1] - names[-2] > 1 and not path[names[-2]].isdecimal()
    return (*key[:-2], key[-1]) if units else key


def _in_grid(group: list[int], places: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the members of a group, and the lengths of its axes: those of the grid that the running indices fill."""
    ordered = sorted(group, key=places.__getitem__)
    axes = [sorted(set(axis)) for axis in zip(*[places[i] for i in group])]
    if [places[i] for i in ordered] == list(product(*axes)):
        return tuple(ordered), tuple([len(axis) for axis in axes])
    return tuple(group), (len(group),)


def in_braces(rows: Sequence[Sequence[str]]) -> str:
    """Write groups side by side, and below each other, as one path: what differs in braces, `;` where a row ends.

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
            return ".".join([c[0] if len(c) == 1 else f"{{{s.join(few(c))}}}" for c, s in zip(choices, signs)])
    return f"[{'; '.join(few([', '.join(row) for row in rows]))}]"


def few(names: list[str], most: int = MOST_NAMES) -> list[str]:
    """Return the names, of more than `most` only the first two and the last.

    >>> few(["a", "b", "c", "d"], most=3)
    ['a', 'b', '…', 'd']
    """
    return names if len(names) <= most else [*names[:2], "…", names[-1]]
