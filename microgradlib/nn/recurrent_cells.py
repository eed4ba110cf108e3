"""The vanilla recurrent cell s_t = f(U x_t + W s_{t−1} + b), and what all recurrent cells share."""

from __future__ import annotations

import random
from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeAlias

from microgradlib._support.rng import Rng, as_random
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.value import Value, as_node
from microgradlib.nn.activation import Activation, activation_name, activation_named
from microgradlib.nn.initialisers import initialiser_named
from microgradlib.nn.module import Module
from microgradlib.nn.sizes import check_length, count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Cell", "Gate", "Init", "RNNCell"]

Init: TypeAlias = "str | Callable[..., float]"


class Gate(Module):
    """f(U x + W s + b) for each of `nhidden` units: x is the input now, s the state before it.

    `u` holds U, a row of `nin` weights for each unit; `w` holds W, a row of `nhidden`; `b` has one bias each, at first
    `bias_start`, or is None with `bias=False`.
    Each net input is one n-ary `dot` node. `activation`: f, by name or as a function; "prelu"
    has one slope for all units. `rng`: a seed or `random.Random`; without one, Python's own generator draws, as
    `random.seed` set it. `init`: how weights are drawn, by name (see `INITIALISERS`) or as a function, by default
    `fan_out`, U(−k, k) with k = 1/√nhidden. Raises `TypeError` or `ValueError` for sizes that are no whole numbers of
    at least 1.

    >>> gate = Gate(3, 2, rng=0, bias_start=1.0)
    >>> [name for name, _ in gate.named_parameters()][4:8]
    ['u.1.1', 'u.1.2', 'w.0.0', 'w.0.1']
    """

    def __init__(
        self,
        nin: int,
        nhidden: int,
        activation: Activation = "sigmoid",
        *,
        rng: Rng | None = None,
        init: Init = "fan_out",
        bias: bool = True,
        bias_start: float = 0.0,
    ) -> None:
        generator: Any = random if rng is None else as_random(rng)
        draw = initialiser_named(init)
        self.nin, self.nhidden = count(nin, "nin"), count(nhidden, "nhidden")
        self.f = activation_named(activation)
        self.u, self.w = (
            [[Value(draw(generator, n, nhidden), label=f"{name}{i},{j}") for j in range(n)] for i in range(nhidden)]
            for name, n in (("u", nin), ("w", nhidden))
        )
        self.b = [Value(bias_start, label=f"b{i}") for i in range(self.nhidden)] if bias else None
        self.summary_shape = f"{nin} → {nhidden} {activation_name(activation)}"

    def outputs(self, x: Sequence[Any], s: Sequence[Any]) -> list[Any]:
        """Return f(U x + W s + b), a list of `nhidden` nodes, for x and s that are nodes of the right number."""
        inputs, f = [*x, *s], self.f
        return [f(weighted_sum([*u, *w], inputs, b)) for u, w, b in zip(self.u, self.w, self.b or repeat(None))]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class Cell(Module):
    """One step in time: from the input x_t and the state before it to the state after it.

    A subclass says how in `next_state`; if its state is more than the units' outputs h_t, also in `checked_state`,
    `zero_state` and `hidden`.
    """

    nin: int
    nhidden: int

    def __call__(self, x: Sequence[Any], state: Any = None) -> Any:
        """Return the state after the input x; `state` is the one before it, zeros if there is none.

        Raises `ValueError` for an x or a state of the wrong length, `TypeError` for one that is no list.
        """
        check_length(x, self.nin, "the input of this cell")
        before = self.zero_state() if state is None else self.checked_state(state)
        return self.next_state([as_node(x_d) for x_d in x], before)

    def next_state(self, x: list[Any], state: Any) -> Any:
        """Return the state after x, for a list of nodes and a checked state."""
        raise NotImplementedError

    def zero_state(self) -> Any:
        """Return the state before the first input: zeros."""
        return [Value(0.0) for _ in range(self.nhidden)]

    def checked_state(self, state: Any, what: str = "the state of this cell") -> Any:
        """Return a state as nodes. Raises `ValueError` or `TypeError` unless it has `nhidden` entries."""
        check_length(state, self.nhidden, what)
        return [as_node(s_i) for s_i in state]

    def hidden(self, state: Any) -> list[Any]:
        """Return h_t, the outputs of the hidden units, which the state is or contains."""
        return state  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class RNNCell(Cell, Gate):
    """s_t = f(U x_t + W s_{t−1} + b): a gate whose output is the next state, the memory of the network.

    U is `u`, W is `w`, both used at every time step. `activation` is f, "tanh" by default, or "relu"; the arguments
    are those of `Gate`. Call it with x_t and s_{t−1}, zeros by default: it returns s_t, a list of `nhidden` nodes.
    Biases are 0 at the start. (*Deep Learning*, 10.2, eq. 10.8.)

    >>> cell = RNNCell(1, 2, rng=0)
    >>> state = cell([0.5], [0.1, -0.2])
    >>> [s.op.name for s in state], len(cell.parameters())
    (['tanh', 'tanh'], 8)
    """

    def __init__(self, nin: int, nhidden: int, activation: Activation = "tanh", **gate: Any) -> None:
        super().__init__(nin, nhidden, activation, **gate)

    def next_state(self, x: list[Any], state: list[Any]) -> list[Any]:
        """Return s_t."""
        return self.outputs(x, state)
