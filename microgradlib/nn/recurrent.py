"""RNN, LSTM and GRU: recurrent networks over a sequence of inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from microgradlib.core.value import Value
from microgradlib.nn.activation import Activation
from microgradlib.nn.gated_cells import GRUCell, LSTMCell, LSTMState
from microgradlib.nn.module import Module
from microgradlib.nn.recurrent_cells import Cell, GateOptions, RNNCell, StateT
from microgradlib.nn.sequences import check_length

if TYPE_CHECKING:
    from collections.abc import Collection

    from typing_extensions import Unpack

    from microgradlib._support.checks import WholeNumber
    from microgradlib.nn.vectors import Vector

__all__ = ["GRU", "LSTM", "RNN", "Unfolded"]


class Unfolded(Module, Generic[StateT]):
    """A cell applied to each input of a sequence in turn: the unfolded graph of *Deep Learning*, 10.1.

    All time steps share the cell's weights, so `backward()` sums their gradients over time: backpropagation through
    time. `cell` is any `Cell`, including subclasses of your own; anything else raises `TypeError`.

    >>> hidden, last = Unfolded(RNNCell(1, 2, rng=0))([[0.5], [1.0], [-0.5]])
    >>> len(hidden), hidden[-1] is last
    (3, True)
    """

    def __init__(self, cell: Cell[StateT]) -> None:
        if not isinstance(cell, Cell):
            message = f"cell must be a recurrent cell, as in LSTMCell(2, 3), got {cell!r}"  # type: ignore[unreachable]
            raise TypeError(message)
        self.cell = cell
        self.summary_shape = cell.summary_shape

    def __call__(self, xs: Collection[Vector], state: Any = None) -> tuple[list[list[Value]], StateT]:
        """Return ([h_1, …, h_T], the state after x_T) for the inputs x_1, …, x_T and the state before them.

        `state` is zeros by default. Raises `ValueError` for an empty sequence and for an input or a state of the wrong
        length, `TypeError` for anything but a list.
        """
        if not hasattr(xs, "__len__"):
            message = f"a sequence must be a list of input vectors, [[…], […]], got {type(xs).__name__}"
            raise TypeError(message)
        if len(xs) == 0:
            raise ValueError("a sequence must have at least one time step, got an empty list")
        for t, x in enumerate(xs):
            check_length(x, self.cell.nin, f"xs[{t}], the input at time step {t},")
        hidden = []
        for x in xs:
            state = self.cell(x, state)
            hidden.append(self.cell.hidden(state))
        last: StateT = state
        return hidden, last

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class RNN(Unfolded[list[Value]]):
    """The vanilla recurrent network s_t = f(U x_t + W s_{t−1} + b) over a sequence; arguments are those of `RNNCell`.

    It returns ([s_1, …, s_T], s_T). A `Layer` may compute outputs o_t = softmax(V s_t); with the cost E = Σ_t E_t,
    E_t = −ln o_t[y_t], `backward()` computes ∂E/∂W = Σ_t Σ_{k ≤ t} (∂E_t/∂s_t) (Π_{j = k+1}^t ∂s_j/∂s_{j−1})
    ∂s_k/∂W. (*Deep Learning*, 10.2.)

    >>> from microgradlib import log, sum
    >>> from microgradlib.nn import Layer
    >>> rnn, readout = RNN(2, 3, rng=0), Layer(3, 2, "softmax", rng=1)
    >>> states, _ = rnn([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> outputs = [readout(s) for s in states]
    >>> E = -sum([log(o[y]) for o, y in zip(outputs, [1, 0, 1])])
    >>> E.backward()

    The states may be the inputs of another network: a stack of two layers.

    >>> deeper, _ = RNN(3, 4, rng=2)(states)
    """

    cell: RNNCell

    def __init__(
        self,
        nin: WholeNumber,
        nhidden: WholeNumber,
        activation: Activation = "tanh",
        *,
        bias_start: float = 0.0,
        **options: Unpack[GateOptions],
    ) -> None:
        super().__init__(RNNCell(nin, nhidden, activation, bias_start=bias_start, **options))


class LSTM(Unfolded[LSTMState]):
    """Long short-term memory over a sequence; the equations and arguments are those of `LSTMCell`.

    It returns ([h_1, …, h_T], (h_T, c_T)); pass (h_T, c_T) to the next call to continue the sequence. Gradients then
    flow back through both calls, unless you `detach()` the state's nodes.

    >>> lstm = LSTM(1, 2, rng=0, forget_bias=1.0)
    >>> hidden, (h, c) = lstm([[0.5], [1.0]])
    >>> more, _ = lstm([[0.0]], (h, c))
    """

    cell: LSTMCell

    def __init__(
        self, nin: WholeNumber, nhidden: WholeNumber, *, forget_bias: float = 0.0, **options: Unpack[GateOptions]
    ) -> None:
        super().__init__(LSTMCell(nin, nhidden, forget_bias=forget_bias, **options))


class GRU(Unfolded[list[Value]]):
    """Gated recurrent units over a sequence; the equations and arguments are those of `GRUCell`.

    It returns ([h_1, …, h_T], h_T).

    >>> hidden, last = GRU(1, 2, rng=0)([[0.5], [1.0]])
    >>> len(hidden), len(last)
    (2, 2)
    """

    cell: GRUCell

    def __init__(
        self, nin: WholeNumber, nhidden: WholeNumber, *, reset_after: bool = True, **options: Unpack[GateOptions]
    ) -> None:
        super().__init__(GRUCell(nin, nhidden, reset_after=reset_after, **options))
