"""Cross-entropy of logits: its digits in tails and under common offsets, label smoothing, ignored labels, compiled."""

import math
from functools import partial

import mpmath
import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st
from peer_records import peer_record

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table, gradients, log_softmax, logsumexp, nn, softmax
from microgradlib.costs import cross_entropy, cross_entropy_from_probabilities
from microgradlib.errors import LabelError

PYTORCH = peer_record("cross_entropy")
TAIL = 1.928749847963917825e-22  # ln(1 + e⁻⁵⁰)
logits = st.lists(st.floats(-800, 800), min_size=2, max_size=5)
offsets = st.sampled_from([0.0, 1e8, -1e15, 2.0**60])


def exact(z, y):
    """Return the cost and its slopes, by sums of exponentials of exact differences."""
    with mpmath.workdps(40):
        powers = [mpmath.exp(mpmath.mpf(x) - mpmath.mpf(z[y])) for x in z]
        others = mpmath.fsum([e for k, e in enumerate(powers) if k != y])
        slopes = [e / (1 + others) for e in powers]
        slopes[y] = -others / (1 + others)
        return float(mpmath.log1p(others)), [float(slope) for slope in slopes]


def close(found, expected, z=(0.0,)):
    """Compare within the rounding errors of the exponents, which are the differences of logits."""
    allowed = 4e-16 * (10 + max(z) - min(z))
    return np.array(found) == pytest.approx(np.array(expected), rel=allowed, abs=1e-300)


FORMS = {
    "class": cross_entropy,
    "row": lambda z, y: cross_entropy(z, [float(k == y) for k in range(len(z))]),
    "row of Values": lambda z, y: cross_entropy(z, [Value(float(k == y)) for k in range(len(z))]),
    "log_softmax": lambda z, y: -log_softmax(z)[y],
    "logsumexp": lambda z, y: logsumexp([x - z[y] if k != y else 0.0 for k, x in enumerate(z)]),
    "softmax": lambda z, y: cross_entropy_from_probabilities(softmax(z), y),
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=12)
@given(z=logits, offset=offsets, pick=st.integers(0, 4))
@example(z=[1.0, -2.0], offset=1e15, pick=0)
@example(z=[50.0, 0.0], offset=0.0, pick=0)
@example(z=[0.0, -40.0], offset=0.0, pick=0)
@example(z=[3.0, 3.0], offset=1e8, pick=0)
def test_value_and_slopes_keep_their_digits(form, z, offset, pick):
    numbers, y = [x + offset for x in z], pick % len(z)
    values = [Value(x) for x in numbers]
    cost, slopes = exact(numbers, y)
    loss = FORMS[form](values, y)
    table = grad_table(loss)
    assert close(loss.data, cost, z)
    assert close([table[v] for v in values], slopes, z)
    assert close([slope.data for slope in gradients(loss, values)], slopes, z)


def test_known_numbers():
    assert cross_entropy([1e15 + 1, 1e15 - 2], 0) == pytest.approx(0.0485873515737, abs=1e-13)
    assert cross_entropy([50.0, 0.0], 0) == pytest.approx(TAIL, rel=1e-15)
    assert logsumexp([0.0, -40.0]) == pytest.approx(4.248354255291589e-18, rel=1e-15)
    assert log_softmax([1e8, 1e8]) == [-math.log(2), -math.log(2)]


@settings(max_examples=12)
@given(z=st.lists(st.floats(-60, 60), min_size=2, max_size=4), pick=st.integers(0, 3))
@example(z=[50.0, 0.0], pick=0)
@example(z=[0.0, 50.0, 1.0], pick=1)
def test_second_derivatives_keep_their_digits(z, pick):
    values, y = [Value(x) for x in z], pick % len(z)
    with mpmath.workdps(120):
        powers = [mpmath.exp(x) for x in z]
        total = mpmath.fsum(powers)
        p = [e / total for e in powers]
        expected = [[float(a * ((i == j) - b)) for j, b in enumerate(p)] for i, a in enumerate(p)]
    for cost in (cross_entropy(values, y), logsumexp(values), -log_softmax(values)[y]):
        rows = [grad_table(slope) for slope in gradients(cost, values)]
        assert close([[row.get(v, 0.0) for v in values] for row in rows], expected, z)


