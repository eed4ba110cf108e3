"""Vectorize: gather scalar operations of one kind into instructions on vectors, and dots into matrix products."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, Operand, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.vectorize.packs import Pack, packs_of, parts
from microgradlib.compiler.vectorize.slot_order import PACK, slot_order
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.trace import Trace, TracedNode

__all__ = ["vectorize"]

ADD, DOT = TABLE["add"], TABLE["dot"]


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

    Input slots 0 and 1 have a 1 behind them for X of [W b] [X; 1], the results 19:35 too.
    """
    nodes, spaces = trace.nodes, trace.spaces
    packs, place = slot_order(nodes, spaces, packs_of(nodes, spaces))
    parameters, inputs, constants = (
        [i for i, node in enumerate(nodes) if node.kind == kind] for kind in ("parameter", "input", "constant")
    )
    parameters.sort(key=place.__getitem__)
    inputs.sort(key=lambda i: (-(place[i] // PACK), place[i]))  # those of the first X last, before its ones
    slots = _Slots(spaces, packs)
    slots.enter(UNBATCHED, parameters)
    constant_slots = slots.enter(UNBATCHED, constants)
    slots.enter(BATCHED, inputs)
    instructions = [instruction for pack in packs for instruction in _instructions(pack, nodes, slots)]
    return ProgramData(
        instructions=tuple(instructions),
        outputs=tuple([slots.operand([y]) for y in trace.outputs]),
        shape=trace.shape,
        input_order=tuple([nodes[i].index for i in inputs]),
        parameter_order=tuple([nodes[i].index for i in parameters]),
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
        self.behind = self.of.copy()
        """The first slot behind those that were given together with a node's."""
        self.sizes = [0, 0]
        self.ones: list[int] = []
        ends = [(pack.x[0, -1, -1], pack.x.shape[2]) for pack in packs if pack.has_ones]
        self._width = dict(sorted(ends))  # of the widest X that ends with a node and has ones below

    def enter(self, space: int, members: Sequence[int]) -> Operand:
        """Give the members the next slots of a space, and those behind them to the ones below an X that ends there."""
        start, stop = self.sizes[space], self.sizes[space] + len(members)
        ones = range(stop, stop + max([self._width.get(i, 0) for i in members], default=0))
        self.sizes[space] = ones.stop
        self.ones += ones
        self.of[members], self.behind[members] = range(start, stop), stop
        self.of[-1] = NOT_REACHED
        return Operand.of(space, range(start, stop))

    def operand(self, nodes: Any) -> Operand:
        """Return the slots of nodes, of which the first is no padding."""
        nodes = numpy().array(nodes).ravel()
        return Operand.of(self.spaces[nodes[0]], self.of[nodes])


def _instructions(pack: Pack, nodes: Sequence[TracedNode], slots: _Slots) -> Iterator[Instruction]:
    """Yield the instruction of a pack, and another one if a bias is added to its results."""
    np, members, fields = numpy(), pack.members.ravel().tolist(), {}
    arguments = [nodes[i].arguments for i in members if i >= 0]
    is_added = pack.op is DOT and len(arguments[0]) % 2 == 1 and not pack.has_ones
    if pack.kind == "matmul":
        x = slots.of[pack.x]
        if pack.has_ones:
            ones = slots.behind[pack.x[0, -1, -1]] + np.arange(x.shape[2])
            x = np.append(x, ones[None, None], axis=1)
        operands = [slots.operand(pack.w), Operand.of(slots.spaces[pack.x[0, 0, 0]], x.ravel())]
        fields = {"terms": x.shape[1], "shape": (*pack.w.shape, x.shape[2])}
    else:
        read = list(zip(*[parts(pack.op, read) for read in arguments]))[: 2 if is_added else None]
        operands = [slots.operand(list(chain.from_iterable(part))) for part in read]
        counts = tuple(map(len, read[0]))
        fields = {"counts": counts} if pack.kind == "segment_reduce" else {"terms": counts[0]}
    results = slots.enter(slots.spaces[members[0]], [-1] * len(members) if is_added else members)
    yield Instruction(pack.kind, pack.op, results, tuple(operands), **fields)
    if is_added:
        bias = slots.operand([read[-1] for read in arguments])
        yield Instruction("elementwise", ADD, slots.enter(results.space, members), (results, bias))
