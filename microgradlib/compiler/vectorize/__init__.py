"""Vectorize: gather scalar operations of one kind into instructions on vectors, and dots into matrix products."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from microgradlib.compiler.canonicalize import spaces_of
from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, Operand, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.vectorize.packs import Pack, packs_of, parts, with_dots_of_one_term
from microgradlib.compiler.vectorize.slot_order import slot_order
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.trace import Trace, TracedNode

__all__ = ["vectorize"]

ADD = TABLE["add"]


def vectorize(trace: Trace) -> ProgramData:
    """Return the forward program of a canonical trace.

    1. `packs_of` schedules the nodes: those of one op at one level make an instruction, dots matrix products.
    2. `slot_order` orders leaves and results, so that what is read together lies together.
    3. Every node gets its slot, in that order, and every pack is written as an instruction.

    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [16, 1])
    >>> print(vectorize(canonicalize(trace(model, [[0.0, 0.0]], model.parameters()))).listing())
       0  batched[3:19] = matmul dot 1 of 16×3×1 unbatched[0:48], batched[0:3]
       1  batched[19:35] = elementwise relu batched[3:19]
       2  batched[36] = matmul dot 1 of 1×17×1 unbatched[48:65], batched[19:36]
          return batched[36]

    Input slots 0 and 1 have a 1 behind them in slot 2, for X of [W b] [X; 1]; the results 19:35 have theirs in 35.
    """
    spaces = spaces_of(trace.nodes)
    nodes = with_dots_of_one_term(trace.nodes, spaces)
    packs, place = slot_order(nodes, spaces, packs_of(nodes, spaces))
    parameters, inputs, constants = (
        [i for i, node in enumerate(nodes) if node.kind == kind] for kind in ("parameter", "input", "constant")
    )
    parameters.sort(key=place.__getitem__)
    inputs.sort(key=lambda i: (-place[i][0], place[i][1], nodes[i].index))
    unread_parameters = sorted({*range(trace.parameters)}.difference([nodes[i].index for i in parameters]))
    unread_inputs = sorted({*range(trace.inputs)}.difference([nodes[i].index for i in inputs]))

    slots = _Slots(spaces, packs)
    slots.enter(UNBATCHED, [*parameters, *[-1] * len(unread_parameters)])
    constant_slots = slots.enter(UNBATCHED, constants)
    slots.enter(BATCHED, [*[-1] * len(unread_inputs), *inputs])
    instructions = [instruction for pack in packs for instruction in _instructions(pack, nodes, slots)]
    return ProgramData(
        instructions=tuple(instructions),
        outputs=tuple([slots.operand([y]) for y in trace.outputs]),
        shape=trace.shape,
        input_order=(*unread_inputs, *[nodes[i].index for i in inputs]),
        parameter_order=(*[nodes[i].index for i in parameters], *unread_parameters),
        constants=tuple([nodes[i].number for i in constants]),
        constant_slots=tuple(constant_slots.slots.tolist()),
        unbatched_size=slots.sizes[UNBATCHED],
        batched_size=slots.sizes[BATCHED],
        ones=tuple(slots.ones),
    )


class _Slots:
    """The slots given to nodes so far, `of` each node, and those of `ones`."""

    def __init__(self, spaces: Sequence[int], packs: Sequence[Pack]) -> None:
        self.spaces = spaces
        self.of = numpy().full(len(spaces) + 1, NOT_REACHED)  # the last is that of node −1
        self.sizes = [0, 0]
        self.ones: list[int] = []
        self._ones_behind: dict[int, int] = {}
        ends = [(pack.columns[-1][-1], len(pack.columns)) for pack in packs if pack.bias == "column"]
        self._width = dict(sorted(ends))  # of the widest X that ends with a node

    def enter(self, space: int, members: Sequence[int]) -> Operand:
        """Give the members the next slots of a space; each X that ends among them shares the ones behind them."""
        np = numpy()
        start = self.sizes[space]
        self.sizes[space] += len(members)
        nodes = np.array(members, dtype=np.intp)
        self.of[nodes[nodes >= 0]] = start + np.flatnonzero(nodes >= 0)
        if ends := [i for i in members if i in self._width]:
            self._ones_behind.update(dict.fromkeys(ends, self.sizes[BATCHED]))
            width = max([self._width[i] for i in ends])
            self.ones += range(self.sizes[BATCHED], self.sizes[BATCHED] + width)
            self.sizes[BATCHED] += width
        return Operand.of(space, range(start, start + len(members)))

    def operand(self, nodes: Sequence[int]) -> Operand:
        """Return the slots of nodes, of which the first is no padding."""
        return Operand.of(self.spaces[nodes[0]], self.of[numpy().array(nodes)])

    def matrices(self, pack: Pack) -> tuple[Operand, Operand]:
        """Return W row by row and X, below which a row of ones is added if W has a column of biases."""
        np = numpy()
        count, _, terms, width = pack.shape
        columns = self.of[np.array(pack.columns)]
        if pack.bias == "column":
            start = self._ones_behind[pack.columns[-1][-1]]
            columns = np.hstack([columns, np.arange(start, start + width)[:, None]])
        x = columns.reshape(count, width, terms).swapaxes(1, 2).ravel()
        return self.operand(list(chain.from_iterable(pack.rows))), Operand.of(self.spaces[pack.columns[0][0]], x)


def _instructions(pack: Pack, nodes: Sequence[TracedNode], slots: _Slots) -> Iterator[Instruction]:
    """Yield the instruction of a pack, and another one if a bias is added to its results."""
    members, is_added = pack.members, pack.bias == "added"
    counts: tuple[int, ...] = ()
    operands: tuple[Operand, ...]
    if pack.kind == "matmul":
        operands = slots.matrices(pack)
    else:
        read = list(zip(*[parts(pack.op, nodes[i].arguments) for i in members]))
        operands = tuple([slots.operand(list(chain.from_iterable(r))) for r in read[: 2 if is_added else None]])
        if pack.kind == "segment_reduce":
            counts = tuple(map(len, read[0]))
    results = slots.enter(slots.spaces[members[0]], [-1] * len(members) if is_added else members)
    yield Instruction(pack.kind, pack.op, results, operands, pack.terms, pack.shape, counts)
    if is_added:
        bias = slots.operand([nodes[i].arguments[-1] for i in members])
        yield Instruction("elementwise", ADD, slots.enter(results.space, members), (results, bias))
