"""Packs: nodes of a trace that one instruction computes, dots gathered into matrix products."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from microgradlib.compiler.vectorize.batch_matmul import batch_matmul
from microgradlib.compiler.vectorize.broadcast import PAIRED, parts
from microgradlib.compiler.vectorize.schedule import schedule
from microgradlib.ops import TABLE, Op

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from microgradlib.compiler.trace import TracedNode

    Term = tuple[int, ...]

__all__ = ["Pack", "packed"]

DOT = TABLE["dot"]
OF_ANY_LENGTH = {"sum", "mean", "dot", "maximum", "minimum"}
"""Ops of any number of terms that one instruction computes for results with different numbers of them."""

SHORT = 16
"""Dots of at most so many terms, each with weights and inputs of its own, are quicker as one reduction."""


@dataclass
class Pack:
    """Nodes that one instruction computes, in the order of its results; −1 is a result that the trace does not have.

    Of a "matmul" of `count` products Z = W X, `rows` are those of each W, one after another, `columns` those of each X,
    and the members go product by product, row by row. `bias` says what becomes of a dot's: "" there is none, "column"
    it is the last of each row of W, "added" by an instruction of its own.
    """

    kind: str
    op: Op
    members: list[int]
    terms: int = 1
    count: int = 1
    rows: list[Term] = field(default_factory=list)
    columns: list[Term] = field(default_factory=list)
    bias: str = ""
    batched: bool = False
    """Of a "matmul", whether both factors are."""

    def block(self, c: int) -> list[list[int]]:
        """Return the members of product c, row by row."""
        width = len(self.columns) // self.count
        size = len(self.members) // self.count
        return [self.members[start : start + width] for start in range(c * size, (c + 1) * size, width)]


def packed(nodes: Sequence[TracedNode], is_batched: Sequence[bool]) -> list[Pack]:
    """Return the packs in an order in which they can be computed."""
    numbers: dict[Any, int] = {}  # in place of kinds, as they are quicker to look up
    kinds = [
        None if node.op is None else numbers.setdefault(_kind(node.op, node.arguments, is_batched, i), len(numbers))
        for i, node in enumerate(nodes)
    ]
    alike: dict[Any, list[int]] = defaultdict(list)
    for i, level in enumerate(schedule(nodes, kinds)):
        if kinds[i] is not None:
            alike[level, kinds[i]].append(i)
    packs: list[Pack] = []
    for key in sorted(alike, key=lambda key: (key[0], alike[key][0])):
        members = alike[key]
        op, arguments = cast(Op, nodes[members[0]].op), nodes[members[0]].arguments
        if op is DOT:
            packs += _dots(nodes, is_batched, members)
        elif op.variadic:
            packs.append(_reduction(nodes, members, len(parts(op, arguments)[0])))
        else:
            packs.append(Pack("elementwise", op, members))
    return packs


def _kind(op: Op, arguments: tuple[int, ...], is_batched: Sequence[bool], i: int) -> Any:
    """Return what nodes of one instruction have in common, but for their level."""
    firsts: Sequence[int] = arguments
    if op.variadic:
        paired = op is DOT or (op.name in PAIRED and len(arguments) % 2 == 0)
        firsts = arguments[:: len(arguments) // 2] if paired else arguments[:1]
    spaces = tuple(map(is_batched.__getitem__, firsts))
    same = op.variadic and not (op.name in OF_ANY_LENGTH and spaces[0])
    return op.name, op.settings, is_batched[i], spaces, len(arguments) if same else 0


def _reduction(nodes: Sequence[TracedNode], members: list[int], terms: int, bias: str = "") -> Pack:
    alike = len({len(nodes[i].arguments) for i in members}) == 1
    op = cast(Op, nodes[members[0]].op)
    return Pack("reduce" if alike else "segment_reduce", op, members, terms if alike else 1, bias=bias)


def _dots(nodes: Sequence[TracedNode], is_batched: Sequence[bool], members: list[int]) -> Iterable[Pack]:
    """Part dots into matrix products and the rest."""
    arguments = nodes[members[0]].arguments
    terms = len(arguments) // 2
    bias = "added" if len(arguments) % 2 else ""
    if is_batched[arguments[0]]:
        halves = [len(nodes[i].arguments) // 2 for i in members]
        found = batch_matmul(
            [nodes[i].arguments[:n] for i, n in zip(members, halves)],
            [nodes[i].arguments[n : 2 * n] for i, n in zip(members, halves)],
        )
        if found is None:
            return [_reduction(nodes, members, terms, bias)]
        cells = [-1 if m < 0 else members[m] for m in found.members]
        return [Pack("matmul", DOT, cells, found.terms, found.count, found.rows, found.columns, bias, batched=True)]
    by_column: dict[Term, dict[Term, int]] = defaultdict(dict)
    repeated: list[int] = []
    for i in members:
        w, x = nodes[i].arguments[:terms], nodes[i].arguments[terms : 2 * terms]
        if w in by_column[x]:
            repeated.append(i)  # same weights and inputs, another bias
        else:
            by_column[x][w] = i
    by_rows: dict[tuple[Term, ...], list[Term]] = defaultdict(list)
    for x, weights in by_column.items():
        by_rows[tuple(sorted(weights))].append(x)
    single = [columns[0] for rows, columns in by_rows.items() if len(rows) == len(columns) == 1]
    if len(single) > 1 and terms <= SHORT:
        repeated += [i for x in single for i in by_column[x].values()]
        by_rows = {rows: columns for rows, columns in by_rows.items() if len(rows) > 1 or len(columns) > 1}
    packs = []
    for rows, columns in by_rows.items():
        cells = [by_column[x][w] for w in rows for x in columns]
        pack = Pack("matmul", DOT, cells, terms, 1, list(rows), columns, bias)
        packs.append(_with_bias_column(pack, nodes, is_batched) if bias else pack)
    return packs + ([Pack("reduce", DOT, sorted(repeated), terms, bias=bias)] if repeated else [])


def _with_bias_column(pack: Pack, nodes: Sequence[TracedNode], is_batched: Sequence[bool]) -> Pack:
    """Write W X + b as [W b] [X; 1], if W and b alone are unbatched and b is the same along each row."""
    width = len(pack.columns)
    biases = [nodes[i].arguments[-1] for i in pack.members]
    same = all(biases[i] == biases[i - i % width] for i in range(len(biases)))
    if not same or is_batched[biases[0]] or not is_batched[pack.columns[0][0]]:
        return pack
    rows = [(*row, bias) for row, bias in zip(pack.rows, biases[::width])]
    return Pack("matmul", DOT, pack.members, pack.terms + 1, 1, rows, pack.columns, "column")
