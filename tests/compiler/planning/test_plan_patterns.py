"""Patterns: chains that may be fused, and the repeated steps of recurrent networks."""

from hypothesis import given, strategies as st

import microgradlib as mg
from microgradlib import nn
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.planning import Repeat, plan
from microgradlib.compiler.planning.data import FEWEST_TIMES, repeats_of
from microgradlib.compiler.planning.fusion import chains_of, fusible
from microgradlib.compiler.trace import trace
from microgradlib.compiler.vectorize import vectorize


def planned(function, parameters, *rows):
    return plan(vectorize(canonicalize(trace(function, list(rows), list(parameters)))))


def chains(found):
    """The ops of each chain, of the runs of steps that may be fused."""
    runs = [found.steps[start:end] for start, end in fusible(found).items()]
    return [[link.step.instruction.op.name for link in chain.links] for run in runs for chain in chains_of(run)]


def test_a_chain_ends_where_something_else_is_read():
    found = planned(lambda xs: mg.sum([mg.exp(-mg.tanh(x)) for x in xs]) * mg.tanh(xs[0]) * 2.0, [], [0.5] * 4)
    assert ["tanh", "neg", "exp"] in chains(found)


def test_reductions_and_matrix_products_are_in_no_chain():
    model = nn.MLP(3, [4, 4, 1], rng=0)
    found = planned(lambda x: model(x), model.parameters(), [0.5] * 3)
    assert "dot" not in {name for chain in chains(found) for name in chain}


def test_the_time_steps_of_a_recurrent_network():
    """All but the first, which has no state before it, and the last are alike."""
    model = nn.LSTM(2, 3, rng=0)
    found = planned(lambda xs: model(xs)[0][-1], model.parameters(), [[0.5] * 2] * 9)
    (run,) = found.repeats
    assert run.times >= 7
    names = [(step.kind, step.instruction and step.instruction.op.name) for step in found.steps]
    once = names[run.start : run.start + run.length]
    assert once * run.times == names[run.start : run.start + run.length * run.times]
    assert f"{run.times} times {run.length} steps" in str(found)


def test_nothing_repeats_in_a_network_of_different_layers():
    model = nn.MLP(3, [4, 5, 6, 1], rng=0)
    assert planned(lambda x: model(x), model.parameters(), [0.5] * 3).repeats == ()


@given(st.lists(st.integers(0, 2), max_size=16))
def test_repeats_are_periodic_and_apart_and_there_is_one_if_anything_repeats(numbers):
    found = repeats_of(numbers)
    free = [True] * len(numbers)
    for start, length, times in found:
        end = start + length * times
        assert times >= FEWEST_TIMES
        assert numbers[start:end] == numbers[start : start + length] * times
        assert all(free[start:end])
        free[start:end] = [False] * (end - start)
    for length in range(1, len(numbers) // FEWEST_TIMES + 1):
        for start in range(len(numbers) - FEWEST_TIMES * length + 1):
            end = start + FEWEST_TIMES * length
            if numbers[start:end] == numbers[start : start + length] * FEWEST_TIMES:
                assert max(run.length * run.times for run in found) >= end - start


def test_the_longest_run_is_chosen():
    assert repeats_of([1, 1, 1, 2, 1, 1, 1, 2, 1, 1, 1, 2]) == (Repeat(0, 4, 3),)
    assert repeats_of([1, 2, 1, 2, 1, 2]) == (Repeat(0, 2, 3),)
    assert repeats_of([1] * 6) == (Repeat(0, 1, 6),)