@pytest.mark.parametrize("kind", ["class", "row", "closed over"])
@pytest.mark.parametrize("z", [[1e15 + 1, 1e15 - 2], [50.0, 0.0], [0.0, 50.0, 3.0], [1.0, 1.0], [-700.0, 20.0, -1.0]])
def test_compiled(kind, z):
    for y in range(len(z)):
        values = [Value(x) for x in z]
        if kind == "closed over":
            fast = mg.compile(lambda x, y=y, values=values: cross_entropy([v + x for v in values], y), values)
            found, gradient = fast.value_and_grad(np.zeros(1))
        else:
            label = [float(y)] if kind == "class" else [[float(k == y) for k in range(len(z))]]
            fast = mg.compile(lambda label, values=values: cross_entropy(values, label), values)
            found, gradient = fast.value_and_grad(np.array(label))
        cost, slopes = exact(z, y)
        assert close(found, cost, z)
        assert close(gradient.tolist(), slopes, z)


def test_compiled_logarithms():
    fast = mg.compile(lambda x: [*log_softmax(x), logsumexp(x)])
    assert close(fast(np.array([[50.0, 0.0]])).tolist(), [[-TAIL, -50.0, 50.0]])
    assert close(fast(np.array([[0.0, -40.0]])).tolist(), [[-4.248354255291589e-18, -40.0, 4.248354255291589e-18]])


def test_symbols_as_labels():
    z, y = [Value(50.0), Value(0.0)], Symbol("y")
    loss = cross_entropy(z, y)
    slopes = gradients(loss, z)
    assert close(evaluate([loss, *slopes], {y: 0.0}), [TAIL, -TAIL, TAIL])
    assert close(evaluate([loss, *slopes], {y: 1.0}), [50.0, 1.0, -1.0])
    assert evaluate(loss, {y: 7.0}) == 0  # none of the classes


def test_classes_without_probability():
    z = [Value(-math.inf), Value(0.0), Value(0.0)]
    for y in (1, [0.0, 1.0, 0.0], [0.0, 0.5, 0.5]):
        loss = cross_entropy(z, y)
        assert loss.data == pytest.approx(math.log(2))
        assert grad_table(loss)[z[0]] == 0
    assert cross_entropy([-math.inf, 0.0], 0) == math.inf


def values_of(rows):
    return [[Value(x) for x in row] for row in rows]


