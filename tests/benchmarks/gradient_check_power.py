"""How often gradcheck finds a planted fault, raises a false alarm, or cannot tell, over thousands of drawn functions.

`python tests/benchmarks/gradient_check_power.py 1000 --seed 0` draws 1,000 functions with a planted fault and 1,000
right ones, of one to three inputs, over the whole op table: compositions, sums that nearly cancel, zeros of the
function, oscillations, branches; at points of any size from 1e-8 to 1e8, at 0, ±1 and kinks, and next to them. A fault
is counted if it changes a derivative by more than ten times the error that gradcheck estimates for it, unless f has no
derivative there (the verdicts "kink" and "edge"); it is found if that derivative has the verdict "FAIL".
"""

import argparse
import math
import random
import time
from dataclasses import dataclass, replace

import microgradlib as mg
from microgradlib.errors import GradcheckError
from microgradlib.ops import TABLE, Op
from microgradlib.testing.conditioning import sample_interval

LARGEST = 1e12  # larger values and derivatives are drawn again: their products overflow in other ops
OPS = [op for op in TABLE.values() if op.name not in {"detach", "polygamma", "where"}]  # where: in shaped
FAULTS = ("one point", "one side", "relative", "swapped", "missing term")


@dataclass(frozen=True)
class Step:
    """One op applied to inputs or earlier steps, by index, or to numbers."""

    op: Op
    arguments: tuple  # of ("node", index) and ("number", x)


@dataclass(frozen=True)
class Drawn:
    """A function as a list of steps, and the point to check it at."""

    steps: tuple
    point: tuple
    detached: tuple = (-1, -1)  # the step and its argument that is detached

    def __call__(self, *inputs):
        nodes = list(inputs)
        for k, step in enumerate(self.steps):
            arguments = [nodes[x] if kind == "node" else x for kind, x in step.arguments]
            if self.detached[0] == k:
                arguments[self.detached[1]] = mg.Value(getattr(arguments[self.detached[1]], "data", 0.0))
            nodes.append(step.op(*arguments))
        return nodes[-1]

    def __str__(self):
        lines = [f"x{i} = {x!r}" for i, x in enumerate(self.point)]
        for k, step in enumerate(self.steps):
            arguments = [f"x{x}" if kind == "node" else repr(x) for kind, x in step.arguments]
            lines.append(f"x{k + len(self.point)} = {step.op.name}{step.op.settings or ''}({', '.join(arguments)})")
        return "; ".join(lines)


def draw(rng):
    """Return a drawn function whose value and local derivatives at its point are finite."""
    while True:
        point = tuple([drawn_number(rng) for _ in range(rng.choice((1, 1, 2, 3)))])
        steps = []
        values = list(point)
        for _ in range(rng.randint(1, 6)):
            for step in shaped(rng, values, len(point)) or []:
                steps.append(step)
                values.append(step.op.compute(*[values[x] if kind == "node" else x for kind, x in step.arguments]))
        drawn = Drawn(tuple(steps), point)
        if steps and is_usable(drawn):
            return drawn


def drawn_number(rng):
    """Return a number of any size from 1e-8 to 1e8, or a special one, or one next to it."""
    kind = rng.random()
    if kind < 0.45:
        return rng.uniform(-3, 3)
    if kind < 0.7:
        return rng.choice((-1, 1)) * 10 ** rng.uniform(-8, 8)
    special = rng.choice((0.0, 0.0, 1.0, -1.0, 2.0, 0.5))
    if kind < 0.9:
        return special
    return special + rng.choice((-1, 1)) * 10 ** rng.uniform(-14, -1)


def shaped(rng, values, inputs):
    """Return the next steps: an op of the table, or a pattern that is hard on differences."""
    last = len(values) - 1
    kind = rng.random()
    x = ("node", rng.randrange(len(values)) if rng.random() < 0.5 or last < inputs else last)
    if kind < 0.04:  # nearly cancels
        c = ("number", 10 ** rng.uniform(2, 8))
        return [Step(TABLE["add"], (x, c)), Step(TABLE["sub"], (("node", last + 1), c))]
    if kind < 0.1:  # a zero of the function
        return [Step(TABLE["sub"], (x, ("number", values[x[1]])))]
    if kind < 0.16:  # oscillates
        speed = ("number", 10 ** rng.uniform(0, 8))
        return [Step(TABLE["mul"], (x, speed)), Step(TABLE[rng.choice(("sin", "cos"))], (("node", last + 1),))]
    if kind < 0.22:  # a branch, often with its boundary at the point
        bound = values[x[1]] if rng.random() < 0.5 else drawn_number(rng)
        y = ("node", rng.randrange(len(values)))
        compared = Step(TABLE[rng.choice(("less", "greater", "less_equal"))], (x, ("number", bound)))
        return [compared, Step(TABLE["where"], (("node", last + 1), x, y))]
    op = rng.choice(OPS)
    count = rng.randint(2, 4) if op.arity is None else op.arity - op.setting_count
    if op.name == "dot":
        count = rng.choice((2, 4))
    steps, arguments = [], []
    for i in range(count):
        node = rng.randrange(len(values)) if rng.random() < 0.6 or last < inputs else last
        low, high = sample_interval(op, i)
        argument = ("node", node)
        if i and rng.random() < 0.3:
            argument = ("number", rng.uniform(low, high))
        elif rng.random() < 0.6 and not low <= values[node] <= high and low < high:
            argument = ("node", last + len(steps) + 3)
            steps += squashed(("node", node), low, high, last + len(steps))
        arguments.append(argument)
    if all(kind == "number" for kind, _ in arguments):
        return None
    settings = [rng.uniform(*sample_interval(op, count + i)) for i in range(op.setting_count)]
    if op.name == "pow":
        settings = [rng.choice((2.0, 3.0, 0.5, -1.0, 1.0, 0.0, 1.5, rng.uniform(-2, 3)))]
    return [*steps, Step(op.bind(*settings) if settings else op, tuple(arguments))]


