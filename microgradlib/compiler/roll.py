"""Roll: gather equal scalar operations of one level into instructions on vectors, and dots into matrix products."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from microgradlib.compiler.layout import NO_WISH, wishes
from microgradlib.compiler.levels import levels
from microgradlib.compiler.program import BATCH, FIXED, Instruction, Operand, Program
from microgradlib.compiler.trace import Node, Trace
from microgradlib.ops import TABLE, Op

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Group", "roll"]

ADD, DOT, IDENTITY = TABLE["add"], TABLE["dot"], TABLE["identity"]
OF_ANY_LENGTH = {"sum", "mean", "dot", "maximum", "minimum"}
"""Ops of any number of terms that one instruction computes for results with different numbers of them."""


@dataclass
class Group:
    """Nodes that one instruction computes, in the order of its results.

    Of a "product" Z = W X + b, `rows` are those of W, `columns` those of X, and the members go row by row.
    """

    kind: str
    node: Node
    members: list[int]
    terms: int = 1
    rows: list[tuple[int, ...]] = field(default_factory=list)
    columns: list[tuple[int, ...]] = field(default_factory=list)

    def biases(self, nodes: Sequence[Node]) -> list[tuple[int, ...]] | None:
        """Return the bias of each row of a product, () where there is none; None if it differs within a row."""
        width, n = len(self.columns), 2 * self.terms
        parts = [self.members[start : start + width] for start in range(0, len(self.members), width)]
        found = [{nodes[i].arguments[n:] for i in part} for part in parts]
        return [bias for [bias] in found] if all(len(row) == 1 for row in found) else None


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
    nodes, varies, outputs = _spread(trace)
    groups = _grouped(nodes, varies)
    return _written(trace, nodes, varies, groups, outputs)


def _spread(trace: Trace) -> tuple[list[Node], list[bool], list[int]]:
    """Return the nodes, which of them vary within a batch, and the outputs.

    Where an n-ary op mixes both kinds, copies into the batch bank make them one.
    """
    nodes: list[Node] = []
    varies: list[bool] = []
    moved: list[int] = []
    copies: dict[int, int] = {}

    def enter(node: Node, *, varying: bool) -> int:
        nodes.append(node)
        varies.append(varying)
        return len(nodes) - 1

    def spread(a: int) -> int:
        if not varies[a]:
            if a not in copies:
                copies[a] = enter(Node("op", IDENTITY, (a,)), varying=True)
            return copies[a]
        return a

    def alike(part: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(map(spread, part)) if len({varies[a] for a in part}) > 1 else part

    for node in trace.nodes:
        arguments = tuple([moved[a] for a in node.arguments])
        if node.op is not None and node.op.variadic:
            parts = _parts(node, arguments)
            if len(parts) == 3 and not any(varies[a] for a in arguments[:-1]):  # only the bias varies: w·x, then + b
                product = enter(Node("op", DOT, arguments[:-1]), varying=False)
                node, arguments = Node("op", ADD), (product, arguments[-1])  # noqa: PLW2901
            else:
                arguments = tuple([a for part in parts for a in alike(part)])
        varying = node.kind == "input" or any(varies[a] for a in arguments)
        moved.append(enter(Node(node.kind, node.op, arguments, node.index, node.number), varying=varying))
    return nodes, varies, [moved[y] for y in trace.outputs]


def _parts(node: Node, arguments: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the arguments operand by operand: of a dot its weights, inputs and perhaps bias."""
    if node.op is DOT:
        n = len(arguments) // 2
        return (arguments[:n], arguments[n : 2 * n], *[(b,) for b in arguments[2 * n :]])
    return (arguments,) if node.op is not None and node.op.variadic else tuple([(a,) for a in arguments])


def _grouped(nodes: Sequence[Node], varies: Sequence[bool]) -> list[Group]:
    """Return the groups in the order in which they can be computed."""
    kinds = [_kind(i, nodes, varies) for i in range(len(nodes))]
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
            groups.append(_reduction(nodes, members, len(node.arguments)))
        else:
            groups.append(Group("map", node, members))
    return groups


def _reduction(nodes: Sequence[Node], members: list[int], terms: int) -> Group:
    alike = len({len(nodes[i].arguments) for i in members}) == 1
    return Group("reduce" if alike else "segments", nodes[members[0]], members, terms if alike else 0)


def _kind(i: int, nodes: Sequence[Node], varies: Sequence[bool]) -> Any:
    """Return what nodes of one instruction have in common, but for their level; None for a leaf."""
    node = nodes[i]
    if node.op is None:
        return None
    banks = tuple([varies[part[0]] for part in _parts(node, node.arguments)])
    same = node.op.variadic and not (node.op.name in OF_ANY_LENGTH and banks[0])
    return node.op.name, node.op.settings, varies[i], banks, len(node.arguments) if same else 0


def _dots(nodes: Sequence[Node], members: list[int], *, weights_vary: bool) -> Iterable[Group]:
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
    trace: Trace, nodes: Sequence[Node], varies: Sequence[bool], groups: list[Group], outputs: Sequence[int]
) -> Program:
    """Order the groups' members and the leaves, give everything a slot, and write the instructions."""
    wish = wishes(nodes, groups)
    ends = _ends(nodes, groups)
    slots: dict[int, int] = {}
    sizes = [0, 0]
    ones: list[int] = []

    def enter(members: Sequence[int]) -> None:
        for i in members:
            bank = BATCH if varies[i] else FIXED
            slots[i] = sizes[bank]
            sizes[bank] += 1
        room = ends.get(members[-1], 0) if members else 0
        ones.extend(range(sizes[BATCH], sizes[BATCH] + room))
        sizes[BATCH] += room

    leaves: dict[str, list[int]] = {"parameter": [], "constant": [], "input": []}
    for i, node in enumerate(nodes):
        if node.op is None:
            leaves[node.kind].append(i)
    parameters = sorted(leaves["parameter"], key=lambda i: wish.get(i, NO_WISH))
    inputs = sorted(leaves["input"], key=lambda i: (-wish[i][0], wish[i][1]) if i in wish else (-len(nodes), 0))
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


def _ends(nodes: Sequence[Node], groups: Sequence[Group]) -> dict[int, int]:
    """Return the last number of each X of a product W X + b, and how many columns of ones are wanted behind it."""
    ends: dict[int, int] = defaultdict(int)
    for group in groups:
        if group.kind == "product" and group.biases(nodes) not in (None, [()] * len(group.rows)):
            last = group.columns[-1][-1]
            ends[last] = max(ends[last], len(group.columns))
    return ends


def _instruction(
    group: Group, nodes: Sequence[Node], varies: Sequence[bool], slots: dict[int, int], start: int
) -> Instruction:
    def operand(read: Iterable[int]) -> Operand:
        read = list(read)
        return Operand(BATCH if varies[read[0]] else FIXED, tuple([slots[a] for a in read]))

    members = group.members
    parts = [_parts(nodes[i], nodes[i].arguments) for i in members]
    if group.kind == "product":
        reads = [[a for row in group.rows for a in row], [a for term in zip(*group.columns) for a in term]]
        reads += [[part[2][0] for part in parts]] if len(parts[0]) == 3 else []
    else:
        reads = [[a for part in parts for a in part[k]] for k in range(len(parts[0]))]
    op = cast(Op, group.node.op)
    bank = BATCH if varies[members[0]] else FIXED
    counts = tuple([len(part[0]) for part in parts]) if group.kind == "segments" else ()
    operands = tuple(map(operand, reads))
    return Instruction(group.kind, op, bank, start, len(members), operands, group.terms, len(group.rows), counts)
