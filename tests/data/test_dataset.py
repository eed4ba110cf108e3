"""Datasets: iris, validation of records, split, standardise."""

import hashlib
import math
from statistics import fmean, pstdev

import numpy as np
import pytest
from hypothesis import given, strategies as st

from microgradlib.data import Dataset, RegressionDataset, iris, moons, sine, split, standardise, xor

# Fisher (1936) prints the means, and the sums of squares and products of the deviations from
# them, for the first two species; those of virginica are 49 times its published covariances.
# A digit wrong anywhere in the table moves them.
MEANS = {
    "setosa": (5.006, 3.428, 1.462, 0.246),
    "versicolor": (5.936, 2.770, 4.260, 1.326),
    "virginica": (6.588, 2.974, 5.552, 2.026),
}
SUMS_OF_PRODUCTS = {
    "setosa": (6.0882, 4.8616, 0.8014, 0.5062, 7.0408, 0.5732, 0.4556, 1.4778, 0.2974, 0.5442),
    "versicolor": (13.0552, 4.1740, 8.9620, 2.7332, 4.8250, 4.0500, 2.0190, 10.8200, 3.5820, 1.9162),
    "virginica": (19.8128, 4.5944, 14.8612, 2.4056, 5.0962, 3.4976, 2.3338, 14.9248, 2.3924, 3.6962),
}


def rows_of(dataset: Dataset, name: str) -> list[tuple[float, ...]]:
    label = dataset.class_names.index(name)
    return [row for row, target in zip(dataset.inputs, dataset.targets, strict=True) if target == label]


@pytest.mark.parametrize("name", MEANS)
def test_iris_has_the_sums_that_fisher_printed(name: str) -> None:
    rows = rows_of(iris(), name)
    assert len(rows) == 50
    means = [fmean(column) for column in zip(*rows, strict=True)]
    assert means == pytest.approx(MEANS[name], abs=1e-9)
    products = [
        math.fsum((row[i] - means[i]) * (row[j] - means[j]) for row in rows) for i in range(4) for j in range(i, 4)
    ]
    assert products == pytest.approx(SUMS_OF_PRODUCTS[name], abs=1e-9)


def test_iris_has_fishers_values_where_the_uci_copy_differs() -> None:
    assert iris().inputs[34] == (4.9, 3.1, 1.5, 0.2)
    assert iris().inputs[37] == (4.9, 3.6, 1.4, 0.1)


def test_iris_names_its_features_and_classes() -> None:
    assert iris().feature_names == ("sepal length", "sepal width", "petal length", "petal width")
    assert iris().targets == (0,) * 50 + (1,) * 50 + (2,) * 50


@given(st.integers(0, 500), st.floats(0.01, 0.99))
def test_split_is_a_stratified_partition(seed: int, held_out: float) -> None:
    whole = moons(41, rng=1)
    train, aside = split(whole, held_out, rng=seed)
    assert sorted(train.inputs + aside.inputs) == sorted(whole.inputs)
    for label in (0, 1):
        members = whole.targets.count(label)
        assert 1 <= aside.targets.count(label) <= members - 1
        assert abs(aside.targets.count(label) - members * held_out) <= 1.0
    paired = dict(zip(whole.inputs, whole.targets, strict=True))
    assert [paired[row] for row in aside.inputs] == list(aside.targets)


@given(st.integers(2, 60), st.integers(0, 500), st.floats(0.01, 0.99))
def test_split_of_a_regression_is_a_partition_of_the_whole(n: int, seed: int, held_out: float) -> None:
    whole = sine(n, rng=1)
    train, aside = split(whole, held_out, rng=seed)
    assert isinstance(train, RegressionDataset)
    assert sorted(zip(train.inputs + aside.inputs, train.targets + aside.targets)) == list(
        zip(whole.inputs, whole.targets)
    )
    assert len(aside) == min(max(math.floor(n * held_out + 0.5), 1), n - 1)
    assert list(train.inputs) == sorted(train.inputs)
    assert (aside.feature_names, aside.target_name) == (whole.feature_names, whole.target_name)


def test_split_of_a_regression_draws_examples_uniformly() -> None:
    times = [0] * 5
    for seed in range(2000):
        for (x,) in split(sine(5, low=0.0, high=4.0), 0.4, rng=seed)[1].inputs:
            times[round(x)] += 1
    assert times == pytest.approx([800] * 5, abs=110)  # five standard deviations, √(2000 · 0.4 · 0.6) = 22


def test_split_repeats_for_a_seed_and_changes_with_it() -> None:
    assert split(iris(), rng=5) == split(iris(), rng=5)
    assert split(iris(), rng=5) != split(iris(), rng=6)


