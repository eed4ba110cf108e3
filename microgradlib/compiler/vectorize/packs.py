"""Packs: nodes of a trace that one instruction computes, dots gathered into matrix products."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.vectorize.batch_matmul import batch_matmul
from microgradlib.compiler.vectorize.broadcast import parts
from microgradlib.compiler.vectorize.schedule import schedule
from microgradlib.ops import TABLE, Op

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.trace import TracedNode

    Term = tuple[int, ...]

__all__ = ["Pack", "packs_of"]

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

    def blocks(self) -> list[list[list[int]]]:
        """Return the members product by product, row by row."""
        width = len(self.columns) // self.count
        lines = [self.members[start : start + width] for start in range(0, len(self.members), width)]
        height = len(self.rows) // self.count
        return [lines[start : start + height] for start in range(0, len(lines), height)]


def packs_of(nodes: Sequence[TracedNode], spaces: Sequence[int]) -> list[Pack]:
    """Return the packs in an order in which they can be computed.

    >>> from microgradlib import tanh
    >>> from microgradlib.compiler.trace import trace
    >>> nodes = trace(lambda x: tanh(x[0]) * tanh(x[1]), [[0.0, 0.0]], []).nodes
    >>> [(pack.kind, pack.op.name, pack.members) for pack in packs_of(nodes, [BATCHED] * len(nodes))]
    [('elementwise', 'tanh', [1, 3]), ('elementwise', 'mul', [4])]
    """
    numbers: dict[Any, int] = {}  # in place of kinds, as they are quicker to look up
    kinds = [
        None if node.op is None else numbers.setdefault(_kind(node.op, node.arguments, spaces, i), len(numbers))
        for i, node in enumerate(nodes)
    ]
    alike: dict[Any, list[int]] = defaultdict(list)
    for i, level in enumerate(schedule(nodes, kinds)):
        if kinds[i] is not None:
            alike[level, kinds[i]].append(i)
    packs: list[Pack] = []
    for key in sorted(alike, key=lambda key: (key[0], alike[key][0])):
        members = alike[key]
        op = cast(Op, nodes[members[0]].op)
        if op is DOT:
            batched = spaces[nodes[members[0]].arguments[0]] == BATCHED
            packs += _batched_dots(nodes, members) if batched else _weighted_dots(nodes, spaces, members)
        elif op.variadic:
            packs.append(_reduction(nodes, members))
        else:
            packs.append(Pack("elementwise", op, members))
    return packs


def _kind(op: Op, arguments: tuple[int, ...], spaces: Sequence[int], i: int) -> Any:
    """Return what nodes of one instruction have in common, but for their level."""
    firsts = [part[0] for part in parts(op, arguments)] if op.variadic else arguments
    read = tuple(map(spaces.__getitem__, firsts))
    any_length = not op.variadic or (op.name in OF_ANY_LENGTH and read[0] == BATCHED)
    return op.name, op.settings, spaces[i], read, 0 if any_length else len(arguments)


def _reduction(nodes: Sequence[TracedNode], members: list[int]) -> Pack:
    op, arguments = cast(Op, nodes[members[0]].op), nodes[members[0]].arguments
    bias = "added" if op is DOT and len(arguments) % 2 else ""
    if len({len(nodes[i].arguments) for i in members}) > 1:
        return Pack("segment_reduce", op, members, bias=bias)
    return Pack("reduce", op, members, len(parts(op, arguments)[0]), bias=bias)


def _batched_dots(nodes: Sequence[TracedNode], members: list[int]) -> list[Pack]:
    """Return the matrix products of which dots of batched weights and inputs are part, or a reduction."""
    reduction = _reduction(nodes, members)
    halves = [parts(DOT, nodes[i].arguments) for i in members]
    found = batch_matmul([w for w, *_ in halves], [x for _, x, *_ in halves])
    if found is None:
        return [reduction]
    cells = [-1 if m < 0 else members[m] for m in found.members]
    return [Pack("matmul", DOT, cells, found.terms, found.blocks, found.rows, found.columns, reduction.bias)]


def _weighted_dots(nodes: Sequence[TracedNode], spaces: Sequence[int], members: list[int]) -> list[Pack]:
    """Part dots of unbatched weights into matrix products, of every row of W with every column of X, and the rest."""
    terms = len(nodes[members[0]].arguments) // 2
    by_column: dict[Term, dict[Term, int]] = defaultdict(dict)
    rest: list[int] = []
    for i in members:
        arguments = nodes[i].arguments
        w, x = arguments[:terms], arguments[terms : 2 * terms]
        if by_column[x].setdefault(w, i) != i:
            rest.append(i)  # same weights and inputs, another bias
    by_rows: dict[tuple[Term, ...], list[Term]] = defaultdict(list)
    for x, weights in by_column.items():
        by_rows[tuple(sorted(weights))].append(x)
    single = [rows for rows, columns in by_rows.items() if len(rows) == len(columns) == 1]
    if len(single) > 1 and terms <= SHORT:
        rest = sorted(rest + [by_column[by_rows.pop(rows)[0]][rows[0]] for rows in single])
    packs = [
        _product([[by_column[x][w] for x in columns] for w in rows], list(rows), columns, nodes, spaces)
        for rows, columns in by_rows.items()
    ]
    return [*packs, *([_reduction(nodes, rest)] if rest else [])]


def _product(
    cells: list[list[int]], rows: list[Term], columns: list[Term], nodes: Sequence[TracedNode], spaces: Sequence[int]
) -> Pack:
    """Return Z = W X, or Z = [W b] [X; 1] if X is batched and the bias unbatched and the same along each row."""
    terms, bias = len(rows[0]), ""
    members = [i for row in cells for i in row]
    if len(nodes[members[0]].arguments) % 2:
        bias = "added"
        biases = [{nodes[i].arguments[-1] for i in row} for row in cells]
        x_space, b_space = spaces[columns[0][0]], spaces[min(biases[0])]
        if (x_space, b_space) == (BATCHED, UNBATCHED) and all(len(row) == 1 for row in biases):
            bias, terms = "column", terms + 1
            rows = [(*row, *b) for row, b in zip(rows, biases)]
    return Pack("matmul", DOT, members, terms, 1, rows, columns, bias)
