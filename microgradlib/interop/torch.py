"""torch_loss: a compiled loss as a function of PyTorch's tensors, which autograd differentiates twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from microgradlib._support.optional import import_optional
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.interop.mean_loss import MeanLoss

if TYPE_CHECKING:
    from microgradlib.compiler.batched import Batched

__all__ = ["torch_loss"]


def torch_loss(fast: Batched) -> Callable[..., Any]:
    """Return a function (parameters, *data) of tensors: the mean of a compiled loss over a batch.

    `parameters` is a flat tensor in the order of the compiled parameters, `data` are the arguments of `fast`, tensors
    or arrays. The result is a tensor without axes, of the parameters' dtype and device; it is computed in the precision
    of `fast`, on the CPU, by its engine. Gradients by the parameters, and by floating tensors among the data, are
    exact, and so are second derivatives by the parameters (`create_graph=True`), as products with the Hessian. So
    torch's optimizers, `gradcheck` and `torch.func.grad` work. `fast` keeps the parameters that it has.

        loss = torch_loss(compile(lambda x, y: cross_entropy(model(x), y), model.parameters()))
        parameters = torch.tensor([p.data for p in model.parameters()], dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([parameters])
        loss(parameters, X, y).backward()

    Raises `MissingExtraError` without PyTorch, `TypeError` for what is no compiled loss or no tensor of parameters,
    `NotImplementedError` for second derivatives by the data or mixed ones, and third ones, and whatever
    `fast.value_and_grad` raises, such as `ValueError` for another number of parameters.
    """
    loss, torch = MeanLoss(fast), import_optional("torch", "torch_loss")
    function = _mean_function()

    def mean(parameters: Any, *data: Any) -> Any:
        if not isinstance(parameters, torch.Tensor) or not parameters.dtype.is_floating_point:
            message = (
                "the parameters are one flat tensor of floats, torch.tensor([p.data for p in model.parameters()]), "
                f"got {getattr(parameters, 'dtype', type(parameters).__name__)}"
            )
            raise TypeError(message)
        tensors = [x if isinstance(x, torch.Tensor) else torch.tensor(numpy().asarray(x)) for x in data]
        return function.apply(_Call(loss), parameters, *tensors)[0]

    return mean


class _Call:
    """One call of the loss: the arrays of its parameters and data, which its derivatives are computed from."""

    def __init__(self, loss: MeanLoss) -> None:
        self.loss = loss
        self.parameters: Any = None
        self.data: list[Any] = []

    def value_and_grad(self, parameters: Any, data: Sequence[Any]) -> tuple[float, Any]:
        self.parameters, self.data = self.array(parameters), [self.array(x) for x in data]
        return self.loss.value_and_grad(self.parameters, self.data)

    def array(self, tensor: Any) -> Any:
        """Return a tensor as an array, floats in the precision of the loss."""
        torch = import_optional("torch", "torch_loss")
        precision = getattr(torch, str(self.loss.dtype)) if tensor.dtype.is_floating_point else tensor.dtype
        return tensor.detach().to("cpu", precision).numpy()


@cache
def _mean_function() -> Any:
    """Return the autograd function (call, parameters, *data) → (mean, gradient)."""
    torch = import_optional("torch", "torch_loss")
    gradient_function, once_function = _gradient_functions()

    class Mean(torch.autograd.Function):  # type: ignore[name-defined, misc]
        """The mean of the loss, and its gradient, which is computed with it."""

        @staticmethod
        def forward(call: _Call, parameters: Any, *data: Any) -> Any:
            mean, gradient = call.value_and_grad(parameters, data)
            return parameters.new_tensor(mean), torch.as_tensor(gradient).to(parameters)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            ctx.call, *tensors = inputs
            ctx.mark_non_differentiable(output[1])
            ctx.save_for_backward(output[1], *tensors)

        @staticmethod
        def backward(ctx: Any, seed: Any, _: Any) -> Any:
            gradient, parameters, *data = ctx.saved_tensors  # autograd checks that they are what they were
            slopes: list[Any] = [None] * (2 + len(data))
            if ctx.needs_input_grad[1]:
                slopes[1] = seed * gradient_function.apply(ctx.call, gradient, parameters, *data)
            if any(ctx.needs_input_grad[2:]):
                found = ctx.call.loss.data_gradients(ctx.call.parameters, ctx.call.data)
                for k, (slope, x) in enumerate(zip(found, data), 2):
                    if ctx.needs_input_grad[k]:
                        slopes[k] = seed * once_function.apply(torch.as_tensor(slope).to(x), parameters, *data)
            return tuple(slopes)

    return Mean


@cache
def _gradient_functions() -> tuple[Any, Any]:
    """Return two autograd functions of gradients that are known already: by the parameters, and by the data.

    (call, gradient, parameters, *data) → gradient has the Hessian as its derivative; (result, *inputs) → result stands
    for what depends on the inputs, but is not differentiated again.
    """
    torch = import_optional("torch", "torch_loss")

    class Gradient(torch.autograd.Function):  # type: ignore[name-defined, misc]
        """The gradient by the parameters, which is known already."""

        @staticmethod
        def forward(_call: _Call, gradient: Any, *_: Any) -> Any:
            return gradient.clone()

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], _output: Any) -> None:
            ctx.call, _, *tensors = inputs
            ctx.save_for_backward(*tensors)

        @staticmethod
        def backward(ctx: Any, vector: Any) -> Any:
            if any(ctx.needs_input_grad[3:]):
                raise NotImplementedError(
                    "a gradient is differentiated by the parameters alone, got data that require a gradient: detach "
                    "them, or write what is to be differentiated into the compiled loss"
                )
            parameters, *data = ctx.saved_tensors
            product = ctx.call.loss.hvp(ctx.call.parameters, ctx.call.data, ctx.call.array(vector))
            product = Once.apply(torch.as_tensor(product).to(parameters), vector, parameters, *data)
            return None, None, product, *[None] * len(data)

    class Once(torch.autograd.Function):  # type: ignore[name-defined, misc]
        """A derivative that has none itself."""

        @staticmethod
        def forward(result: Any, *_: Any) -> Any:
            return result.clone()

        @staticmethod
        def setup_context(ctx: Any, _inputs: tuple[Any, ...], _output: Any) -> None:
            """Keep nothing: there is no derivative."""

        @staticmethod
        def backward(ctx: Any, vector: Any) -> Any:
            raise NotImplementedError(
                "third derivatives, and derivatives of a gradient by the data, are not computed: write what is to be "
                "differentiated into the compiled loss"
            )

    return Gradient, Once
