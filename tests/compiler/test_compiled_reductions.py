"""Compiled functions of sums, dots and reductions of unusual makes: values and derivatives are the eager engine's."""

import pytest
from eager_oracle import assert_matches_eager

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler import compile as compiled


def values(*numbers):
    return [Value(x) for x in numbers]


def test_copies_into_the_batch_keep_apart_from_identities_of_parameters() -> None:
    """Σ and max of mixed spaces copy what is unbatched; `jvp` makes identities that are unbatched themselves."""
    w, v = Value(2.0), Value(-1.0)
    again = mg.ops.TABLE["identity"]
    assert_matches_eager(lambda x: mg.maximum(again(w), x, w), [w], [1.0, 2.0, 3.0])
    assert_matches_eager(lambda x: mg.sum([again(w) * again(v), x, w, v]) * again(again(w)), [w, v], [1.0, 2.0])


def test_a_dot_of_unbatched_numbers_with_a_batched_bias() -> None:
    a, b, c, d = values(1.0, 2.0, 3.0, 4.0)
    assert_matches_eager(lambda x: a * b + c * d + x, [a, b, c, d], [1.0, 2.0, 3.0])
    assert_matches_eager(lambda x: mg.dot([a, b], [c, d], x), [a, b, c, d], [1.0, 2.0, 3.0])
    assert_matches_eager(lambda x: [a * b + c * d + x_i for x_i in x], [a, b, c, d], [[1.0, 2.0]] * 3)


def test_dots_with_the_same_weights_and_inputs_but_another_bias() -> None:
    w = values(1.0, 2.0, 3.0, 4.0)
    assert_matches_eager(
        lambda x: mg.dot(w[:2], x, w[2]) * mg.dot(w[:2], x, w[3]) + mg.dot(w[:2], x), w, [[1.0, -2.0], [0.5, 3.0]]
    )
    assert_matches_eager(lambda x: mg.dot(w[:2], x, x[0]) * mg.dot(w[:2], x, x[1]), w, [[1.0, -2.0], [0.5, 3.0]])


@pytest.mark.parametrize("step", [4, 8, 16, -8])
@pytest.mark.parametrize("f", [lambda x: 1 / x, lambda x: -x, mg.sigmoid, mg.sqrt, lambda x: x**3, lambda x: 2 - x])
def test_results_that_lie_so_many_slots_apart(f, step) -> None:
    """np.negative of NumPy 2.4 misreads arrays of step 8 (of float32: 4); whatever is used here must not."""
    gap = abs(step) - 1
    p = values(*[0.1 * (i + 1) for i in range(gap + 2)])

    def function(x):
        first, last = (mg.exp, mg.tanh) if step > 0 else (mg.tanh, mg.exp)
        a, between, b = first(p[0]), [mg.sin(q) for q in p[1:-1]], last(p[-1])
        a, b = (a, b) if step > 0 else (b, a)
        return mg.sum([f(a), mg.sum(between) * x, f(b)])

    assert_matches_eager(function, p, [1.0])
    assert_matches_eager(function, p, [1.0, 2.0, 3.0])
    single, double = (compiled(function, p, dtype=dtype).value_and_grad([1.0])[1] for dtype in ("f4", "f8"))
    assert single == pytest.approx(double, rel=1e-4)


@pytest.mark.parametrize("lengths", [[1, 2, 3], [2, 2, 5], [4, 1, 4]])
@pytest.mark.parametrize("op", [mg.sum, mg.mean, mg.maximum, mg.minimum, mg.logsumexp, mg.prod])
def test_reductions_of_different_lengths(op, lengths) -> None:
    w = values(0.5, -1.0, 2.0, 1.5, -0.25)
    assert_matches_eager(
        lambda x: sum([op([*w[:n], *x[:n]]) * (k + 1) for k, n in enumerate(lengths)], 0.0),
        w,
        [[3.0, 0.1, -2.0, 1.0, 7.0]] * 2,
    )
    assert_matches_eager(
        lambda x: sum([op(x[:n]) ** 2 + op(w[:n]) for n in lengths], 0.0), w, [[3.0, 0.1, -2.0, 1.0, 7.0]] * 2
    )


@pytest.mark.parametrize("lengths", [[1, 2, 3], [2, 5, 5]])
def test_dots_of_different_lengths_within_the_batch(lengths) -> None:
    w = values(0.5, -1.0, 2.0, 1.5, -0.25)

    def f(x):
        y = [w_i * x_i for w_i, x_i in zip(w, x)]
        return sum([mg.dot(y[:n], x[:n], w[n - 1]) * mg.dot(y[-n:], y[:n]) for n in lengths], 0.0)

    assert_matches_eager(f, w, [[3.0, 0.1, -2.0, 1.0, 7.0], [1.0, 1.0, 0.0, -1.0, 0.5]])
