"""Equality of floats that may be nan or signed zeros."""

import math
import struct


def same(got, expected):
    """Return whether two numbers are equal; nan equals nan, and 0 equals −0."""
    return got == expected or (math.isnan(got) and math.isnan(expected))


def same_bits(got, expected):
    """Return whether two floats have the same bits; any nan equals any other."""
    return bits(got) == bits(expected)


def bits(x):
    """Return the bits of a float as text; "nan" for every nan."""
    return "nan" if math.isnan(x) else struct.pack("<d", x).hex()
