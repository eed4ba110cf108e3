"""Modes: `no_grad()`, `detect_anomaly()`, and what tracing and compiling need.

Every new node meets them in one place, `finish`.
"""

from __future__ import annotations

import math
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from microgradlib._support.source_lines import PACKAGE, cited
from microgradlib.core.mode_blocks import MODES_IN_USE, Mode, changed_mode, current_mode
from microgradlib.errors import AnomalyError, SymbolHasNoValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import FrameType

__all__ = [
    "MODES_IN_USE", "Mode", "changed_mode", "current_mode", "detect_anomaly", "finish", "is_compiling",
    "is_recording", "is_unknown", "is_watching", "no_grad", "record_check", "recorded_checks", "recording",
    "refuse_unknown", "tracing_lines", "unknown_numbers", "users_frame", "users_line",
]  # fmt: skip


def finish(node: Any) -> Any:
    """Apply the mode in force to a node that an op has just made; return the node to hand to the user."""
    mode = current_mode()
    if mode is None:
        return node
    if mode.watching:
        _check_value(node)
    result = node if mode.recording else node._without_history()
    if mode.lines is not None and node.parents:
        mode.lines[node] = users_line()
    if mode.scope is not None and result.parents:
        mode.scope.mark(result)
    return result


@contextmanager
def no_grad() -> Iterator[None]:
    """Compute without recording: in the block, results are leaves with no parents and no history.

    Use it as a context manager or as a decorator. The mode is a context variable: other threads and tasks do not see
    it, and it ends with the block, by an exception too. But while a generator waits at a `yield` in the block, its
    caller does not record either: end the block before the `yield`.

    >>> from microgradlib import Value
    >>> x = Value(3.0)
    >>> with no_grad():
    ...     y = x * x
    >>> y.data, y.parents
    (9.0, ())
    """
    with changed_mode(recording=False):
        yield


@contextmanager
def recording() -> Iterator[None]:
    """Record in the block, even inside `no_grad()`: what a transform does for the function it differentiates."""
    if current_mode() is None:
        yield
    else:
        with changed_mode(recording=True):
            yield


@contextmanager
def detect_anomaly() -> Iterator[None]:
    """Raise `AnomalyError` at the first operation whose value is nan or inf, and likewise in `backward()`.

    The message names the op, its inputs and your source line; for a gradient, the node whose gradient went wrong and
    the line that made it. Nodes made in the block are kept alive until it ends. While a generator waits at a `yield` in
    the block, what its caller computes is watched too.

    >>> from microgradlib import Value, log
    >>> with detect_anomaly():
    ...     log(Value(-1.0, label="x"))
    Traceback (most recent call last):
    microgradlib.errors.AnomalyError: log gave nan from x = -1.0 ...
    """
    with changed_mode(watching=True, lines={}):
        yield


@contextmanager
def tracing_lines() -> Iterator[dict[Any, str]]:
    """Record, for each node made in the block, the source line that made it; nothing is raised.

    >>> from microgradlib import Value
    >>> with tracing_lines() as lines:
    ...     y = Value(3.0) * 2
    >>> lines[y]
    '<doctest ...>:2, in <module>'
    """
    lines: dict[Any, str] = {}
    with changed_mode(lines=lines):
        yield lines


@contextmanager
def unknown_numbers(parameters: Iterable[Any]) -> Iterator[dict[Any, str]]:
    """Refuse in the block to read the numbers of `parameters` and of what is computed from them: they may change later.

    Yields a dict that fills with the other leaves whose numbers are read, each with the source line that reads it.
    """
    reads: dict[Any, str] = {}
    with changed_mode(unknown=frozenset(parameters), reads=reads):
        yield reads


@contextmanager
def recorded_checks() -> Iterator[list[tuple[Any, Any]]]:
    """Yield a list that fills, in the block, with the pairs (symbol, check) of `record_check`."""
    checks: list[tuple[Any, Any]] = []
    with changed_mode(checks=checks):
        yield checks


def record_check(symbol: Any, check: Any) -> None:
    """Say that the number of a Symbol, a label or index, is to be checked when it is known: at calls of the program."""
    mode = current_mode()
    if mode is not None and mode.checks is not None:
        mode.checks.append((symbol, check))


def is_recording() -> bool:
    """Return whether operations keep parents and local derivatives."""
    mode = current_mode()
    return mode is None or mode.recording


def is_watching() -> bool:
    """Return whether nan and inf are errors, as under `detect_anomaly()`."""
    mode = current_mode()
    return mode is not None and mode.watching


def is_compiling() -> bool:
    """Return whether a function is being compiled."""
    mode = current_mode()
    return mode is not None and mode.unknown is not None


def is_unknown(node: Any) -> bool:
    """Return whether the number of a node must not be read, as a function is being compiled; record a legal read."""
    mode = current_mode()
    if mode is None or mode.unknown is None:
        return False
    if node.parents or node in mode.unknown:
        return True
    if node not in mode.reads:
        mode.reads[node] = users_line()
    return False


def refuse_unknown(node: Any) -> None:
    """Raise `SymbolHasNoValueError` if the number of a node must not be read now."""
    if is_unknown(node):
        what = f"the number of {node.label!r}" if node.label else "the number of a parameter, or of what is made of it,"
        message = (
            f"{what} cannot be read while a function is compiled, as it may be another one later: "
            "write where(condition, a, b) for if/else, maximum(a, b) for max(a, b), microgradlib.exp(x) for "
            "math.exp(x), define_op for a rule of your own"
        )
        raise SymbolHasNoValueError(message)


def users_line() -> str:
    """Return where the innermost frame outside the package is: `file:line, in function` or `cell [15], line 2`."""
    frame, _ = users_frame()
    return cited(frame.f_code, frame.f_lineno)


def users_frame() -> tuple[FrameType, int]:
    """Return the innermost frame outside the package, and how many calls it is above the caller of this function."""
    frame, above = sys._getframe(1), 0
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, above = frame.f_back, above + 1
    return frame, above


def _check_value(node: Any) -> None:
    """Raise `AnomalyError` if a Value is nan or inf, naming the op, its inputs and the source line."""
    number = getattr(node, "_float", 0.0)  # a Symbol has none
    if not math.isfinite(number):
        shown = ", ".join(f"{x.label or 'an input'} = {x.data!r}" for x in node.parents)
        message = f"{node.op} gave {number} from {shown} at {users_line()}"
        raise AnomalyError(message) from None  # not from the error by which Python refuses math.log(-1)
