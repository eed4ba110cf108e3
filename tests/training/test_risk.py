"""The risk of a batch: costs from which nothing can be learnt are not passed over in silence."""

import pytest

from microgradlib import Value
from microgradlib.errors import LostDerivativeWarning
from microgradlib.nn import MLP
from microgradlib.training.examples import Examples
from microgradlib.training.risk import Risk


@pytest.mark.parametrize("loss", [lambda o, y: float(o - y) ** 2, lambda o, y: Value((o.data - y) ** 2)])
def test_a_loss_that_is_a_constant_warns(loss):
    """Nothing would be learnt, without notice."""
    model = MLP(2, [2, 1], rng=0)
    with pytest.warns(LostDerivativeWarning, match="nothing is learnt"):
        Risk(model, loss).backward(Examples.of([[0.0, 1.0]], [1.0], "x"))


def test_a_loss_of_labels_that_are_left_out_does_not_warn():
    Risk(MLP(2, [2, 1], rng=0), lambda *_: 0.0).backward(Examples.of([[0.0, 1.0]], [1.0], "x"))
