"""Expressions: what a pack computes, as one expression over arrays, and where its results lie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from microgradlib.compiler.numpy_functions import numpy
from microgradlib.ops.formula import ATOM
from microgradlib.source.arrays import Arrays
from microgradlib.source.code import Code
from microgradlib.source.graph import NOTHING
from microgradlib.source.layout import collapsed, layouts, softmax_rows, varying
from microgradlib.source.packs import SYMMETRIC, Pack

__all__ = ["Expressions"]

AXES = "ijlmnopqrstuvw"
"""Letters of axes in an einsum; b is the batch, k the terms."""

Written = tuple[Any, Code, bool]
"""The scalars in their places, the code, and whether places of no scalar hold 0."""


class Expressions:
    """Writes a pack: call it for the results in their places and the code. `keep(code, lengths, letter)` names code."""

    def __init__(self, arrays: Arrays, keep: Callable[[Code, tuple[int, ...], str], Code]) -> None:
        self.arrays, self.framework, self.keep = arrays, arrays.framework, keep

    def __call__(self, pack: Pack) -> Written:
        """Return the scalars of a pack in their places, the code, and whether other places hold 0."""
        np = numpy()
        if pack.kind == "softmax" or (pack.kind == "neg_log_softmax" and self._is_full(pack)):
            return self._softmax(pack)
        grids = map(np.asarray, layouts(pack, self.arrays))
        grid = min(grids, key=lambda grid: self._cost(pack, grid)) if pack.products else next(grids)
        grid = self._common_first(pack, grid) if pack.products else grid
        parts = [self._part(pack, k, grid) for k in range(len(pack.parts[0]))]
        useful = {axis for part in parts for axis in varying(part)}
        if len(useful) < grid.ndim:  # a grid with holes, in which the other axes tell the results apart
            spare = tuple([axis for axis in range(grid.ndim) if axis not in useful])
            if (grid.max(spare) != NOTHING).sum() == (grid != NOTHING).sum():
                grid, parts = grid.max(spare), [part.max(spare) for part in parts]
        members = np.where(grid == NOTHING, NOTHING, np.array(pack.members)[grid])
        if pack.kind == "elementwise":
            code = self.framework.apply(pack.op, [self.arrays.read(part[..., 0]) for part in parts], self.arrays.like)
        elif pack.kind == "dot":
            code = self._dot(pack, parts)
        elif pack.kind == "neg_log_softmax":
            own = np.array([part[0][i] for part, i in zip(pack.parts, pack.indices)])
            logarithm = self.framework.reduction("logsumexp", self._terms(parts[0]))
            code = logarithm - self.arrays.read(np.where(grid == NOTHING, NOTHING, own[grid]))
        else:
            code = self._reduction(pack, parts)
        return members, code, False

    def _part(self, pack: Pack, k: int, grid: Any) -> Any:
        """Return what part k reads of each result, in the results' places: (…, terms), NOTHING where there is none."""
        table = numpy().array([parts[k] for parts in pack.parts])
        return numpy().where((grid == NOTHING)[..., None], NOTHING, table[grid])

    def _terms(self, part: Any) -> Code:
        """Write (…, terms) with an axis of terms."""
        part = self.arrays.filled(part)
        constant = (part == part[..., :1]).all()
        return self.arrays.dense(part) if constant else self.arrays.read(part)

    # --- softmax ------------------------------------------------------------------------------------------------

    def _is_full(self, pack: Pack) -> bool:
        """Say whether of each row of terms every number is chosen once."""
        rows = {parts[0] for parts in pack.parts}
        return sum(map(len, rows)) == len({*zip(pack.parts, pack.indices)}) == len(pack.members)

    def _softmax(self, pack: Pack) -> Written:
        terms, members = softmax_rows(pack, self.arrays)
        holes = terms == NOTHING
        code = self._terms(terms)
        if holes.any():
            infinite = Code.number(-numpy().inf)
            code = self.framework.where(self._masked(~holes), code, infinite, like=self.arrays.like)
        if pack.kind == "softmax":
            return members, self.framework.reduction("softmax", code), True
        return members, -self.framework.reduction("log_softmax", code), False

    def _masked(self, seen: Any) -> Code:
        np = numpy()
        while seen.ndim > 2 and (seen == seen[:1]).all():
            seen = seen[0]
        lower = seen.ndim == 2 and seen.shape[0] == seen.shape[1] and (seen == np.tril(np.ones(seen.shape))).all()
        like = self.arrays.like
        code = self.framework.mask(len(seen), like) if lower else self.framework.array((seen * 1.0).tolist(), like)
        code = self.keep(code if lower else Code(f"{code} > 0"), seen.shape, "mask")
        code.condition = code.text
        return code

    # --- reductions ---------------------------------------------------------------------------------------------

    def _reduction(self, pack: Pack, parts: Sequence[Any]) -> Code:
        name, framework = pack.op.name, self.framework
        if name == "cross_entropy":
            return self._cross_entropy(*parts)
        if name in SYMMETRIC:
            orders = [self.arrays.place[part].argsort(-1, kind="stable") for part in parts]
            parts = [numpy().take_along_axis(part, order, -1) for part, order in zip(parts, orders)]
        count = sum(part.shape[-1] for part in parts)
        parts = sorted(parts, key=lambda part: int(self.arrays.owner[part.max()]))
        if name in {"sum", "mean"} and len(parts) > 1:
            total = sum([self._sum(part) for part in parts[1:]], self._sum(parts[0]))
            return total if name == "sum" else total / count
        if name in {"maximum", "minimum"} and len(parts) == count:
            return framework.larger(name, [self.arrays.read(part[..., 0]) for part in parts])
        terms = numpy().concatenate(parts, -1)
        found = self.arrays.reduced(terms) if framework.takes_axes(name) else None
        if found:
            return framework.reduction(name, *found)
        return framework.reduction(name, self._terms(terms)) if framework.reduces(name) else self._by_rule(pack, terms)

    def _sum(self, part: Any) -> Code:
        if part.shape[-1] == 1:
            return self.arrays.read(part[..., 0])
        return self.framework.reduction("sum", *(self.arrays.reduced(part) or [self._terms(part)]))

    def _cross_entropy(self, weights: Any, logits: Any) -> Code:
        logarithms = self.framework.reduction("log_softmax", self._terms(logits))
        if logits.shape[-1] > weights.shape[-1]:
            logarithms = logarithms.indexed(["...", f":{weights.shape[-1]}"])
        return -self.framework.reduction("sum", self.arrays.read(weights) * logarithms)

    def _by_rule(self, pack: Pack, terms: Any) -> Code:
        """Write an op of any number of inputs by its value rule, each input by itself."""
        inputs = [self.arrays.read(terms[..., k]) for k in range(terms.shape[-1])]
        return self.framework.by_rule(pack.op, inputs, self.arrays.like)

    # --- products -----------------------------------------------------------------------------------------------

    def _cost(self, pack: Pack, grid: Any) -> int:
        """Return how many numbers the factors are that are read in a layout."""
        parts = [self._part(pack, k, grid) for k in range(2 * pack.products)]
        return sum(collapsed(part, axes).size for part in parts for axes in [varying(part)])

    def _common_first(self, pack: Pack, grid: Any) -> Any:
        """Return a layout with the axes first along which both factors of a product vary: the heads of attention."""
        for k in range(pack.products):
            one, other = [varying(self._part(pack, 2 * k + i, grid)) for i in range(2)]
            both = [axis for axis in one if axis in other]
            if both and one != other:
                return grid.transpose([*both, *[axis for axis in range(grid.ndim) if axis not in both]])
        return grid

    def _dot(self, pack: Pack, parts: Sequence[Any]) -> Code:
        pairs = [parts[2 * k : 2 * k + 2] for k in range(pack.products)]
        pairs = [pair for pair in pairs if all((part != NOTHING).any() for part in pair)]
        terms = [self._product(*pair) or self._matrix_product(pack, *pair) for pair in pairs]
        terms += [self.arrays.read(part[..., 0]) for part in parts[2 * pack.products :]]
        return sum(terms[1:], terms[0]) if terms else Code.number(0.0)

    def _product(self, one: Any, other: Any) -> Code | None:
        """Write the sums of products of two factors (…, terms) of one term, or where one of them is the same in all."""
        arrays = self.arrays
        if one.shape[-1] == 1:
            alone = (one == NOTHING) != (other == NOTHING)
            x, y = [
                arrays.read(numpy().where(alone & (part == NOTHING), arrays.count, part)[..., 0])
                for part in (one, other)
            ]
            return y * x if x.batched > y.batched else x * y
        for x, y in ((one, other), (other, one)):
            whole = (x != NOTHING).all() and (y != NOTHING).all() and not arrays.is_constant(x.flat[0])
            if whole and (x == x[..., :1]).all():
                return arrays.read(x[..., 0]) * self._sum(y)
        return None

    def _matrix_product(self, pack: Pack, one: Any, other: Any) -> Code:
        """Write the sums of products of two factors (…, terms): as a product of matrices, elementwise or an einsum."""
        arrays, rank = self.arrays, one.ndim - 1
        padding = (one == NOTHING) != (other == NOTHING)  # a 0, unlike a place of the grid that holds no result
        parts = [numpy().where(padding & (part == NOTHING), arrays.count, part) for part in (one, other)]
        axes = [varying(part) for part in parts]
        parts = [collapsed(part, k) for part, k in zip(parts, axes)]
        factors = [arrays.padded(numpy().where(part == arrays.count, NOTHING, part)) for part in parts]
        if rank and rank - 1 in axes[0] and rank - 1 not in axes[1]:  # the last axis is that of the right factor
            axes, factors = axes[::-1], factors[::-1]
        elif not rank and not arrays.is_batched(factors[0]):
            factors.reverse()
        both = [k for k in axes[0] if k in axes[1]]
        batched = [arrays.is_batched(factor) for factor in factors]
        one_way = self._is_matmul(axes[0], axes[1], both, batched)
        if not one_way and self._is_matmul(axes[1], axes[0], both, batched[::-1]):
            axes, factors, batched = axes[::-1], factors[::-1], batched[::-1]
        left, right = axes
        if left == right:
            x, y = map(arrays.dense, factors)
            squared = arrays.reduced(factors[0]) if str(x) == str(y) else None
            if squared:
                code = self.framework.reduction("sum", squared[0] ** 2, squared[1])
            elif str(x) == str(y) or all(batched) or left:
                code = self.framework.reduction("sum", x**2 if str(x) == str(y) else x * y)
            else:
                code, pack.is_product = x @ y, True
        elif self._is_matmul(left, right, both, batched):
            code = self._factor(factors[0])
            code = code @ (self._turned(factors[1]) if right[len(both) :] else self._factor(factors[1]))
            pack.is_product = True
        else:
            code, pack.is_product = self._einsum(axes, factors, batched), True
        found = sorted({*left, *right})
        if len(found) == rank:
            return code
        index = [":"] * code.batched + [":" if k in found else "None" for k in range(rank)]
        return code.indexed(index)

    def _factor(self, factor: Any) -> Code:
        """Write a factor of a product of matrices; a vector of zeros, the state before the first step, by its name."""
        code = self.arrays.dense(factor)
        zero = not code.batched and (factor == factor.flat[0]).all() and self.arrays.is_constant(factor.flat[0])
        return self.keep(code, factor.shape, "z") if zero else code

    def _turned(self, factor: Any) -> Code:
        """Write (…, columns, terms) as (…, terms, columns)."""
        whole = self.arrays.dense(factor)
        last = len(factor.shape) + whole.batched - 1
        swapped = ".T" if last == 1 else f".swapaxes({last - 1}, {last})"
        texts = [str(self.arrays.dense(numpy().moveaxis(factor, -1, -2))), whole.at(ATOM) + swapped]
        return Code(min(texts, key=len), batched=whole.batched)

    def _is_matmul(self, left: list[int], right: list[int], both: list[int], batched: list[bool]) -> bool:
        """Say whether `@` gives the axes in order: those of both first, then of the left factor, one of the right."""
        ours, theirs = [k for k in left if k not in both], [k for k in right if k not in both]
        if [*both, *ours, *theirs] != sorted({*left, *right}) or len(theirs) > 1:
            return False
        if not theirs:
            return not batched[1] and not both
        if not both and not batched[1]:
            return True
        return len(ours) == 1 or (not ours and not both and not batched[0])

    def _einsum(self, axes: Sequence[list[int]], factors: Sequence[Any], batched: Sequence[bool]) -> Code:
        letters = [("b" * b) + "".join([AXES[k] for k in part]) + "k" for part, b in zip(axes, batched)]
        result = "b" * any(batched) + "".join([AXES[k] for k in sorted({*axes[0], *axes[1]})])
        operands = ", ".join([str(self.arrays.dense(factor)) for factor in factors])
        text = f'{self.framework.module}.einsum("{", ".join(letters)} -> {result}", {operands})'
        return Code(text, batched=any(batched))
