"""The Hopfield network: energy, net inputs and recall against NumPy."""

import numpy as np
from hypothesis import example, given, settings, strategies as st

states = st.lists(st.sampled_from([-1, 1]), min_size=25, max_size=25)


def patterns(hopfield):
    return [hopfield.pattern(letter) for letter in hopfield.LETTERS]


def weights(hopfield):
    return np.array(hopfield.hebbian_weights(patterns(hopfield)))


def test_weights_by_hebb(script):
    hopfield = script("hopfield")
    xi = np.array(patterns(hopfield))
    assert xi.shape == (3, 25)
    np.testing.assert_array_equal(weights(hopfield), xi.T @ xi - 3 * np.eye(25))


@settings(max_examples=20, deadline=None)
@given(s=states)
def test_energy_is_the_quadratic_form_and_its_slope_minus_the_net_input(script, s):
    hopfield = script("hopfield")
    w = weights(hopfield)
    assert hopfield.energy(w.tolist(), s) == -0.5 * np.array(s) @ w @ s
    assert hopfield.net_inputs(w.tolist(), s) == (w @ s).tolist()


@settings(max_examples=5, deadline=None)
@given(s=states, rng=st.integers(0, 1000))
@example(s=[-1] * 25, rng=0)  # on the way down, net inputs are 0
def test_energy_falls_with_every_unit_that_changes_until_none_would(script, s, rng):
    hopfield = script("hopfield")
    w = weights(hopfield)
    history = hopfield.recall(w.tolist(), s, rng)
    assert history.states[0] == s
    assert np.all(np.diff(history.energies) < 0)
    for before, after, fall in zip(history.states, history.states[1:], np.diff(history.energies)):
        [i] = np.flatnonzero(np.not_equal(before, after))
        assert fall == -(w @ before)[i] * (after[i] - before[i])
    end = np.array(history.states[-1])
    assert np.all((w @ end) * end >= 0)


def test_stored_patterns_stay_and_come_back_from_a_corrupted_one(script):
    hopfield = script("hopfield")
    w = hopfield.hebbian_weights(patterns(hopfield))
    for p in patterns(hopfield):
        assert hopfield.recall(w, p).states == [p]
        for rng in range(5):
            start = hopfield.corrupt(p, flips=3, rng=rng)
            assert sum(a != b for a, b in zip(start, p)) == 3
            assert hopfield.recall(w, start, rng).states[-1] == p


def test_more_than_half_corrupted_is_nearer_to_the_negative(script):
    hopfield = script("hopfield")
    w, p = hopfield.hebbian_weights(patterns(hopfield)), patterns(hopfield)[0]
    assert hopfield.recall(w, hopfield.corrupt(p, flips=23)).states[-1] == [-p_i for p_i in p]


def test_main(script, capsys):
    script("hopfield").main()
    text = capsys.readouterr().out
    assert text.count("recalled") == text.count("E falls") == 3
    assert "lost" not in text
