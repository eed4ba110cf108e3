"""Roll: gather equal scalar operations of one level into instructions on vectors, and dots into matrix products."""

from __future__ import annotations

from collections import defaultdict
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from microgradlib.compiler.group import Group
from microgradlib.compiler.instructions import BATCH, FIXED, Instruction, Operand
from microgradlib.compiler.layout import wishes
from microgradlib.compiler.levels import levels
from microgradlib.compiler.program import Program
from microgradlib.compiler.spread import PAIRED, parts, spread
from microgradlib.compiler.trace import Trace, TracedNode
from microgradlib.ops import TABLE, Op

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["roll"]

DOT = TABLE["dot"]
OF_ANY_LENGTH = {"sum", "mean", "dot", "maximum", "minimum"}
"""Ops of any number of terms that one instruction computes for results with different numbers of them."""


def roll(trace: Trace) -> Program:
    """Return the program of a canonical trace.

    Nodes of one op at one level (the longest way from a leaf) make an instruction. Dots that pair every row of a set
    of weights with every one of a set of inputs make a matrix product. Slots are ordered so that what is read together
    lies together.

    >>> from microgradlib import relu
    >>> from microgradlib.compiler.canonical import canonical
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [16, 16, 1])
    >>> program = roll(canonical(trace(model, [[0.0, 0.0]], model.parameters())))
    >>> [(i.kind, i.op.name, i.size) for i in program.instructions]
    [('product', 'dot', 16), ('map', 'relu', 16), ('product', 'dot', 16), ('map', 'relu', 16), ('product', 'dot', 1)]
    """
    nodes, varies, outputs = spread(trace)
    groups = _grouped(nodes, varies)
    return _written(trace, nodes, varies, groups, outputs)


def _grouped(nodes: Sequence[TracedNode], varies: Sequence[bool]) -> list[Group]:
    """Return the groups in the order in which they can be computed."""
    numbers: dict[Any, int] = {}  # in place of kinds, as they are quicker to look up
    kinds = [
        None if node.op is None else numbers.setdefault(_kind(node.op, node.arguments, varies, i), len(numbers))
        for i, node in enumerate(nodes)
    ]
    alike: dict[Any, list[int]] = defaultdict(list)
    for i, level in enumerate(levels(nodes, kinds)):
        if kinds[i] is not None:
            alike[level, kinds[i]].append(i)
    groups: list[Group] = []
    for key in sorted(alike, key=lambda key: (key[0], alike[key][0])):
        members = alike[key]
        node = nodes[members[0]]
        if node.op is DOT:
            groups += _dots(nodes, members, weights_vary=varies[node.arguments[0]])
        elif node.op is not None and node.op.variadic:
            groups.append(_reduction(nodes, members, len(parts(node.op, node.arguments)[0])))
        else:
            groups.append(Group("map", node, members))
    return groups


def _reduction(nodes: Sequence[TracedNode], members: list[int], terms: int) -> Group:
    alike = len({len(nodes[i].arguments) for i in members}) == 1
    return Group("reduce" if alike else "segments", nodes[members[0]], members, terms if alike else 0)


