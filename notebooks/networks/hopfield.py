"""A Hopfield network (the memory networks of document 004): patterns stored by Hebb's rule, recalled by descent.

w_ij = Σ_p ξ_i ξ_j with w_ii = 0; E(s) = −½ Σ_ij w_ij s_i s_j for states s_i = ±1. So ∂E/∂s_i = −Σ_j w_ij s_j, minus the
net input h_i, and the update s_i ← sgn(h_i) of one unit changes E by −h_i Δs_i ≤ 0. (Hopfield, 1982.) The usual factor
1/N is left out: it changes no sign, and without it all these numbers are integers, so h_i = 0 is detected exactly.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from microgradlib import Value, dot, grad_table

Weights = list[list[float]]
State = list[int]

LETTERS = ("""
#####
..#..
..#..
..#..
..#..
""", """
#...#
#...#
#####
#...#
#...#
""", """
.###.
#....
#....
#....
.###.
""")  # fmt: skip


class Recall(NamedTuple):
    """The states and energies of a recall: the initial ones, and those after each change of a unit."""

    states: list[State]
    energies: list[float]


def pattern(letter: str) -> State:
    """Return a letter's pixels as states: +1 for #, −1 for a dot."""
    return [1 if pixel == "#" else -1 for pixel in "".join(letter.split())]


def hebbian_weights(patterns: Sequence[State]) -> Weights:
    """Return Hebb's weights w_ij = Σ_p ξ_i ξ_j, and w_ii = 0."""
    n = len(patterns[0])
    return [[0.0 if i == j else float(sum(p[i] * p[j] for p in patterns)) for j in range(n)] for i in range(n)]


def energy(w: Weights, s: Sequence[Any]) -> Any:
    """Return E = −½ Σ_i s_i Σ_j w_ij s_j."""
    return -0.5 * dot(s, [dot(w_i, s) for w_i in w])


def net_inputs(w: Weights, s: Sequence[float]) -> list[float]:
    """Return h_i = −∂E/∂s_i, computed by grad_table."""
    units = [Value(s_i, label=f"s{i}") for i, s_i in enumerate(s)]
    table = grad_table(energy(w, units))
    return [-table[unit] for unit in units]


def recall(w: Weights, start: State, rng: int = 0) -> Recall:
    """Update all units one at a time, in a new random order in each round, until a round changes no unit.

    A unit whose net input is 0 keeps its state, so every change lowers the energy.
    """
    generator, s = random.Random(rng), list(start)
    history, changed = Recall([list(s)], [energy(w, s)]), True
    while changed:
        changed = False
        for i in generator.sample(range(len(s)), len(s)):
            h_i = net_inputs(w, s)[i]
            if h_i * s[i] < 0:
                s[i], changed = -s[i], True
                history.states.append(list(s))
                history.energies.append(energy(w, s))
    return history


def corrupt(p: State, flips: int, rng: int = 0) -> State:
    """Return the pattern with the signs of `flips` units, drawn at random, flipped."""
    flipped = random.Random(rng).sample(range(len(p)), flips)
    return [-p_i if i in flipped else p_i for i, p_i in enumerate(p)]


def main() -> None:
    """Print, for each letter, the energies during a recall from a corrupted copy, and the first and last state."""
    patterns = [pattern(letter) for letter in LETTERS]
    w = hebbian_weights(patterns)
    for p in patterns:
        history = recall(w, corrupt(p, flips=5))
        print("E falls:", " → ".join(f"{e:g}" for e in history.energies))
        for before, after in zip(_rows(history.states[0]), _rows(history.states[-1])):
            print(f"  {before}   {after}")
        print("  recalled" if history.states[-1] == p else "  lost")


def _rows(s: State) -> list[str]:
    drawn = "".join("#" if s_i > 0 else "." for s_i in s)
    return [drawn[i : i + 5] for i in range(0, len(drawn), 5)]


if __name__ == "__main__":
    main()
