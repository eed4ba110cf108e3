"""Slopes: what a derivative rule reads of an op's output and inputs."""

import math

import pytest

from microgradlib.compiler.slopes import Slope, rule_arguments, slope_of
from microgradlib.ops import TABLE

OUTPUT, X, Y, Z = range(4)
READS = [
    ("add", 0, Slope(1.0, ())),
    ("sub", 1, Slope(-1.0, ())),
    ("neg", 0, Slope(-1.0, ())),
    ("floor", 0, Slope(0.0, ())),
    ("mul", 0, Slope(None, (Y,))),
    ("mul", 1, Slope(None, (X,))),
    ("div", 0, Slope(None, (Y,))),
    ("div", 1, Slope(None, (OUTPUT, Y))),
    ("exp", 0, Slope(None, (OUTPUT,))),
    ("tanh", 0, Slope(None, (X,))),
    ("relu", 0, Slope(None, (OUTPUT,))),
    ("where", 0, Slope(0.0, ())),
    ("where", 1, Slope(None, (X,))),
    ("where", 2, Slope(None, (X,))),
]
"""(op, wrt, slope): of `tanh` the input, which keeps its digits where the output is 1."""


@pytest.mark.parametrize(("name", "wrt", "slope"), READS)
def test_a_rule_reads_no_more_than_it_needs(name, wrt, slope):
    assert slope_of(TABLE[name], wrt) == slope


@pytest.mark.parametrize(("power", "reads"), [(1.0, ()), (2.0, (X,)), (3.0, (OUTPUT, X)), (-1.5, (OUTPUT, X))])
def test_powers_but_the_square_read_their_output(power, reads):
    assert slope_of(TABLE["pow"].bind(power), 0).reads == reads


def numbers_for(op):
    """Return numbers inside the domain of an op, and its value and derivatives there."""
    intervals = [op.sample[min(k, len(op.sample) - 1)] for k in range(op.arity)]
    settings = op.defaults if op.setting_count else ()
    inputs = [*[low + 0.4 * (high - low) for low, high in intervals[: op.arity - len(settings)]], *settings]
    output = op.compute(*inputs)
    return inputs, output, op.local_derivatives(output, *inputs)


@pytest.mark.parametrize("name", [name for name, op in TABLE.items() if not op.variadic])
def test_what_is_not_read_does_not_matter(name):
    """Where it is nan, the derivative by the rule is the same; a constant is the derivative."""
    op = TABLE[name]
    inputs, output, derivatives = numbers_for(op)
    for wrt, expected in enumerate(derivatives):
        slope = slope_of(op, wrt)
        if slope.constant is not None:
            assert slope == Slope(expected, ())
            continue
        everything = [output, *inputs]
        arguments = rule_arguments(op, slope.reads, [everything[place] for place in slope.reads])
        assert len(arguments) == len(everything)
        known = [math.nan if argument is None else argument for argument in arguments]
        if op.name != "relu":
            assert [place for place, argument in enumerate(arguments) if argument is not None] == [*slope.reads]
        assert op.local_derivatives(*known)[wrt] == pytest.approx(expected, rel=1e-14, nan_ok=True)
