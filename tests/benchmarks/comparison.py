"""The comparisons that compiled.py measures: a loss of ours, its data, and the same loss in other libraries."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Step = Callable[[], tuple[Any, Any]]
    Maker = Callable[[list[Any]], Step]

TOLERANCES = {"float64": 1e-8, "float32": 2e-5}


class NotMeasuredError(Exception):
    """A rival cannot do this work, or only worse than another program for the same library; the text says why."""


@dataclass
class Comparison:
    """One loss at one batch size, in one precision.

    `weights` are nested lists of the model's parameters, one for each array of a rival. A rival is made from these
    arrays, of the dtype, and returns a step: a function of nothing that returns the loss and its gradients, in the same
    order. What stands before the comma in its name is the library; which of its programs counts says `bars.barred`.
    """

    name: str
    title: str
    loss: Callable[..., Any]
    parameters: Sequence[Any]
    weights: Sequence[Any]
    data: tuple[Any, Any]
    rivals: dict[str, Maker]
    dtype: str = "float64"
    backend: str = "auto"
    steps: dict[str, Step] = field(default_factory=dict)
    first_calls: list[float] = field(default_factory=list)
    chosen: str = ""
    """The backend that "auto" was."""

    def __post_init__(self) -> None:
        positions = {parameter: i for i, parameter in enumerate(self.parameters)}
        self.flat = np.array([parameter.data for parameter in self.parameters], self.dtype)
        self.places = [np.array(_replaced(thing, positions)) for thing in self.weights]
        self.data = tuple(array.astype(self.dtype) for array in self.data)

    def compiled(self) -> Any:
        """Return our function, compiled anew and never called yet."""
        from microgradlib.compiler import compile  # noqa: A004, PLC0415

        fast = compile(self.loss, self.parameters, dtype=self.dtype, backend=self.backend)
        fast.set_parameters(self.flat)
        return fast

    def ours(self, clock: Callable[[], float] = time.perf_counter) -> Step:
        """Return our step, compiled and run once; store the time of that first call."""
        fast = self.compiled()
        self.chosen = fast.backend
        start = clock()
        fast.value_and_grad(*self.data)
        self.first_calls.append(clock() - start)
        return lambda: fast.value_and_grad(*self.data)

    def prepare(self, first_calls: int, clock: Callable[[], float] = time.perf_counter) -> list[str]:
        """Make all steps, check that they compute the same, and return a line for each rival that is left out."""
        for _ in range(first_calls):
            self.steps["ours"] = self.ours(clock)
        value, gradient = self.steps["ours"]()
        missing = []
        for name, make in self.rivals.items():
            try:
                step = make([self.flat[places].copy() for places in self.places])
            except (ImportError, NotMeasuredError) as error:
                missing.append(f"{name} is left out: {error}")
                continue
            self._check(name, step(), value, gradient)
            self.steps[name] = step
        return missing

    def _check(self, name: str, theirs: tuple[Any, Any], value: float, gradient: Any) -> None:
        loss, gradients = theirs
        pairs = [(float(loss), value), *zip(gradients, [gradient[places] for places in self.places], strict=True)]
        for got, expected in pairs:
            difference = np.abs(np.asarray(got) - expected).max()
            if np.shape(got) != np.shape(expected) or not difference <= TOLERANCES[self.dtype]:
                message = f"{self.title}: {name} differs from ours by {difference}: the times do not compare"
                raise ValueError(message)
        if np.asarray(gradients[0]).dtype != self.dtype:
            message = f"{self.title}: {name} computes in {np.asarray(gradients[0]).dtype}, not in {self.dtype}"
            raise ValueError(message)


def _replaced(thing: Any, positions: dict[Any, int]) -> Any:
    return [_replaced(part, positions) for part in thing] if isinstance(thing, (list, tuple)) else positions[thing]


def torch_step(loss: Callable[..., Any], arrays: list[Any], *data: Any) -> Step:
    """Return a step of PyTorch: `loss(tensors, *data)` and backward, one thread.

    `torch.compile` of the loss, tried on the MLP and the GPT, took 7 to 50 seconds and gained a tenth at most.
    """
    import torch  # noqa: PLC0415

    leaves = [torch.tensor(array, requires_grad=True) for array in arrays]
    tensors = [torch.as_tensor(array) for array in data]

    def step() -> tuple[Any, Any]:
        for leaf in leaves:
            leaf.grad = None
        value = loss(leaves, *tensors)
        value.backward()
        return value.item(), [leaf.grad for leaf in leaves]

    return step


def jax_step(loss: Callable[..., Any], arrays: list[Any], *data: Any) -> Step:
    """Return a step of jax.jit(value_and_grad(loss))(arrays, *data) that blocks until the result is ready."""
    import jax  # noqa: PLC0415

    run = jax.jit(jax.value_and_grad(loss))
    parameters, constants = jax.device_put(arrays), [jax.device_put(array) for array in data]

    def step() -> tuple[Any, Any]:
        value, gradients = jax.block_until_ready(run(parameters, *constants))
        return float(value), gradients

    return step
