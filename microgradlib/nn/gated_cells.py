"""Cells whose gates let a gradient through: the LSTM and the GRU."""

from __future__ import annotations

from itertools import repeat
from typing import Any

from microgradlib._support.rng import Rng, as_random
from microgradlib.core.hot_paths import weighted_sum
from microgradlib.core.value import Value
from microgradlib.nn.recurrent_cells import Cell, Gate, Init
from microgradlib.nn.sizes import check_length
from microgradlib.ops import trigonometric

__all__ = ["GRUCandidate", "GRUCell", "LSTMCell"]


def _gates(rng: Rng | None, init: Init, *, bias: bool) -> dict[str, Any]:
    """Return the settings of all gates, and what they draw weights with in turn: a seed each would make them alike."""
    return {"rng": None if rng is None else as_random(rng), "init": init, "bias": bias}


class LSTMCell(Cell):
    """Long short-term memory: a cell c that is kept, forgotten and written to as three gates say, and shown by h.

        i_t = σ(U x_t + W h_{t−1} + b)       `input_gate`: how much to write
        f_t = σ(U x_t + W h_{t−1} + b)       `forget_gate`: how much to keep
        g_t = tanh(U x_t + W h_{t−1} + b)    `candidate`: what to write
        o_t = σ(U x_t + W h_{t−1} + b)       `output_gate`: how much to show
        c_t = f_t ∘ c_{t−1} + i_t ∘ g_t
        h_t = o_t ∘ tanh(c_t)

    Each gate is a `Gate` with a U, W and b of its own. Along c, ∂c_t/∂c_{t−1} holds the factor f_t and no weights: with
    f near 1 the gradient neither vanishes nor explodes. Call it with x_t and the state (h_{t−1}, c_{t−1}), zeros by
    default: it returns (h_t, c_t), two lists of `nhidden` nodes.

    `forget_bias` is b of the forget gate at the start; 1 lets a new cell remember. `rng` and `init` are those of
    `Gate`. (*Deep Learning*, 10.10.1; Hochreiter and Schmidhuber, 1997; Gers et al., 2000.)

    >>> cell = LSTMCell(1, 2, rng=0, forget_bias=1.0)
    >>> h, c = cell([0.5], ([0.0, 0.0], [3.0, -3.0]))
    >>> [c_i.op.name for c_i in c], len(cell.parameters())
    (['dot', 'dot'], 32)
    """

    def __init__(
        self,
        nin: int,
        nhidden: int,
        *,
        bias: bool = True,
        forget_bias: float = 0.0,
        rng: Rng | None = None,
        init: Init = "fan_out",
    ) -> None:
        gate = _gates(rng, init, bias=bias)
        self.input_gate = Gate(nin, nhidden, "sigmoid", **gate)
        self.forget_gate = Gate(nin, nhidden, "sigmoid", **gate, bias_start=forget_bias)
        self.candidate = Gate(nin, nhidden, "tanh", **gate)
        self.output_gate = Gate(nin, nhidden, "sigmoid", **gate)
        self.nin, self.nhidden = nin, nhidden
        self.summary_shape = f"{nin} → {nhidden}"

    def next_state(self, x: list[Any], state: tuple[list[Any], list[Any]]) -> tuple[list[Any], list[Any]]:
        """Return (h_t, c_t)."""
        h, c = state
        i, f = self.input_gate.outputs(x, h), self.forget_gate.outputs(x, h)
        g, o = self.candidate.outputs(x, h), self.output_gate.outputs(x, h)
        c = [weighted_sum(gates, written) for gates, written in zip(zip(f, i), zip(c, g))]
        return [o_k * trigonometric.tanh(c_k) for o_k, c_k in zip(o, c)], c

    def zero_state(self) -> tuple[list[Any], list[Any]]:
        """Return (h, c) before the first input: zeros."""
        return super().zero_state(), super().zero_state()

    def checked_state(self, state: Any, what: str = "the state of this cell") -> tuple[list[Any], list[Any]]:
        """Return (h, c) as nodes. Raises `ValueError` or `TypeError` unless both have `nhidden` entries."""
        check_length(state, 2, f"{what}, the pair (h, c),")
        h, c = state
        return super().checked_state(h, f"h in {what}"), super().checked_state(c, f"c in {what}")

    def hidden(self, state: tuple[list[Any], list[Any]]) -> list[Any]:
        """Return h_t."""
        return state[0]


class GRUCandidate(Gate):
    """tanh(U x + b + r ∘ (W h + c)): a gate whose W h + c is let through as r says.

    It has two biases for each unit, `b` and `c`.
    """

    not_weights = ("b", "c")

    def __init__(self, nin: int, nhidden: int, **gate: Any) -> None:
        super().__init__(nin, nhidden, "tanh", **gate)
        self.c = None if self.b is None else [Value(0.0, label=f"c{i}") for i in range(self.nhidden)]

    def reset_outputs(self, x: list[Any], h: list[Any], r: list[Any]) -> list[Any]:
        """Return the candidates; U x + b + r (W h + c) is one `dot` of (u, r) and (x, W h + c)."""
        recalled = [weighted_sum(w, h, c) for w, c in zip(self.w, self.c or repeat(None))]
        units = zip(self.u, self.b or repeat(None), r, recalled)
        return [self.f(weighted_sum([*u, r_k], [*x, recalled_k], b)) for u, b, r_k, recalled_k in units]


class GRUCell(Cell):
    """The gated recurrent unit: one gate says how much of the state to keep, another how much of it to consult.

        r_t = σ(U x_t + W h_{t−1} + b)                        `reset_gate`
        z_t = σ(U x_t + W h_{t−1} + b)                        `update_gate`
        n_t = tanh(U x_t + b + r_t ∘ (W h_{t−1} + c))         `candidate`
        h_t = (1 − z_t) ∘ n_t + z_t ∘ h_{t−1}

    Each gate has a U, W and b of its own. With `reset_after=False` the reset gate acts before W, as in the original
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

    def __init__(
        self,
        nin: int,
        nhidden: int,
        *,
        bias: bool = True,
        reset_after: bool = True,
        rng: Rng | None = None,
        init: Init = "fan_out",
    ) -> None:
        gate = _gates(rng, init, bias=bias)
        self.reset_gate = Gate(nin, nhidden, "sigmoid", **gate)
        self.update_gate = Gate(nin, nhidden, "sigmoid", **gate)
        self.candidate = GRUCandidate(nin, nhidden, **gate) if reset_after else Gate(nin, nhidden, "tanh", **gate)
        self.nin, self.nhidden = nin, nhidden
        self.summary_shape = f"{nin} → {nhidden}"

    def next_state(self, x: list[Any], state: list[Any]) -> list[Any]:
        """Return h_t."""
        r, z = self.reset_gate.outputs(x, state), self.update_gate.outputs(x, state)
        if isinstance(self.candidate, GRUCandidate):
            n = self.candidate.reset_outputs(x, state, r)
        else:
            n = self.candidate.outputs(x, [r_k * h_k for r_k, h_k in zip(r, state)])
        return [weighted_sum([1 - z_k, z_k], [n_k, h_k]) for z_k, n_k, h_k in zip(z, n, state)]
