"""Programs of many ops, each applied to numbers of its own, so that one run shows every derivative of each op."""

import math
import random
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

import microgradlib as mg
from microgradlib import Value
from microgradlib.ops import TABLE, Op

__all__ = ["EXTREME", "SPECIAL", "Application", "OpProgram", "sample_applications", "special_applications"]

INF, NAN = math.inf, math.nan
SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.5, 3.0, 17.0, -40.0, 800.0, -800.0, INF, -INF, NAN)
"""Numbers at which values and derivatives are conventions, infinite, saturated or nan, alike in both precisions."""

EXTREME = (1e-300, -1e-300, 1e-160, 1e160, -1e160, 1e300, -1e300)
"""Numbers of float64 whose squares, inverses or both leave its range."""

SETTINGS = {
    "leaky_relu": [(0.1,), (-0.5,)], "elu": [(1.0,), (0.5,)], "polygamma": [(0.0,), (1.0,), (2.0,)],
    "pow": [(0.0,), (1.0,), (2.0,), (3.0,), (-1.0,), (-2.0,), (0.5,), (-0.5,), (1.5,), (1 / 3,)],
    "pow_log": [(1.0,), (2.0,)], "clip": [(-1.0, 1.0), (2.0, 1.0)], "heaviside": [(0.5,), (1.0,)],
}  # fmt: skip
COUNTS = (1, 2, 3, 5)
"""So many inputs ops of any number of inputs are tested with."""


@dataclass(frozen=True)
class Application:
    """An op with how its arguments are given: `points` are the numbers of its nodes, the rest is `settings`."""

    op: Op
    settings: tuple[float, ...]
    points: Any

    @property
    def name(self):
        return f"{self.op.name} of {self.points.shape[1]}{''.join(f', {x:g}' for x in self.settings)}"


def applications(points_of):
    """Return every op in every way to give its arguments; `points_of(op, inputs)` gives rows of numbers."""
    found = []
    for op in TABLE.values():
        if op.variadic:
            counts = [2 * n for n in COUNTS] if op.name in ("dot", "cross_entropy") else COUNTS
            ways = [(n, ()) for n in counts]
        else:
            ways = [(op.arity - len(s), s) for s in SETTINGS.get(op.name, [])]
            ways += [(op.arity, ())] * (op.name != "polygamma")  # its order is no variable
        found += [Application(op, settings, np.array(points_of(op, n))) for n, settings in ways]
    return found


def sample_applications(count=7):
    """Return applications at random numbers of each op's sample intervals."""

    def points(op, n):
        rng = random.Random(f"{op.name} {n}")
        intervals = [op.sample[min(i, len(op.sample) - 1)] for i in range(n)]
        rows = [[rng.uniform(*interval) for interval in intervals] for _ in range(count)]
        return [[float(k % 2), *row[1:]] if op.name == "where" else row for k, row in enumerate(rows)]

    return applications(points)


def special_applications(numbers=SPECIAL, most=60):
    """Return applications at all combinations of some numbers, or at `most` of them, of which some are ties."""

    def points(op, n):
        rng = random.Random(f"{op.name} {n}")
        if len(numbers) ** n <= most:
            return list(product(numbers, repeat=n))
        ties = [[x] * n for x in numbers]
        return [*ties, *[[rng.choice(numbers) for _ in range(n)] for _ in range(most - len(ties))]]

    return applications(points)


class OpProgram:
    """A function whose outputs are those of applications, with its parameters and a batch of its one argument.

    The first output is the sum of all others. `wide`: one example in which each application occurs once for each of its
    points, so that an instruction has many results. Otherwise each occurs `copies` times, and each copy meets every
    point in one of the examples. The first `parameters` numbers of an application are parameters, of the wide program
    each its own, otherwise one for all examples; the others are numbers of the row.
    """

    def __init__(self, applications, *, wide, parameters=0, copies=3):
        self.applications, self.given = applications, parameters
        batch = 1 if wide else max(len(a.points) for a in applications)
        self.parameters, columns, self.names, self.slots = [], [], ["sum"], []
        for a in applications:
            for copy in range(len(a.points) if wide else copies):
                first = [Value(x) for x in a.points[copy % len(a.points), :parameters].tolist()]
                self.parameters += first
                rows = np.arange(batch) + 5 * copy if not wide else np.array([copy])
                columns += [*a.points[rows % len(a.points), len(first) :].T]
                self.slots.append((a, first, a.points.shape[1] - len(first)))
                self.names.append(f"{a.name} (copy {copy})")
        self.rows = np.array([*columns, np.zeros(batch)]).T

    def __call__(self, row):
        numbers, outputs = iter(row), []
        for a, first, rest in self.slots:
            outputs.append(a.op(*first, *[next(numbers) for _ in range(rest)], *a.settings))
        return [mg.sum(outputs), *outputs]

    def owners(self, what):
        """Return the name of the output that each parameter ("parameters") or number of a row ("inputs") belongs to."""
        counts = [len(first) if what == "parameters" else rest for _, first, rest in self.slots]
        return [name for name, count in zip(self.names[1:], counts) for _ in range(count)]
