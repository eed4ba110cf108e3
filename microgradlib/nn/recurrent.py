"""RNN, LSTM and GRU: recurrent networks over a sequence, of one layer or several, in one direction or both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.checks import WholeNumber
from microgradlib._support.lookup import check_options
from microgradlib.nn.activation import Activation
from microgradlib.nn.gated_cells import GRUCell, LSTMCell
from microgradlib.nn.recurrent_cells import GateOptions, RNNCell
from microgradlib.nn.sequences import check_length
from microgradlib.nn.unfolded import Recurrent, RecurrentOptions, Unfolded

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["GRU", "LSTM", "RNN", "Unfolded"]


class RNN(Recurrent):
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

    `num_layers` L: the inputs of each layer are the outputs of the one below. `bidirectional`: each layer has a second
    cell, which goes through the sequence from its end, and the outputs of a layer are those of both (*Deep Learning*,
    10.3). `dropout`: the probability with which an output that one layer passes to the next is dropped in training
    mode, see `Dropout`. The cells are `cells`, in PyTorch's order: layer 0, layer 0 backward, layer 1, …; with more
    than one, the state is a list of theirs. Raises `ValueError` for `dropout` with a single layer.

    >>> rnn = RNN(2, 3, num_layers=2, bidirectional=True, rng=0)
    >>> states, last = rnn([[1.0, 0.0], [0.0, 1.0]])
    >>> len(states[0]), [cell.nin for cell in rnn.cells], [len(s) for s in last]
    (6, [2, 2, 6, 6], [3, 3, 3, 3])
    >>> states[-1][:3] == last[2], states[0][3:] == last[3]
    (True, True)
    """

    cell: RNNCell

    def __init__(
        self,
        nin: WholeNumber,
        nhidden: WholeNumber,
        activation: Activation = "tanh",
        *,
        bias_start: float = 0.0,
        **options: Unpack[RecurrentOptions],
    ) -> None:
        check_options(options, RecurrentOptions, type(self))

        def make_cell(inputs: WholeNumber, gate: GateOptions) -> RNNCell:
            return RNNCell(inputs, nhidden, activation, bias_start=bias_start, **gate)

        super().__init__(make_cell, nin, nhidden, **options)


class LSTM(Recurrent):
    """Long short-term memory over a sequence; the equations and arguments are those of `LSTMCell`.

    It returns ([h_1, …, h_T], (h_T, c_T)); pass (h_T, c_T) to the next call to continue the sequence. Gradients then
    flow back through both calls, unless you `detach()` the state's nodes.

    >>> lstm = LSTM(1, 2, rng=0, forget_bias=1.0)
    >>> hidden, (h, c) = lstm([[0.5], [1.0]])
    >>> more, _ = lstm([[0.0]], (h, c))

    `num_layers`, `bidirectional` and `dropout` are those of `RNN`. With several cells h and c are lists of the cells'.

    >>> hidden, (h, c) = LSTM(1, 2, num_layers=3, rng=0)([[0.5], [1.0]])
    >>> len(h), h[-1] == hidden[-1], [len(c_k) for c_k in c]
    (3, True, [2, 2, 2])
    """

    cell: LSTMCell

    def __init__(
        self, nin: WholeNumber, nhidden: WholeNumber, *, forget_bias: float = 0.0, **options: Unpack[RecurrentOptions]
    ) -> None:
        check_options(options, RecurrentOptions, type(self))

        def make_cell(inputs: WholeNumber, gate: GateOptions) -> LSTMCell:
            return LSTMCell(inputs, nhidden, forget_bias=forget_bias, **gate)

        super().__init__(make_cell, nin, nhidden, **options)

    def _split(self, state: Any, n: int) -> list[Any]:
        check_length(state, 2, "the state of this network, the pair (h, c),")
        for part, name in zip(state, "hc"):
            check_length(part, n, f"{name} in the state of this network, one list for each cell,")
        return list(zip(*state))

    def _joined(self, states: list[Any]) -> Any:
        return [h for h, _ in states], [c for _, c in states]


class GRU(Recurrent):
    """Gated recurrent units over a sequence; the equations and arguments are those of `GRUCell`.

    It returns ([h_1, …, h_T], h_T). `num_layers`, `bidirectional` and `dropout` are those of `RNN`.

    >>> hidden, last = GRU(1, 2, rng=0)([[0.5], [1.0]])
    >>> len(hidden), len(last)
    (2, 2)
    """

    cell: GRUCell

    def __init__(
        self, nin: WholeNumber, nhidden: WholeNumber, *, reset_after: bool = True, **options: Unpack[RecurrentOptions]
    ) -> None:
        check_options(options, RecurrentOptions, type(self))

        def make_cell(inputs: WholeNumber, gate: GateOptions) -> GRUCell:
            return GRUCell(inputs, nhidden, reset_after=reset_after, **gate)

        super().__init__(make_cell, nin, nhidden, **options)
