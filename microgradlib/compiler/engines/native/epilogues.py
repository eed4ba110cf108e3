"""Epilogues: elementwise steps behind a matrix product, which tiles apply to its results while in registers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from microgradlib.compiler.engines.native.elementwise import Shape, shape_of
from microgradlib.compiler.engines.native.flow import Flow, rows_of
from microgradlib.compiler.engines.native.fusion import Chain, Key, Link, common_sizes, link_of
from microgradlib.compiler.engines.native.loops import Place
from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.llvm.ir import Function, Number, Real
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan, Step

__all__ = ["Epilogue", "EpilogueCode", "take_epilogues"]

LONGEST = 32
"""So many instructions for each vector of results at most: all those of a tile are in registers meanwhile. More of them
are quicker in a nest of their own, all together."""


class EpilogueCode(NamedTuple):
    """What epilogues with the same code have in common."""

    shape: Shape
    product: int
    """The number of the view that the product writes."""
    alike: tuple[bool, ...]
    """Whether a view has one number for all lanes."""

    def emit(self, results: Number, pointers: Sequence[str]) -> None:
        """Compute and store what follows from a vector of the product's results, given where each view is."""
        f, real = results.function, results.real
        places = [Place(f, real, pointer, is_alike=alike) for pointer, alike in zip(pointers, self.alike)]
        places[self.product].kept = results
        for place, number in self.shape.emit(places):
            place.store(number)


class Epilogue(NamedTuple):
    """Steps behind a product, so many, with their code, and their views on the axes of its results."""

    size: int
    code: EpilogueCode
    keys: list[Key]


def take_epilogues(plan: Plan, flows: Sequence[Flow], ends: dict[int, int]) -> dict[int, Epilogue]:
    """Return the epilogues of products, by their indices; in `ends`, see `fusible`, a product is a run with its own."""
    found = dict[int, Epilogue]()
    for index, step in enumerate(plan.steps):
        end = ends.get(index + 1, 0)
        is_batched = step.kind == "matmul" and step.results.space == BATCHED
        epilogue = _epilogue(plan.steps[index:end], flows[index:end]) if end and is_batched else None
        if epilogue:
            behind, found[index] = index + 1 + epilogue.size, epilogue
            del ends[index + 1]
            ends |= {index: behind} | ({behind: end} if behind < end else {})
    return found


def _epilogue(steps: Sequence[Step], flows: Sequence[Flow]) -> Epilogue | None:
    """Return the longest epilogue of a product, the first of the steps, among those behind it; None if there is none.

    The product and the steps are a chain, in which the product is a copy of its results. As tiles are stored before
    others are computed, no step may write over what the product reads; and vectors lie along one axis of all views.
    """
    product, sizes, length = steps[0], steps[0].results.sizes, 0
    results = link_of(product, flows[0], sizes).results
    links = [Link(replace(product, instruction=None), results, (results,), flows[0]._replace(closes=(False,)))]
    for step, flow in zip(steps[1:], flows[1:]):
        if step.kind != "elementwise" or common_sizes([product, step]) != common_sizes([product]):
            break
        link = link_of(step, flow, sizes)
        if not any(link.touches(each) for each in links):
            break
        length += _length(shape_of(Chain(sizes, [link], {link.results}))[1])
        if length > LONGEST:
            return None
        if not _fits(product, link) or not all(link.may_follow(each, sizes) for each in links):
            break
        links.append(link)
    last = {link.results: k for k, link in enumerate(links)}
    keys, shape = shape_of(Chain(sizes, links, {key for key, k in last.items() if k + flows[k].reach >= len(links)}))
    code = EpilogueCode(shape, keys.index(results), tuple([key.space == UNBATCHED for key in keys]))
    return Epilogue(len(links) - 1, code, keys) if len(links) > 1 else None


def _fits(product: Step, link: Link) -> bool:
    """Say whether a step's views lie along the product's vectors, and it writes over nothing that the product reads."""
    sizes, (w, x) = product.results.sizes, product.operands
    axis = {(UNBATCHED, BATCHED): 2, (BATCHED, UNBATCHED): 1}.get((w.space, x.space))
    if axis is not None and sizes[axis] > 1:
        views = link.results, *link.operands
        if any(view.steps[axis] != int(view.space == BATCHED) for view in views):
            return False
    read = numpy().concatenate([rows_of(view) for view in product.operands if view.space == BATCHED])
    return not numpy().isin(link.results.rows(sizes), read).any()


@lru_cache(1024)
def _length(shape: Shape) -> int:
    """Return how many instructions a vector takes; too many where there are loops or functions are called."""
    f = Function("length", "ptr %x")
    shape.emit([Place(f, Real("double", 2), "%x", is_alike=False)] * (1 + max([k for k, _ in shape.loaded], default=0)))
    is_plain = not any(line.endswith(":") or ("call" in line and "@llvm." not in line) for line in f.lines)
    return len(f.lines) if is_plain else LONGEST + 1
