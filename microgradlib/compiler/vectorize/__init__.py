"""Vectorize: gather equal scalar operations of one level into instructions on vectors, and dots into matrix products."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, Operand, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.vectorize.broadcast import broadcast, parts
from microgradlib.compiler.vectorize.packs import Pack, packed
from microgradlib.compiler.vectorize.slot_order import slot_order
from microgradlib.ops import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from microgradlib.compiler.trace import Trace, TracedNode

__all__ = ["vectorize"]

ADD = TABLE["add"]


def vectorize(trace: Trace) -> ProgramData:
    """Return the program of a canonical trace.

    Nodes of one op at one level (the longest way from a leaf) make an instruction. Dots that pair every row of a set
    of weights with every one of a set of inputs make a matrix product. Slots are ordered so that what is read together
    lies together.

    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [16, 1])
    >>> print(vectorize(canonicalize(trace(model, [[0.0, 0.0]], model.parameters()))).listing())
       0  batched[3:19] = matmul dot 1 of 16×3×1 unbatched[0:48], batched[0:3]
       1  batched[19:35] = elementwise relu batched[3:19]
       2  batched[36] = matmul dot 1 of 1×17×1 unbatched[48:65], batched[19:36]
          return batched[36]
    """
    nodes, is_batched, outputs = broadcast(trace)
    return _written(trace, nodes, is_batched, packed(nodes, is_batched), outputs)


class _Emitter:
    """Give everything a slot, and write the instructions."""

    def __init__(self, nodes: Sequence[TracedNode], is_batched: Sequence[bool], packs: Sequence[Pack]) -> None:
        self.nodes, self.is_batched = nodes, is_batched
        self.slots = numpy().full(len(nodes) + 1, NOT_REACHED)  # the last is that of node −1
        self.sizes = [0, 0]
        self.ones: dict[int, Any] = {}
        """For the last node of an X of a product [W b] [X; 1] the slots of ones that belong to it."""
        self.wanted: dict[int, int] = defaultdict(int)
        for pack in packs:
            if pack.bias == "column":
                last = pack.columns[-1][-1]
                self.wanted[last] = max(self.wanted[last], len(pack.columns))

    def new(self, space: int, count: int) -> Operand:
        """Return new slots."""
        start = self.sizes[space]
        self.sizes[space] += count
        return Operand.of(space, range(start, start + count))

    def enter(self, space: int, members: Sequence[int]) -> Operand:
        """Return new slots for these nodes, and leave room behind them for the ones of the X that end among them."""
        results = self.new(space, len(members))
        places = numpy().array(members, dtype=numpy().intp)
        self.slots[places[places >= 0]] = results.slots[places >= 0]
        ends = [i for i in members if i in self.wanted]
        if ends:
            ones = self.new(BATCHED, max(map(self.wanted.__getitem__, ends))).slots
            self.ones.update(dict.fromkeys(ends, ones))
        return results

    def operand(self, read: Sequence[int]) -> Operand:
        """Return the slots of these nodes, of which the first is no padding."""
        return Operand.of(self.space(read[0]), self.slots[numpy().array(read)])

    def space(self, node: int) -> int:
        return BATCHED if self.is_batched[node] else UNBATCHED

    def instructions(self, pack: Pack) -> Iterable[Instruction]:
        """Yield the instruction of a pack, and a second one that adds a bias."""
        members = pack.members
        space = self.space(members[0])
        if pack.kind == "matmul":
            shape = (pack.count, len(pack.rows) // pack.count, pack.terms, len(pack.columns) // pack.count)
            operands = self.matrices(pack, shape)
        else:
            shape = (1, 1, 1, 1)
            read = list(zip(*[parts(pack.op, self.nodes[i].arguments) for i in members]))
            operands = [self.operand(list(chain.from_iterable(r))) for r in read[: 2 if pack.bias else None]]
        counts = tuple(map(len, read[0])) if pack.kind == "segment_reduce" else ()
        if pack.bias != "added":
            results = self.enter(space, members)
            yield Instruction(pack.kind, pack.op, results, tuple(operands), pack.terms, shape, counts)
            return
        space = max([operand.space for operand in operands])
        product = self.new(space, len(members))
        yield Instruction(pack.kind, pack.op, product, tuple(operands), pack.terms, shape, counts)
        real = [k for k, i in enumerate(members) if i >= 0]
        members = [i for i in members if i >= 0]
        bias = self.operand([self.nodes[i].arguments[-1] for i in members])
        results = self.enter(self.space(members[0]), members)
        yield Instruction("elementwise", ADD, results, (Operand.of(space, product.slots[real]), bias))

    def matrices(self, pack: Pack, shape: tuple[int, int, int, int]) -> list[Operand]:
        np = numpy()
        w = self.operand(list(chain.from_iterable(pack.rows)))
        columns = self.slots[np.array(pack.columns)]  # (count · columns, terms)
        if pack.bias == "column":
            ones = self.ones[pack.columns[-1][-1]][: len(columns)]
            columns = np.hstack([columns, ones[:, None]])
        count, _, terms, width = shape
        x = columns.reshape(count, width, terms).swapaxes(1, 2).ravel()
        return [w, Operand.of(self.space(pack.columns[0][0]), x)]


def _written(
    trace: Trace,
    nodes: Sequence[TracedNode],
    is_batched: Sequence[bool],
    packs: Sequence[Pack],
    outputs: Sequence[int],
) -> ProgramData:
    """Order members and leaves, give everything a slot, and write the instructions."""
    place = slot_order(nodes, packs)
    leaves: dict[str, list[int]] = {"parameter": [], "constant": [], "input": []}
    for i, node in enumerate(nodes):
        if node.op is None:
            leaves[node.kind].append(i)
    parameters = sorted(leaves["parameter"], key=place.__getitem__)
    inputs = sorted(leaves["input"], key=lambda i: (-place[i][0], place[i][1], nodes[i].index))
    order = [nodes[i].index for i in parameters]
    order += sorted(set(range(trace.parameters)).difference(order))
    input_order = [nodes[i].index for i in inputs]
    input_order = sorted(set(range(trace.inputs)).difference(input_order)) + input_order
    emitter = _Emitter(nodes, is_batched, packs)
    emitter.enter(UNBATCHED, parameters)
    emitter.sizes[:] = len(order), len(input_order) - len(inputs)
    constants = emitter.enter(UNBATCHED, leaves["constant"])
    emitter.enter(BATCHED, inputs)
    instructions = [instruction for pack in packs for instruction in emitter.instructions(pack)]
    ones = {id(slots): slots for slots in emitter.ones.values()}.values()
    return ProgramData(
        tuple(instructions),
        tuple([emitter.operand([y]) for y in outputs]),
        trace.shape,
        tuple(input_order),
        tuple(order),
        tuple([nodes[i].number for i in leaves["constant"]]),
        tuple(constants.slots.tolist()),
        *emitter.sizes,
        tuple(chain.from_iterable(slots.tolist() for slots in ones)),
    )
