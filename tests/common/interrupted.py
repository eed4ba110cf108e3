"""Ctrl-C at a chosen moment: the n-th time that Python looks whether one has come, so that a moment can be repeated."""

import gc
import signal
import sys
from contextlib import contextmanager

import numpy as np

from microgradlib.core.mode_blocks import MODES_IN_USE, current_mode
from microgradlib.nn.search import SUBSTITUTES

__all__ = ["Moments", "interrupted", "leftovers", "moments_of"]


class Moments:
    """A profile function that counts calls of Python functions, and ends of other calls, and presses Ctrl-C at one.

    After these, and at jumps back, Python looks for signals. Where something is freed is passed over, and where a
    generator goes on, which it does when it is freed: what is raised there is lost.
    """

    def __init__(self, moment=None):
        self.count, self.moment, self.place = 0, moment, None

    def __call__(self, frame, event, called):
        if event in {"call", "c_return"}:
            self.count += 1
            is_due = self.moment is not None and self.count >= self.moment
            if is_due and not (event == "call" and is_generator(frame)) and not is_freeing(frame):
                sys.setprofile(None)
                self.place = f"{frame.f_code.co_filename}:{frame.f_lineno}, {event} in {frame.f_code.co_name}"
                signal.raise_signal(signal.SIGINT)


def is_generator(frame):
    return bool(frame.f_code.co_flags & 0x20)  # inspect.CO_GENERATOR


def is_freeing(frame):
    while frame is not None and frame.f_code.co_name != "__del__":
        frame = frame.f_back
    return frame is not None


@contextmanager
def profiled(profile):
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(before)


def moments_of(work):
    """Return how many moments there are in a piece of work, and what it returns."""
    moments = Moments()
    with profiled(moments):
        result = work()
    return moments.count, result


def interrupted(work, moment):
    """Do a piece of work that is interrupted; return the place, whether Ctrl-C came out of it, and what it returned."""
    moments, result, raised = Moments(moment), None, False
    try:
        with profiled(moments):
            result = work()
    except KeyboardInterrupt:
        raised = True
    return moments.place, raised, result


def leftovers():
    """Return what of the session is not as at its beginning: modes, the garbage collector, signals, profile."""
    if MODES_IN_USE:  # in Python 3.10 a traceback may hold one until it is collected
        gc.collect()
    found = {
        "a mode in force": current_mode() is not None,
        "modes that exist": bool(MODES_IN_USE),
        "substitutes of parameters": bool(SUBSTITUTES.get()),
        "no garbage collector": not gc.isenabled(),
        "a handler of Ctrl-C": signal.getsignal(signal.SIGINT) is not signal.default_int_handler,
        "a profile function": sys.getprofile() is not None,
    }
    np.seterr(all="warn", under="ignore")  # NumPy's own errstate may stay where Ctrl-C comes at its beginning
    return [name for name, is_so in found.items() if is_so]
