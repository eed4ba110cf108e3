"""torch_loss: compiled losses under PyTorch's autograd, its checks and its optimizers."""

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.compiler import compile as compiled
from microgradlib.costs import cross_entropy
from microgradlib.interop import torch_loss

torch = pytest.importorskip("torch", reason="torch_loss needs PyTorch")

X = np.random.default_rng(0).normal(size=(6, 3))
LABELS = np.arange(6) % 4


@pytest.fixture
def fast():
    model = nn.MLP([3, 5, 4], activation="tanh", rng=0)
    return compiled(lambda x, y: cross_entropy(model(x), y), model.parameters(), backend="numpy")


@pytest.fixture
def parameters(fast):
    return torch.tensor([p.data for p in fast.parameters], dtype=torch.float64, requires_grad=True)


def data(**options):
    return torch.tensor(X, **options), torch.tensor(LABELS)


def test_the_mean_and_its_gradient(fast, parameters):
    mean, gradient = fast.value_and_grad(X, LABELS)
    loss = torch_loss(fast)(parameters, *data())
    (3 * loss).backward()
    assert (loss.item(), loss.shape, loss.dtype) == (mean, (), torch.float64)
    assert np.array_equal(parameters.grad.numpy(), 3 * gradient)


def test_gradcheck_by_parameters_and_data(fast, parameters):
    loss, (x, y) = torch_loss(fast), data(requires_grad=True)
    assert torch.autograd.gradcheck(lambda p, x: loss(p, x, y), (parameters, x))
    assert torch.autograd.gradcheck(lambda x: loss(parameters.detach(), x, y), x)
    assert torch.autograd.gradgradcheck(lambda p: loss(p, *data()), parameters)


def test_gradcheck_rejects_another_gradient(fast, parameters, monkeypatch):
    right = fast.value_and_grad
    monkeypatch.setattr(fast, "value_and_grad", lambda *arrays: (right(*arrays)[0], right(*arrays)[1] * 1.01))
    assert not torch.autograd.gradcheck(lambda p: torch_loss(fast)(p, *data()), parameters, raise_exception=False)


def test_the_hessian(fast, parameters):
    expected = fast.hessian(X, LABELS)
    hessian = torch.autograd.functional.hessian(lambda p: torch_loss(fast)(p, *data()), parameters.detach())
    assert np.abs(hessian.numpy() - expected).max() < 1e-14


def test_functional_gradients(fast, parameters):
    gradient = torch.func.grad(lambda p: torch_loss(fast)(p, *data()))(parameters.detach())
    assert np.array_equal(gradient.numpy(), fast.value_and_grad(X, LABELS)[1])


def test_lbfgs_and_adam(fast, parameters):
    loss = torch_loss(fast)
    for kind, steps in (
        (lambda p: torch.optim.LBFGS([p], max_iter=40), 1),
        (lambda p: torch.optim.Adam([p], 0.05), 150),
    ):
        for dtype in (torch.float64, torch.float32):
            p = parameters.detach().to(dtype).requires_grad_()
            optimizer = kind(p)

            def closure(p=p, optimizer=optimizer):
                optimizer.zero_grad()
                value = loss(p, *data())
                value.backward()
                return value

            for _ in range(steps):
                optimizer.step(closure)
            assert loss(p, *data()).item() < 0.01
            assert loss(p, *data()).dtype == p.grad.dtype == dtype


def test_a_program_in_single_precision(parameters):
    w = Value(2.0)
    fast = compiled(lambda x: (w * x) ** 2, [w], dtype=np.float32, backend="numpy")
    p = torch.tensor([1.5], dtype=torch.float64, requires_grad=True)
    loss = torch_loss(fast)(p, [1.0, 2.0])
    loss.backward()
    assert (loss.item(), p.grad.tolist(), loss.dtype) == (5.625, [7.5], torch.float64)


def test_data_that_are_no_tensors_and_the_parameters_of_the_compiled_function():
    w = Value(2.0)
    fast = compiled(lambda x: (w * x) ** 2, [w], backend="numpy")
    array = np.array([4.0])
    fast.set_parameters(array)
    column = np.array([1.0, 2.0])
    column.setflags(write=False)
    for x in ([1.0, 2.0], column, torch.tensor([1.0, 2.0])):
        assert torch_loss(fast)(torch.tensor([1.0], dtype=torch.float64), x).item() == 2.5
    with pytest.raises(ValueError, match="1 parameters, got an array of shape"):
        torch_loss(fast)(torch.zeros(2), [1.0])
    array[0] = 0.0
    assert fast([1.0]).tolist() == [0.0]  # its own parameters again, the same array


def test_what_is_not_computed_is_refused(fast, parameters):
    loss, (x, y) = torch_loss(fast), data(requires_grad=True)
    (by_data,) = torch.autograd.grad(loss(parameters, x, y), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="third derivatives, and derivatives of a gradient by the data"):
        by_data.sum().backward()
    (gradient,) = torch.autograd.grad(loss(parameters, x, y), parameters, create_graph=True)
    with pytest.raises(NotImplementedError, match="by the parameters alone, got data that require a gradient: detach"):
        gradient.sum().backward()
    (gradient,) = torch.autograd.grad(loss(parameters, *data()), parameters, create_graph=True)
    (product,) = torch.autograd.grad(gradient.sum(), parameters, create_graph=True)
    with pytest.raises(NotImplementedError, match="third derivatives"):
        (product.sum() + parameters.sum()).backward()


def test_parameters_that_are_changed_before_the_backward_pass(fast, parameters):
    loss = torch_loss(fast)(parameters, *data())
    with torch.no_grad():
        parameters += 1.0
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("given", [[1.0], np.zeros(44), torch.zeros(44, dtype=torch.int64), None])
def test_parameters_of_another_kind(fast, given):
    with pytest.raises(TypeError, match="one flat tensor of floats"):
        torch_loss(fast)(given, *data())


@pytest.mark.parametrize("given", [mg.tanh, 3, None])
def test_what_is_no_compiled_loss(given):
    with pytest.raises(TypeError, match="give a compiled loss"):
        torch_loss(given)


def test_a_loss_of_several_numbers():
    w = Value(2.0)
    with pytest.raises(ValueError, match="returns 2 numbers"):
        torch_loss(compiled(lambda x: [w, x], [w]))(torch.zeros(1), [1.0])
