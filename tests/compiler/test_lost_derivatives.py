"""In a function that is compiled, no derivative is lost without an error or a warning."""

import copy
import pickle

import pytest

import microgradlib as mg
from microgradlib import Value
from microgradlib.errors import LostDerivativeWarning, SymbolHasNoValueError
from microgradlib.nn import Module
from microgradlib.optim import SGD

W = Value(1.3)


class Line(Module):
    def __init__(self):
        self.slope = Value(0.5)

    def __call__(self, x):
        return self.slope * x


def train(loss, *, compiled):
    model = Line()
    mg.fit(
        model, loss, [1.0, 2.0], [1.0, 3.0], optimizer=SGD(model.parameters(), 0.1), epochs=1, compiled=compiled,
        progress=False, rng=0,
    )  # fmt: skip
    return model.slope.data


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize(
    "loss", [lambda o, y: (o.detach() - y) ** 2, lambda _, y: y * y + 1, lambda o, y: (o * y).detach() ** 2 + y]
)
def test_training_by_a_constant_loss_warns(loss, compiled):
    with pytest.warns(LostDerivativeWarning, match="nothing is learnt"):
        assert train(loss, compiled=compiled) == 0.5


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("loss", [lambda o, _: mg.step(o - 9), lambda *_: 0.0, lambda o, y: (o.detach() - y) * o])
def test_other_training_does_not_warn(loss, compiled):
    train(loss, compiled=compiled)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda w: copy.deepcopy([w, {"w": w}])[1]["w"]])
def test_a_copy_of_a_parameter_is_the_parameter(copied):
    fast = mg.compile(lambda x: copied(W) * x + copied(W * W), [W], backend="numpy")
    assert fast.value_and_grad([2.0])[1].tolist() == [4.6]
    assert copied(W) is not W


def test_a_parameter_is_not_pickled():
    with pytest.raises(TypeError, match="a parameter of a function that is being compiled, would be pickled here"):
        mg.compile(lambda x: pickle.loads(pickle.dumps(W)) * x, [W], backend="numpy")([2.0])


@pytest.mark.parametrize("f", [lambda x: x if W == 1.3 else W, lambda x: x if W * 2 != 1 else W, lambda x: W in (1, 2)])
def test_a_parameter_is_not_compared_by_equality(f):
    """== is identity elsewhere: the branch taken would have been that of another number."""
    with pytest.raises(SymbolHasNoValueError, match="cannot be read while a function is compiled"):
        mg.compile(f, [W], backend="numpy")([2.0])


def test_a_parameter_may_be_looked_up_among_others():
    assert mg.compile(lambda x: W * x * [Value(1.0), W].index(W), [W], backend="numpy")([2.0]).tolist() == [2.6]
