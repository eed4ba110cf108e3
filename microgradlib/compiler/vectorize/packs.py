"""Packs: nodes of a trace that one instruction computes, dots gathered into matrix products."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar, cast

from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.trace import TracedNode
from microgradlib.compiler.vectorize.batch_matmul import Term, batch_matmul
from microgradlib.ops import TABLE, Op

__all__ = ["OF_ANY_LENGTH", "Pack", "packs_of", "parts", "schedule"]

Argument = TypeVar("Argument")

DOT = TABLE["dot"]
PAIRED = {"dot", "cross_entropy"}
"""Ops of two lists: the first half of their arguments are the weights of the second half."""
OF_ANY_LENGTH = {"sum", "mean", "dot", "maximum", "minimum"}
"""Ops of any number of terms that one instruction computes for results with different numbers of them."""


@dataclass(frozen=True)
class Pack:
    """Nodes that one instruction computes, in the order of its results; −1 is a result that the trace does not have.

    Of a "matmul" of products Z = W X, `members` are Z (count, rows, columns); `w` (count, rows, terms) and `x` (count,
    terms, columns) are the nodes of the factors, without the row of ones below X where W ends with a column of biases.
    """

    kind: str
    op: Op
    members: Any
    w: Any = None
    x: Any = None

    @property
    def has_ones(self) -> bool:
        """Whether there is a row of ones below X."""
        return self.kind == "matmul" and bool(self.x.shape[1] < self.w.shape[2])


def packs_of(nodes: Sequence[TracedNode], spaces: Sequence[int]) -> list[Pack]:
    """Return the packs in an order in which they can be computed.

    >>> from microgradlib import tanh
    >>> from microgradlib.compiler.trace import trace
    >>> nodes = trace(lambda x: tanh(x[0]) * tanh(x[1]), [[0.0, 0.0]], []).nodes
    >>> [(pack.kind, pack.op.name, pack.members.tolist()) for pack in packs_of(nodes, [BATCHED] * len(nodes))]
    [('elementwise', 'tanh', [2, 3]), ('elementwise', 'mul', [4])]
    """
    numbers: dict[Any, int] = {}  # of kinds, which are long to compare
    kinds = [
        None if node.op is None else numbers.setdefault(_kind(node.op, node.arguments, spaces, i), len(numbers))
        for i, node in enumerate(nodes)
    ]
    alike: dict[Any, list[int]] = defaultdict(list)
    for i, level in enumerate(schedule(nodes, kinds)):
        if kinds[i] is not None:
            alike[level, kinds[i]].append(i)
    packs: list[Pack] = []
    for _, members in sorted(alike.items(), key=lambda item: (item[0][0], item[1][0])):
        op = cast(Op, nodes[members[0]].op)
        products, rest = _products(nodes, spaces, members) if op is DOT else ([], members)
        packs += products
        if rest:
            lengths = {len(nodes[i].arguments) for i in rest}
            kind = "elementwise" if not op.variadic else "reduce" if len(lengths) == 1 else "segment_reduce"
            packs.append(Pack(kind, op, numpy().array(rest)))
    return packs


def _kind(op: Op, arguments: Term, spaces: Sequence[int], i: int) -> Any:
    """Return what nodes of one instruction have in common, but for their level."""
    read = tuple(map(spaces.__getitem__, arguments[:: _length(op, arguments)]))
    any_length = not op.variadic or (op.name in OF_ANY_LENGTH and read[0] == BATCHED)
    return op.name, op.settings, spaces[i], read, 0 if any_length else len(arguments)


def parts(op: Op, arguments: tuple[Argument, ...]) -> tuple[tuple[Argument, ...], ...]:
    """Return the arguments operand by operand: of a dot its weights, inputs and perhaps bias; see `PAIRED`.

    >>> parts(TABLE["dot"], (1, 2, 3, 4, 5)), parts(TABLE["sum"], (1, 2)), parts(TABLE["div"], (1, 2))
    (((1, 2), (3, 4), (5,)), ((1, 2),), ((1,), (2,)))
    """
    if not op.variadic:
        return tuple(zip(arguments))
    n = _length(op, arguments)
    return tuple([part for part in (arguments[:n], arguments[n : 2 * n], arguments[2 * n :]) if part])


def _length(op: Op, arguments: Sequence[Any]) -> int:
    """Return how many arguments an operand has: one, all of a list, half of two lists; a bias stands behind these."""
    if not op.variadic:
        return 1
    count = len(arguments)
    return count // 2 if op is DOT or (op.name in PAIRED and count % 2 == 0) else count


def schedule(nodes: Sequence[TracedNode], kinds: Sequence[Any]) -> list[int]:
    """Return each node's level: leaves 0, others after all their arguments.

    A node is computed as early as possible; but if twice as many nodes of its kind or more are computed at the next
    level that has any, it waits for these where it can without making the whole longer.

    >>> from microgradlib.compiler.trace import trace
    >>> nodes = trace(lambda x: [x[0].exp(), (-x[0]).exp(), (-x[1]).exp()], [[0.0, 0.0]], []).nodes
    >>> list(zip(map(str, nodes), schedule(nodes, [node.op and node.op.name for node in nodes])))
    [('input 0', 0), ('input 1', 0), ('exp 0', 2), ('neg 0', 1), ('exp 3', 2), ('neg 1', 1), ('exp 5', 2)]
    """
    early = [0] * len(nodes)
    for i, node in enumerate(nodes):
        if kinds[i] is not None:
            early[i] = 1 + max(map(early.__getitem__, node.arguments))
    crowd = Counter(zip(kinds, early))
    levels: dict[Any, list[int]] = defaultdict(list)
    for kind, first in sorted(crowd, key=lambda pair: pair[1]):
        levels[kind].append(first)
    later = {
        (kind, one): two
        for kind, them in levels.items()
        for one, two in pairwise(them)
        if crowd[kind, two] >= 2 * crowd[kind, one]
    }
    may_wait = {i for i, key in enumerate(zip(kinds, early)) if key in later}
    level, latest = early.copy(), dict.fromkeys(may_wait, max(early))
    for i in reversed(range(len(nodes) if may_wait else 0)):
        if i in may_wait and later[kinds[i], early[i]] <= latest[i]:
            level[i] = later[kinds[i], early[i]]
        if not may_wait.isdisjoint(nodes[i].arguments):
            for a in may_wait.intersection(nodes[i].arguments):
                latest[a] = min(latest[a], level[i] - 1)
    return level


def _products(nodes: Sequence[TracedNode], spaces: Sequence[int], members: list[int]) -> tuple[list[Pack], list[int]]:
    """Return the matrix products of which dots are entries, and the dots that are in none.

    Dots of unbatched weights: every row of W with every column of X. Those that have both for themselves are left, as
    one reduction is quicker than many products.
    """
    np = numpy()
    w, x, *bias = zip(*[parts(DOT, nodes[i].arguments) for i in members])
    if spaces[w[0][0]] == BATCHED:
        if (found := batch_matmul(w, x)) is None:
            return [], members
        return [Pack("matmul", DOT, np.append(members, -1)[found[2]], *found[:2])], []
    by_column: dict[Term, dict[Term, int]] = defaultdict(dict)
    rest = [i for i, row, column in zip(members, w, x) if by_column[column].setdefault(row, i) != i]  # other biases
    by_rows: dict[tuple[Term, ...], list[Term]] = defaultdict(list)
    for column, dots in by_column.items():
        by_rows[tuple(sorted(dots))].append(column)
    single = [rows for rows, columns in by_rows.items() if len(rows) == len(columns) == 1]
    if len(single) > 1:
        rest = sorted(rest + [by_column[by_rows.pop(rows)[0]][rows[0]] for rows in single])
    packs: list[Pack] = []
    for rows, columns in by_rows.items():
        z, factor = np.array([[by_column[column][row] for column in columns] for row in rows]), np.array(rows)
        if bias:
            biases = np.array([nodes[i].arguments[-1] for i in z.ravel()]).reshape(z.shape)
            if (biases == biases[:, :1]).all():  # a column
                factor = np.append(factor, biases[:, :1], axis=1)
        packs.append(Pack("matmul", DOT, z[None], factor[None], np.array(columns).T[None]))
    return packs, rest
