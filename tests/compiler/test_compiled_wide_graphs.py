"""Graphs of many equal ops side by side, their arguments in any order: views, gathers, products, and inf and nan."""

import math
import random

import pytest
from eager_oracle import assert_matches_eager
from hypothesis import assume, given, settings, strategies as st

import microgradlib as mg
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.engines import numpy_engine
from microgradlib.compiler.trace import trace
from microgradlib.core.value import Value
from microgradlib.ops import TABLE

EVEN = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, -2.0]
ODD = [math.inf, -math.inf, math.nan]
LARGE = 1e6  # finite numbers above it come from 1/(x − 1) at an x that is 1 but for rounding, which it magnifies
IDENTITY, WHERE, GREATER = (TABLE[name] for name in ("identity", "where", "greater"))

ELEMENT_WISE = {
    "tanh": lambda x, y, z: mg.tanh(x),
    "sigmoid": lambda x, y, z: mg.sigmoid(x),
    "neg": lambda x, y, z: -x,
    "relu": lambda x, y, z: mg.relu(x),
    "abs": lambda x, y, z: abs(x),
    "exp": lambda x, y, z: mg.exp(-abs(x)),
    "sub": lambda x, y, z: x - y,
    "mul": lambda x, y, z: mg.tanh(x * y),
    "add": lambda x, y, z: (x + y) * 0.5,
    "div": lambda x, y, z: x / (1.5 + y * y),
    "square": lambda x, y, z: mg.sigmoid(x**2),
    "cube": lambda x, y, z: mg.tanh(x**3),
    "identity": lambda x, y, z: IDENTITY(x),
    "detach": lambda x, y, z: x.detach(),
    "step": lambda x, y, z: mg.step(x),
    "where": lambda x, y, z: WHERE(GREATER(x, y), y, z),
}
ONLY_WITH_INF = {  # of x − 1, which is never −0: sums in another order differ in the sign of a zero
    "log": lambda x, y, z: mg.log(x - 1),
    "sqrt": lambda x, y, z: mg.sqrt(x - 1),
    "reciprocal": lambda x, y, z: 1 / (x - 1),
}
OF_MANY = {
    "dot": lambda a, b, c: mg.tanh(mg.dot(a, b)),
    "dot with bias": lambda a, b, c: 0.3 * mg.dot(a, b, c),
    "written out": lambda a, b, c: mg.tanh(sum((x * y for x, y in zip(a, b)), c)),
    "sum": lambda a, b, c: mg.sum(a) * 0.3,
    "mean": lambda a, b, c: mg.mean([*a, c]),
    "maximum": lambda a, b, c: mg.maximum(*a, c),
    "logsumexp": lambda a, b, c: mg.logsumexp([c, *a]),
    "softmax": lambda a, b, c: mg.softmax([c, *a])[0],
}


