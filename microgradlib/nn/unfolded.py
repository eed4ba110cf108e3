"""Unfolded and Recurrent: recurrent cells applied over a sequence of inputs, in one layer or several."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, boolean, fraction, whole_number
from microgradlib._support.shown import shown
from microgradlib.core.value import Value
from microgradlib.nn.dropout import Dropout
from microgradlib.nn.module import Module
from microgradlib.nn.recurrent_cells import Cell, GateOptions, StateT, gate_options
from microgradlib.nn.sequences import check_length

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from microgradlib._support.rng import Rng
    from microgradlib.nn.initialisers import Init
    from microgradlib.nn.vectors import Vector

__all__ = ["Recurrent", "RecurrentOptions", "Unfolded"]


class RecurrentOptions(GateOptions, total=False):
    """The keyword arguments that `RNN`, `LSTM` and `GRU` share."""

    num_layers: WholeNumber
    bidirectional: bool
    dropout: float


class Unfolded(Module, Generic[StateT]):
    """A cell applied to each input of a sequence in turn: the unfolded graph of *Deep Learning*, 10.1.

    All time steps share the cell's weights, so `backward()` sums their gradients over time: backpropagation through
    time. `cell` is any `Cell`, including subclasses of your own; anything else raises `TypeError`.

    >>> from microgradlib.nn import RNNCell
    >>> hidden, last = Unfolded(RNNCell(1, 2, rng=0))([[0.5], [1.0], [-0.5]])
    >>> len(hidden), hidden[-1] is last
    (3, True)
    """

    is_recorded = False  # drawings frame its time steps

    def __init__(self, cell: Cell[StateT]) -> None:
        if not isinstance(cell, Cell):
            message = f"cell must be a recurrent cell, as in LSTMCell(2, 3), got {shown(cell)}"  # type: ignore[unreachable]
            raise TypeError(message)
        self.cell = cell
        self.summary_shape = cell.summary_shape

    @in_plain_words
    def __call__(self, xs: Collection[Vector], state: Any = None) -> tuple[list[list[Value]], StateT]:
        """Return ([h_1, …, h_T], the state after x_T) for the inputs x_1, …, x_T and the state before them.

        `state` is zeros by default. Raises `ValueError` for an empty sequence and for an input or a state of the wrong
        length, `TypeError` for anything but a list.
        """
        _check_sequence(xs, self.cell.nin)
        return _unfold(self.cell, xs, state)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary_shape})"


class Recurrent(Unfolded[Any]):
    """The base of RNN, LSTM and GRU: layers of cells, each layer over the outputs of the one below.

    The first cell is the attribute `cell`; the others, if there are any, are `cell_l0_reverse`, `cell_l1`,
    `cell_l1_reverse`, …, in PyTorch's order, which is that of the parameters.
    """

    is_recorded = False

    def __init__(
        self,
        make_cell: Callable[[WholeNumber, GateOptions], Cell[Any]],
        nin: WholeNumber,
        nhidden: WholeNumber,
        *,
        num_layers: WholeNumber = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        rng: Rng | None = None,
        init: Init = "fan_out",
        bias: bool = True,
    ) -> None:
        self.num_layers = whole_number(num_layers, "num_layers")
        self.bidirectional = boolean(bidirectional, "bidirectional")
        dropout = fraction(dropout, "dropout", reason="the probability of dropping an output", example=0.5)
        if dropout and self.num_layers == 1:
            message = f"dropout acts between layers, so it needs num_layers >= 2, got dropout={dropout:g} and one layer"
            raise ValueError(message)
        options = gate_options(rng, init, bias=bias)
        super().__init__(make_cell(nin, options))
        directions = 2 if self.bidirectional else 1
        for k, name in enumerate(self._names()[1:], start=1):
            setattr(self, name, make_cell(nin if k < directions else directions * int(nhidden), options))
        self.dropout = Dropout(dropout, options["rng"]) if dropout else None
        if self.num_layers > 1:
            self.summary_shape += f", {self.num_layers} layers"
        self.summary_shape += ", bidirectional" * self.bidirectional + f", dropout {dropout:g}" * (dropout > 0)

    @property
    def cells(self) -> list[Cell[Any]]:
        """The cells in the order of their states: layer 0, layer 0 backward if bidirectional, layer 1 and so on."""
        return [getattr(self, name) for name in self._names()]

    def _names(self) -> list[str]:
        ends = ("", "_reverse") if self.bidirectional else ("",)
        return ["cell", *[f"cell_l{layer}{end}" for layer in range(self.num_layers) for end in ends][1:]]

    @in_plain_words
    def __call__(self, xs: Collection[Vector], state: Any = None) -> tuple[list[list[Value]], Any]:
        """Return ([h_1, …, h_T], the state at the end) for the inputs x_1, …, x_T and the state before them.

        h_t has `nhidden` entries, those of the last layer; if bidirectional, twice as many: those of its forward cell,
        which has seen x_1 … x_t, then those of its backward cell, which has seen x_T … x_t. The state is that of the
        cell; with several cells, a list with the state of each, in the order of `cells` (see `LSTM` for its pair).
        `state` is zeros by default. Errors are those of `Unfolded`.
        """
        cells = self.cells
        if len(cells) == 1:
            return super().__call__(xs, state)
        _check_sequence(xs, cells[0].nin)
        before = self._checked_states(state, cells)
        outputs: list[Any] = list(xs)
        after: list[Any] = []
        while len(after) < len(cells):
            if after and self.dropout:
                outputs = self.dropout(outputs)
            forward, last = _unfold(cells[len(after)], outputs, before[len(after)])
            after.append(last)
            if self.bidirectional:
                backward, last = _unfold(cells[len(after)], reversed(outputs), before[len(after)])
                after.append(last)
                forward = [[*h, *h_backward] for h, h_backward in zip(forward, reversed(backward))]
            outputs = forward
        return outputs, self._joined(after)

    def _checked_states(self, state: Any, cells: list[Cell[Any]]) -> list[Any]:
        """Return the state of each cell before the first input, as nodes. Raises as `Cell.checked_state`."""
        if state is None:
            return [None] * len(cells)
        states = self._split(state, len(cells))
        return [cell.checked_state(s, f"the state of {name}") for cell, s, name in zip(cells, states, self._names())]

    def _split(self, state: Any, n: int) -> list[Any]:
        """Return the states of the n cells. Raises as `check_length`."""
        check_length(state, n, "the state of this network, one list for each cell,")
        return list(state)

    def _joined(self, states: list[Any]) -> Any:
        """Return the state of the network, from those of its cells."""
        return states


def _check_sequence(xs: Any, nin: int) -> None:
    if not hasattr(xs, "__len__"):
        message = f"a sequence must be a list of input vectors, [[…], […]], got {shown(xs)}"
        raise TypeError(message)
    if len(xs) == 0:
        raise ValueError("a sequence must have at least one time step, got an empty list")
    for t, x in enumerate(xs):
        check_length(x, nin, f"xs[{t}], the input at time step {t},")


def _unfold(cell: Cell[StateT], xs: Iterable[Vector], state: Any) -> tuple[list[list[Value]], StateT]:
    hidden = []
    for x in xs:
        state = cell(x, state)
        hidden.append(cell.hidden(state))
    last: StateT = state
    return hidden, last
