"""Draws of random numbers that a function makes from the generators of `random` and `numpy.random`, which all share."""

from __future__ import annotations

import random
import sys
import time
from typing import TYPE_CHECKING, Any

from microgradlib._support.source_lines import cited

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["draw_lines", "draws_from_numpy", "generator_states"]

DRAWS = {random.random, random.getrandbits}
"""What every draw of Python's own generator comes to."""


def generator_states() -> tuple[Any, Any]:
    """Return the states of Python's own generator and, where NumPy is loaded, of NumPy's: a draw changes one.

    >>> before = generator_states()
    >>> drawn = random.random()
    >>> generator_states() == before
    False
    """
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return random.getstate(), None
    kind, key, *rest = numpy.random.get_state()
    return random.getstate(), (kind, key.tobytes(), *rest)


def draw_lines(call: Callable[[], Any]) -> list[str]:
    """Call a function and return the lines at which it draws from Python's own generator.

    >>> [line.endswith("in <lambda>") for line in draw_lines(lambda: random.uniform(1, 2))]
    [True]
    """
    lines: list[str] = []

    def watch(frame: Any, event: str, called: Any) -> None:
        if event == "c_call" and called in DRAWS:
            while frame.f_code.co_filename == random.__file__:
                frame = frame.f_back
            lines.append(cited(frame.f_code, frame.f_lineno))

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        call()
    finally:
        sys.setprofile(before)
    return lines


def draws_from_numpy(call: Callable[[], Any]) -> bool:
    """Return whether a function draws from NumPy's own generator, and not another thread meanwhile.

    The generator's state changes in each of three calls, and stays as it is for as long after each.

    >>> draws_from_numpy(lambda: random.uniform(1, 2))
    False
    """
    for _ in range(3):
        before, start = generator_states()[1], time.perf_counter()
        call()
        after, took = generator_states()[1], time.perf_counter() - start
        time.sleep(took)
        if after == before or generator_states()[1] != after:
            return False
    return True
