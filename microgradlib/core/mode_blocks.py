"""Blocks that change the mode, what operations do besides computing: a context variable.

A block's mode holds from its beginning to its end, for all that runs in the same context meanwhile. So while a
generator waits at a `yield` in the block, it holds for the generator's caller too: this is what makes `@contextmanager`
functions of blocks possible. A generator that only hands out results has no `yield` in the block:

    def outputs(model, rows):
        for row in rows:
            with no_grad():
                output = model(row)
            yield output

Threads begin without a mode. A task (of `asyncio`, say) begins with the mode of the block that creates it, and keeps
it; what it changes is its own.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MODES_IN_USE", "Mode", "changed_mode", "current_mode"]

MODES_IN_USE: set[ref[Mode]] = set()
"""Weak references to the modes that exist, in any context of any thread. If it is empty, no mode is in force."""


class Mode:
    """What operations do besides computing. Immutable: each block sets a new one.

    `recording`: keep parents and local derivatives. `watching`: raise at the first nan or inf. `lines`: None, or the
    dict in which each new node's source line is recorded. `unknown`: while a function is compiled, its parameters,
    whose numbers may differ in later calls; else None. `reads`: while a function is compiled, the other leaves
    whose numbers it read, each with the source line that did. `checks`: while a function is compiled, the Symbols whose
    numbers are checked at each call, each with its check; else None. `scope`: the block of `core.scopes` that new nodes
    are made in, or None. `below`: the mode around the block; `block`: what it changes, an object that is its alone.
    """

    _FIELDS = "checks", "lines", "reads", "recording", "scope", "unknown", "watching"
    __slots__ = "__weakref__", "below", "block", *_FIELDS

    def __init__(
        self,
        *,
        recording: bool = True,
        watching: bool = False,
        lines: dict[Any, str] | None = None,
        unknown: frozenset[Any] | None = None,
        reads: dict[Any, str] | None = None,
        checks: list[tuple[Any, Any]] | None = None,
        scope: Any = None,
    ) -> None:
        self.recording, self.watching, self.lines, self.unknown = recording, watching, lines, unknown
        self.reads = {} if reads is None else reads
        self.checks = checks
        self.scope = scope
        self.below: Mode | None = None
        self.block: dict[str, Any] = {}
        MODES_IN_USE.add(ref(self, MODES_IN_USE.discard))

    @classmethod
    def of_block(cls, below: Mode | None, changes: dict[str, Any]) -> Mode:
        """Return the mode in a block that makes these changes of the one around it, and is identified by them."""
        mode = cls(**changes if below is None else {name: getattr(below, name) for name in cls._FIELDS} | changes)
        mode.below, mode.block = below, changes
        return mode


_mode: ContextVar[Mode | None] = ContextVar("microgradlib_mode", default=None)

current_mode = _mode.get
"""The mode in force in this context, or None for plain recording."""


@contextmanager
def changed_mode(**changes: Any) -> Iterator[None]:
    """Change fields of the mode in force in the block; it is as before after it."""
    mode = Mode.of_block(_mode.get(), changes)
    try:
        _mode.set(mode)
        yield
    finally:
        try:
            _end(mode)
        except KeyboardInterrupt:
            _end(mode)
            raise


def _end(mode: Mode) -> None:
    """End a block. Others that began in it may not have ended, where generators wait: they go on without its changes.

    In another context than it began in, as that of an asynchronous generator's end, nothing is to be done.
    """
    found, inner = _mode.get(), list[Mode]()
    while found is not None and found.block is not mode.block:
        inner.append(found)
        found = found.below
    if found is not None:
        below = found.below  # of a mode that was made anew since, if another block around it has ended
        for other in reversed(inner):
            below = Mode.of_block(below, other.block)
        _mode.set(below)
