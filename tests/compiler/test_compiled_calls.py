"""Calling compiled functions: batches, blocks, outputs, parameters, threads, and what is refused."""

import numpy as np
import pytest
from eager_oracle import assert_close, assert_matches_eager

import microgradlib as mg
from microgradlib import Value, costs, nn
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.engines import numpy_engine
from microgradlib.core.autodiff import gradients
from microgradlib.regularisers import L2


def batch_of(n, width=3, seed=0):
    return np.random.default_rng(seed).uniform(-2, 2, (n, width))


def classifier():
    model = nn.MLP([3, 8, 8, 3], activation="tanh", rng=0)
    return model, lambda x, y: costs.cross_entropy(model(x), y) + L2(0.01)(model)


def in_blocks_of(size, monkeypatch):
    monkeypatch.setattr(numpy_engine, "CACHE_BYTES", 1)
    monkeypatch.setattr(numpy_engine, "SMALLEST_BLOCK", size)


@pytest.mark.parametrize("n", [1, 2, 3, 15, 16, 17, 64, 100, 333])
def test_batches_of_any_size(n) -> None:
    model, loss = classifier()
    assert_matches_eager(loss, model.parameters(), batch_of(n).tolist(), [i % 3 for i in range(n)], leaf=float)


@pytest.mark.parametrize("n", [33, 100, 257])
def test_many_blocks_give_what_one_gives(n, monkeypatch) -> None:
    model, loss = classifier()
    x, y = batch_of(n), np.arange(n) % 3
    results = []
    for size in (n, 7):
        in_blocks_of(size, monkeypatch)
        fast = compiled(loss, model.parameters())
        results.append((fast(x, y).tolist(), fast.value_and_grad(x, y)))
    (values, (mean, gradient)), (in_blocks, (mean_of_blocks, gradient_of_blocks)) = results
    assert_close(in_blocks, values)
    assert_close([mean_of_blocks], [mean])
    assert_close(gradient_of_blocks.tolist(), gradient.tolist())


def test_an_odd_example_in_one_block_of_many(monkeypatch) -> None:
    in_blocks_of(7, monkeypatch)
    w = Value(2.0)
    column = [float(i) for i in range(-20, 50)]
    assert_matches_eager(lambda x: mg.where(x > 0, mg.log(w * x), w), [w], column)
    assert_matches_eager(lambda x: w * x, [w], [*column, float("inf")])
    assert_matches_eager(lambda x: w, [w], column)


def test_infinities_of_opposite_signs_in_two_blocks(monkeypatch) -> None:
    in_blocks_of(2, monkeypatch)
    w = Value(2.0)
    assert_matches_eager(lambda x: mg.tanh(w * x) + w * x, [w], [1.0, float("inf"), 2.0, 3.0, float("-inf"), 0.5])


def test_a_function_may_return_arrays() -> None:
    w, batch = Value(3.0), batch_of(3, width=2)
    assert compiled(lambda x: np.exp(x) * w, [w])(batch) == pytest.approx(3 * np.exp(batch))
    assert compiled(lambda x: np.outer(x, x), [])(batch) == pytest.approx(batch[:, :, None] * batch[:, None, :])
    assert compiled(lambda x: np.array(x[0]), [])(batch).tolist() == batch[:, 0].tolist()


def test_outputs_are_nested_as_the_function_nests_them() -> None:
    x = batch_of(5)
    assert compiled(lambda row: row[0])(x).shape == (5,)
    assert compiled(lambda row: [row[0]])(x).shape == (5, 1)
    assert compiled(lambda row: (row[0], row[1]))(x).shape == (5, 2)
    assert compiled(lambda row: [[row[0], row[1], 0.0], row])(x).shape == (5, 2, 3)
    both = compiled(lambda row: {"sum": mg.sum(row), "rest": (row[0], [row[1], row[2]])})(x)
    assert both["sum"] == pytest.approx(x.sum(axis=1))
    assert both["rest"][0].tolist() == x[:, 0].tolist()
    assert [column.tolist() for column in both["rest"][1]] == x[:, 1:].T.tolist()


def test_an_output_may_be_a_leaf_or_the_same_node_twice() -> None:
    w = Value(2.0)
    result = compiled(lambda row: [row[1], w, 3.0, row[1], w * w], [w])([[1.0, 5.0], [2.0, 6.0]])
    assert result.tolist() == [[5.0, 2.0, 3.0, 5.0, 4.0], [6.0, 2.0, 3.0, 6.0, 4.0]]


def test_rows_of_any_shape_and_several_of_them() -> None:
    w = Value(0.5)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 2, 3)).tolist()
    assert_matches_eager(
        lambda a, b, c: mg.sum([y for row in a for y in row]) * w + b * mg.sum(c), [w], images, [1.0] * 4, [[2.0]] * 4
    )
    fast = compiled(lambda row: mg.sum(row) * w, [w])
    for width in (1, 4, 2):  # one program for each shape of a row
        assert fast([[1.0] * width]).tolist() == [0.5 * width]


def test_without_parameters() -> None:
    fast = compiled(lambda x: x * x)
    mean, gradient = fast.value_and_grad([1.0, 3.0])
    assert mean == 5.0
    assert gradient.shape == (0,)


def test_parameters_without_influence() -> None:
    w, v, unused = Value(2.0), Value(3.0), Value(4.0)
    assert_matches_eager(lambda x, y: w * x, [unused, w, v], [1.0, 2.0], [5.0, 6.0])
    assert_matches_eager(lambda x: w.detach() * v * mg.step(unused), [w, v, unused], [1.0, 2.0])
    assert_matches_eager(lambda x: 3.0, [w], [1.0, 2.0])
    assert_matches_eager(lambda x: x, [w], [1.0, 2.0])


