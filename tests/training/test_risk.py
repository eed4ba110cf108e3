"""The risk of a batch: costs from which nothing can be learnt are not passed over in silence."""

import math
import warnings
from pathlib import Path

import numpy as np
import pytest

from microgradlib import Value
from microgradlib.costs import squared_error
from microgradlib.errors import LostDerivativeWarning
from microgradlib.nn import MLP
from microgradlib.training import fit
from microgradlib.training.examples import Examples
from microgradlib.training.risk import Risk


@pytest.mark.parametrize("loss", [lambda o, y: float(o - y) ** 2, lambda o, y: Value((o.data - y) ** 2)])
def test_a_loss_that_is_a_constant_warns(loss):
    """Nothing would be learnt, without notice."""
    model = MLP(2, [2, 1], rng=0)
    with pytest.warns(LostDerivativeWarning) as caught:
        Risk(model, loss).backward(Examples.of([[0.0, 1.0]], [1.0], "x"))
    assert "nothing is learnt" in str(caught[-1].message)


def test_a_loss_of_labels_that_are_left_out_does_not_warn():
    Risk(MLP(2, [2, 1], rng=0), lambda *_: 0.0).backward(Examples.of([[0.0, 1.0]], [1.0], "x"))


class Halved(MLP):
    """A model that passes one of its units on as a plain number, in the way that it is given."""

    def __init__(self, take):
        super().__init__(2, [2], rng=0)
        self.take = take

    def __call__(self, x):
        first, second = super().__call__(x)
        return self.take(first) + second


def steps_of(model, *, loss=squared_error, **options):
    """Train eagerly for three epochs; return the history."""
    return fit(model, loss, [[0.0, 1.0], [1.0, 0.0]], [1.0, 0.0], epochs=3, compiled=False, progress=False, **options)


@pytest.mark.parametrize(
    ("take", "words"),
    [
        (float, r"float\(value\) gives a plain number here, a constant of derivative 0"),
        (lambda v: v.__float__(), r"value.__float__\(\) gives"),
        (lambda v: int(v) + 1.0, r"int\(value\) gives"),
        (lambda v: round(v, 3), r"round\(value\) gives"),
        (lambda v: np.asarray([v], dtype=float)[0], "a conversion to a float gives"),
        (lambda v: np.array([v]).astype(float).sum(), "a conversion to a float gives"),
        (lambda v: sum(map(math.exp, [v])), "a conversion to a float gives"),
    ],
)
def test_a_part_of_the_derivative_that_is_lost_warns_once(take, words):
    with pytest.warns(LostDerivativeWarning, match=words) as caught:
        history = steps_of(Halved(take))
    assert len(caught) == 1
    assert Path(caught[0].filename).name == Path(__file__).name
    assert history.steps == 3


@pytest.mark.parametrize(
    "take",
    [
        lambda v: v * 1.0, lambda v: v if float(v) > 0 else -v, lambda v: print(float(v)) or v, lambda v: v * v.data,
        lambda v: v.detach() + v, lambda v: f"{v:.2f}" and v, lambda v: v * float(Value(2.0)),
    ],
)  # fmt: skip
def test_what_loses_no_part_of_the_derivative_does_not_warn(take):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        steps_of(Halved(take))


@pytest.mark.parametrize(
    "options",
    [
        {"loss": lambda output, target: (output[0] - target) * float(output[1])},
        {"loss": lambda output, target: output[0] - target, "penalty": lambda model, x: float(model(x)[1])},
    ],
)
def test_losses_and_penalties_are_looked_through_too(options):
    with pytest.warns(LostDerivativeWarning, match=r"float\(value\) gives"):
        steps_of(MLP(2, [2], rng=0), **options)


def test_a_model_that_cannot_be_compiled_warns_too():
    with pytest.warns(LostDerivativeWarning, match=r"float\(value\) gives"):
        history = fit(Halved(float), squared_error, [[0.0, 1.0]], [1.0], epochs=1)
    assert "cannot be compiled" in history.engine


def test_looking_through_changes_neither_numbers_nor_comparisons():
    class Remembering(MLP):
        """A model that asks whether a Value is one that it knows, which goes by identity."""

        def __call__(self, x):
            known = [Value(0.0), Value(1.0)]
            self.answers.append(Value(0.0) in known)
            return super().__call__(x)

    model, other = Remembering(2, [2, 1], rng=0), MLP(2, [2, 1], rng=0)
    model.answers = []
    assert steps_of(model).loss == steps_of(other).loss
    assert set(model.answers) == {False}