def test_standardise_uses_training_statistics_only() -> None:
    train, aside = split(iris())
    scaled, other = standardise(train, aside)
    for column in zip(*scaled.inputs, strict=True):
        assert fmean(column) == pytest.approx(0.0, abs=1e-12)
        assert pstdev(column) == pytest.approx(1.0)
    mean = fmean(row[2] for row in train.inputs)
    std = pstdev(row[2] for row in train.inputs)
    assert other.inputs[3][2] == pytest.approx((aside.inputs[3][2] - mean) / std)
    assert other.targets == aside.targets


def test_standardise_keeps_regression_targets() -> None:
    train, aside = split(sine(40, noise=0.0, low=2.0, high=9.0))
    scaled, other = standardise(train, aside)
    assert (scaled.targets, other.targets) == (train.targets, aside.targets)
    mean, std = fmean(x for (x,) in train.inputs), pstdev(x for (x,) in train.inputs)
    assert [x for (x,) in other.inputs] == pytest.approx([(x - mean) / std for (x,) in aside.inputs])


def test_standardise_only_shifts_constant_features() -> None:
    flat = Dataset(((0.1,),) * 3, (0, 0, 1), ("x",), ("a", "b"))
    assert [row for part in standardise(flat, flat) for row in part.inputs] == [(0.0,)] * 6


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Dataset((), (), ("x",), ("a",)), "at least one row"),
        (lambda: Dataset(((1.0,),), (), ("x",), ("a",)), "1 rows but 0 targets"),
        (lambda: Dataset(((1.0, 2.0),), (0,), ("x",), ("a",)), "row 0 has 2 numbers"),
        (lambda: Dataset(((math.nan,),), (0,), ("x",), ("a",)), "must be finite"),
        (lambda: Dataset(((1.0,),), (1,), ("x",), ("a",)), "target 0 is 1"),
        (lambda: Dataset(((1.0,),), (-1,), ("x",), ("a",)), "target 0 is -1"),
        (lambda: RegressionDataset((), (), ("x",)), "at least one row"),
        (lambda: RegressionDataset(((1.0,),), (1.0, 2.0), ("x",)), "1 rows but 2 targets"),
        (lambda: RegressionDataset(((1.0,), (1.0, 2.0)), (1.0, 2.0), ("x",)), "row 1 has 2 numbers"),
        (lambda: RegressionDataset(((1.0,), (math.inf,)), (1.0, 2.0), ("x",)), "row 1 is .*must be finite"),
        (lambda: RegressionDataset(((1.0,), (2.0,)), (1.0, math.nan), ("x",)), "target 1 is nan"),
        (lambda: split(RegressionDataset(((1.0,),), (1.0,), ("x",))), "the data set has one example"),
        (lambda: split(iris(), held_out=1.0), r"held_out must be a number > 0 and < 1, got 1\.0"),
        (lambda: split(iris(), held_out=math.nan), "held_out must be a number > 0 and < 1, got nan"),
        (lambda: split(moons(3)), "'lower moon' has one example"),
        (lambda: standardise(iris(), xor()), "two parts of one data set"),
    ],
)
def test_invalid_input_raises_with_a_remedy(make: object, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()  # type: ignore[operator]


def test_iris_equals_scikit_learns():
    """The digest of the 150 rows in the layout in which scikit-learn ships them (header, class numbers, CRLF)."""
    flowers = iris()
    rows = ["150,4," + ",".join(flowers.class_names)]
    rows += [",".join(map(str, (*x, y))) for x, y in zip(flowers.inputs, flowers.targets)]
    digest = hashlib.sha256("".join(row + "\r\n" for row in rows).encode()).hexdigest()
    assert digest == "f9e3809b56cc0f2f2f69554b7a0ea04e94d0e2c21343c86593eaf5581551dab6"


def test_arrays_are_kept_as_tuples_of_pythons_numbers() -> None:
    rows, names = ((0.0, 1.0), (2.0, 3.0)), ("x", "y")
    for inputs in (np.array(rows), np.array(rows, "float32")):
        classes = Dataset(inputs, np.array([0, 1]), names, ("low", "high"))
        assert classes == Dataset(rows, (0, 1), names, ("low", "high"))
        assert hash(classes) == hash(Dataset(rows, (0, 1), names, ("low", "high")))
        numbers = RegressionDataset(inputs, np.array([0.5, 1.5]), names)
        assert (numbers.inputs, numbers.targets) == (rows, (0.5, 1.5))
    for inputs, targets, words in ((np.array(3.0), [0], "inputs must be"), (rows, np.array(3), "targets must be")):
        with pytest.raises(TypeError, match=words):
            Dataset(inputs, targets, names, ("low", "high"))
