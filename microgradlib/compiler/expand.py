"""Expand: adjoint instructions as instructions of the table's own ops, so that they can be differentiated again."""

from __future__ import annotations

from typing import Any, cast

from microgradlib.compiler.cotangents import ADD, IDENTITY, Writer
from microgradlib.compiler.instructions import BATCHED, Instruction, Operand, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.slopes import rule_arguments
from microgradlib.compiler.vectorize.packs import parts
from microgradlib.core.graph import topological_sort
from microgradlib.core.modes import recording
from microgradlib.core.node import Node
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value, as_node
from microgradlib.ops import GRAPH, Op
from microgradlib.ops.guards import Undefined, chain_product, unguarded

__all__ = ["expand"]


def expand(program: ProgramData) -> ProgramData:
    """Return the program with each adjoint written out by the derivative rule of its op; a forward program as it is.

    >>> from microgradlib import Value
    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.reverse import reverse
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> w = Value(3.0)
    >>> program = vectorize(canonicalize(trace(lambda x: (w * x).exp(), [0.0], [w])))
    >>> print(expand(reverse(program)).listing())
       0  batched[1] = elementwise mul unbatched[0], batched[0]
       1  batched[2] = elementwise exp batched[1]
       2  batched[4] = elementwise mul batched[3], batched[2]
       3  batched[5] = elementwise mul batched[4], batched[0]
       4  unbatched[1] = reduce sum of 1 batched[5]
          return batched[2], unbatched[1]
    """
    writer = Writer(program, [])
    for i in program.instructions:
        if i.wrt is None:
            writer.instructions.append(i)
        else:
            _expand(writer, i, i.wrt)
    return writer.finished()


def _expand(writer: Writer, i: Instruction, wrt: int) -> None:
    """Write the expressions of an adjoint, one for each term; the last instructions write the adjoint's own results."""
    read = [*i.operands[:2], *[part for operand in i.operands[2:] for part in _terms(operand, i.terms)]]
    symbols = [Symbol(f"v{place}") for place in range(len(read))]
    with recording():
        if i.op.variadic:
            derivatives = i.op.differentiate(_DEFINED, *symbols[1:])[wrt * i.terms : (wrt + 1) * i.terms]
        else:
            arguments = rule_arguments(i.op, i.reads, symbols[1:])
            derivatives = (i.op.derivatives[wrt](_DEFINED, *arguments, *i.op.settings),)  # type: ignore[index]
        products = [unguarded(chain_product(symbols[0], derivative)) for derivative in derivatives]
    roots: list[Node] = list(map(as_node, products))
    results, size = _terms(i.results, i.terms), i.size // i.terms
    known: dict[Any, Operand] = dict(zip(symbols, read))
    targets = {root: result for root, result in zip(roots, results) if root.op is not None}
    for node in topological_sort(*roots):
        if isinstance(node, Value):
            known[node] = writer.constant(node.data, size)
        elif node not in known:
            known[node] = _node(writer, node, [known[parent] for parent in node.parents], targets.get(node), size)
    for root, result in zip(roots, results):
        if known[root] is not result:
            writer.instructions.append(Instruction("elementwise", IDENTITY, result, (known[root],)))


class _Defined:
    """The namespace over Symbols for inputs inside the domain of a rule: what is undefined elsewhere is left out.

    Arrays compute both sides of `where`, and a nan in the side that is not taken would reach the derivatives of the
    other by 0 · nan. Outside the domain an engine's numbers are nan anyway.
    """

    def where(self, condition: Any, x: Any, y: Any) -> Any:
        if isinstance(x, Undefined) or isinstance(y, Undefined):
            return x if isinstance(y, Undefined) else y
        return GRAPH.where(condition, x, y)

    def __getattr__(self, name: str) -> Any:
        return getattr(GRAPH, name)


_DEFINED = _Defined()


def _terms(operand: Operand, terms: int) -> list[Operand]:
    """Return an operand of `terms` numbers for each result term by term."""
    return [Operand.of(operand.space, operand.slots[t::terms]) for t in range(terms)]


def _node(writer: Writer, node: Node, operands: list[Operand], results: Operand | None, size: int) -> Operand:
    """Write one op of an expression, on `size` results, in `results` if these are in its space; return them.

    The bias of a dot is added to it.
    """
    space = max(operand.space for operand in operands)
    op, kind, terms = cast(Op, node.op), "elementwise", 1
    if op.variadic:
        for k, operand in enumerate(operands):  # the terms of a reduction are in one space
            if operand.space < space:
                operands[k] = writer.write("elementwise", IDENTITY, BATCHED, size, [operand])
        lists = parts(op, tuple(operands))
        kind, terms, bias = "reduce", len(lists[0]), lists[2:]
        slots = [numpy().stack([operand.slots for operand in part], 1).ravel() for part in lists[:2]]
        operands = [Operand.of(space, part) for part in slots]
        for added in bias:
            dot = writer.write(kind, op, space, size, operands, terms=terms)
            op, kind, terms, operands = ADD, "elementwise", 1, [dot, *added]
    if results is None or results.space != space:
        results = writer.new(space, size)
    writer.instructions.append(Instruction(kind, op, results, tuple(operands), terms=terms))
    return results
