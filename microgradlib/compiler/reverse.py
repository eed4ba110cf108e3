"""Reverse: the joint program of a forward and a backward pass, in the same kinds of instructions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from microgradlib._support.shown import shown
from microgradlib.compiler.cotangents import Cotangents
from microgradlib.compiler.expand import expand
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, Operand, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.slopes import slope_of
from microgradlib.ops import TABLE

__all__ = ["depends_on_parameters", "reverse"]

DOT, MUL = TABLE["dot"], TABLE["mul"]

SPACES = {"parameters": (UNBATCHED,), "inputs": (BATCHED,), "both": (UNBATCHED, BATCHED)}
"""The spaces of the leaves by which a program is differentiated."""


def reverse(program: ProgramData, *, wrt: str = "parameters") -> ProgramData:
    """Return the joint program of a program and its backward pass (*Deep Learning*, Algorithm 6.4).

    Of a forward program, "parameters": the cotangents of the parameters where the first output has the cotangent that
    its seed holds for each example; with seeds of 1/batch, the gradient of the mean. "inputs": the cotangents of the
    inputs of each example, with a seed for each output; rows of the Jacobian are those for one seed 1 and others 0.
    "both": the cotangents of the parameters, then of the inputs, with a seed for each output.

    Of a joint program, by its parameters: the seeds are an unbatched vector v, one number for each parameter, and the
    new cotangents those of the sum of v times the old ones. So the reverse of the reverse gives H v.

    Raises `ValueError` for another `wrt`.

    >>> from microgradlib import Value
    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> w = Value(3.0)
    >>> program = vectorize(canonicalize(trace(lambda x: (w * x).tanh(), [0.0], [w])))
    >>> print(reverse(program).listing())
       0  batched[1] = elementwise mul unbatched[0], batched[0]
       1  batched[2] = elementwise tanh batched[1]
       2  batched[4] = elementwise tanh adjoint 0 batched[3], batched[1]
       3  batched[5] = elementwise mul adjoint 0 batched[4], batched[0]
       4  unbatched[1] = reduce sum of 1 batched[5]
          return batched[2], unbatched[1]
    """
    if wrt not in SPACES:
        message = f'a program is differentiated by its "parameters", "inputs" or "both", got wrt={shown(wrt)}'
        raise ValueError(message)
    program = expand(program) if program.cotangents else program
    leaves = {space: (len(program.parameter_order), program.inputs)[space] for space in SPACES[wrt]}
    writer = Cotangents(program, _needed(program, leaves))
    if program.cotangents:
        targets, seed = program.cotangents[-1:], writer.new(UNBATCHED, len(program.cotangents[-1].slots))
    else:
        targets = program.outputs[:1] if wrt == "parameters" else program.outputs
        seed = writer.new(BATCHED, len(targets))
    for first, target in enumerate(targets):  # several outputs have one slot each
        writer.accumulate(target, Operand(seed.space, seed.slots[first : first + len(target.slots)]))
    for position, instruction in reversed(list(enumerate(program.instructions))):
        g = writer.slots[instruction.space][instruction.results.slots]
        if (g != NOT_REACHED).any():
            ADJOINTS[instruction.kind](writer, instruction, g, position)
    joint = writer.finished(
        seeds=(*program.seeds, seed),
        cotangents=tuple([Operand.of(space, writer.slots[space][:count]) for space, count in leaves.items()]),
        forward=len(program.instructions),
        wrt=wrt,
        cotangent_slots=(
            *program.cotangent_slots,
            tuple([Operand.of(k, s[:-1]).slots for k, s in enumerate(writer.slots)]),
        ),
    )
    return _pruned(joint) if program.cotangents else joint


def depends_on_parameters(program: ProgramData, output: int = 0) -> bool:
    """Return whether an output of a forward program depends on a parameter otherwise than by `detach`.

    >>> from microgradlib import Value, compile
    >>> w = Value(3.0)
    >>> [depends_on_parameters(compile(f, [w]).lower([1.0])) for f in (lambda x: w * x, lambda x: w.detach() * x)]
    [True, False]
    """
    np = numpy()
    reached = (np.zeros(program.unbatched_size + 1, bool), np.zeros(program.batched_size + 1, bool))
    reached[UNBATCHED][: len(program.parameter_order)] = True
    for i in program.instructions:
        reads = [reached[operand.space][operand.slots] for operand in i.operands]
        if i.kind != "elementwise":
            reached[i.space][i.results.slots] = any(read.any() for read in reads)
        elif reads and i.op.name != "detach":
            reached[i.space][i.results.slots] = np.logical_or.reduce(reads)
    read = program.outputs[output]
    return bool(reached[read.space][read.slots].any())


def _needed(program: ProgramData, leaves: dict[int, int]) -> tuple[Any, Any]:
    """Say of each slot whether it depends on the first slots, so many, of a space; behind the last, for padding, no."""
    np = numpy()
    needed = (np.zeros(program.unbatched_size + 1, bool), np.zeros(program.batched_size + 1, bool))
    for space, count in leaves.items():
        needed[space][:count] = True
    for i in program.instructions:
        reads = [needed[operand.space][operand.slots] for operand in i.operands]
        if i.kind == "elementwise":
            passed = [read for k, read in enumerate(reads) if slope_of(i.op, k).constant != 0]
            needed[i.space][i.results.slots] = np.logical_or.reduce(passed) if passed else False
        else:
            needed[i.space][i.results.slots] = any(read.any() for read in reads)
    return needed


def _elementwise(writer: Cotangents, i: Instruction, g: Any, position: int) -> None:
    """∂/∂xₖ = g · ∂op/∂xₖ, for each result that is reached."""
    for k, operand in enumerate(i.operands):
        keep = (g != NOT_REACHED) & writer.needed[operand.space][operand.slots]
        slope = slope_of(i.op, k)
        if slope.constant == 0 or not keep.any():
            continue
        share, target, n = Operand.of(i.space, g[keep]), _part(operand, keep), int(keep.sum())
        if slope.constant is not None:
            if slope.constant != 1:
                scaled = [writer.constant(slope.constant, n), share]
                share = writer.write("elementwise", MUL, i.space, n, scaled, cotangent_of=target)
            writer.accumulate(target, share)
            continue
        read = [_part((i.results, *i.operands)[place], keep) for place in slope.reads]
        fields: dict[str, Any] = {"wrt": k, "reads": slope.reads, "forward": position, "cotangent_of": target}
        writer.accumulate(target, writer.write("elementwise", i.op, i.space, n, [share, *read], **fields))


LINEAR = {"sum", "mean", "dot"}
"""Reductions whose adjoints are elementwise: g, g/n, and g times the other factor."""


def _reduction(writer: Cotangents, i: Instruction, g: Any, position: int) -> None:
    """Give each term its share; of maximum and minimum, for all results with one number of terms at a time."""
    np, counts = numpy(), numpy().array(i.counts or (i.terms,) * i.size)
    if i.counts and i.op.name not in LINEAR:
        for length in sorted(set(i.counts)):
            members = counts == length
            terms = tuple([_part(operand, np.repeat(members, counts)) for operand in i.operands])
            results = _part(i.results, members)
            part = replace(i, kind="reduce", results=results, operands=terms, terms=length, counts=())
            _reduction(writer, part, g[members], position)
        return
    places = (np.repeat(np.arange(len(counts)), counts)[:, None] * i.width + np.arange(i.width)).ravel()
    reached = g != NOT_REACHED
    operands = [_part(operand, reached[places]) for operand in i.operands]
    results, share = _part(i.results, reached), Operand.of(i.space, g[reached])
    is_square = i.op is DOT and operands[0] == operands[1]  # Σ xᵢ xᵢ gives each xᵢ twice the same
    if i.op.name == "mean" or is_square:
        numbers = [2.0 if is_square else 1.0 / count for count in counts[reached].tolist()]
        factors = Operand.of(UNBATCHED, [writer.constant(number, 1).slots[0] for number in numbers])
        share = writer.write("elementwise", MUL, i.space, len(numbers), [factors, share])
        g = g.copy()
        g[reached] = share.slots
    shares = Operand.of(i.space, g[places][reached[places]])
    for k, operand in enumerate(operands[:1] if is_square else operands):
        keep = writer.needed[operand.space][operand.slots]
        if not keep.any():
            continue
        if i.op is DOT:  # in the order of the slots, in which what adds it up reads
            order = np.flatnonzero(keep)[np.argsort(operand.slots[keep], kind="stable")]
            target, *pair = (_part(read, order) for read in (operand, shares, operands[1 - k]))
            product = writer.write("elementwise", MUL, i.space, len(order), pair, cotangent_of=target)
            writer.accumulate(target, product)
        elif i.op.name in LINEAR:
            writer.accumulate(operand, shares)
        else:
            fields: dict[str, Any] = {"terms": i.terms, "wrt": k, "forward": position, "cotangent_of": operand}
            read = [share, results, *operands]
            writer.accumulate(operand, writer.write("reduce", i.op, i.space, len(operand.slots), read, **fields))


def _matmul(writer: Cotangents, i: Instruction, g: Any, _position: int) -> None:
    """∇_W = G Xᵀ and ∇_X = Wᵀ G, without the rows and columns that are not reached or not needed."""
    count, rows, terms, columns = i.shape
    w, x = i.operands
    slots_w, slots_x = w.slots.reshape(count, rows, terms), x.slots.reshape(count, terms, columns)
    slots_g = g.reshape(count, rows, columns)
    row, column = (slots_g != NOT_REACHED).any((0, 2)), (slots_g != NOT_REACHED).any((0, 1))
    slots_w, slots_x, slots_g = slots_w[:, row], slots_x[:, :, column], slots_g[:, row][:, :, column]
    kept_w, kept_x = writer.needed[w.space][slots_w], writer.needed[x.space][slots_x]
    if kept_w.any():
        a, b = kept_w.any((0, 2)), kept_w.any((0, 1))
        right = slots_x[:, b].swapaxes(1, 2)
        _product(writer, (i.space, slots_g[:, a]), (x.space, right), (w.space, slots_w[:, a][:, :, b]))
    if kept_x.any():
        a, b = kept_x.any((0, 2)), kept_x.any((0, 1))
        left = slots_w[:, :, a].swapaxes(1, 2)
        _product(writer, (w.space, left), (i.space, slots_g[:, :, b]), (x.space, slots_x[:, a][:, :, b]))


def _product(writer: Cotangents, a: tuple[int, Any], b: tuple[int, Any], target: tuple[int, Any]) -> None:
    """Give the matrix product of two matrices of slots to a third; an unbatched factor stands first."""
    if (a[0], b[0]) == (BATCHED, UNBATCHED):
        a, b, target = [(space, slots.swapaxes(1, 2)) for space, slots in (b, a, target)]
    count, rows, columns = target[1].shape
    shape = (count, rows, a[1].shape[2], columns)
    space = target[0] if a[0] == b[0] == BATCHED else max(a[0], b[0])
    of = Operand.of(target[0], target[1].ravel())
    read = [Operand.of(factor[0], factor[1].ravel()) for factor in (a, b)]
    writer.accumulate(of, writer.write("matmul", DOT, space, of.slots.size, read, shape=shape, cotangent_of=of))


ADJOINTS = {"elementwise": _elementwise, "reduce": _reduction, "segment_reduce": _reduction, "matmul": _matmul}
"""By kind, what passes the cotangents of the results on to the operands."""


def _part(operand: Operand, chosen: Any) -> Operand:
    """Return the operand's slots where `chosen`, or those at the places `chosen`."""
    return Operand.of(operand.space, operand.slots[chosen])


def _pruned(program: ProgramData) -> ProgramData:
    """Leave out what only the first cotangents needed."""
    np = numpy()
    used = tuple(np.zeros(size + 1, bool) for size in program.sizes)
    for operand in program.outputs + program.cotangents:
        used[operand.space][operand.slots] = True
    kept = np.zeros(len(program.instructions), bool)
    for position, i in reversed(list(enumerate(program.instructions))):
        kept[position] = used[i.space][i.results.slots].any()
        for operand in i.operands if kept[position] else ():
            used[operand.space][operand.slots] = True
    places = (np.cumsum(kept) - 1).tolist()
    instructions = [
        i if i.forward is None else replace(i, forward=places[i.forward] if kept[i.forward] else None)
        for i, is_kept in zip(program.instructions, kept)
        if is_kept
    ]
    return replace(program, instructions=tuple(instructions), forward=int(kept[: program.forward].sum()))