def _kind(op: Op, arguments: tuple[int, ...], varies: Sequence[bool], i: int) -> Any:
    """Return what nodes of one instruction have in common, but for their level."""
    firsts: Sequence[int] = arguments
    if op.variadic:
        paired = op is DOT or (op.name in PAIRED and len(arguments) % 2 == 0)
        firsts = arguments[:: len(arguments) // 2] if paired else arguments[:1]
    banks = tuple(map(varies.__getitem__, firsts))
    same = op.variadic and not (op.name in OF_ANY_LENGTH and banks[0])
    return op.name, op.settings, varies[i], banks, len(arguments) if same else 0


def _dots(nodes: Sequence[TracedNode], members: list[int], *, weights_vary: bool) -> Iterable[Group]:
    """Part dots into matrix products, where weights are fixed, and the rest."""
    node = nodes[members[0]]
    terms = len(node.arguments) // 2
    if weights_vary:
        return [_reduction(nodes, members, terms)]
    by_column: dict[tuple[int, ...], dict[tuple[int, ...], int]] = defaultdict(dict)
    repeated: list[int] = []
    for i in members:
        w, x = nodes[i].arguments[:terms], nodes[i].arguments[terms : 2 * terms]
        if w in by_column[x]:
            repeated.append(i)  # same weights and inputs, another bias
        else:
            by_column[x][w] = i
    by_rows: dict[tuple[tuple[int, ...], ...], list[tuple[int, ...]]] = defaultdict(list)
    for x, weights in by_column.items():
        by_rows[tuple(sorted(weights))].append(x)
    groups = []
    for rows, columns in by_rows.items():
        cells = [by_column[x][w] for w in rows for x in columns]
        groups.append(Group("product", node, cells, terms, list(rows), columns))
    return groups + ([Group("reduce", node, repeated, terms)] if repeated else [])


def _written(
    trace: Trace, nodes: Sequence[TracedNode], varies: Sequence[bool], groups: list[Group], outputs: Sequence[int]
) -> Program:
    """Order the groups' members and the leaves, give everything a slot, and write the instructions."""
    wish = wishes(nodes, groups)
    ends = _ends(nodes, groups)
    slots, sizes = [0] * len(nodes), [0, 0]
    ones: list[int] = []

    def enter(members: Sequence[int]) -> None:
        bank = BATCH if members and varies[members[0]] else FIXED
        for slot, i in enumerate(members, sizes[bank]):
            slots[i] = slot
        sizes[bank] += len(members)
        room = ends.get(members[-1], 0) if members else 0
        ones.extend(range(sizes[BATCH], sizes[BATCH] + room))
        sizes[BATCH] += room

    leaves: dict[str, list[int]] = {"parameter": [], "constant": [], "input": []}
    for i, node in enumerate(nodes):
        if node.op is None:
            leaves[node.kind].append(i)
    parameters = sorted(leaves["parameter"], key=wish.__getitem__)
    inputs = sorted(leaves["input"], key=lambda i: (-wish[i][0], wish[i][1]))
    order = [nodes[i].index for i in parameters]
    order += sorted(set(range(trace.parameters)).difference(order))
    input_order = [nodes[i].index for i in inputs]
    input_order = sorted(set(range(trace.inputs)).difference(input_order)) + input_order
    enter(parameters)
    sizes[FIXED] = len(order)
    enter(leaves["constant"])
    sizes[BATCH] = len(input_order) - len(inputs)
    enter(inputs)
    instructions = []
    for group in groups:
        start = sizes[BATCH if varies[group.members[0]] else FIXED]
        enter(group.members)
        instructions.append(_instruction(group, nodes, varies, slots, start))
    return Program(
        tuple(instructions),
        tuple([Operand(BATCH if varies[y] else FIXED, (slots[y],)) for y in outputs]),
        trace.shape,
        tuple(input_order),
        tuple(order),
        tuple([nodes[i].number for i in leaves["constant"]]),
        sizes[FIXED],
        sizes[BATCH],
        tuple(ones),
    )


def _ends(nodes: Sequence[TracedNode], groups: Sequence[Group]) -> dict[int, int]:
    """Return the last number of each X of a product W X + b, and how many columns of ones are wanted behind it."""
    ends: dict[int, int] = defaultdict(int)
    for group in groups:
        if group.kind == "product" and group.biases(nodes) not in (None, [()] * len(group.rows)):
            last = group.columns[-1][-1]
            ends[last] = max(ends[last], len(group.columns))
    return ends


def _instruction(
    group: Group, nodes: Sequence[TracedNode], varies: Sequence[bool], slots: Sequence[int], start: int
) -> Instruction:
    op, members = cast(Op, group.node.op), group.members
    terms: list[Sequence[tuple[int, ...]]] = list(zip(*[parts(op, nodes[i].arguments) for i in members]))
    if group.kind == "product":
        terms[:2] = [group.rows, list(zip(*group.columns))]
    operands = []
    for read in terms:
        bank = BATCH if varies[read[0][0]] else FIXED
        operands.append(Operand(bank, tuple(map(slots.__getitem__, chain.from_iterable(read)))))
    bank = BATCH if varies[members[0]] else FIXED
    counts = tuple(map(len, terms[0])) if group.kind == "segments" else ()
    return Instruction(group.kind, op, bank, start, len(members), tuple(operands), group.terms, len(group.rows), counts)
