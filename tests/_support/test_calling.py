"""Calls of functions of users: wrong arguments and results are named, errors of their own stay as they are."""

import math

import pytest

from microgradlib._support.calling import call, parameters_of, returned


def test_a_call_that_fits_is_the_call():
    assert call(lambda x, *rest, scale=1: (x, rest, scale), "", 1, 2, scale=3) == (1, (2,), 3)


@pytest.mark.parametrize(
    ("f", "arguments", "keywords", "message"),
    [
        (lambda: 1, (1,), {}, "a lambda function without parameters was called with 1 argument: why"),
        (lambda x, y=2: 1, (), {}, "a lambda function of x, y=… was called with 0 arguments: why"),
        (lambda x: 1, (1,), {"z": 2}, "a lambda function of x was called with 1 argument, z=…: why"),
    ],
)
def test_a_call_that_does_not_fit_is_named(f, arguments, keywords, message):
    with pytest.raises(TypeError) as caught:
        call(f, "why", *arguments, **keywords)
    assert str(caught.value) == message


def test_errors_within_the_function_are_its_own():
    def wrong(_):
        return dict.fromkeys()

    with pytest.raises(TypeError, match="fromkeys expected at least 1 argument"):
        call(wrong, "why", 1)
    with pytest.raises(TypeError, match="must be real number"):
        call(math.sin, "why", "1")
    with pytest.raises(ZeroDivisionError):
        call(lambda x: 1 / x, "why", 0)


def test_parameters_are_written_by_their_names():
    assert parameters_of(lambda a, *b, c=1, **d: 1) == "of a, *b, c=…, **d"


def test_a_result_that_is_no_number_names_the_function():
    with pytest.raises(TypeError, match="a lambda function must return numbers: float"):
        returned(lambda: None, [None], float)
