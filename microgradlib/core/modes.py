"""Modes of recording, as context variables: `no_grad()` and `detect_anomaly()`."""

from __future__ import annotations

import math
import sys
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from microgradlib.errors import AnomalyError, SymbolHasNoValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from microgradlib.ops import Op

__all__ = [
    "Mode", "current_mode", "detect_anomaly", "is_compiling", "is_unknown", "no_grad", "recording", "refuse_unknown",
    "tracing_lines", "unknown_numbers", "users_line",
]  # fmt: skip

_PACKAGE = str(Path(__file__).parents[1])


@dataclass(frozen=True)
class Mode:
    """What to do besides computing: record parents or not, and watch for nan and inf or not."""

    recording: bool = True
    watching: bool = False
    tracing: bool = False
    lines: dict[Any, str] = field(default_factory=dict)
    """While tracing: for each node, the user's line that made it."""
    unknown: frozenset[Any] | None = None
    """While a function is compiled: the parameters, whose numbers, and all made of them, may be other ones later."""
    reads: dict[Any, str] = field(default_factory=dict)
    """While a function is compiled: the other leaves whose numbers it read, each with the user's line that did."""


_mode: ContextVar[Mode | None] = ContextVar("microgradlib_mode", default=None)

current_mode = _mode.get
"""The mode in force, or None for plain recording: what almost every operation finds."""


@contextmanager
def _changed(**changes: Any) -> Iterator[None]:
    token = _mode.set(replace(_mode.get() or Mode(), **changes))
    try:
        yield
    finally:
        _mode.reset(token)


def no_grad() -> Any:
    """Compute without recording: in the block, results are leaves with no parents and no history.

    Use it as a context manager or as a decorator. The mode is a context variable: other threads and tasks do not see
    it, and it ends with the block, by an exception too.

    >>> from microgradlib import Value
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents
    (9.0, ())
    """
    return _changed(recording=False)


def recording() -> Any:
    """Record in the block, even inside `no_grad()`: what a transform does for the function it differentiates."""
    return _changed(recording=True) if _mode.get() is not None else nullcontext()


def detect_anomaly() -> Any:
    """Raise `AnomalyError` at the first operation whose value is nan or inf, and likewise in `backward()`.

    The message names the op, its inputs and your source line; for a gradient, the node whose gradient went wrong and
    the line that made it. Nodes made in the block are remembered until it ends.

    >>> from microgradlib import Value, log
    >>> with detect_anomaly():
    ...     log(Value(-1.0, label="x"))
    Traceback (most recent call last):
    microgradlib.errors.AnomalyError: log gave nan from x = -1.0 ...
    """
    return _changed(watching=True, tracing=True, lines={})


@contextmanager
def tracing_lines() -> Iterator[dict[Any, str]]:
    """Note, for each node made in the block, the user's line that made it; nothing is raised.

    >>> from microgradlib import Value
    >>> with tracing_lines() as lines:
    ...     y = Value(3.0) * 2
    >>> lines[y]
    '<doctest ...>:2, in <module>'
    """
    lines: dict[Any, str] = {}
    with _changed(tracing=True, lines=lines):
        yield lines


@contextmanager
def unknown_numbers(parameters: Iterable[Any]) -> Iterator[dict[Any, str]]:
    """Refuse in the block to tell the numbers of `parameters` and of what is made of them: they may change later.

    Gives a dict that fills with the other leaves whose numbers are read, each with the user's line that does.
    """
    reads: dict[Any, str] = {}
    with _changed(unknown=frozenset(parameters), reads=reads):
        yield reads


def is_unknown(node: Any) -> bool:
    """Say whether the number of a node must not be read now, as a function is being compiled; note it if it may."""
    mode = _mode.get()
    if mode is None or mode.unknown is None:
        return False
    if node.parents or node in mode.unknown:
        return True
    if node not in mode.reads:
        mode.reads[node] = users_line()
    return False


def is_compiling() -> bool:
    """Say whether a function is being compiled."""
    mode = _mode.get()
    return mode is not None and mode.unknown is not None


def refuse_unknown(node: Any) -> None:
    """Raise `SymbolHasNoValueError` if the number of a node must not be read now."""
    if is_unknown(node):
        what = f"the number of {node.label!r}" if node.label else "the number of a parameter, or of what is made of it,"
        message = (
            f"{what} cannot be read while a function is compiled, as it may be another one later: "
            "write where(condition, a, b) for if/else, maximum(a, b) for max(a, b), microgradlib.exp(x) for math.exp(x)"
        )
        raise SymbolHasNoValueError(message)


def users_line() -> str:
    """Return where the innermost frame outside the package is, as `file:line, in function`."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}, in {frame.f_code.co_name}"


def check_value(op: Op, result: float, inputs: Sequence[Any]) -> None:
    """Raise `AnomalyError` if `result` is nan or inf, naming the op, its inputs and the user's line."""
    if not math.isfinite(result):
        shown = ", ".join(f"{x.label or 'an input'} = {x.data!r}" for x in inputs)
        message = f"{op} gave {result} from {shown} at {users_line()}"
        raise AnomalyError(message)


def check_gradients(table: dict[Any, float], lines: dict[Any, str]) -> None:
    """Raise `AnomalyError` for the first node, in the order of the backward pass, whose gradient is nan or inf."""
    for node, gradient in reversed(table.items()):
        if not math.isfinite(gradient):
            name = node.label or (f"a result of {node.op}" if node.op else "a leaf")
            made = f", made at {lines[node]}" if node in lines else ""
            blame = _blame(node, table, lines)
            message = f"the gradient of {name} = {node.data!r} is {gradient}{made}{blame}"
            raise AnomalyError(message)


def _blame(node: Any, table: dict[Any, float], lines: dict[Any, str]) -> str:
    for consumer, gradient in table.items():
        for parent, local in zip(consumer.parents, consumer.local_derivatives):
            if parent is node and not math.isfinite(local * gradient):
                where = f" at {lines[consumer]}" if consumer in lines else ""
                return f"; the local derivative of {consumer.op}{where} is {local}"
    return ""
