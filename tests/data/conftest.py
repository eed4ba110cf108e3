"""A random number generator for the tests of data that returns given numbers in order."""

import random

import pytest


class FixedDraws(random.Random):
    """A `random.Random` whose draws are the given numbers, in order."""

    def __new__(cls, *_):  # Python 3.10 takes one argument at most
        return super().__new__(cls)

    def __init__(self, *numbers):
        super().__init__(0)
        self.numbers = list(numbers)

    def uniform(self, a, b):
        return self.numbers.pop(0)

    def randint(self, a, b):
        return self.numbers.pop(0)


@pytest.fixture(scope="session")  # a class, so it has no state between the examples of a property
def fixed_draws():
    return FixedDraws
