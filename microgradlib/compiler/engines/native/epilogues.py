"""Epilogues: elementwise steps right behind a product, which its tiles compute while its results are in registers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from microgradlib.compiler.engines.native.elementwise import number_of
from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.llvm.closed import closed_at_minus_zero
from microgradlib.compiler.llvm.ir import Number
from microgradlib.compiler.planning.data import Plan, Step
from microgradlib.compiler.planning.fusion import Flow, Key, common_sizes, link_of

__all__ = ["Epilogue", "epilogue_of", "with_epilogues"]

PLAIN = {"add", "sub", "mul", "relu"}
"""Ops of a few instructions: all results of a tile are in registers meanwhile."""


class Epilogue(NamedTuple):
    """What is computed of each result of a product: links one after another, each an op with `wrt` and `reads`.

    Of its operands, 0 is what was found so far, and k another number, number k of those that are read: `closes` says
    of each of these whether a −0 there is a structural zero.
    """

    links: tuple[tuple[tuple[Any, int | None, tuple[int, ...]], tuple[int, ...]], ...] = ()
    closes: tuple[bool, ...] = ()

    @property
    def name(self) -> str:
        """A name that no other epilogue has."""
        words = [f"{op.name}{wrt}.{'.'.join(map(str, operands))}" for (op, wrt, _), operands in self.links]
        return "".join([f".{word}" for word in (*words, *map(str, self.closes))])

    def emit(self, result: Number, others: Sequence[Number]) -> Number:
        """Return what becomes of a result, given the other numbers that are read."""
        numbers = [result, *[closed_at_minus_zero(x) if closes else x for x, closes in zip(others, self.closes)]]
        for rule, operands in self.links:
            numbers[0] = number_of([numbers[k] for k in operands], *rule)
        return numbers[0]


def with_epilogues(plan: Plan, flows: Sequence[Flow], ends: dict[int, int]) -> dict[int, int]:
    """Return the runs of `fusible`; a product with an epilogue is a run with its steps, which are in no other."""
    found = dict(ends)
    for start, end in ends.items():
        product = plan.steps[start - 1]
        if start > 0 and product.kind == "matmul" and product.results.space == BATCHED:
            behind = start + len(epilogue_of(plan.steps[start - 1 : end], flows[start - 1 : end])[0].links)
            del found[start]
            found |= {start - 1: behind, behind: end} if behind < end else {start - 1: behind}
    return found


def epilogue_of(steps: Sequence[Step], flows: Sequence[Flow]) -> tuple[Epilogue, list[int]]:
    """Return the epilogue of a product, the first of some steps, and the first rows of the other numbers it reads.

    It is of steps that write over the product's results, which they read beside others that lie as these do.
    """
    product, others, links = steps[0], dict[Key, bool](), list[Any]()
    sizes = product.results.sizes
    own = link_of(product, flows[0], sizes).results
    for step, flow in zip(steps[1:], flows[1:]):
        i: Any = step.instruction
        if i is None or i.op.name not in PLAIN or common_sizes([product, step]) != common_sizes([product]):
            break
        link = link_of(step, flow, sizes)
        read = {key: closes for key, closes in zip(link.operands, flow.closes) if key != own}
        lies_alike = all(key._replace(start=own.start) == own and not key.overlaps(own, sizes) for key in read)
        if link.results != own or not lies_alike:
            break
        others |= read
        links.append(((i.op, i.wrt, i.reads), tuple([[own, *others].index(key) for key in link.operands])))
    return Epilogue(tuple(links), tuple(others.values())), [key.start for key in others]
