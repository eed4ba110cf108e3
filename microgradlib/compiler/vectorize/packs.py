"""Packs: nodes of a trace that one instruction computes, dots gathered into matrix products."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.trace import TracedNode
from microgradlib.compiler.vectorize.batch_matmul import batch_matmul
from microgradlib.compiler.vectorize.schedule import schedule
from microgradlib.ops import TABLE, Op

if TYPE_CHECKING:
    from collections.abc import Sequence

    Term = tuple[int, ...]

__all__ = ["PAIRED", "Pack", "packs_of", "parts", "with_dots_of_one_term"]

DOT, MUL = TABLE["dot"], TABLE["mul"]
PAIRED = {"dot", "cross_entropy"}
"""Ops of two lists: the first half of their arguments are the weights of the second half."""
OF_ANY_LENGTH = {"sum", "mean", "dot", "maximum", "minimum"}
"""Ops of any number of terms that one instruction computes for results with different numbers of them."""
SHORT = 16
"""Dots of at most so many terms, each with weights and inputs of its own, are quicker as one reduction."""


@dataclass(frozen=True)
class Pack:
    """Nodes that one instruction computes, in the order of its results; −1 is a result that the trace does not have.

    Of a "matmul" of products Z = W X, `shape` is (count, rows, terms, columns), `rows` are those of each W, one after
    another, `columns` those of each X, and the members go product by product, row by row. `bias` says what becomes of a
    dot's: "" there is none, "column" it is the last of each row of W, "added" by an instruction of its own.
    """

    kind: str
    op: Op
    members: list[int]
    terms: int = 1
    shape: tuple[int, int, int, int] = (1, 1, 1, 1)
    rows: Sequence[Term] = ()
    columns: Sequence[Term] = ()
    bias: str = ""


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
            packs += [_batched_dots(nodes, members)] if batched else _weighted_dots(nodes, members)
        else:
            packs.append(_reduction(nodes, members) if op.variadic else Pack("elementwise", op, members))
    return packs


def _kind(op: Op, arguments: tuple[int, ...], spaces: Sequence[int], i: int) -> Any:
    """Return what nodes of one instruction have in common, but for their level."""
    firsts = [part[0] for part in parts(op, arguments)] if op.variadic else arguments
    read = tuple(map(spaces.__getitem__, firsts))
    any_length = not op.variadic or (op.name in OF_ANY_LENGTH and read[0] == BATCHED)
    return op.name, op.settings, spaces[i], read, 0 if any_length else len(arguments)


def parts(op: Op, arguments: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the arguments operand by operand: of a dot its weights, inputs and perhaps bias; see `PAIRED`.

    >>> parts(TABLE["dot"], (1, 2, 3, 4, 5)), parts(TABLE["sum"], (1, 2)), parts(TABLE["div"], (1, 2))
    (((1, 2), (3, 4), (5,)), ((1, 2),), ((1,), (2,)))
    """
    if op is DOT or (op.name in PAIRED and len(arguments) % 2 == 0):
        n = len(arguments) // 2
        return (arguments[:n], arguments[n : 2 * n], *zip(arguments[2 * n :]))
    return (arguments,) if op.variadic else tuple(zip(arguments))


def with_dots_of_one_term(nodes: Sequence[TracedNode], spaces: Sequence[int]) -> list[TracedNode]:
    """Make dots of the products that begin families of dots, w₁x₁, w₁x₁ + w₂x₂ …, as in causal attention."""
    lengths: dict[int, set[int]] = defaultdict(set)
    for arguments in [node.arguments for node in nodes if node.op is DOT and spaces[node.arguments[0]] == BATCHED]:
        n = len(arguments) // 2
        lengths[arguments[n]].add(n)
    begins = {x for x, found in lengths.items() if {2, 3} <= found}
    return [
        node._replace(op=DOT)
        if node.op is MUL and node.arguments[1] in begins and spaces[node.arguments[0]] == BATCHED
        else node
        for node in nodes
    ]


def _reduction(nodes: Sequence[TracedNode], members: list[int]) -> Pack:
    op, arguments = cast(Op, nodes[members[0]].op), nodes[members[0]].arguments
    if len({len(nodes[i].arguments) for i in members}) > 1:
        return Pack("segment_reduce", op, members)
    operands = parts(op, arguments)
    bias = "added" if op is DOT and len(operands) > 2 else ""
    return Pack("reduce", op, members, len(operands[0]), bias=bias)


def _batched_dots(nodes: Sequence[TracedNode], members: list[int]) -> Pack:
    """Return the matrix products of which dots of batched weights and inputs are part, or a reduction."""
    halves = [parts(DOT, nodes[i].arguments) for i in members]
    found = batch_matmul([w for w, _ in halves], [x for _, x in halves])
    if found is None:
        return _reduction(nodes, members)
    shape, rows, columns, cells = found
    return Pack("matmul", DOT, [-1 if c < 0 else members[c] for c in cells], shape[2], shape, rows, columns)


def _weighted_dots(nodes: Sequence[TracedNode], members: list[int]) -> list[Pack]:
    """Part dots of unbatched weights into matrix products, of every row of W with every column of X, and the rest."""
    by_column: dict[Term, dict[Term, int]] = defaultdict(dict)
    rest: list[int] = []
    for i in members:
        w, x, *_ = parts(DOT, nodes[i].arguments)
        if by_column[x].setdefault(w, i) != i:
            rest.append(i)  # same weights and inputs, another bias
    by_rows: dict[tuple[Term, ...], list[Term]] = defaultdict(list)
    for x, weights in by_column.items():
        by_rows[tuple(sorted(weights))].append(x)
    single = [rows for rows, columns in by_rows.items() if len(rows) == len(columns) == 1]
    if len(single) > 1 and len(single[0][0]) <= SHORT:
        rest = sorted(rest + [by_column[by_rows.pop(rows)[0]][rows[0]] for rows in single])
    packs = [
        _product(nodes, [[by_column[x][w] for x in columns] for w in rows], list(rows), columns)
        for rows, columns in by_rows.items()
    ]
    return [*packs, *([_reduction(nodes, rest)] if rest else [])]


def _product(nodes: Sequence[TracedNode], cells: list[list[int]], rows: list[Term], columns: list[Term]) -> Pack:
    """Return Z = W X, or Z = [W b] [X; 1] if the bias is the same along each row."""
    members, bias = [i for row in cells for i in row], ""
    if len(nodes[members[0]].arguments) % 2:
        bias = "added"
        biases = [{nodes[i].arguments[-1] for i in row} for row in cells]
        if all(len(row) == 1 for row in biases):
            bias, rows = "column", [(*row, *b) for row, b in zip(rows, biases)]
    terms = len(rows[0])
    return Pack("matmul", DOT, members, terms, (1, len(rows), terms, len(columns)), rows, columns, bias)
