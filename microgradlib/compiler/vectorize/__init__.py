"""Vectorize: gather scalar operations of one kind into instructions on vectors, and dots into matrix products."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, UNBATCHED, Instruction, Operand, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.compiler.trace import Trace, TracedNode
from microgradlib.compiler.vectorize.packs import Pack, packs_of, parts
from microgradlib.ops import TABLE

__all__ = ["vectorize"]

ADD, DOT = TABLE["add"], TABLE["dot"]
PACK = 1 << 32
"""What pack n reads at position p has place n PACK + p."""


def vectorize(trace: Trace) -> ProgramData:
    """Return the forward program of a canonical trace.

    1. `packs_of` schedules the nodes: those of one op at one level make an instruction, dots matrix products.
    2. `_slot_order` orders leaves and results, so that what is read together lies together.
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
    """
    nodes, spaces = trace.nodes, trace.spaces
    packs, place = _slot_order(nodes, spaces, packs_of(nodes, spaces))
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


def _slot_order(nodes: Sequence[TracedNode], spaces: Sequence[int], packs: Sequence[Pack]) -> tuple[list[Pack], Any]:
    """Return the packs with their members as readers want them, and the place of each node where it is read first.

    Readers are asked before what they read is ordered: the packs are gone through backwards. Batch matmuls are left as
    they are: they copy what they read, and their result. Products with the same weights, the steps of a recurrent
    network, have one order of rows. Of several readers of a pack's results, that of the most of them is asked, and of
    those of as many the first: a sum for rows of two and another for longer ones take what suits what reads all rows.
    """
    np, ordered = numpy(), list(packs)
    place, share, maker = np.full(len(nodes), len(packs) * PACK), np.zeros(len(nodes), int), np.zeros(len(nodes), int)
    for number, pack in enumerate(packs, 1):
        maker[pack.members[pack.members >= 0]] = number
    row_orders: dict[tuple[Any, bytes], Any] = {}
    for number in reversed(range(len(packs))):
        pack = packs[number]
        if pack.kind != "matmul":
            pack = replace(pack, members=pack.members[np.argsort(place[pack.members], kind="stable")])
        elif spaces[pack.w.flat[0]] == BATCHED:
            continue
        else:
            wanted = place[pack.members]
            key = pack.w.shape, pack.w.tobytes()
            rows = row_orders.setdefault(key, np.argsort(wanted[0].min(axis=1), kind="stable"))
            columns = np.argsort(wanted[0, rows[0]], kind="stable")
            members, x = pack.members[:, rows][:, :, columns], pack.x[:, :, columns]
            pack = replace(pack, members=members, w=pack.w[:, rows], x=x)
        ordered[number] = pack
        read = _reads(pack, nodes)
        parts = np.bincount(maker[np.unique(read)], minlength=len(packs) + 1)
        parts[0] = len(nodes)  # leaves are as the first reader wants them
        is_asked = parts[maker[read]] >= share[read]
        asked, places = read[is_asked], (number * PACK + np.arange(len(read)))[is_asked]
        share[asked] = parts[maker[asked]]
        place[asked[::-1]] = places[::-1]  # the first is the last written, and counts
    return ordered, place


def _reads(pack: Pack, nodes: Sequence[TracedNode]) -> Any:
    """Return the nodes that a pack reads, in the order that suits it."""
    np = numpy()
    if pack.kind == "matmul":  # windows that overlap suit the function's order
        return np.append(pack.w, pack.x if len({*pack.x.flat}) == pack.x.size else pack.x[:0])
    arguments = [nodes[i].arguments for i in pack.members.tolist()]
    if pack.kind == "segment_reduce":
        return np.array(list(chain.from_iterable(arguments)))
    return np.array(arguments).T.ravel()  # of reductions all first terms, then all second ones, as in a matrix product


class _Slots:
    """The slots given so far: `of` each node, `behind` those that it was given its own with, and those of `ones`."""

    def __init__(self, spaces: Sequence[int], packs: Sequence[Pack]) -> None:
        self.spaces = spaces
        self.of = numpy().full(len(spaces) + 1, NOT_REACHED)  # the last is that of node −1
        self.behind = self.of.copy()
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
