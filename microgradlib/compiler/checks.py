"""Checks of a call: labels and indices of a batch are tested as the eager engine tests them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.engines import make_engine
from microgradlib.compiler.numpy_functions import as_column, numpy
from microgradlib.compiler.trace import Trace
from microgradlib.compiler.vectorize import vectorize
from microgradlib.errors import LabelError

__all__ = ["ColumnCheck", "column_checks", "first_wrong", "run_checks"]

ColumnCheck = tuple[Any, Callable[[Sequence[Any]], Any]]
"""A check, as `record_check` was given it, and the function of the columns that returns the numbers it is for."""


def column_checks(trace: Trace, shapes: Sequence[tuple[int, ...]], dtype: Any = float) -> list[ColumnCheck]:
    """Return the checks that a traced function asked for: each once, for all the numbers of an argument together.

    Labels made of inputs, such as 2 y − 1, are computed for it; what depends on parameters is no label.

    >>> from microgradlib import costs
    >>> from microgradlib.compiler.trace import trace
    >>> traced = trace(lambda z, y: costs.cross_entropy(z, y), [[0.0, 0.0], 0.0], [])
    >>> run_checks(column_checks(traced, [(2,), ()]), [numpy().zeros((3, 2)), numpy().array([0.0, 1.0, 2.0])])
    Traceback (most recent call last):
    microgradlib.errors.LabelError: example 2: the label is 2.0, but the 2 classes are 0 to 1
    """
    places = [(argument, i) for argument, shape in enumerate(shapes) for i in range(math.prod(shape))]
    direct: dict[Any, list[int]] = defaultdict(list)
    found: list[ColumnCheck] = []
    for position, check in trace.checks:
        if trace.nodes[position].kind == "input":
            argument, i = places[trace.nodes[position].index]
            direct[check, argument].append(i)
            continue
        part = canonicalize(replace(trace, outputs=(position,), shape=None))
        if all(part.nodes[place].kind != "parameter" for node in part.nodes for place in node.arguments):
            values = make_engine("numpy", vectorize(part), dtype).values
            found.append((check, partial(values, numpy().zeros(trace.parameters, dtype))))
    for (check, argument), chosen in direct.items():
        whole = len(chosen) == math.prod(shapes[argument])
        found.append((check, partial(_picked, argument, slice(None) if whole else chosen)))
    most = float(numpy().finfo(dtype).max)  # infinite numbers fail every check
    return [(check._replace(low=max(check.low, -most), high=min(check.high, most)), of) for check, of in found]


def _picked(argument: int, chosen: Any, columns: Sequence[Any]) -> Any:
    return as_column(columns[argument])[..., chosen]


def run_checks(checks: Sequence[ColumnCheck], columns: Sequence[Any]) -> None:
    """Raise `LabelError`, naming the example, for the first number that fails its check."""
    wrong = first_wrong(checks, columns)
    if wrong is not None:
        message = f"example {wrong[0]}: {wrong[1]}"
        raise LabelError(message)


def first_wrong(checks: Sequence[ColumnCheck], columns: Sequence[Any]) -> tuple[int, str] | None:
    """Return the example of the first number that fails its check, and what is wrong; None if all are right."""
    np = numpy()
    for check, numbers_of in checks:
        numbers = nearest = numbers_of(columns)
        low, high, step = check.low, check.high, check.step
        if step:
            nearest = np.rint(numbers) if step == 1 else np.rint((numbers - low) / step) * step + low
        wrong = np.minimum(np.maximum(nearest, low), high) != numbers
        if check.other is not None:
            wrong &= numbers != check.other
        if np.count_nonzero(wrong):
            place = tuple(np.argwhere(wrong)[0].tolist())
            return place[0], check.message(float(numbers[place]))
    return None
