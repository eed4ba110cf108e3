"""Formulas: statements of the kernel table as a graph of numbers, of each term or of each result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from microgradlib.compiler.engines.kernels import exponentials_of, kernel_of
from microgradlib.ops import Op

__all__ = ["DEAR", "TOTALS", "Node", "formula_of"]

TOTALS = {"sum", "max", "min", "shift"}
"""Functions of all terms."""

EXACT = {"max": "shift", "multiply": "strong", "floor": "ones"}
"""What some functions are in statements that NumPy reruns by the op's rule if numbers are not finite; native code has
no second run. The largest number, which is subtracted before exponentials, is 0 if it is infinite; a factor 0 stops inf
and nan; of exponentials, 1 counts as 1 and the infinite too, as in `ops.softmax.log_total`."""

DEAR = {"exp", "log", "log1p"}
"""Functions that take so long that what they give of a term is kept if two loops read it."""


@dataclass(eq=False)
class Node:
    """A number of each term, if `is_term`, or of each result; `level` loops over the terms come before it."""

    function: str
    inputs: tuple[Any, ...] = ()
    level: int = 0
    is_term: bool = False

    def needed(self, *, of_terms: bool = False) -> Iterator[Node]:
        """Yield what is computed for it, itself at the end; if `of_terms`, only what each term has."""
        if self.is_term or not of_terms:
            for x in self.inputs:
                if isinstance(x, Node):
                    yield from x.needed(of_terms=of_terms)
            yield self


@lru_cache(64)
def formula_of(op: Op, wrt: int | None, operands: int, *, kept: bool = False) -> tuple[Node, Node | None] | None:
    """Return what an op of one or two operands computes, or its adjoint by one of them, and for the first term instead.

    None if the kernel table has no statements for it. An adjoint computes anew what NumPy's kernel keeps for it; if
    exponentials are `kept`, they stand in the place of what they are of, and there is none for one that reads that.

    >>> from microgradlib.ops import TABLE
    >>> out, first = formula_of(TABLE["mean"], None, 1)
    >>> out.function, [getattr(x, "function", x) for x in out.inputs], first
    ('divide', ['sum', 'n'], None)
    """
    statements, forward = kernel_of(op, wrt), kernel_of(op, None)
    if not statements or (operands == 1 and " y" in forward):
        return None
    names, gone = {name: Node(name, is_term=name in "xy") for name in "xygzn"}, exponentials_of(op)
    if kept:
        names["E"] = Node(gone, is_term=True)
    if wrt is not None and not statements.islower():
        names |= {name: node for name, node in _read(forward, names).items() if name.isupper()}
    found = _read(statements, names)
    out, first = found["out"], found.get("out0")
    is_read = kept and any(names[gone] in node.needed() for node in (out, first) if node)
    return None if is_read else (out, first)


def _read(statements: str, given: dict[str, Node]) -> dict[str, Node]:
    """Return the nodes that statements give, by the names that they have at the end."""
    names, is_exact = dict(given), "exact" in statements
    for statement in statements.split("; "):
        target, _, function, *words = statement.split()
        inputs = [_operand(word, names) for word in words]
        if function == "exact":
            names[target] = inputs[0]
        if function == "exact" or (target == "E" and "E" in given):
            continue
        function = EXACT.get(function, function) if is_exact else function
        nodes, is_total = [x for x in inputs if isinstance(x, Node)], function in TOTALS
        is_term = any(x.is_term for x in nodes) and not is_total
        level = max([x.level for x in nodes]) + is_total
        names[target] = Node(function, tuple(inputs), level, is_term=is_term)
    return names


def _operand(word: str, names: dict[str, Node]) -> Any:
    if word in names:
        return names[word]
    whole = names.get(word[:-1])  # E0 is E of the first term
    if whole is None:
        return float(word)
    is_dear = any(node.function in DEAR for node in whole.needed(of_terms=True))  # then a loop keeps it
    return Node("first", (whole,), whole.level + is_dear)
