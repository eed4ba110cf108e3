"""Warn of numbers that a function that is being differentiated takes out of Values: constants, of derivative 0.

`float(v)`, `int(v)` and `round(v)` warn where they stand, as numbers are seldom what their author meant, unless the
number is only compared or printed, as in `if float(v) > 0` and `print(float(v))`. `v.data` and `v.detach()` say that
the number is meant; they warn if nothing of the result depends on the inputs in another way. Text, as in `print(v)`
and `f"{v:.3f}"`, does not warn. `fit` looks so at one example.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from microgradlib._support.source_lines import cited
from microgradlib.core.graph import descendants, topological_sort
from microgradlib.core.math_calls import is_only_looked_at
from microgradlib.core.modes import MODES_IN_USE, current_mode, users_frame
from microgradlib.errors import LostDerivativeWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

__all__ = [
    "READS_IN_USE", "TRANSFORMS", "differentiating", "is_looking", "looking_for_conversions", "note_conversion",
    "note_read", "variables", "warn", "warn_of_reads",
]  # fmt: skip

TRANSFORMS: ContextVar[tuple[Sequence[Any], ...]] = ContextVar("microgradlib_transforms", default=())
"""The inputs of each transformed function (`grad`, …) that is running, the outermost first."""

READS_IN_USE: set[Reads] = set()
"""What is recorded for the transformed functions that run, in any thread. If it is empty, nothing need be noted."""


class Reads:
    """The nodes whose `data` one run of a function has read, with the places, and where conversions were looked at.

    `inputs`: those by which the function is differentiated, and those of the functions around it.
    """

    __slots__ = ("inputs", "nodes", "places")

    def __init__(self, inputs: tuple[Sequence[Any], ...]) -> None:
        self.inputs = inputs
        self.nodes: dict[Any, tuple[Any, int]] = {}
        self.places: set[tuple[Any, int]] = set()


_READS: ContextVar[Reads | None] = ContextVar("microgradlib_reads", default=None)


@contextmanager
def differentiating(inputs: Sequence[Any]) -> Iterator[tuple[Sequence[Any], ...]]:
    """Run a function that is differentiated by these inputs in the block; yield those of the functions around it."""
    enclosing = TRANSFORMS.get()
    with looking_for_conversions(*enclosing, inputs):
        try:
            TRANSFORMS.set((*enclosing, inputs))
            yield enclosing
        finally:
            TRANSFORMS.set(enclosing)


@contextmanager
def looking_for_conversions(*inputs: Sequence[Any]) -> Iterator[None]:
    """Warn in the block of numbers that are taken out of Values which depend on the inputs, by `float(v)` say."""
    outer, reads = _READS.get(), Reads(inputs)
    try:
        _READS.set(reads)
        READS_IN_USE.add(reads)
        yield
    finally:
        try:  # should Ctrl-C come between them
            READS_IN_USE.discard(reads)
        finally:
            _READS.set(outer)


def is_looking() -> bool:
    """Return whether conversions are looked for."""
    return bool(READS_IN_USE) and _READS.get() is not None


def variables() -> set[Any]:
    """Return the inputs of the transforms that run, and the parameters of a function that is being compiled.

    A copy of one of them would be another variable, by which nothing is differentiated.
    """
    transforms = TRANSFORMS.get()
    inputs = {x for given in transforms for x in given} if transforms else set()
    mode = current_mode() if MODES_IN_USE else None
    return inputs if mode is None or mode.unknown is None else inputs | mode.unknown


def note_read(node: Any, frame: FrameType) -> None:
    """Record that the code of `frame` reads the number of a node."""
    reads = _READS.get()
    if reads is not None and node not in reads.nodes:
        reads.nodes[node] = frame.f_code, frame.f_lineno


def note_conversion(value: Any, frame: FrameType, call: str) -> None:
    """Warn, once for each place in a run, that `call` takes the number of a Value that depends on the inputs."""
    reads = _READS.get()
    place = frame.f_code, frame.f_lasti
    if reads is None or place in reads.places or is_only_looked_at(frame):
        return
    reads.places.add(place)
    if _depends([value], reads):
        message = (
            f"{call} gives a plain number here, a constant of derivative 0, in a function that is being differentiated "
            f"(at {cited(frame.f_code, frame.f_lineno)}): compute with the Value itself, or write value.data if the "
            "number is meant"
        )
        warn(message)


def warn_of_reads(outputs: Sequence[Any]) -> None:
    """Warn if no output depends on the inputs of the function that has just run, but it read numbers that do."""
    reads = _READS.get()
    if reads is None or not reads.nodes or reads.places or _depends(outputs, reads):
        return
    read = [node for node in reads.nodes if _depends([node], reads)]
    if read:
        message = (
            "the result depends on the argument by its .data alone, a constant of derivative 0 "
            f"(read at {cited(*reads.nodes[read[0]])}): compute with the Value itself"
        )
        warn(message)


def _depends(nodes: Sequence[Any], reads: Reads) -> bool:
    """Return whether one of the nodes depends on an input of a function that runs."""
    inputs = {x for given in reads.inputs for x in given}
    return not descendants(topological_sort(*nodes), inputs).isdisjoint(nodes)


def warn(message: str) -> None:
    """Issue a `LostDerivativeWarning` for the line of the user's program that called the library."""
    _, above = users_frame()
    warnings.warn(message, LostDerivativeWarning, stacklevel=above + 1)
