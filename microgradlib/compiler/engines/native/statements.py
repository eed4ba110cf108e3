"""Formulas as native code: loops over the terms of one result, as few as the formula allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import chain
from math import inf
from operator import add, or_, sub, truediv
from typing import Any

from microgradlib.compiler.engines.formulas import DEAR, Node
from microgradlib.compiler.llvm.closed import masks_of
from microgradlib.compiler.llvm.functions import FUNCTIONS
from microgradlib.compiler.llvm.ir import Function, Number, Real
from microgradlib.ops import ZERO

__all__ = ["Evaluation"]

UNROLLED, WAYS = 16, 4
"""So many terms are written out; of more, as many parts as there are ways are added up side by side."""


class Evaluation:
    """A formula's code for one position of a nest.

    `load` gives what stands for the names x, y, g and z, of a term for the first two; `store` writes a term's result,
    and `keep`, if there is one, its exponential, over what it is of.
    """

    def __init__(
        self, f: Function, real: Real, formula: Any, terms: int, *, load: Any, store: Any, keep: Any = None
    ) -> None:
        self.f, self.real, self.terms, self.load, self.store, self.keep = f, real, terms, load, store, keep
        self.out, self.first = formula
        self.nodes = list(dict.fromkeys(chain(*[node.needed() for node in formula if node])))
        self.known: dict[Node, Any] = {}
        """What is the same for all terms."""
        self.kept, self.written = self._kept(), set[Node]()

    def _kept(self) -> dict[Node, int]:
        """Return the nodes whose numbers are kept in scratch memory, with their places there."""
        reads = [node for node in self.nodes if node.function in {*JOINED, "first"}]
        loops = [(node.inputs[0], node.level if node.function in JOINED else node) for node in reads]
        uses: dict[Node, set[Any]] = {}
        for root, loop in [*loops, (self.out, None)]:
            for node in root.needed(of_terms=True):
                uses.setdefault(node, set()).add(loop)
        kept = [node for node in self.nodes if node.function in DEAR and len(uses.get(node, ())) > 1]
        return {node: place * self.terms for place, node in enumerate(kept)}

    def run(self) -> Number | None:
        """Emit everything; return the result, or None if each term has one, which is stored."""
        last = max([node.level for node in self.nodes])
        for level in range(last + 1):
            for node in self.nodes:
                if node.level == level and not node.is_term and node.function not in JOINED:
                    self.known[node] = self._value(node, 0, self.known)
            sums = [node for node in self.nodes if node.function in JOINED and node.level == level + 1]
            is_end = self.out.is_term and level == last
            if sums or is_end:
                self._loop(sums, is_end=is_end)
        if self.first is not None:
            self.store(0, self.known[self.first])
        return None if self.out.is_term else self.known[self.out]

    def _loop(self, sums: Sequence[Node], *, is_end: bool) -> None:
        """Emit one loop over the terms, which adds up, or compares, and at the end stores results.

        Parts of the terms are taken side by side, so that an addition need not wait for the one before. They are put
        together in their order: of numbers that compare equal, the first is the largest.
        """
        f, terms = self.f, self.terms
        within = {
            x for root in [*[node.inputs[0] for node in sums], *[self.out] * is_end] for x in root.needed(of_terms=True)
        }
        is_dear = any(node.function in DEAR for node in within - self.written)
        ways = 1 if is_dear or not sums else min(WAYS, terms)
        count, is_written_out = terms // ways, terms <= (1 if is_dear else UNROLLED)
        done = int(is_written_out or any(node.function != "sum" for node in sums))

        def at(term: int | str, totals: Sequence[Number | None]) -> list[Number]:
            memo = dict[Node, Any]()
            found = [self._combined(node, total, term, memo) for node, total in zip(sums, totals)]
            if is_end:
                self.store(term, f.number(self._value(self.out, term, memo), self.real))
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
        self.written |= within & set(self.kept)
        for place, node in enumerate(sums):
            total = reduce(JOINED[node.function], [part[place] for part in parts])
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
        return number if total is None else JOINED[node.function](total, number)

    def _value(self, node: Any, term: int | str, memo: dict[Node, Any]) -> Any:
        """Return the number of a node for a term; `memo` holds those of the same term."""
        if not isinstance(node, Node):
            return node
        if node not in self.known and node not in memo:
            memo[node] = self._computed(node, term, memo)
        return self.known[node] if node in self.known else memo[node]

    def _computed(self, node: Node, term: int | str, memo: dict[Node, Any]) -> Any:
        f, real = self.f, self.real
        if not node.inputs:
            return float(self.terms) if node.function == "n" else self.load(node.function, term)
        if node.function == "first":
            return self._value(node.inputs[0], 0, {})
        place = f.mul(f.add(term, self.kept.get(node, 0)), real.lanes)
        if node in self.written:
            return f.load(real, f.address(real, "%s", place))
        found = COMPUTED[node.function](*[self._value(x, term, memo) for x in node.inputs])
        if node in self.kept:
            f.store(found, f.address(real, "%s", place))
        if node.function == "exp" and self.keep:
            self.keep(term, found)
        return found


def _stopped(factor: Number, x: Number) -> Number:
    """Return x, or 0 where its factor is 0, which stops inf and nan."""
    return factor.select(FUNCTIONS.abs(factor) <= 0, x)


def _times(x: Any, y: Any) -> Any:
    """Return x · y, closed where one of them is."""
    product, closed = x * y, masks_of(x, y)
    product.closed = reduce(or_, closed) if closed else None
    return product


JOINED: dict[str, Callable[[Number, Number], Number]] = {
    "sum": add,
    "max": FUNCTIONS.maximum,
    "min": FUNCTIONS.minimum,
    "shift": lambda total, x: x.select(x > total, total),  # nan need not stay: its exponential is nan again
}
"""What reductions are over Numbers, of a total and a number."""

COMPUTED: dict[str, Callable[..., Any]] = {
    "add": add,
    "subtract": sub,
    "multiply": _times,
    "divide": truediv,
    "strong": lambda x, y: x * _stopped(x, y),
    "exp": FUNCTIONS.exp,
    "log1p": FUNCTIONS.log1p,
    "ones": lambda x: FUNCTIONS.where(x >= 1, 1.0, 0.0),
    "equal": lambda x, y: FUNCTIONS.where(x.equals(y), 1.0, FUNCTIONS.where(x._compare("one", y), ZERO, 0.0)),
}
"""What the functions of statements are over Numbers."""
