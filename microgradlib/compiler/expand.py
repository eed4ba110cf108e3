"""Expand: adjoint instructions as instructions of the table's own ops, so that they can be differentiated again."""

from __future__ import annotations

from typing import Any, cast

from microgradlib.compiler.cotangents import ADD, IDENTITY, Writer
from microgradlib.compiler.instructions import BATCHED, Instruction, Operand, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.slopes import rule_arguments
from microgradlib.compiler.trace import TracedNode
from microgradlib.compiler.vectorize.packs import parts, schedule
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
    """Write the expressions of an adjoint, one for each term; the last instructions write its own results."""
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
    order, size = topological_sort(*roots), i.size // i.terms
    known: dict[Any, Operand] = dict(zip(symbols, read))
    known |= {node: writer.constant(node.data, size) for node in order if isinstance(node, Value)}
    inner = [node for node in order if node not in known]
    for nodes in [[node] for node in inner] if i.terms == 1 else _packs(order, known):
        operands = [
            _joined([known[parent] for parent in parents]) for parents in zip(*[node.parents for node in nodes])
        ]
        results = _node(writer, nodes[0], operands, i.results if nodes == roots else None, size * len(nodes))
        known |= zip(nodes, _terms(results, len(nodes)))
        if results is i.results:
            return
    found = [known[root] for root in roots]
    if len({operand.space for operand in found}) == 1:
        writer.instructions.append(Instruction("elementwise", IDENTITY, i.results, (_joined(found),)))
    else:
        for result, operand in zip(_terms(i.results, i.terms), found):
            writer.instructions.append(Instruction("elementwise", IDENTITY, result, (operand,)))


def _packs(order: list[Any], leaves: dict[Any, Operand]) -> list[list[Any]]:
    """Return the nodes of expressions, but for leaves, in packs of which each is one instruction, after what it reads.

    A pack has one op, on numbers of the same spaces: what is done with each term of a list is done at once.
    """
    spaces = {node: operand.space for node, operand in leaves.items()}
    places, kinds = {node: place for place, node in enumerate(order)}, list[Any]()
    for node in order:
        read = [spaces[parent] for parent in node.parents]
        spaces.setdefault(node, max(read, default=0))
        kinds.append((node.op.name, node.op.settings, tuple(read)) if read else None)
    traced = [TracedNode("op", node.op, tuple([places[parent] for parent in node.parents])) for node in order]
    packs: dict[Any, list[Any]] = {}
    for node, level, kind in zip(order, schedule(traced, kinds), kinds):
        if kind is not None:
            packs.setdefault((level, kind), []).append(node)
    return [packs[key] for key in sorted(packs, key=lambda key: key[0])]


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


def _joined(operands: list[Operand]) -> Operand:
    """Return the operands of terms, in one space, as one of all: for each result its terms; see `_terms`."""
    if len(operands) == 1:
        return operands[0]
    return Operand.of(operands[0].space, numpy().stack([operand.slots for operand in operands], 1).ravel())


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