@pytest.mark.parametrize("case", PYTORCH["cases"], ids=lambda case: case["name"])
def test_options_are_those_of_pytorch(case):
    outputs = values_of(PYTORCH["logits"])
    result = cross_entropy(outputs, PYTORCH[case["target"]], **case["options"])
    terms = result if case["options"]["reduction"] == "none" else [result]
    numbers = [float(term) for term in terms]
    table = grad_table(mg.sum(terms))
    gradient = [[table.get(v, 0.0) for v in row] for row in outputs]
    assert numbers == pytest.approx(np.ravel(case["value"]), rel=1e-13, abs=1e-15)
    assert np.array(gradient) == pytest.approx(np.array(case["gradient"]), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("weight", [None, [0.5, 2.0, 1.25]])
@pytest.mark.parametrize("reduction", [None, "sum", "mean"])
def test_options_for_labels_that_are_symbols(weight, reduction):
    cost = partial(cross_entropy, weight=weight, reduction=reduction, label_smoothing=0.2, ignore_index=1)
    z, labels = [[0.3, -1.2, 2.0], [1.5, 0.1, -0.4], [0.0, 1.0, 0.5]], [2, 1, 0]
    symbols = [Symbol(f"y{i}") for i in range(3)]
    expression = cost([[Value(x) for x in row] for row in z], symbols)
    assert evaluate(expression, dict(zip(symbols, labels))) == pytest.approx(cost(z, labels), rel=1e-14)


def test_ignored_labels():
    z = [[0.0, 0.0], [3.0, 1.0]]
    assert cross_entropy(z, [0, -100], ignore_index=-100) == math.log(2)
    assert cross_entropy(z, [0, -100], ignore_index=-100, reduction="none") == [math.log(2), 0.0]
    assert math.isnan(cross_entropy(z, [1, 1], ignore_index=1))
    assert cross_entropy(z[0], 1, ignore_index=1) == 0
    assert cross_entropy(np.array(z), np.array([0, -100]), ignore_index=np.int64(-100)) == math.log(2)
    assert cross_entropy(z, [[1.0, 0.0], [0.5, 0.5]], ignore_index=-1) == cross_entropy(z, [[1.0, 0.0], [0.5, 0.5]])


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"label_smoothing": 1.5}, ValueError, "label_smoothing must be"),
        ({"label_smoothing": math.nan}, ValueError, "label_smoothing must be"),
        ({"label_smoothing": "0.1"}, TypeError, "label_smoothing must be"),
        ({"ignore_index": 0.5}, TypeError, "ignore_index must be"),
        ({"ignore_index": "none"}, TypeError, "ignore_index must be"),
        ({"weight": [1.0]}, ValueError, "one number >= 0 for each"),
    ],
)
def test_invalid_options_are_refused(options, error, text):
    with pytest.raises(error, match=text):
        cross_entropy([0.0, 1.0], 0, **options)


def test_a_label_that_is_not_ignored_is_checked():
    with pytest.raises(LabelError, match="example 1"):
        cross_entropy([[0.0, 1.0], [0.0, 1.0]], [0, -1], ignore_index=-100)


@pytest.mark.parametrize("n", [63, 64, 65, 200])
def test_log_softmax_of_many_classes(n):
    xs = [math.sin(k) * 30 + 1e9 for k in range(n)]
    with mpmath.workdps(40):
        total = mpmath.log(mpmath.fsum([mpmath.exp(mpmath.mpf(x) - mpmath.mpf(1e9)) for x in xs])) + mpmath.mpf(1e9)
        expected = [float(mpmath.mpf(x) - total) for x in xs]
    assert log_softmax(xs) == pytest.approx(expected, rel=1e-13)


def test_a_share_that_is_no_softmax_is_the_quotient_of_its_exponential():
    """−ln(eᵘ/v) = ln v − u where v is another sum: exact where eᵘ/v underflows."""
    u, v = Value(-800.0), Value(2.0)
    share = mg.exp(u) / (v * v)
    assert share.data == 0.0
    cost = cross_entropy_from_probabilities([share, 0.5], [1, 0])
    assert cost.data == pytest.approx(800.0 + math.log(4.0), rel=1e-15)
    assert gradients(cost, [u])[0].data == -1.0


def test_a_target_without_any_class_costs_nothing():
    z = [Value(0.5), Value(-1.0)]
    cost = cross_entropy(z, [1.0, 0.0], weight=[0.0, 1.0])
    assert float(cost) == 0.0


def test_cross_entropy_of_the_outputs_of_a_softmax_warns_and_says_what_to_take():
    """The cost of two softmaxes has slopes that are too small."""
    model = nn.MLP([2, 3], output="softmax", rng=0)
    with pytest.warns(UserWarning, match="leave that out, or take cross_entropy_from_probabilities") as caught:
        mg.fit(model, cross_entropy, [[1.0, 2.0], [2.0, 1.0]], [0, 1], epochs=1)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("outputs", [lambda z: z, mg.log_softmax, lambda z: [mg.exp(x) / 3 for x in z]])
def test_cross_entropy_of_logits_does_not_warn(outputs):
    cross_entropy(outputs([Value(1.0), Value(2.0)]), 0)
    cross_entropy([0.3, 0.7], 0)
