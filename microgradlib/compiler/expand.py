"""Expand: adjoint instructions as instructions of the table's own ops, so that they can be differentiated again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from microgradlib.compiler.cotangents import IDENTITY, Writer
from microgradlib.compiler.instructions import BATCHED, Instruction, Operand, slot_array
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.slopes import written_out
from microgradlib.core.graph import topological_sort
from microgradlib.core.value import Value
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from microgradlib.compiler.instructions import ProgramData
    from microgradlib.core.node import Node
    from microgradlib.ops import Op

__all__ = ["expand"]

DOT = TABLE["dot"]


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
    if all(i.wrt is None for i in program.instructions):
        return program
    writer = Writer(program, [])
    for i in program.instructions:
        if i.wrt is None:
            writer.instructions.append(i)
        elif i.kind == "elementwise":
            _expand(writer, i, [operand.slots for operand in i.operands], [i.results])
        else:
            _expand(writer, i, _by_term(i), _results_by_term(i))
    return writer.finished()


def _by_term(i: Instruction) -> list[Any]:
    """Return the slots of the cotangent, the output and each term of all operands of a reduction's adjoint."""
    terms = [operand.slots.reshape(-1, i.terms) for operand in i.operands[2:]]
    return [i.operands[0].slots, i.operands[1].slots, *[rows[:, t] for rows in terms for t in range(i.terms)]]


def _results_by_term(i: Instruction) -> list[Operand]:
    rows = i.results.slots.reshape(-1, i.terms)
    return [Operand(i.space, slot_array(rows[:, t])) for t in range(i.terms)]


def _expand(writer: Writer, i: Instruction, read: list[Any], results: list[Operand]) -> None:
    """Write the instructions of an adjoint's expressions, of which the last ones write the adjoint's own results."""
    spaces, places = [operand.space for operand in i.operands], i.reads
    if i.kind == "reduce":
        spaces = [*spaces[:2], *[space for space in spaces[2:] for _ in range(i.terms)]]
        places = tuple(range(len(read) - 1))
    symbols, roots = written_out(i.op, i.wrt or 0, places, i.terms)
    size = results[0].slots.size
    known: dict[Any, Operand] = {
        symbol: Operand(space, slot_array(slots)) for symbol, space, slots in zip(symbols, spaces, read)
    }
    targets = {root: result for root, result in zip(roots, results) if root.op is not None}
    for node in topological_sort(*roots):
        if isinstance(node, Value):
            known[node] = writer.constant(node.data, size)
        elif node not in known:
            known[node] = _node(writer, node, [known[parent] for parent in node.parents], targets.get(node), size)
    for root, result in zip(roots, results):
        if known[root] is not result:
            writer.instructions.append(Instruction("elementwise", IDENTITY, result, (known[root],)))


def _node(writer: Writer, node: Node, operands: list[Operand], results: Operand | None, size: int) -> Operand:
    """Write one op of an expression, on `size` results, in `results` if these are in its space; return them."""
    space = max(operand.space for operand in operands)
    op, fields = cast("Op", node.op), dict[str, Any]()
    if op.variadic:
        fields = {"terms": len(operands) // 2 if op is DOT else len(operands)}
        if space == BATCHED:  # the terms of a reduction are in one space
            operands = [_batched(writer, operand) for operand in operands]
        lists = [operands[start : start + fields["terms"]] for start in range(0, len(operands), fields["terms"])]
        operands = [
            Operand(space, slot_array(numpy().stack([operand.slots for operand in part], 1).ravel())) for part in lists
        ]
    if results is None or results.space != space:
        results = writer.new(space, size)
    kind = "reduce" if op.variadic else "elementwise"
    writer.instructions.append(Instruction(kind, op, results, tuple(operands), **fields))
    return results


def _batched(writer: Writer, operand: Operand) -> Operand:
    if operand.space == BATCHED:
        return operand
    return writer.write("elementwise", IDENTITY, BATCHED, operand.slots.size, [operand])
