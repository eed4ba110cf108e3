"""LSTMCell and GRUCell: recurrent cells with gates, whose gradients do not vanish over many time steps."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING, Any, TypeAlias

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, boolean, real_number, whole_number
from microgradlib._support.rng import Rng
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.recorded_calls import Unit, note_inside, unrecorded
from microgradlib.core.scopes import begin, name_number
from microgradlib.core.value import Value
from microgradlib.nn.initialisers import Init
from microgradlib.nn.recurrent_cells import Cell, Gate, GateOptions, gate_options, zeros
from microgradlib.nn.sequences import check_length, nodes_of_length
from microgradlib.ops import trigonometric

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["GRUCandidate", "GRUCell", "LSTMCell", "LSTMState"]

LSTMState: TypeAlias = tuple[list[Value], list[Value]]
"""The pair (h, c)."""


class LSTMCell(Cell[LSTMState]):
    """Long short-term memory: three gates control what is added to a cell c, kept in it, and output as h.

        i_t = σ(U x_t + W h_{t−1} + b)       `input_gate`: how much of g_t to add
        f_t = σ(U x_t + W h_{t−1} + b)       `forget_gate`: how much of c_{t−1} to keep
        g_t = tanh(U x_t + W h_{t−1} + b)    `candidate`: what to add
        o_t = σ(U x_t + W h_{t−1} + b)       `output_gate`: how much of tanh(c_t) to output
        c_t = f_t ∘ c_{t−1} + i_t ∘ g_t
        h_t = o_t ∘ tanh(c_t)

    Each gate is a `Gate` with its own U, W and b. The direct derivative of c_t with respect to c_{t−1} is f_t, without
    weights: with f near 1 the gradient along c neither vanishes nor explodes. Call it with x_t and the state (h_{t−1},
    c_{t−1}), zeros by default: it returns (h_t, c_t), two lists of `nhidden` nodes.

    `forget_bias` is the initial b of the forget gate; with 1, an untrained cell keeps most of c. `rng` and `init` are
    those of `Gate`. (*Deep Learning*, 10.10.1; Hochreiter and Schmidhuber, 1997; Gers et al., 2000.)

    >>> cell = LSTMCell(1, 2, rng=0, forget_bias=1.0)
    >>> h, c = cell([0.5], ([0.0, 0.0], [3.0, -3.0]))
    >>> [c_i.op.name for c_i in c], len(cell.parameters())
    (['dot', 'dot'], 32)
    """

    is_kept = True
    is_recorded = False  # it notes its calls itself, which takes less time for many units
    __call__ = unrecorded(Cell.__call__)

    @in_plain_words
    def __init__(
        self,
        nin: WholeNumber,
        nhidden: WholeNumber,
        *,
        bias: bool = True,
        forget_bias: float = 0.0,
        rng: Rng | None = None,
        init: Init = "fan_out",
    ) -> None:
        nin, nhidden = whole_number(nin, "nin"), whole_number(nhidden, "nhidden")
        forget_bias = real_number(forget_bias, "forget_bias", finite=False, example=1.0)
        options = gate_options(rng, init, bias=bias)
        self.input_gate = Gate(nin, nhidden, "sigmoid", **options)
        self.forget_gate = Gate(nin, nhidden, "sigmoid", bias_start=forget_bias, **options)
        self.candidate = Gate(nin, nhidden, "tanh", **options)
        self.output_gate = Gate(nin, nhidden, "sigmoid", **options)
        self.nin, self.nhidden = nin, nhidden
        self.summary_shape = f"{nin} → {nhidden}"

    def next_state(self, x: list[Value], state: LSTMState) -> LSTMState:
        """Return (h_t, c_t)."""
        began, (h, c) = begin(), state
        i, f = self.input_gate.outputs(x, h), self.forget_gate.outputs(x, h)
        g, o = self.candidate.outputs(x, h), self.output_gate.outputs(x, h)
        new_c = [weighted_sum([f_k, i_k], [c_k, g_k]) for f_k, i_k, c_k, g_k in zip(f, i, c, g)]
        new_h = [o_k * trigonometric.tanh(c_k) for o_k, c_k in zip(o, new_c)]
        note_inside(began, self, [x, h, c], [i, f, g, o], [new_h[0], new_c[-1]])
        return new_h, new_c

    def zero_state(self) -> LSTMState:
        """Return (h, c) before the first input: zeros."""
        return zeros(self.nhidden), [name_number(c_k, f"c.{k}") for k, c_k in enumerate(zeros(self.nhidden))]

    def checked_state(self, state: Any, name: str = "the state of this cell") -> LSTMState:
        """Return (h, c) as nodes. Raises `ValueError` or `TypeError` unless both have `nhidden` entries."""
        check_length(state, 2, f"{name}, the pair (h, c),")
        h, c = state
        return nodes_of_length(h, self.nhidden, f"h in {name}"), nodes_of_length(c, self.nhidden, f"c in {name}")

    def hidden(self, state: LSTMState) -> list[Value]:
        """Return h_t."""
        h, _ = state
        return h


class GRUCandidate(Gate):
    """tanh(U x + b + r ∘ (W h + c)): the candidate of a GRU whose reset gate r acts after W.

    It has two biases for each unit, `b` and `c`, unless `bias=False`.
    """

    not_weights = ("b", "c")
    scope_formula = "tanh(U x + b + r ∘ (W h + c))"

    def scope_units(self) -> list[Unit]:
        """Return none: a unit here has two net inputs, W h + c and that of tanh."""
        return []

    def __init__(self, nin: int, nhidden: int, **options: Unpack[GateOptions]) -> None:
        super().__init__(nin, nhidden, "tanh", **options)
        self.c = None if self.b is None else [Value(0.0, label=f"c{i}") for i in range(self.nhidden)]

    def reset_outputs(self, x: list[Value], h: list[Value], r: list[Value]) -> list[Value]:
        """Return the candidates; U x + b + r (W h + c) is one `dot` of (u, r) and (x, W h + c)."""
        began = begin()
        from_state = [weighted_sum(w, h, c) for w, c in zip(self.w, self.c or repeat(None))]
        units = zip(self.u, self.b or repeat(None), r, from_state)
        z = [weighted_sum([*u, r_k], [*x, from_state_k], b) for u, b, r_k, from_state_k in units]
        outputs = [self.f(z_k) for z_k in z]
        note_inside(began, self, [x, h, r], [from_state, z], [outputs[0], outputs[-1]])
        return outputs


class GRUCell(Cell[list[Value]]):
    """The gated recurrent unit: one gate controls how much of the state is kept, another how much the candidate uses.

        r_t = σ(U x_t + W h_{t−1} + b)                        `reset_gate`
        z_t = σ(U x_t + W h_{t−1} + b)                        `update_gate`
        n_t = tanh(U x_t + b + r_t ∘ (W h_{t−1} + c))         `candidate`
        h_t = (1 − z_t) ∘ n_t + z_t ∘ h_{t−1}

    Each gate has its own U, W and b. With `reset_after=False` the reset gate acts before W, as in the original
    paper, and there is no c: n_t = tanh(U x_t + W (r_t ∘ h_{t−1}) + b). Otherwise it acts after, as in PyTorch.

    Call it with x_t and h_{t−1}, zeros by default: it returns h_t, a list of `nhidden` nodes. `rng` and `init` are
    those of `Gate`. (*Deep Learning*, 10.10.2; Cho et al., 2014.)

    >>> cell = GRUCell(1, 2, rng=0)
    >>> h = cell([0.5], [0.1, -0.2])
    >>> [h_i.op.name for h_i in h], len(cell.parameters())
    (['dot', 'dot'], 26)
    >>> len(GRUCell(1, 2, rng=0, reset_after=False).parameters())
    24
    """

    is_kept = True
    is_recorded = False  # it notes its calls itself, which takes less time for many units
    __call__ = unrecorded(Cell.__call__)

    @in_plain_words
    def __init__(
        self,
        nin: WholeNumber,
        nhidden: WholeNumber,
        *,
        bias: bool = True,
        reset_after: bool = True,
        rng: Rng | None = None,
        init: Init = "fan_out",
    ) -> None:
        nin, nhidden = whole_number(nin, "nin"), whole_number(nhidden, "nhidden")
        options = gate_options(rng, init, bias=bias)
        reset_after = boolean(reset_after, "reset_after", numbers=True)
        self.reset_gate = Gate(nin, nhidden, "sigmoid", **options)
        self.update_gate = Gate(nin, nhidden, "sigmoid", **options)
        self.candidate = GRUCandidate(nin, nhidden, **options) if reset_after else Gate(nin, nhidden, "tanh", **options)
        self.nin, self.nhidden = nin, nhidden
        self.summary_shape = f"{nin} → {nhidden}"

    def next_state(self, x: list[Value], state: list[Value]) -> list[Value]:
        """Return h_t."""
        began = begin()
        r, z = self.reset_gate.outputs(x, state), self.update_gate.outputs(x, state)
        if isinstance(self.candidate, GRUCandidate):
            n = self.candidate.reset_outputs(x, state, r)
        else:
            n = self.candidate.outputs(x, [r_k * h_k for r_k, h_k in zip(r, state)])
        new_state = [weighted_sum([1 - z_k, z_k], [n_k, h_k]) for z_k, n_k, h_k in zip(z, n, state)]
        note_inside(began, self, [x, state], [z, n], [new_state[0], new_state[-1]])
        return new_state
