"""Statements of the kernel table as native code: loops over the terms of one result, as few as its formula allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from itertools import chain
from math import inf
from typing import Any

from microgradlib.compiler.engines.kernels import kernel_of
from microgradlib.compiler.llvm.functions import FUNCTIONS
from microgradlib.compiler.llvm.ir import Function, Number, Real
from microgradlib.ops import Op

__all__ = ["Evaluation", "Formula", "formula_of"]

EXACT = {"max": "shift", "multiply": "strong", "floor": "ones"}
"""What some functions are in statements that NumPy reruns by the op's rule if numbers are not finite; native code has
no second run. The largest number, which is subtracted before exponentials, is 0 if it is infinite; a factor 0 stops inf
and nan; of exponentials, 1 counts as 1 and the infinite too, as in `ops.softmax.log_total`."""

REDUCTIONS = {"sum", "max", "min", "shift"}
DEAR = {"exp", "log", "log1p"}
"""Functions that take so long that what they give of each term is kept, if it is read in two loops."""

UNROLLED, WAYS = 16, 4
"""So many terms are written out; of more, as many parts as there are ways are added up side by side."""


@dataclass(frozen=True, eq=False)
class Node:
    """A number of each term, if `is_term`, or of each result; `level` loops over the terms come before it."""

    function: str
    inputs: tuple[Any, ...] = ()
    is_term: bool = False
    level: int = 0

    @property
    def is_reduction(self) -> bool:
        """Whether a loop over terms computes it."""
        return self.function in REDUCTIONS


@dataclass(frozen=True)
class Formula:
    """What is computed: `out`, of each result or of each term; of the first term `first`, if that is not None."""

    out: Node
    first: Node | None
    terms: int

    def nodes(self) -> list[Node]:
        """Return all nodes that are needed, each behind its inputs."""
        found = dict[Node, None]()

        def visit(node: Any) -> None:
            if isinstance(node, Node) and node not in found:
                for x in node.inputs:
                    visit(x)
                found[node] = None

        visit(self.out)
        visit(self.first)
        return list(found)


def formula_of(op: Op, wrt: int | None, terms: int, operands: int) -> Formula | None:
    """Return the formula of an op of so many terms of each of one or two operands, or of its adjoint by one of them.

    None if the kernel table has no statements for it. An adjoint computes anew what NumPy's kernel keeps for it.

    >>> from microgradlib.ops import TABLE
    >>> [node.function for node in formula_of(TABLE["mean"], None, 4, 1).nodes()]
    ['x', 'sum', 'n', 'divide']
    """
    statements, forward = kernel_of(op, wrt), kernel_of(op, None)
    if not statements or (operands == 1 and " y" in forward):
        return None
    names = {name: Node(name, is_term=name in "xy") for name in "xygzn"}
    if wrt is not None and not statements.islower():
        kept = _read(forward, names)
        names |= {name: node for name, node in kept.items() if name.isupper()}
    found = _read(statements, names)
    return Formula(found["out"], found.get("out0"), terms)


def _read(statements: str, given: dict[str, Node]) -> dict[str, Node]:
    """Return the nodes that statements give, by the names that they have at the end."""
    names, is_exact = dict(given), "exact" in statements
    for statement in statements.split("; "):
        target, _, function, *words = statement.split()
        inputs = tuple([_operand(word, names) for word in words])
        if function == "exact":
            names[target] = inputs[0]
            continue
        function = EXACT.get(function, function) if is_exact else function
        nodes = [x for x in inputs if isinstance(x, Node)]
        is_term = any(x.is_term for x in nodes) and function not in REDUCTIONS
        level = max([x.level for x in nodes]) + (function in REDUCTIONS)
        names[target] = Node(function, inputs, is_term, level)
    return names


def _operand(word: str, names: dict[str, Node]) -> Any:
    if word in names:
        return names[word]
    if word[:-1] in names and word[-1] == "0":
        return Node("first", (names[word[:-1]],), level=names[word[:-1]].level + 1)
    return float(word)


class Evaluation:
    """A formula's code for one position of a nest.

    `load` gives what stands for the names x, y, g and z, of a term for the first two; `store` writes a term's result.
    """

    def __init__(self, f: Function, real: Real, formula: Formula, load: Any, store: Any) -> None:
        self.f, self.real, self.formula, self.load, self.store = f, real, formula, load, store
        self.known: dict[Node, Number] = {}
        """What is the same for all terms."""
        self.nodes = formula.nodes()
        self.kept = {node: place for place, node in enumerate(kept_nodes(formula))}
        self.written: set[Node] = set()

    def run(self) -> Number | None:
        """Emit everything; return the result, or None if each term has one, which is stored."""
        out, first = self.formula.out, self.formula.first
        last = max([node.level for node in self.nodes])
        for level in range(last + 1):
            for node in self.nodes:
                if node.level == level and not node.is_term and not node.is_reduction:
                    self.known[node] = self._value(node, 0, self.known)
            sums = [node for node in self.nodes if node.is_reduction and node.level == level + 1]
            is_end = out.is_term and level == last
            if sums or is_end:
                self._loop(sums, out if is_end else None)
        if first is not None:
            self.store(0, self.known[first])
        return None if out.is_term else self.known[out]

    def _loop(self, sums: Sequence[Node], out: Node | None) -> None:
        """Emit one loop over the terms, which adds up, or compares, and stores results.

        Parts of the terms are taken side by side, so that an addition need not wait for the one before. They are put
        together in their order: of numbers that compare equal, the first is the largest.
        """
        f, terms = self.f, self.formula.terms
        roots = [x for node in sums for x in node.inputs] + ([] if out is None else [out])
        is_dear = any(x.function in DEAR and x not in self.written for root in roots for x in term_nodes(root))
        ways = 1 if is_dear or not sums else min(WAYS, terms)
        count, is_written_out = terms // ways, terms <= (1 if is_dear else UNROLLED)
        done = int(is_written_out or any(node.function != "sum" for node in sums))

        def at(term: int | str, totals: Sequence[Number | None]) -> list[Number]:
            memo = dict[Node, Any]()
            found = [self._combined(node, total, term, memo) for node, total in zip(sums, totals)]
            if out is not None:
                self.store(term, f.number(self._value(out, term, memo), self.real))
            return found

        none, zeros = [None] * len(sums), [f.number(-0.0, self.real)] * len(sums)  # −0 + x is x, for −0 too
        parts: list[list[Number]] = [at(way * count, none) if done else zeros for way in range(ways)]
        if is_written_out:
            for k in range(done, count):
                parts = [at(way * count + k, part) for way, part in enumerate(parts)]
        else:
            with f.loop(count - done) as loop:
                carried = [[loop.carry(total) for total in part] for part in parts]
                parts = [at(f.add(loop.index, done + way * count), part) for way, part in enumerate(carried)]
                for old, new in zip(chain(*carried), chain(*parts)):
                    loop.update(old, new)
        for term in range(ways * count, terms):
            parts[-1] = at(term, parts[-1])
        self.written |= {x for root in roots for x in term_nodes(root)} & set(self.kept)
        for place, node in enumerate(sums):
            total = reduce(partial(self._joined, node), [part[place] for part in parts])
            if node.function == "shift":
                total = FUNCTIONS.where(FUNCTIONS.abs(total) < inf, total, 0.0)
            self.known[node] = total

    def _combined(self, node: Node, total: Number | None, term: int | str, memo: dict[Node, Any]) -> Number:
        """Return a total with one more term; of products, each is rounded together with its sum."""
        [x] = node.inputs
        if total is not None and node.function == "sum" and x.function in ("multiply", "strong"):
            a, b = [self.f.number(self._value(factor, term, memo), self.real) for factor in x.inputs]
            return self.f.fma(a, _stopped(a, b) if x.function == "strong" else b, total)
        number = self.f.number(self._value(x, term, memo), self.real)
        return number if total is None else self._joined(node, total, number)

    def _joined(self, node: Node, total: Number, number: Number) -> Number:
        if node.function == "sum":
            return total + number
        if node.function == "shift":  # nan need not stay: its exponential is nan again
            return number.select(number > total, total)
        joined: Number = (FUNCTIONS.maximum if node.function == "max" else FUNCTIONS.minimum)(total, number)
        return joined

    def _value(self, node: Any, term: int | str, memo: dict[Node, Any]) -> Any:
        """Return the number of a node for a term; `memo` holds those of the same term."""
        if not isinstance(node, Node):
            return node
        if node not in self.known and node not in memo:
            memo[node] = self._computed(node, term, memo)
        return self.known[node] if node in self.known else memo[node]

    def _computed(self, node: Node, term: int | str, memo: dict[Node, Any]) -> Any:
        if node.function == "n":
            return float(self.formula.terms)
        if not node.inputs:
            return self.load(node.function, term)
        if node.function == "first":
            return self._value(node.inputs[0], 0, {})
        place = self.f.add(term, self.kept.get(node, 0) * self.formula.terms)
        if node in self.written:
            return self.f.load(self.real, self._scratch(place))
        found = COMPUTED[node.function](*[self._value(x, term, memo) for x in node.inputs])
        if node in self.kept:
            self.f.store(found, self._scratch(place))
        return found

    def _scratch(self, place: int | str) -> str:
        return self.f.address(self.real, "%s", self.f.mul(place, self.real.lanes))


def term_nodes(node: Any) -> Iterator[Node]:
    """Yield what is computed of each term for a node that is, itself among them."""
    if isinstance(node, Node) and node.is_term:
        yield node
        for x in node.inputs:
            yield from term_nodes(x)


def kept_nodes(formula: Formula) -> list[Node]:
    """Return the nodes that take long and are read in several loops: an adjoint reads exponentials again."""
    nodes, uses = formula.nodes(), dict[Node, set[Any]]()
    reads: list[tuple[Node, Any]] = [(node.inputs[0], node.level) for node in nodes if node.is_reduction]
    reads += [(node.inputs[0], node) for node in nodes if node.function == "first"]
    reads += [(formula.out, None)] if formula.out.is_term else []
    for root, loop in reads:
        for node in term_nodes(root):
            uses.setdefault(node, set()).add(loop)
    return [node for node in nodes if node.function in DEAR and len(uses.get(node, ())) > 1]


def _stopped(factor: Number, x: Number) -> Number:
    """Return x, or 0 where its factor is 0, which stops inf and nan."""
    return factor.select(FUNCTIONS.abs(factor) <= 0, x)


COMPUTED: dict[str, Callable[..., Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "strong": lambda x, y: x * _stopped(x, y),
    "exp": FUNCTIONS.exp,
    "log1p": FUNCTIONS.log1p,
    "ones": lambda x: FUNCTIONS.where(x >= 1, 1.0, 0.0),
    "equal": lambda x, y: FUNCTIONS.where(x._compare("oeq", y), 1.0, 0.0),
}
"""What the functions of statements are over Numbers."""
