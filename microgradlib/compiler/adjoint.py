"""The backward pass: what each instruction gives back to its operands, in the matrix form of Algorithm 6.4."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.batched_products import add_batched_products_adjoint
from microgradlib.compiler.kernels import Applied, adjoint_steps, constant_derivative, number_like
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.products import add_product_adjoint
from microgradlib.compiler.reading import grid, viewed
from microgradlib.compiler.reductions import LARGE, adjoint_of_terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from microgradlib.compiler.banks import Bound, Read
    from microgradlib.compiler.gradients import Gradients
    from microgradlib.compiler.kernels import Step

__all__ = ["add_adjoint"]

IN_PLACE = {"mul", "strong_mul", "relu", "exp", "div", "sqrt"}
"""Ops whose adjoint may be written over the gradient that it is computed from."""


def add_adjoint(gradients: Gradients, bound: Bound) -> None:
    """Add the steps that pass the gradient of an instruction's results on to those operands that need it.

    Where no reader of the results passed a gradient on (they were detached, or stand behind a step), nothing is done.
    """
    wanted = [read for read in bound.reads if gradients.is_needed(read.operand)]
    if wanted:
        _add(gradients, bound, wanted)
        gradients.passed_on()


def _add(gradients: Gradients, bound: Bound, wanted: list[Read]) -> None:
    if bound.instruction.kind == "map":
        _map(gradients, bound, wanted)
        return
    if bound.instruction.kind == "product":
        add_product_adjoint(gradients, bound, wanted)
        return
    g = gradients.of(bound, bound.z.shape)
    if g is None:
        return
    if "tables" in bound.kept:
        add_batched_products_adjoint(gradients, bound, g, wanted)
        return
    banks = gradients.banks
    applied = Applied(bound.instruction.op, [read.array for read in bound.reads], bound.z, banks.scratch, g, bound.kept)
    if _is_square(bound):  # Σ xᵢ xᵢ gives each xᵢ twice the same
        doubled = banks.scratch("doubled", g.shape)
        gradients.steps.append((numpy().add, (g, g, doubled)))
        applied, wanted = applied._replace(g=doubled), [read for read in wanted if read is not bound.reads[1]]
    for index, read in enumerate(bound.reads):
        if read in wanted:
            _terms(gradients, bound, applied, index, read)


def _map(gradients: Gradients, bound: Bound, wanted: list[Read]) -> None:
    operands = [read.operand for read in wanted]
    z, reads = bound.z, bound.reads
    lent = gradients.shape_of(bound)
    if lent is not None and lent != z.shape:  # take on the shape of what is borrowed, rather than copy it
        other = viewed(z, lent)
        if other is not None and all(read.place is None or grid(read.operand.slots, lent[:-1]) for read in reads):
            z, reads = other, [gradients.banks.read(read.operand, lent[:-1]) for read in reads]
    g = gradients.of(bound, z.shape)
    if g is None:
        return
    applied = Applied(bound.instruction.op, [read.array for read in reads], z, gradients.banks.scratch, g)
    for index, read in enumerate(reads):
        constant = constant_derivative(applied.op, index)
        if read.operand not in operands or constant == 0:
            continue
        if constant == 1:
            gradients.pass_on(read, g)
            continue
        if applied.op.name == "mul" and read.place and read.place.repeats and g.size >= LARGE:
            gradients.give_products(read, g, applied.inputs[1 - index])
            continue
        if applied.op.name == "div" and index == 1 and not read.distinct:
            gradients.give_products(read, g, z, _over_minus)  # Σ −g z/y = −(Σ g z)/y
            continue
        write: Callable[[Any], list[Step]] = partial(adjoint_steps, applied, index)
        if constant == -1:
            write = lambda out: [(numpy().multiply, (g, number_like(-1.0, g), out))]  # noqa: E731
        is_last = operands[-1] is read.operand
        if is_last and (constant == -1 or applied.op.name in IN_PLACE):
            gradients.give_in_place(read, g, write)
        else:
            gradients.give(read, g.shape, write, [g, *applied.inputs])


def _is_square(bound: Bound) -> bool:
    """Say whether these are dots of vectors with themselves, no bias added."""
    operands = bound.instruction.operands
    return bound.instruction.op.name == "dot" and len(operands) == 2 and operands[0] == operands[1]


def _over_minus(out: Any, y: Any) -> list[Step]:
    return [(numpy().divide, (out, y, out)), (numpy().multiply, (out, number_like(-1.0, out), out))]


def _terms(gradients: Gradients, bound: Bound, applied: Applied, index: int, read: Read) -> None:
    g = applied.g
    if index == 2:  # the bias of a dot
        gradients.pass_on(read, g)
    elif bound.instruction.kind == "segments":
        shape = (1, sum(bound.instruction.counts), g.shape[2])
        gradients.give(read, shape, partial(bound.kept["segments"].adjoint_steps, applied, index))
    elif applied.op.name == "sum":
        gradients.pass_on(read, numpy().broadcast_to(g, (*g.shape[:-2], read.array.shape[-2], g.shape[-1])))
    else:
        shape = (*g.shape[:-2], read.array.shape[-2], g.shape[-1])
        gradients.give(read, shape, partial(adjoint_of_terms, applied, index), applied.inputs[:2])
