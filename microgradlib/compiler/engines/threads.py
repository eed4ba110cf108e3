"""Threads that take parts of a batch beside the caller's own."""

from __future__ import annotations

import os
from _thread import start_new_thread
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from queue import SimpleQueue
from typing import Any

__all__ = ["shared", "threads_allowed"]


def shared(work: Callable[[Any], Any], parts: Sequence[Any], most: int | None = None) -> list[Any]:
    """Return what the work on each part gives. Threads, of which the caller's is one, take the parts one by one.

    There are as many as are allowed, but not more than parts, nor than `most`. Threads that have not begun when no part
    is left, as they are busy with another call, are not waited for. An error ends all: no other part is begun.

    >>> shared(lambda part: part * part, [1, 2, 3])
    [1, 4, 9]
    """
    allowed = threads_allowed()
    threads = min(allowed, len(parts), most or allowed)
    waiting, found = [*[None] * threads, *reversed(range(len(parts)))], [None] * len(parts)
    done: SimpleQueue[tuple[int, Any, BaseException | None]] = SimpleQueue()

    def take_parts() -> None:
        k = 0
        try:
            for k in iter(waiting.pop, None):
                done.put((k, work(parts[k]), None))
        except BaseException as error:  # noqa: BLE001  the caller's thread raises it
            del waiting[threads:]
            done.put((k, None, error))

    for _ in range(threads - 1):
        _queue_of(os.getpid(), allowed - 1).put(take_parts)
    take_parts()
    for _ in parts:
        k, found[k], error = done.get()
        if error is not None:
            raise error
    return found


@cache
def _queue_of(process: int, threads: int) -> SimpleQueue[Callable[[], None]]:
    """Return a process's queue, of which so many threads run what is put there; a forked process has none of them.

    A `SimpleQueue` and threads that nobody joins stay whole where Ctrl-C interrupts: an executor's locks may not.
    """
    del process
    queue: SimpleQueue[Callable[[], None]] = SimpleQueue()
    with suppress(RuntimeError):  # no more threads can be started, or none at all, as in a browser: the caller's is one
        for _ in range(threads):
            start_new_thread(_serve, (queue,))
    return queue


def _serve(queue: SimpleQueue[Callable[[], None]]) -> None:
    while True:
        queue.get()()


def threads_allowed() -> int:
    """Return how many threads may compute: `OMP_NUM_THREADS`, as other libraries have it, or one for each processor."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdecimal() and int(given):
        return int(given)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
