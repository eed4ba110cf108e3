"""Draws of random numbers: which calls make them, where, and that watching leaves everything as it was."""

import random
import sys
import threading

import numpy as np
import pytest

from microgradlib._support.draws import draw_lines, draws_from_numpy, generator_states


@pytest.mark.parametrize(
    "draw",
    [random.random, lambda: random.gauss(0, 1), lambda: random.shuffle([1, 2]), lambda: np.random.rand()],  # noqa: NPY002
)
def test_a_draw_changes_a_generators_state(draw) -> None:
    before = generator_states()
    draw()
    assert generator_states() != before


def test_what_draws_from_a_generator_of_its_own_changes_nothing() -> None:
    before = generator_states()
    random.Random(0).random()
    np.random.default_rng(0).random()
    assert generator_states() == before


def test_the_line_outside_the_library_of_random_is_named() -> None:
    [line] = draw_lines(lambda: random.uniform(0.0, 1.0))
    assert "test_draws.py" in line
    assert draw_lines(lambda: random.Random(0).getstate()) == []


def test_the_profiler_in_use_comes_back_after_an_error_too() -> None:
    def profiler(*_) -> None:
        return None

    sys.setprofile(profiler)
    try:
        with pytest.raises(ZeroDivisionError):
            draw_lines(lambda: 1 / 0)
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)


def test_draws_from_numpy_are_told_from_those_of_another_thread() -> None:
    ended = threading.Event()
    idle = threading.Thread(target=ended.wait)
    idle.start()
    assert draws_from_numpy(lambda: np.random.rand())  # noqa: NPY002
    assert not draws_from_numpy(lambda: np.random.default_rng(0).random())
    drawing = threading.Thread(target=lambda: all(np.random.rand() >= 0 for _ in iter(ended.is_set, True)))  # noqa: NPY002
    drawing.start()
    try:
        assert not draws_from_numpy(lambda: sum(range(100_000)))
    finally:
        ended.set()
        idle.join()
        drawing.join()