class WideGraph:
    """Levels of nodes, each level of one op, or of a matrix of dots, over anything computed before."""

    def __init__(self, seed, *, odd=False):
        self.rng = rng = random.Random(seed)
        self.element_wise = ELEMENT_WISE | (ONLY_WITH_INF if odd else {})
        self.odd = odd
        self.inputs_first = rng.random() < 0.5
        inputs, parameters, self.batch = rng.randint(1, 5), rng.randint(1, 8), rng.randint(1, 7)
        self.size = inputs + parameters
        self.levels = [self._level() for _ in range(rng.randint(1, 5))]
        self.outputs = [rng.randrange(self.size) for _ in range(3)] + [self.size - 1]
        self.parameters = [Value(self._number()) for _ in range(parameters)]
        self.rows = [[self._number() for _ in range(inputs)] for _ in range(self.batch)]

    def _number(self):
        if not self.odd:
            return self.rng.uniform(-2.0, 2.0)
        return self.rng.choice(EVEN if self.rng.random() < 0.85 else ODD)

    def _level(self):
        rng, size = self.rng, self.size
        start, step, walk = rng.randrange(size), rng.choice([-2, -1, 0, 1, 2, 3]), rng.random() < 0.4
        taken = iter(range(10**6))

        def pick(n):
            return [(start + step * next(taken)) % size if walk else rng.randrange(size) for _ in range(n)]

        if rng.random() < 0.4:
            name = rng.choice([*self.element_wise])
            items = [pick(3) for _ in range(rng.randint(1, 6))]
        elif rng.random() < 0.5:
            name, terms = rng.choice([*OF_MANY]), rng.randint(1, 4)
            alike = rng.random() < 0.7  # all of the same length, or each of its own
            lengths = [terms if alike else rng.randint(1, 4) for _ in range(rng.randint(1, 6))]
            items = [(pick(n), pick(n), pick(1)[0]) for n in lengths]
        else:
            name, terms = rng.choice(["dot", "dot with bias", "written out"]), rng.randint(1, 3)
            rows, columns = ([pick(terms) for _ in range(rng.randint(1, 3))] for _ in range(2))
            biases = pick(len(rows)) if rng.random() < 0.6 else None
            items = [(w, x, biases[i] if biases else pick(1)[0]) for x in columns for i, w in enumerate(rows)]
        self.size += len(items)
        return name, items

    def __call__(self, xs):
        pool = [*xs, *self.parameters] if self.inputs_first else [*self.parameters, *xs]
        for name, items in self.levels:
            if name in self.element_wise:
                new = [self.element_wise[name](*[pool[i] for i in item]) for item in items]
            else:
                new = [OF_MANY[name]([pool[i] for i in a], [pool[i] for i in b], pool[c]) for a, b, c in items]
            pool += new
        first, *others = [pool[i] for i in self.outputs]
        return sum([y * (k + 1.0) for k, y in enumerate(others)], mg.tanh(first))


class Canonical:
    """The canonical form of a function's trace on the eager engine: what does not vary is one node for all examples.

    With inf and nan about, Σ g·d and (Σ g)·d differ, so equal nodes must be one node here as they are when compiled.
    """

    def __init__(self, function, row, parameters):
        self.trace = canonicalize(trace(function, [row], parameters))
        self.fixed = {i: parameters[n.index] for i, n in enumerate(self.trace.nodes) if n.kind == "parameter"}

    def __call__(self, xs):
        values = dict(self.fixed)
        for i, node in enumerate(self.trace.nodes):
            if i in values:
                continue
            if node.kind == "input":
                values[i] = xs[node.index]
            else:
                values[i] = node.op(*[values[a] for a in node.arguments]) if node.op else Value(node.number)
                if all(a in self.fixed for a in node.arguments):
                    self.fixed[i] = values[i]
        return values[self.trace.outputs[0]]


def check_odd(seed):
    graph = WideGraph(seed, odd=True)
    nodes = mg.topological_sort(*[graph([Value(x) for x in row]) for row in graph.rows])
    assume(all(abs(node.data) < LARGE or not math.isfinite(node.data) for node in nodes))
    reference = Canonical(graph, graph.rows[0], graph.parameters)
    assert_matches_eager(reference, graph.parameters, graph.rows, fast=compiled(graph, graph.parameters), times=10)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32))
def test_wide_graphs(seed) -> None:
    graph = WideGraph(seed)
    assert_matches_eager(graph, graph.parameters, graph.rows, times=10)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_wide_graphs_of_zeros_infinities_and_nan(seed) -> None:
    check_odd(seed)


@settings(max_examples=75, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_wide_graphs_in_blocks(seed, odd) -> None:
    """What large batches do, done to small ones: blocks of two examples.

    Not blocks where there are infinities: (g₁ + g₂)·inf is not g₁·inf + g₂·inf if the two have different signs.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not odd:
            patch.setattr(numpy_engine, "CACHE_BYTES", 1)
            patch.setattr(numpy_engine, "SMALLEST_BLOCK", 2)
        if odd:
            check_odd(seed)
        else:
            graph = WideGraph(seed)
            assert_matches_eager(graph, graph.parameters, graph.rows, times=10)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32))
def test_many_wide_graphs(seed) -> None:
    graph = WideGraph(seed)
    assert_matches_eager(graph, graph.parameters, graph.rows, times=10)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.integers(0, 2**32))
def test_many_wide_graphs_of_zeros_infinities_and_nan(seed) -> None:
    check_odd(seed)
