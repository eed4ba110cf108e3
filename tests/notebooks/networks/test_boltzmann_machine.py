"""The restricted Boltzmann machine: energies, distributions and both gradients against NumPy's enumeration."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from microgradlib import grad_table


def arrays(machine):
    w = np.array([[w_ij.data for w_ij in row] for row in machine.w])
    return np.array([a.data for a in machine.a]), np.array([b.data for b in machine.b]), w


def machine_of(script, visible, hidden, seed):
    machine = script("boltzmann_machine").Machine(visible, hidden)
    rng = np.random.default_rng(seed)
    for p in machine.parameters():
        p.data = float(rng.normal())
    return machine


def enumerated(machine):
    """Every v and h as rows of two arrays, and p(v, h) as a matrix of the two."""
    a, b, w = arrays(machine)
    v, h = (np.array(list(product([0, 1], repeat=len(x)))) for x in (a, b))
    p = np.exp((v @ a)[:, None] + h @ b + v @ w @ h.T)
    return v, h, p / p.sum()


machines = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 99))


@settings(max_examples=8, deadline=None)
@given(machines)
def test_energy_free_energy_and_distribution(script, sizes):
    boltzmann, machine = script("boltzmann_machine"), machine_of(script, *sizes)
    a, b, w = arrays(machine)
    v, h, p = enumerated(machine)
    joint = boltzmann.model_distribution(machine)
    for i, v_i in enumerate(v):
        energies = [machine.energy(v_i.tolist(), h_j.tolist()).data for h_j in h]
        assert energies == pytest.approx([-(a @ v_i + b @ h_j + v_i @ w @ h_j) for h_j in h], abs=1e-12)
        free = boltzmann.free_energy(machine, v_i.tolist()).data
        assert free == pytest.approx(-np.log(np.exp(-np.array(energies)).sum()), abs=1e-12)
        assert boltzmann.visible_probability(joint, tuple(v_i)) == pytest.approx(p[i].sum(), rel=1e-12)
        for j, h_j in enumerate(h):
            assert joint[tuple(v_i), tuple(h_j)] == pytest.approx(p[i, j], rel=1e-12)


@settings(max_examples=8, deadline=None)
@given(machines, st.data())
def test_the_gradient_is_the_difference_of_the_means(script, sizes, draw):
    boltzmann, machine = script("boltzmann_machine"), machine_of(script, *sizes)
    v, h, p = enumerated(machine)
    chosen = draw.draw(st.lists(st.integers(0, len(v) - 1), min_size=1, max_size=5))
    data = [tuple(v[i].tolist()) for i in chosen]
    loss = boltzmann.cost(machine, data)
    assert loss.data == pytest.approx(-np.mean([np.log(p[i].sum()) for i in chosen]), abs=1e-12)

    of_model = v.T @ p @ h
    posterior = [p[i] / p[i].sum() @ h for i in chosen]  # ⟨h⟩ given v
    of_data = np.mean([np.outer(v[i], mean_h) for i, mean_h in zip(chosen, posterior)], axis=0)
    table = grad_table(loss)
    dw = [[table[w] for w in row] for row in machine.w]
    assert np.array(dw) == pytest.approx(of_model - of_data, abs=1e-12)
    da = v.T @ p.sum(axis=1) - v[chosen].mean(axis=0)
    db = p.sum(axis=0) @ h - np.mean(posterior, axis=0)
    assert [table[a] for a in machine.a] == pytest.approx(da, abs=1e-12)
    assert [table[b] for b in machine.b] == pytest.approx(db, abs=1e-12)

    by_means = boltzmann.gradient_of_means(machine, data)
    assert list(by_means) == machine.parameters()
    assert list(by_means.values()) == pytest.approx([table[p] for p in by_means], abs=1e-12)


def test_data_are_all_bars_and_stripes(script):
    rows_alike = {(a, b, a, b) for a in (0, 1) for b in (0, 1)}
    columns_alike = {(a, a, b, b) for a in (0, 1) for b in (0, 1)}
    assert set(script("boltzmann_machine").BARS_AND_STRIPES) == rows_alike | columns_alike


@pytest.mark.slow
def test_training_makes_the_data_probable_and_the_means_agree(script):
    boltzmann = script("boltzmann_machine")
    machine, data = boltzmann.Machine(), boltzmann.BARS_AND_STRIPES
    start = max(map(abs, boltzmann.gradient_of_means(machine, data).values()))
    costs = boltzmann.train(machine, data, steps=80)
    joint = boltzmann.model_distribution(machine)
    # Measured: L from 2.812 to 1.879, against ln 6 = 1.792; the largest difference of means from 0.084 to 0.0069.
    assert costs[0] > 2.7
    assert np.log(6) < costs[-1] < 2.0
    assert sum(boltzmann.visible_probability(joint, v) for v in data) > 0.9
    assert max(map(abs, boltzmann.gradient_of_means(machine, data).values())) < 0.3 * start


def test_main(script, capsys):
    script("boltzmann_machine").main(steps=2)
    lines = capsys.readouterr().out.splitlines()
    assert float(lines[0].split()[-1]) < 1e-14
    rows = [line for line in lines if " / " in line]
    assert len(rows) == 16
    assert sum(row.endswith("data") for row in rows) == 6
    assert sum(float(row.split()[3]) for row in rows) == pytest.approx(1.0, abs=1e-3)
