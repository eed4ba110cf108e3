"""RNNCell, s_t = f(U x_t + W s_{t−1} + b), and the base classes of all recurrent cells: Gate and Cell."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar, cast

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, boolean, real_number, whole_number
from microgradlib._support.lookup import check_options
from microgradlib._support.rng import Rng, as_random
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.recorded_calls import Unit, unrecorded
from microgradlib.core.value import Value
from microgradlib.nn.activation import Activation, activation_function, activation_name, net_formula, op_name
from microgradlib.nn.initialisers import Init, weight_drawer
from microgradlib.nn.module import Module
from microgradlib.nn.sequences import check_length, nodes_of_length

if TYPE_CHECKING:
    from collections.abc import Collection

    from typing_extensions import Unpack

    from microgradlib.nn.vectors import Vector

__all__ = ["Cell", "Gate", "GateOptions", "RNNCell", "StateT", "gate_options", "zeros"]

StateT = TypeVar("StateT")
"""A cell's state: a list of nodes, or for an LSTM a pair of lists."""


class GateOptions(TypedDict, total=False):
    """The keyword arguments of `Gate` that recurrent cells and networks pass on."""

    bias: bool
    rng: Rng | None
    init: Init


def gate_options(rng: Rng | None, init: Init, *, bias: bool) -> GateOptions:
    """Return the options of several gates, with one generator for all: gates drawn from equal seeds would be equal."""
    return {"rng": None if rng is None else as_random(rng), "init": init, "bias": boolean(bias, "bias", numbers=True)}


class Gate(Module):
    """f(U x + W s + b) for each of `nhidden` units: x is the current input, s the previous state.

    `u` is U, a row of `nin` weights for each unit; `w` is W, a row of `nhidden` weights; `b` has one bias for each,
    initially `bias_start`, or is None with `bias=False`. Each net input is one n-ary `dot` node. `activation`: f, by
    name or as a function; "prelu" has one slope for all units. `rng`: a seed or a `random.Random`, by default Python's
    global generator, which `random.seed` seeds. `init`: how weights are drawn, by name (see `INITIALISERS`) or as a
    function, by default `fan_out`, U(−k, k) with k = 1/√nhidden. Raises `TypeError` or `ValueError` for sizes that
    are not whole numbers >= 1.

    >>> gate = Gate(3, 2, rng=0, bias_start=1.0)
    >>> [name for name, _ in gate.named_parameters()][4:8]
    ['u.1.1', 'u.1.2', 'w.0.0', 'w.0.1']
    """

    @in_plain_words
    def __init__(
        self,
        nin: WholeNumber,
        nhidden: WholeNumber,
        activation: Activation = "sigmoid",
        *,
        rng: Rng | None = None,
        init: Init = "fan_out",
        bias: bool = True,
        bias_start: float = 0.0,
    ) -> None:
        nin, nhidden = whole_number(nin, "nin"), whole_number(nhidden, "nhidden")
        draw, with_bias = weight_drawer(init, rng), boolean(bias, "bias", numbers=True)
        bias_start = real_number(bias_start, "bias_start", finite=False, example=1.0)
        self.nin, self.nhidden = nin, nhidden
        self.f = activation_function(activation)
        self.u, self.w = (
            [[Value(draw(n, nhidden), label=f"{name}{i},{j}") for j in range(n)] for i in range(nhidden)]
            for name, n in (("u", nin), ("w", nhidden))
        )
        self.b = [Value(bias_start, label=f"b{i}") for i in range(nhidden)] if with_bias else None
        self.summary_shape = f"{nin} → {nhidden} {activation_name(activation)}"

    @property
    def scope_formula(self) -> str:  # type: ignore[override]
        """f(U x + W s + b)."""
        return net_formula(self.summary_shape.split(" ", 3)[-1], "U x + W s" if self.b is None else "U x + W s + b")

    @property
    def unit_formula(self) -> str:  # type: ignore[override]
        """f(u x + w s + b)."""
        return self.scope_formula.replace("U", "u").replace("W", "w")

    def scope_units(self) -> list[Unit]:
        """Return the units: each reads a row of U, a row of W and a bias."""
        inputs = [*[f"x.{j}" for j in range(self.nin)], *[f"s.{j}" for j in range(self.nhidden)]]
        rows = enumerate(zip(self.u, self.w, self.b or repeat(None)))
        return [Unit(f"unit {i}", [*u, *w], b, op_name(self.f), inputs) for i, (u, w, b) in rows]

    def outputs(self, x: Collection[Value], s: Collection[Value]) -> list[Value]:
        """Return f(U x + W s + b), a list of `nhidden` nodes, for `nin` nodes x and `nhidden` nodes s."""
        inputs, f = [*x, *s], self.f
        if len(inputs) != self.nin + self.nhidden:
            check_length(x, self.nin, "the input x of this gate")
            check_length(s, self.nhidden, "the state s of this gate")
        return [f(weighted_sum([*u, *w], inputs, b)) for u, w, b in zip(self.u, self.w, self.b or repeat(None))]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class Cell(Module, Generic[StateT]):
    """The base class of recurrent cells: one time step, from the input x_t and the previous state to the next state.

    A subclass defines `next_state`. If its state is anything but the list of the units' outputs h_t, it also overrides
    `zero_state`, `checked_state` and `hidden`. The type parameter is the type of the state, such as `list[Value]`.
    """

    nin: int
    nhidden: int
    scope_kind = "step"

    @in_plain_words
    def __call__(self, x: Vector, state: Any = None) -> StateT:
        """Return the next state, for the input x and the previous state, by default zeros.

        Raises `ValueError` for an x or a state of the wrong length, `TypeError` for one that is not a list.
        """
        inputs = nodes_of_length(x, self.nin, "the input of this cell")
        return self.next_state(inputs, self.zero_state() if state is None else self.checked_state(state))

    def next_state(self, x: list[Value], state: StateT) -> StateT:
        """Return the next state, for a list of nodes x and the previous state as `checked_state` returns it."""
        raise NotImplementedError

    def zero_state(self) -> StateT:
        """Return the state before the first input: zeros."""
        return cast("StateT", zeros(self.nhidden))

    def checked_state(self, state: Any, name: str = "the state of this cell") -> StateT:
        """Return a state as nodes. Raises `ValueError` or `TypeError` unless it has `nhidden` entries."""
        return cast("StateT", nodes_of_length(state, self.nhidden, name))

    def hidden(self, state: StateT) -> list[Value]:
        """Return h_t, the outputs of the hidden units, which the state is or contains."""
        return cast("list[Value]", state)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


