"""Hold Ctrl-C back where a block must not end half-way: imports, steps of a training run, what LLVM builds."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import contextmanager
from importlib import import_module
from operator import methodcaller
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["Hold", "at_once", "import_whole", "interrupts_held"]

R = TypeVar("R")


class Hold:
    """Whether Ctrl-C is let through now, and whether one waits; what `interrupts_held` yields.

    While it is open, the handler that was there before is called. If that raises, as Python's own does, the hold is
    closed again: what follows, the end of a block, is not interrupted a second time.
    """

    def __init__(self) -> None:
        self.is_open, self.waits, self.has_raised = False, False, False
        self.handler: Any = None

    def receive(self, number: int, frame: Any) -> None:
        """Handle the signal SIGINT."""
        if not self.is_open:
            self.waits = True
            return
        self.is_open, self.has_raised = False, True
        self.handler(number, frame)
        self.is_open, self.has_raised = True, False

    def open(self) -> None:
        """Let Ctrl-C through from here on, first of all one that waits.

        Also once more one that was let through, if what it raised was lost: Python drops what is raised while it frees
        something.
        """
        self.is_open = True
        if self.waits or self.has_raised:
            self.waits = False
            self.receive(2, sys._getframe(1))  # SIGINT is 2 on all systems

    def during(self, function: Callable[..., R], *arguments: Any) -> R:
        """Call a function with the hold closed; then let Ctrl-C through again.

        >>> with interrupts_held() as hold:
        ...     hold.open()
        ...     hold.during(lambda: hold.is_open), hold.is_open
        (False, True)
        """
        self.is_open = False
        try:
            return function(*arguments)
        finally:
            self.open()


@contextmanager
def interrupts_held() -> Iterator[Hold]:
    """Hold Ctrl-C back in the block: one that comes meanwhile is raised at its end, after an error of the block too.

    Only the main thread is interrupted so; in others, and where a program has set a handler outside Python, the
    block runs as without. It takes about 15 µs.

    >>> import signal
    >>> try:
    ...     with interrupts_held():
    ...         signal.raise_signal(signal.SIGINT)
    ...         print("all of the block, and then:")
    ... except KeyboardInterrupt:
    ...     print("Ctrl-C")
    all of the block, and then:
    Ctrl-C
    """
    import signal  # noqa: PLC0415  a tenth of the package's import

    hold, handler = Hold(), signal.getsignal(signal.SIGINT)
    if callable(handler):
        hold.handler = handler
        try:
            signal.signal(signal.SIGINT, hold.receive)
        except ValueError:  # not in the main thread of the main interpreter
            hold.handler = None
    try:
        yield hold
    finally:
        hold.is_open = False
        if hold.handler is not None and signal.getsignal(signal.SIGINT) == hold.receive:
            signal.signal(signal.SIGINT, hold.handler)
        if hold.waits:
            hold.handler(signal.SIGINT, sys._getframe())


_call = methodcaller("__call__")


def at_once(calls: Iterable[Callable[[], Any]]) -> None:
    """Make calls of functions that are not written in Python, `partial`s of methods of lists say.

    No Ctrl-C comes between them, as it comes between two instructions of Python; and this takes no more than a loop.

    >>> from functools import partial
    >>> numbers = []
    >>> at_once([partial(numbers.append, 1.0), partial(numbers.append, 2.0)])
    >>> numbers
    [1.0, 2.0]
    """
    deque(map(_call, list(calls)), maxlen=0)


def import_whole(module: str) -> Any:
    """Import and return a module, to its end: Ctrl-C meanwhile is raised after it.

    An import that is interrupted leaves modules behind that are half there. NumPy, say, can then not be imported again
    in the same process.

    >>> import_whole("math").floor(2.5)
    2
    """
    if module in sys.modules:
        return import_module(module)
    with interrupts_held():
        return import_module(module)
