"""JaxSteps: the epochs of a training run by JAX, with the data, the parameters and the optimiser's state on devices."""

# ruff: noqa: PLR0917  functions that JAX traces take all that is not constant as arguments

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib._support.shown import shown
from microgradlib.compiler.engines.jax import BatchFunction, float64_enabled, jax
from microgradlib.ops import selection
from microgradlib.optim.clipping import EPSILON
from microgradlib.optim.parameters import numpy
from microgradlib.training.blocks import Block
from microgradlib.training.compiled_steps import CompiledSteps
from microgradlib.training.order import random_order_array
from microgradlib.training.task import Epoch, Task

if TYPE_CHECKING:
    from microgradlib.training.examples import Examples

__all__ = ["JaxSteps"]


class State(NamedTuple):
    """What a step changes: the parameters, the optimiser's buffers by group, the last gradient, and the fault, if any.

    `fault` is the number of the step whose cost or gradient was not finite, after which nothing was changed any more.
    """

    array: Any
    held: list[dict[str, Any]]
    gradient: Any
    fault: Any


class JaxSteps(CompiledSteps):
    """The steps of a task by JAX: an epoch is one loop inside `jit`, which devices share batch by batch.

    The examples are on every device; each computes its part of a batch. The parameters come back after each epoch, the
    optimiser's buffers when others look at them. A step whose numbers are not finite is done again by the engine's
    exact derivatives.

    Raises `ValueError` for an augmentation, which is a function of Python's numbers, and for an optimizer that arrays
    cannot have: one with a `step` of its own.
    """

    def __init__(self, task: Task, devices: Any = None) -> None:
        if task.augment is not None:
            raise ValueError('augment draws each example in Python: give backend="numpy", or augment the data before')
        super().__init__(task, "jax", devices)
        self.flat.flat_optimiser  # noqa: B018  raises for an optimizer that arrays cannot have
        self._state: State | None = None
        self._on_device: dict[int, Any] = {}
        ready = self.training._latest()
        self._engine, self._captured = ready.engine, ready.captured
        self._run = self._engine.function(self._engine.joint("gradient"))
        self._epoch = jax().jit(self._scan, static_argnames=("masked",))

    @property
    def description(self) -> str:
        """The size of the training program, and the devices."""
        devices = self._engine.devices
        return f"{super().description}, by JAX on {len(devices)} {devices[0].platform} device{'s' * (len(devices) > 1)}"

    def _placed(self, arrays: Any) -> Any:
        """Return arrays on every device."""
        mesh, sharding = self._run.mesh, jax().sharding
        place = self._engine.devices[0] if mesh is None else sharding.NamedSharding(mesh, sharding.PartitionSpec())
        return jax().device_put(arrays, place)

    def _columns(self, examples: Examples) -> tuple[Any, Any]:
        if id(examples) not in self._on_device:
            data = self.data[id(examples)]
            flat = [array.reshape(len(array), -1) for array in (data.inputs, data.targets)]
            self._on_device[id(examples)] = self._placed(flat)
        return self._on_device[id(examples)]  # type: ignore[no-any-return]

    def evaluate(self, examples: Examples) -> tuple[float, float | None]:
        """Return the mean cost and the accuracy, None if the cost does not classify, in evaluation mode."""
        ready, data = self.evaluation._latest(), self.data[id(examples)]
        run: BatchFunction = ready.engine.function(ready.engine.program)
        with float64_enabled():
            numbers = self.evaluation._parameters.numbers(ready.captured, float)
            outputs, _ = run.padded(numbers, self._columns(examples), ())
            values = numpy().asarray(outputs)[:, : len(examples)].T
        data.tally.reset()
        data.tally.add(values[:, 2:], numpy().arange(len(values)))
        return float(values[:, 1].mean()), data.tally.accuracy()

    def epoch(self) -> Epoch:
        """Make one step for each batch of the training examples, in a random order."""
        np, task, n = numpy(), self.task, len(self.task.train)
        size = min(task.batch_size, n)
        steps = -(-n // size)
        counts = np.full(steps, size)
        counts[-1] = n - size * (steps - 1)
        order = random_order_array(n, task.rng)
        width = self._run.padded_size(size)
        positions = np.zeros((steps, width), np.int32)
        for places, start in zip(positions, range(0, n, size)):
            places[: min(size, n - start)] = order[start : start + size]
        costs, norms, values = np.zeros(steps), np.zeros((steps, len(task.layers))), None
        first = 0
        while first < steps:
            make = partial(self._steps, positions, counts, first, masked=width > counts.min())
            found = task.interrupts.during(make)
            fault = min(int(self._state.fault), steps)  # type: ignore[union-attr]
            done = slice(first, fault)
            costs[done], norms[done] = (np.asarray(array)[done] for array in found[:2])
            if task.decision is not None:
                values = np.array(found[2]) if values is None else values
                values[done] = np.asarray(found[2])[done]
            if fault < steps:
                costs[fault], norms[fault] = self._exact_step(positions[fault, : counts[fault]])
            first = fault + 1
        self._mirror()
        tally = self.data[id(task.train)].tally
        tally.reset()
        for outputs, places, count in zip(values if values is not None else (), positions, counts):
            tally.add(outputs[2:, :count].T, places[:count])
        means = [math.fsum(column) / steps for column in norms.T.tolist()]
        total = math.fsum((costs * counts).tolist())
        return Epoch(total / n, tally.accuracy(), dict(zip(task.layers, means)))

    def _steps(self, positions: Any, counts: Any, first: int, *, masked: bool) -> tuple[Any, Any, Any]:
        """Make the steps from `first` on, up to a fault; return costs, norms and outputs of all, (steps, …)."""
        np, flat = numpy(), self.flat
        with float64_enabled():
            if self._state is None:
                flat.start()
                held = [dict(group.held) for group in flat.flat_optimiser.groups]
                self._state = State(*self._placed((flat.array, held, np.zeros(len(flat.array)), len(counts))))
            rates = np.array(flat.flat_optimiser.rates(len(counts) - first), float).T
            rates = np.concatenate([np.zeros((first, rates.shape[1])), rates])
            steps = np.array([group.steps - first for group in flat.flat_optimiser.groups], float)
            captured = np.array([value._float for value in self._captured], float)
            state = self._state._replace(fault=np.int64(len(counts)))
            try:
                self._state, found = self._epoch(
                    state,
                    self._columns(self.task.train),
                    captured,
                    positions,
                    counts,
                    rates,
                    steps,
                    first,
                    masked=masked,
                )
            except jax().errors.ConcretizationTypeError as error:
                what = shown(self.task.optimizer)
                message = f"JAX cannot trace the update of {what}: write xp.where for an `if` on numbers"
                raise ValueError(message) from error
            done = min(int(self._state.fault), len(counts)) - first
            for group in flat.flat_optimiser.groups:
                group.steps += done
            self.task.history.steps += done
        return found  # type: ignore[no-any-return]

    def _scan(
        self, state: State, data: Any, captured: Any, positions: Any, counts: Any, rates: Any, steps: Any, first: Any,
        *, masked: bool,
    ) -> tuple[State, tuple[Any, Any, Any]]:  # fmt: skip
        """Return the state after all steps from `first` on, and what they computed: a pure function."""
        lax, jnp = jax().lax, jax().numpy

        def step(state: State, given: Any) -> tuple[State, Any]:
            is_active = (state.fault == len(positions)) & (given[0] >= first)
            skipped = jax().tree.map(lambda a: jnp.zeros(a.shape, a.dtype), jax().eval_shape(make, state, given)[1])
            return lax.cond(is_active, make, lambda state, _: (state, skipped), state, given)  # type: ignore[no-any-return]

        make = partial(self._one_step, data, captured, steps, len(positions), masked)
        return lax.scan(step, state, (jnp.arange(len(positions)), positions, counts, rates))  # type: ignore[no-any-return]

    def _one_step(
        self, data: Any, captured: Any, steps: Any, last: int, masked: bool, state: State, given: Any
    ) -> tuple[State, tuple[Any, Any, Any]]:
        """Return the state after one step, unchanged but for `fault` if its numbers are not finite."""
        jnp, (k, places, count, rate) = jax().numpy, given
        numbers = jnp.concatenate([state.array, captured])
        columns = [column[places] for column in data]
        outputs, (found,) = self._run(numbers, columns, [1.0 / count], count, masked=masked)
        gradient = found[self._engine._slots][: len(state.array)]
        cost = jnp.where(jnp.arange(len(places)) < count, outputs[1], 0.0).sum() / count
        norms = jnp.array(self._norms(gradient))
        is_finite = jnp.isfinite(cost) & jnp.isfinite(norms).all()
        used = gradient
        if self.task.clip_value is not None:
            used = selection.clip.value(jnp, used, -self.task.clip_value, self.task.clip_value)
        if self.task.clip_norm is not None:
            used *= jnp.minimum(1.0, self.task.clip_norm / (_norm(used) + EPSILON))
        array, held = self.flat.flat_optimiser.updated(jnp, state.array, used, state.held, steps + k, rate)
        new = jax().tree.map(partial(jnp.where, is_finite), (array, held, used), state[:3])
        return State(new[0], new[1], new[2], jnp.where(is_finite, last, k)), (cost, norms, outputs)

    def _norms(self, gradient: Any) -> list[Any]:
        position = {p: i for i, p in enumerate(self.task.parameters)}
        parts = [[position[p] for p in values if p in position] for values in self.task.layers.values()]
        return [_norm(gradient[numpy().array(part, int)]) if part else 0.0 for part in parts]

    def _exact_step(self, positions: Any) -> tuple[float, list[float]]:
        """Make a step whose numbers were not finite by exact derivatives; raise if these are not finite either."""
        self.release()
        data = self.data[id(self.task.train)]
        inputs, targets = data.inputs[positions], data.targets[positions]
        self.flat.start()
        return self._step(Block(positions, inputs, targets, numpy().empty((len(positions), len(self.blocks.values.T)))))

    def _mirror(self) -> None:
        """Copy the parameters from the devices."""
        if self._state is not None:
            self.flat.array[...] = numpy().asarray(self._state.array)

    def release(self) -> None:
        """Copy the whole state from the devices, to which it returns with the next epoch."""
        if self._state is None:
            return
        self._mirror()
        self.flat.gradient = numpy().array(self._state.gradient)
        for group, held in zip(self.flat.flat_optimiser.groups, self._state.held):
            group.held = {name: numpy().array(buffer) for name, buffer in held.items()}
        self._state = None

    def settle(self) -> None:
        """Give the Values, and the optimiser, the numbers that they have by now."""
        self.release()
        super().settle()


def _norm(numbers: Any) -> Any:
    """Return √Σ x², without overflow or underflow of the squares."""
    jnp = jax().numpy
    largest = jnp.abs(numbers).max()
    scale = jnp.where((largest > 0) & (largest < math.inf), largest, 1.0)
    return scale * jnp.sqrt(((numbers / scale) ** 2).sum())
