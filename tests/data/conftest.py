"""What the tests of data share: a source of random numbers that draws what it is told."""

import random

import pytest


class Told(random.Random):
    """A source that draws what it is told."""

    def __new__(cls, *_):  # Python 3.10 takes one argument at most
        return super().__new__(cls)

    def __init__(self, *numbers):
        super().__init__(0)
        self.numbers = list(numbers)

    def uniform(self, a, b):
        return self.numbers.pop(0)

    def randint(self, a, b):
        return self.numbers.pop(0)


@pytest.fixture(scope="session")  # a class: nothing of it changes between the examples of a property
def told():
    return Told
