"""Matrix products of each example by itself, some of whose entries are padding: attention of every form."""

import random

import numpy as np
import pytest
from eager_oracle import SIZES, assert_batches_match, random_columns
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib.compiler import compile as compiled
from microgradlib.core.value import Value


class Attention:
    """Attention-like sums of products over `tokens` rows, by heads; what it is made of is drawn."""

    def __init__(self, seed):
        self.rng = rng = random.Random(seed)
        self.tokens, self.heads, self.size = rng.randint(2, 6), rng.choice([1, 1, 2, 3]), rng.randint(2, 5)
        self.seen = rng.choice(["before", "before", "all", "near", "some"])
        self.turned = [rng.random() < 0.5 for _ in range(2)]
        self.factors = rng.choice(["three", "three", "q = k", "k = v", "all the same", "k = turned q"])
        self.weights, self.mask = rng.choice(["softmax", "softmax", "tanh", "plain"]), rng.random() < 0.3
        self.read, self.residual = rng.choice(["all", "all", "last", "some"]), rng.random() < 0.5
        self.heads_last, self.project = rng.random() < 0.5, rng.random() < 0.6
        width = self.heads * self.size
        self.masks = [[Value(rng.uniform(-1, 1)) for _ in range(self.tokens)] for _ in range(self.tokens)]
        self.scale = [[Value(rng.uniform(-1, 1)) for _ in range(width)] for _ in range(3)]
        self.parameters = [v for rows in (self.scale, self.masks) for row in rows for v in row]
        self.shape = (self.tokens, width)
        self.pairs = [
            (t, s) for t in range(self.tokens) for s in range(self.tokens)
            if {"before": s <= t, "all": True, "near": abs(s - t) < 2}.get(self.seen, rng.random() < 0.7 or s == t)
        ]  # fmt: skip

    def __call__(self, q, k, v):
        if self.project:
            q, k, v = ([[a * b for a, b in zip(r, scale)] for r in m] for m, scale in zip((q, k, v), self.scale))
        q, k, v = {
            "three": (q, k, v), "q = k": (q, q, v), "k = v": (q, k, k), "all the same": (q, q, q),
            "k = turned q": (q, [row[::-1] for row in q], v),
        }[self.factors]  # fmt: skip
        loops = [(t, h) for t in range(self.tokens) for h in range(self.heads)]
        loops = loops if self.heads_last else sorted(loops, key=lambda pair: pair[1])
        y = {(t, h): self.one(q[t], k, v, t, slice(h * self.size, (h + 1) * self.size)) for t, h in loops}
        rows = [[a for h in range(self.heads) for a in y[t, h]] for t in range(self.tokens)]
        if self.residual:
            rows = [[a + b for a, b in zip(*both)] for both in zip(rows, q)]
        ends = [a for row in rows for a in row]
        ends = {"all": ends, "last": rows[-1], "some": ends[::2]}[self.read]
        return mg.sum([mg.tanh(a) * (1.0 + 0.1 * i) for i, a in enumerate(ends)])

    def one(self, q, k, v, t, head):
        dots = [lambda a, b, turn=turn: mg.dot(b, a) if turn else mg.dot(a, b) for turn in self.turned]
        seen = [s for u, s in self.pairs if u == t]
        scores = [dots[0](q[head], k[s][head]) * 0.5 for s in seen]
        scores = [score + self.masks[t][s] for score, s in zip(scores, seen)] if self.mask else scores
        shares = {"softmax": mg.softmax, "tanh": lambda xs: list(map(mg.tanh, xs)), "plain": list}[self.weights](scores)
        return [dots[1](shares, [v[s][j] for s in seen]) for j in range(head.start, head.stop)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.lists(st.sampled_from(SIZES), min_size=2, max_size=2))
def test_attention_in_every_form(seed, sizes):
    attention = Attention(seed)
    assert_batches_match(attention, attention.parameters, random_columns(seed, 3, *[attention.shape] * 3), sizes)


def plain_attention(tokens, size, *, causal):
    def attention(q, k, v):
        result = []
        for t in range(tokens):
            seen = range(t + 1 if causal else tokens)
            shares = mg.softmax([mg.dot(q[t], k[s]) for s in seen])
            result += [mg.dot(shares, [v[s][j] for s in seen]) for j in range(size)]
        return mg.sum([mg.tanh(y) * (1.0 + 0.1 * i) for i, y in enumerate(result)])

    return attention


@pytest.mark.parametrize("causal", [True, False])
def test_every_size_of_batch(causal):
    rows = random_columns(0, 4, *[(5, 4)] * 3)
    assert_batches_match(plain_attention(5, 4, causal=causal), [], rows, [*SIZES, 3000])


def test_of_single_precision_it_is_near():
    attention = plain_attention(6, 4, causal=True)
    fast = compiled(attention, [], dtype=np.float32)
    assert_batches_match(attention, [], random_columns(0, 3, *[(6, 4)] * 3), [1, 17, 70], fast=fast, within=1e-5)
    assert fast(*random_columns(0, 3, *[(6, 4)] * 3)).dtype == np.float32


@pytest.mark.parametrize("what", ["values", "gradient", "jacobian"])
def test_the_reference_would_find_a_wrong_number(what):
    attention = Attention(3)
    rows = random_columns(3, 3, *[attention.shape] * 3)
    right = compiled(attention, attention.parameters)

    class Wrong:
        calls = 0

        def changed(self, name, array):
            self.calls += name == what
            array = np.array(array)
            array.flat[-1] += 1e-8 * (name == what and self.calls == 4)  # late, as a stale buffer would be
            return array

        def __call__(self, *columns):
            return right(*columns)

        def values_and_grad(self, *columns):
            values, gradient = right.values_and_grad(*columns)
            return self.changed("values", values), self.changed("gradient", gradient)

        def jacobian(self, *columns):
            return self.changed("jacobian", right.jacobian(*columns))

    assert_batches_match(attention, attention.parameters, rows, [2, 17], fast=right)
    with pytest.raises(AssertionError):
        assert_batches_match(attention, attention.parameters, rows, [2, 17], fast=Wrong())