def squashed(argument, low, high, last):
    """Return the steps of centre + half · tanh(argument)."""
    return [
        Step(TABLE["tanh"], (argument,)),
        Step(TABLE["mul"], (("number", (high - low) / 2), ("node", last + 1))),
        Step(TABLE["add"], (("number", (high + low) / 2), ("node", last + 2))),
    ]


def is_usable(drawn):
    """Return whether every value and local derivative is finite and not huge."""
    table = mg.grad_table(drawn(*[mg.Value(x) for x in drawn.point]))
    numbers = [abs(n.data) for n in table] + [abs(d) for n in table for d in n.local_derivatives]
    return bool(drawn.point) and all(x < LARGEST for x in [*numbers, *map(abs, table.values())]) and len(table) > 1


def gradient(f, point):
    inputs = [mg.Value(x) for x in point]
    output = f(*inputs)
    table = mg.grad_table(output) if isinstance(output, mg.Value) else {}
    return [table.get(x, 0.0) for x in inputs]


def report_of(f, point):
    try:
        return mg.gradcheck(f, point)
    except GradcheckError as error:
        return error.report


def plant(rng, drawn):
    """Return the kind of fault, and the function with one step replaced by one whose derivative is wrong."""
    k = rng.randrange(len(drawn.steps))
    step = drawn.steps[k]
    nodes = [i for i, (kind, _) in enumerate(step.arguments) if kind == "node"]
    at = at_step(drawn, k)
    i = rng.choice(nodes)
    kind = rng.choice(FAULTS)
    if kind == "missing term":
        return kind, replace(drawn, detached=(k, i))
    factor = 1 + rng.choice((-1, 1)) * 10 ** rng.uniform(-11, 0)
    j, side = rng.choice(nodes), rng.choice((-1.0, 1.0))

    def fault(slopes, inputs):
        if kind == "swapped":
            slopes[i], slopes[j] = slopes[j], slopes[i]
        elif (
            kind == "relative"
            or (kind == "one side" and side * inputs[i] >= side * at[i])
            or (kind == "one point" and inputs[i] == at[i])
        ):
            slopes[i] *= factor

    steps = (*drawn.steps[:k], replace(step, op=Faulty(step.op, fault)), *drawn.steps[k + 1 :])
    return kind, replace(drawn, steps=steps)


class Faulty(Op):
    """An op whose recorded local derivatives are changed by fault(list of slopes, inputs)."""

    def __init__(self, op, fault):
        super().__init__(**vars(op))
        self.__dict__["fault"] = fault

    def record(self, inputs):
        output, slopes = super().record(inputs)
        slopes = list(slopes)
        self.fault(slopes, inputs)
        return output, tuple(slopes)


def at_step(drawn, k):
    nodes = [mg.Value(x) for x in drawn.point]
    for step in drawn.steps[:k]:
        nodes.append(step.op(*[nodes[x] if kind == "node" else x for kind, x in step.arguments]))
    return [getattr(nodes[x], "data", nodes[x]) if kind == "node" else x for kind, x in drawn.steps[k].arguments]


def measure(count, seed, *, show=False):
    """Return the counts over `count` faulty and as many right functions."""
    rng = random.Random(seed)
    counts = dict.fromkeys(("faults", "found", "small", "false alarms", "cannot tell", "derivatives"), 0)
    missed, alarms, undecided = [], [], []
    while counts["faults"] < count:
        drawn = draw(rng)
        kind, faulty = plant(rng, drawn)
        before, after = gradient(drawn, drawn.point), gradient(faulty, drawn.point)
        if before == after or not all(map(math.isfinite, after)):
            continue
        report = report_of(faulty, drawn.point)
        large = [
            check
            for right, wrong, check in zip(before, after, report.checks)
            if abs(right - wrong) > 10 * check.numeric.error and check.verdict not in {"kink", "edge"}
        ]
        if not large:
            counts["small"] += 1
            continue
        counts["faults"] += 1
        if all(check.verdict == "FAIL" for check in large):
            counts["found"] += 1
        else:
            missed.append(f"missed {kind}: {drawn}\n{report}")
    for _ in range(count):
        drawn = draw(rng)
        report = report_of(drawn, drawn.point)
        verdicts = [check.verdict for check in report.checks]
        counts["derivatives"] += len(verdicts)
        counts["cannot tell"] += verdicts.count("cannot tell")
        if "cannot tell" in verdicts:
            undecided.append(f"cannot tell: {drawn}\n{report}")
        if not report.ok:
            counts["false alarms"] += 1
            alarms.append(f"false alarm: {drawn}\n{report}")
    if show:
        print("\n\n".join([*missed, *alarms, *undecided]))
    return counts


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print the functions that were judged wrongly")
    arguments = parser.parse_args()
    start = time.perf_counter()
    print(measure(arguments.count, arguments.seed, show=arguments.show), f"{time.perf_counter() - start:.1f} s")
