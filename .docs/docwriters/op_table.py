"""The page of all ops, written from the op table, and of their conventions at kinks beside PyTorch's and JAX's."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

from docwriters.docstrings import escaped
from docwriters.files import write_if_new
from docwriters.measure_conventions import FILE, numbers_of, ours
from microgradlib.ops import PUBLIC, TABLE, ZERO, Op
from microgradlib.ops.documentation import input_names
from microgradlib.symbolic import local_derivative_formula, value_formula

__all__ = ["op_page", "write_op_page"]

KINDS = {
    "arithmetic": "Arithmetic",
    "exponential": "Exponentials, logarithms, roots and special functions",
    "log_functions": "Logarithms of sums",
    "trigonometric": "Trigonometric and hyperbolic functions",
    "activations": "Activation functions, piecewise",
    "smooth_activations": "Activation functions, smooth",
    "selection": "Comparisons and choices",
    "rounding": "Steps and rounding",
    "reductions": "Of any number of inputs",
    "softmax": "Cross-entropies",
    "derivative_graph": "Derivatives as graphs",
    "slopes": "Slopes of activations",
}
"""The files of `microgradlib.ops`, each with ops of one kind."""
COUNTS = {"dot": ["w₁", "w₂", "x₁", "x₂"], "cross_entropy": ["w₁", "w₂", "z₁", "z₂"]}
POINTS = 60
"""At so many points of its sample each op is asked which of its derivatives are closed."""

HEAD = """\
# All ops

{count} ops make up the library. Each is one record: its value and its local derivatives, stated once. Numbers, graphs,
drawings, compiled programs and this page come from it: it is written from the table at each build.

Derivatives stand in the form of books; z is the op's own result. {{ref}}`Below <conventions>` is what happens at kinks
and at the edges of domains, beside PyTorch and JAX. A derivative marked † is *closed* at some points: there it is not a
number 0 but `ops.ZERO`, which stops inf and nan as well, as in a branch that was not taken. Outside an op's domain,
value and derivatives are nan.
"""

CONVENTIONS = """\
(conventions)=
## At kinks and edges: this library, PyTorch, JAX

At a kink a function has no derivative, and every library takes some number. The numbers of this library are computed
when this page is built; those of PyTorch {torch} and JAX {jax} were measured in double precision by
`python .docs/docwriters/measure_conventions.py`, which a test repeats (`pytest -m slow tests/docs`). Derivatives are in
the order of the inputs; **bold** where the three do not agree.

`kinks(output)` lists the nodes of a graph at which a convention holds, or 0 · inf.
"""


def write_op_page(path: Path) -> None:
    """Write the page."""
    write_if_new(path, op_page())


def op_page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD.format(count=len(TABLE))]
    import microgradlib.ops as rooms  # noqa: PLC0415

    placed: set[str] = set()
    for room, title in KINDS.items():
        there = {thing.name for thing in vars(getattr(rooms, room)).values() if isinstance(thing, Op)}
        found = [op for name, op in TABLE.items() if name in there and name not in placed]
        placed |= {op.name for op in found}
        parts.append(_table(title, found))
    rest = [op for name, op in TABLE.items() if name not in placed]
    if rest:
        parts.append(_table("Others", rest))
    parts.append(_conventions())
    return "\n".join(parts)


def _table(title: str, ops: list[Op]) -> str:
    lines = [
        f"## {title}",
        "",
        "| op | value | derivatives | domain | at kinks; infinite slopes |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {' | '.join(_row(op))} |" for op in ops]
    return "\n".join([*lines, ""])


def _row(op: Op) -> list[str]:
    names = _names(op)
    name = f"{{py:func}}`{op.name} <microgradlib.{op.name}>`" if op.name in PUBLIC else f"`{op.name}`"
    value = value_formula(op, names)
    if re.match(rf"{op.name}\b", value):
        value = re.split(r"[,;] derivative|: ", op.formula)[0]
    closed = _closed(op, len(names))
    places = range(1 if op.arity is None and op.name not in COUNTS else len(names))
    derivatives = []
    for place in places:
        mark = " †" if place in closed else ""
        formula = local_derivative_formula(op, place, names, "z")
        if "nan" in formula:
            formula = "undefined: a fixed number"
        derivatives.append(f"∂/∂{names[place]} = {formula}{mark}")
    notes = [note for note in (op.kink_note, op.infinite_note) if note]
    return [name, escaped(value), "<br>".join(map(escaped, derivatives)), escaped(op.domain), escaped("; ".join(notes))]


def _names(op: Op) -> list[str]:
    if op.arity is not None:
        return input_names(op)
    return COUNTS.get(op.name, ["x₁", "x₂", "x₃"])


def _closed(op: Op, count: int) -> set[int]:
    """Return which derivatives are `ZERO` somewhere in the op's sample, though not everywhere that one is 0."""
    draw, found = random.Random(0), set()
    intervals = [*op.sample, *[op.sample[-1]] * count][:count]
    for _ in range(POINTS):
        point = [draw.uniform(*interval) for interval in intervals]
        slopes = op.local_derivatives(op.compute(*point), *point)
        found |= {place for place, slope in enumerate(slopes) if slope is ZERO}
    return found


def _conventions() -> str:
    recorded = json.loads(FILE.read_text(encoding="utf-8"))
    lines = [CONVENTIONS.format(**recorded["versions"])]
    lines += ["| here | at | value | derivatives | PyTorch | JAX |", "|---|---|---|---|---|---|"]
    for row in recorded["rows"]:
        where = {name: float(number) for name, number in row["at"].items()}
        mine = numbers_of(ours(row["ours"], where))
        found = [_shown(mine[1:]), *[_shown(row[peer]["found"][1:]) for peer in ("torch", "jax")]]
        if len(set(found)) > 1:
            found = [f"**{text}**" for text in found]
        peers = [f"{text}<br>`{row[peer]['code']}`" for text, peer in zip(found[1:], ("torch", "jax"))]
        at = "<br>".join(f"{name}\u00a0=\u00a0{_shown([number])}" for name, number in row["at"].items())
        lines.append(f"| `{row['ours']}` | {at} | {_shown(mine[:1])} | {found[0]} | {peers[0]} | {peers[1]} |")
    return "\n".join([*lines, ""])


def _shown(numbers: list[Any]) -> str:
    return ", ".join(f"{float(x):.5g}".replace("-", "−") for x in numbers)
