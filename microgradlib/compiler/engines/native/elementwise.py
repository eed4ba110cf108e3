"""Elementwise steps as native code: chains of them in one loop nest, by the rules of the op table; and gathers."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from functools import lru_cache, reduce
from operator import and_
from typing import Any

from microgradlib.compiler.engines.native.flow import PRODUCTS, SUMS, derivative_of
from microgradlib.compiler.engines.native.kernel import Kernel, Layout, kernel_function
from microgradlib.compiler.engines.native.loops import Place, Stores, View, nest
from microgradlib.compiler.llvm.closed import adjoint_of, adjoint_of_relu, closed_at_minus_zero, masks_of, stated
from microgradlib.compiler.llvm.functions import run_rule
from microgradlib.compiler.llvm.ir import Function, Number, Real
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Step
from microgradlib.compiler.planning.fusion import Chain, Flow, chains_of
from microgradlib.ops import TABLE, Op

__all__ = ["chain_kernels", "number_of"]


def chain_kernels(steps: Sequence[Step], layout: Layout, flows: Sequence[Flow] = ()) -> list[Kernel]:
    """Return the kernels of elementwise steps and gathers with as many results, executed one after another.

    Steps in one kernel pass numbers on in registers. What is written over, or not read later, is not stored.
    """
    return [_chain_kernel(chain, layout) for chain in chains_of(steps, flows)]


def _chain_kernel(chain: Chain, layout: Layout) -> Kernel:
    """Return the kernel of steps that are computed entry by entry."""
    written, loaded = dict[Any, None](), dict[Any, bool]()
    for link in chain.links:
        loaded |= {key: closes for key, closes in zip(link.operands, link.flow.closes) if key not in written}
        written[link.results] = None
    stored = [key for key in written if key in chain.needed]
    keys = list(dict.fromkeys([*stored, *loaded]))
    views = [View(key.space, f"%a{k}", key.steps, key not in written, bool(key.table)) for k, key in enumerate(keys)]
    number = {key: k for k, key in enumerate(dict.fromkeys([*keys, *written]))}
    links = []
    for link in chain.links:
        i, operands = link.step.instruction, tuple([number[key] for key in link.operands])
        links.append((i and (i.op, i.wrt, i.reads), operands, number[link.results]))
    read = tuple([(number[key], closes) for key, closes in loaded.items()])
    function = _chain_function(layout, chain.sizes, (tuple(views), read, tuple(links), len(stored)))
    starts = [numpy().frombuffer(key.table, "int32") if key.table else key.start for key in keys]
    return Kernel(copy(function), tuple(starts))  # a module names its functions


@lru_cache(256)
def _chain_function(layout: Layout, sizes: tuple[int, ...], shape: tuple[Any, ...]) -> Function:
    """Return the function of a chain. Steps that repeat have the same.

    `shape`: the views, those that are stored first; which are loaded, and whether a −0 there is a structural zero; the
    links; and how many are stored. A link is an op with `wrt` and `reads`, or None of a gather, with the numbers of its
    operands' views and of its results'. Numbers beyond those of views stay in registers.
    """
    views, loaded, links, stored = shape
    f = kernel_function(len(views))

    def body(_: Real, places: list[Place]) -> Stores:
        numbers = {k: closed_at_minus_zero(places[k].load()) if closes else places[k].load() for k, closes in loaded}
        for rule, operands, result in links:
            inputs = [numbers[k] for k in operands]
            numbers[result] = number_of(inputs, *rule) if rule else inputs[0]
        return [(places[k], numbers[k]) for k in range(stored)]

    nest(f, layout, sizes, views, body)
    return f


def number_of(inputs: list[Number], op: Op, wrt: int | None, reads: Sequence[int]) -> Number:
    """Return an op's value, or its adjoint; what is closed takes no part in sums and stops products."""
    f, real = inputs[0].function, inputs[0].real
    plain = [x.unclosed() for x in inputs]
    if wrt is not None:
        if op.name == "relu":
            return adjoint_of_relu(*inputs)
        return adjoint_of(inputs[0], derivative_of(op, wrt, reads, plain[1:]))
    rule = (lambda xp, *xs: getattr(xp, op.name)(*xs)) if op.name in TABLE else op.value  # an own one, if there is
    found, closed = f.number(run_rule(rule, *plain, *op.settings), real), masks_of(*inputs)
    if op.name in PRODUCTS and closed:
        return stated(found, closed)
    is_closed = op.name in SUMS and len(closed) == len(inputs)
    return Number(f, real, found.name, reduce(and_, closed) if is_closed else None)
