"""Recurrent networks over a sequence: RNN, LSTM and GRU, unfolded in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.nn.activation import Activation
from microgradlib.nn.gated_cells import GRUCell, LSTMCell
from microgradlib.nn.module import Module
from microgradlib.nn.recurrent_cells import Cell, RNNCell
from microgradlib.nn.sizes import check_length

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["GRU", "LSTM", "RNN", "Unfolded"]


class Unfolded(Module):
    """A cell applied to each input of a sequence in turn, the state handed on: the unfolded graph of 10.1.

    All time steps share the cell's weights, so `backward()` sums their gradients over time: backpropagation through
    time. Takes any `Cell`, one of your own too.

    >>> hidden, last = Unfolded(RNNCell(1, 2, rng=0))([[0.5], [1.0], [-0.5]])
    >>> len(hidden), hidden[-1] is last
    (3, True)
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.summary_shape = cell.summary_shape

    def __call__(self, xs: Sequence[Sequence[Any]], state: Any = None) -> tuple[list[list[Any]], Any]:
        """Return ([h_1, …, h_T], the state after x_T) for the inputs x_1, …, x_T and the state before them.

        `state` is zeros by default. Raises `ValueError` for no inputs, or for one, or a state, of the wrong length,
        `TypeError` for what is no list.
        """
        if not hasattr(xs, "__len__"):
            message = f"a sequence is a list of input vectors, [[…], […]], got {type(xs).__name__}"
            raise TypeError(message)
        if len(xs) == 0:
            message = "a sequence has at least one time step, got an empty one"
            raise ValueError(message)
        for t, x in enumerate(xs):
            check_length(x, self.cell.nin, f"xs[{t}], the input at time step {t},")
        hidden = []
        for x in xs:
            state = self.cell(x, state)
            hidden.append(self.cell.hidden(state))
        return hidden, state

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class RNN(Unfolded):
    """The vanilla recurrent network s_t = f(U x_t + W s_{t−1} + b) over a sequence; arguments as `RNNCell`.

    It returns ([s_1, …, s_T], s_T). A `Layer` reads out o_t = softmax(V s_t), and the costs of the time steps are
    summed, E = Σ_t E_t with E_t = −ln o_t[y_t]; `backward()` then finds ∂E/∂W = Σ_t Σ_{k ≤ t} (∂E_t/∂s_t)
    (Π_{j = k+1}^t ∂s_j/∂s_{j−1}) ∂s_k/∂W. (*Deep Learning*, 10.2.)

    >>> from microgradlib import log, sum
    >>> from microgradlib.nn import Layer
    >>> rnn, readout = RNN(2, 3, rng=0), Layer(3, 2, "softmax", rng=1)
    >>> states, _ = rnn([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    >>> outputs = [readout(s) for s in states]
    >>> E = -sum([log(o[y]) for o, y in zip(outputs, [1, 0, 1])])
    >>> E.backward()

    Another network may take its states for a sequence of inputs: a stack of two layers.

    >>> deeper, _ = RNN(3, 4, rng=2)(states)
    """

    def __init__(self, nin: int, nhidden: int, activation: Activation = "tanh", **cell: Any) -> None:
        super().__init__(RNNCell(nin, nhidden, activation, **cell))


class LSTM(Unfolded):
    """Long short-term memory over a sequence; the equations and arguments are those of `LSTMCell`.

    It returns ([h_1, …, h_T], (h_T, c_T)); hand (h_T, c_T) to the next call to go on where this one stopped. The
    gradient then runs back through both calls, unless you `detach()` the state's nodes.

    >>> lstm = LSTM(1, 2, rng=0, forget_bias=1.0)
    >>> hidden, (h, c) = lstm([[0.5], [1.0]])
    >>> more, _ = lstm([[0.0]], (h, c))
    """

    def __init__(self, nin: int, nhidden: int, **cell: Any) -> None:
        super().__init__(LSTMCell(nin, nhidden, **cell))


class GRU(Unfolded):
    """Gated recurrent units over a sequence; the equations and arguments are those of `GRUCell`.

    It returns ([h_1, …, h_T], h_T).

    >>> hidden, last = GRU(1, 2, rng=0)([[0.5], [1.0]])
    >>> len(hidden), len(last)
    (2, 2)
    """

    def __init__(self, nin: int, nhidden: int, **cell: Any) -> None:
        super().__init__(GRUCell(nin, nhidden, **cell))