def test_a_loss_that_is_a_parameter_or_independent_of_the_inputs() -> None:
    w, v = Value(2.0), Value(3.0)
    assert_matches_eager(lambda x: w, [v, w], [1.0, 2.0, 3.0])
    assert_matches_eager(lambda x: w * w * v, [v, w], [1.0, 2.0, 3.0])
    assert_matches_eager(lambda x: mg.sum([w * w, v, 1.0]) / mg.exp(v), [v, w], [1.0, 2.0, 3.0])


def test_the_same_value_twice_among_the_parameters() -> None:
    """Either refused, or both places get the gradient; never 0 in one of them."""
    w = Value(2.0)
    try:
        fast = compiled(lambda x: w * x, [w, w])
        gradient = fast.value_and_grad([1.0, 3.0])[1].tolist()
    except ValueError:
        return
    assert gradient == [2.0, 2.0]


def test_parameters_changed_through_data_are_seen() -> None:
    model, loss = classifier()
    x, y = batch_of(6).tolist(), [0, 1, 2, 0, 1, 2]
    fast = compiled(loss, model.parameters())
    for _ in range(3):
        _, gradient = fast.value_and_grad(x, y)
        for p, slope in zip(model.parameters(), gradient):
            p.data -= 0.1 * slope
        assert_matches_eager(loss, model.parameters(), x, y, fast=fast, leaf=float)


W, V = Value(2.0), Value(-1.0)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (W * x - W.detach()) ** 2,
        lambda x: mg.where(W > 0, W, -3 * W) * x,
        lambda x: mg.softmax([W, V])[0] * x,
        lambda x: mg.relu(W) * mg.maximum(W, V) + x,
        lambda x: gradients(mg.relu(W) + abs(V), [W, V])[0] * x,
    ],
)
def test_nothing_of_a_parameter_is_baked_in(f) -> None:
    W.data, V.data = 2.0, -1.0
    fast = compiled(f, [W, V])
    fast([1.0, 2.0])
    W.data, V.data = -1000.0, 1000.0
    assert_matches_eager(f, [W, V], [1.0, 2.0], fast=fast)


def test_parameters_of_a_flat_array() -> None:
    model, loss = classifier()
    x, y = batch_of(6), np.arange(6) % 3
    fast = compiled(loss, model.parameters())
    own = fast.value_and_grad(x, y)
    array = np.zeros(len(model.parameters()))
    fast.set_parameters(array)
    assert fast.value_and_grad(x, y)[0] == pytest.approx(np.log(3))
    array[:] = [p.data for p in model.parameters()]  # kept, not copied: the change is seen
    assert_close(fast.value_and_grad(x, y)[1].tolist(), own[1].tolist())
    array[:] = 0.0
    fast.set_parameters(None)
    assert fast.value_and_grad(x, y)[0] == own[0]
    with pytest.raises(ValueError, match="parameters"):
        fast.set_parameters([1.0])


def test_what_is_returned_is_the_callers_own() -> None:
    w = Value(2.0)
    fast = compiled(lambda x: w * x, [w])
    values, (_, gradient) = fast([1.0, 2.0]), fast.value_and_grad([1.0, 2.0])
    fast([5.0, 6.0])
    fast.value_and_grad([5.0, 6.0])
    assert values.tolist() == [2.0, 4.0]
    assert gradient.tolist() == [1.5]


def test_in_single_precision() -> None:
    model, loss = classifier()
    x, y = batch_of(50), np.arange(50) % 3
    double, single = (compiled(loss, model.parameters(), dtype=t) for t in (float, np.float32))
    assert single(x, y).dtype == np.float32
    assert single(x, y) == pytest.approx(double(x, y), rel=1e-5)
    (mean, gradient), (expected, slopes) = single.value_and_grad(x, y), double.value_and_grad(x, y)
    assert gradient.dtype == np.float32
    assert mean == pytest.approx(expected, rel=1e-5)
    assert gradient == pytest.approx(slopes, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("dtype", [int, bool, complex, object, "f2"])
def test_only_float64_and_float32_are_computed_with(dtype) -> None:
    with pytest.raises((TypeError, ValueError), match="float"):
        compiled(lambda x: 0.5 * x, dtype=dtype)


def test_numbers_that_single_precision_cannot_hold_are_infinite() -> None:
    w = Value(1e300)
    assert compiled(lambda x: w * x, [w], dtype=np.float32)([1.0]).tolist() == [np.inf]
    assert compiled(lambda x: x + 1e300, dtype=np.float32)([1e300]).tolist() == [np.inf]


def test_what_is_refused() -> None:
    w = Value(2.0)
    fast = compiled(lambda x: w * x, [w])
    with pytest.raises(ValueError, match="call the function once"):
        _ = fast.program
    with pytest.raises(ValueError, match="first axis is the batch"):
        fast(1.0)
    with pytest.raises(TypeError, match="got no argument"):
        fast()
    with pytest.raises(ValueError, match="equally many"):
        compiled(lambda x, y: x + y)([1.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="at least one"):
        fast([])
    with pytest.raises(ValueError, match="use jacobian"):
        compiled(lambda x: [x, x]).value_and_grad([1.0])
    with pytest.raises(ValueError, match="none of its arguments"):
        compiled(lambda x: x * mg.Symbol("z"))([1.0])


def test_none_is_no_number() -> None:
    with pytest.raises((TypeError, ValueError), match="number"):
        compiled(lambda x: x)([None, 1.0])
