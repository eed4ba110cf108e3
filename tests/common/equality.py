"""Equality of floats to the last bit, for numbers that may be nan or a signed zero."""

import math
import struct


def same(got, expected):
    """Whether the numbers are equal, nan to nan; the two zeros are equal."""
    return got == expected or (math.isnan(got) and math.isnan(expected))


def same_bits(got, expected):
    """Whether the numbers have the same bits; any nan equals any other."""
    return bits(got) == bits(expected)


def bits(x):
    """The bits of a float as text, "nan" for every nan."""
    return "nan" if math.isnan(x) else struct.pack("<d", x).hex()