def zeros(n: int) -> list[Value]:
    """Return n Values of 0.

    >>> [value.data for value in zeros(2)]
    [0.0, 0.0]
    """
    return [Value(0.0) for _ in range(n)]


class RNNCell(Cell[list[Value]], Gate):
    """s_t = f(U x_t + W s_{t−1} + b): a gate whose output is the next state.

    U is `u`, W is `w`, both used at every time step. `activation` is f, "tanh" by default, or "relu"; the arguments
    are those of `Gate`. Call it with x_t and s_{t−1}, zeros by default: it returns s_t, a list of `nhidden` nodes.
    Biases are initially 0. (*Deep Learning*, 10.2, eq. 10.8.)

    >>> cell = RNNCell(1, 2, rng=0)
    >>> state = cell([0.5], [0.1, -0.2])
    >>> [s.op.name for s in state], len(cell.parameters())
    (['tanh', 'tanh'], 8)
    """

    is_recorded = False  # drawings tell its units, and so its time steps, by the graph
    __call__ = unrecorded(Cell.__call__)

    def __init__(
        self,
        nin: WholeNumber,
        nhidden: WholeNumber,
        activation: Activation = "tanh",
        *,
        bias_start: float = 0.0,
        **options: Unpack[GateOptions],
    ) -> None:
        check_options(options, GateOptions, type(self))
        super().__init__(nin, nhidden, activation, bias_start=bias_start, **options)

    def next_state(self, x: list[Value], state: list[Value]) -> list[Value]:
        """Return s_t."""
        return self.outputs(x, state)
