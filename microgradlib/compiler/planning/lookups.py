"""Look-ups: products with columns of data that may be one-hot, which then need one number of each row of a matrix."""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.planning.data import Plan, Rows, Step, rows_of

__all__ = ["Lookup", "lookups_of"]

FEWEST_TERMS, MOST_TERMS = 8, 256
"""Products of fewer terms take no longer than look-ups; the code that looks for a 1 is written out for all terms."""


class Lookup(NamedTuple):
    """A product Z = W X of numbers without a batch axis, W, with columns of data; or Z = G Xᵀ, summed over the batch.

    Where one number of a column of X is 1 and all others are 0, the column of Z is the column of W that stands in the
    place of the 1; G Xᵀ adds the column of G in that place. Column j of X is so many `terms` of an argument, which
    follow one another from number `firsts[j]` on; the first is in batched row `rows[j]`.
    """

    argument: int
    terms: int
    length: int
    """How many numbers a column of W, or of G, has."""
    firsts: tuple[int, ...]
    rows: tuple[int, ...]
    is_forward: bool
    """Whether it is W X."""


def lookups_of(plan: Plan) -> dict[int, Lookup]:
    """Return the products that may be look-ups, by the numbers of their steps.

    Nothing else reads numbers of their arguments, and all columns of an argument have as many terms.

    >>> from dataclasses import replace
    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.planning import plan
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> from microgradlib.nn import Embedding
    >>> letters = Embedding(26, 3, rng=0)
    >>> traced = trace(lambda x: letters(list(x)), [[0.0] * 26], letters.parameters())
    >>> program = replace(vectorize(canonicalize(traced)), arguments=(("x", (26,)),))
    >>> print(planned := plan(program))
    79 unbatched rows, 30 batched rows
       0  batched[26:29] = matmul dot unbatched[0 + 3×26 + 26×1], batched[0:26]
    >>> lookups_of(planned)
    {0: Lookup(argument=0, terms=26, length=3, firsts=(0,), rows=(0,), is_forward=True)}
    """
    if not plan.program.arguments:
        return {}
    np, found, others = numpy(), dict[int, Lookup](), set[int]()
    numbers, sizes = np.array(plan.program.input_order, int), [prod(axes) for _, axes in plan.program.arguments]
    argument_of = np.repeat(np.arange(len(sizes)), sizes)
    given = [*zip(plan.program.outputs, plan.output_rows), *zip(plan.program.cotangents, plan.cotangent_rows)]
    reads = [(-1, -1, rows) for operand, rows in given if operand.space == BATCHED]
    for index, step in enumerate(plan.steps):
        reads += [(index, k, rows_of(place)) for k, place in enumerate(step.operands) if place.space == BATCHED]
    for index, k, rows in reads:
        read = set(argument_of[numbers[rows[rows < len(numbers)]]].tolist())
        lookup = _lookup(plan.steps[index], numbers, argument_of) if read and k == 1 else None
        if lookup is None:
            others |= read
        else:
            found[index] = lookup
    terms = {(lookup.argument, lookup.terms) for lookup in found.values()}
    others |= {argument for argument, _ in terms if sum([argument == other for other, _ in terms]) > 1}
    return {index: lookup for index, lookup in found.items() if lookup.argument not in others}


def _lookup(step: Step, numbers: Any, argument_of: Any) -> Lookup | None:
    """Return a step as a look-up; None if it is no product whose right factor is columns of an argument.

    `numbers`: for each row of inputs, which are the first rows, its number in all arguments one after another.
    """
    if step.kind != "matmul" or step.phase != "batch":
        return None
    left, x = step.operands
    if isinstance(left, Rows) or isinstance(x, Rows) or x.sizes[0] > 1:
        return None
    is_forward = left.space == UNBATCHED
    if not is_forward and step.results.space != UNBATCHED:
        return None
    rows = rows_of(x).reshape(x.sizes[1:])
    rows = rows if is_forward else rows.T
    terms = len(rows)
    if not FEWEST_TERMS <= terms <= MOST_TERMS or rows.max() >= len(numbers):
        return None
    places = numbers[rows]
    argument = int(argument_of[places[0, 0]])
    if (argument_of[places] != argument).any() or (numpy().diff(places, axis=0) != 1).any():
        return None
    firsts = places[0] - numpy().searchsorted(argument_of, argument)
    return Lookup(argument, terms, left.sizes[1], tuple(firsts.tolist()), tuple(rows[0].tolist()), is_forward)
