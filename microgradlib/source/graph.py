"""The scalars of a forward program: each with its op and arguments, softmax found where it was written out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

from microgradlib.compiler.instructions import Instruction, ProgramData
from microgradlib.listing.parameter_groups import names_by_role, parameter_groups
from microgradlib.ops import TABLE, Op

__all__ = ["NOTHING", "Graph", "Leaf", "Scalar"]

NOTHING = -1
"""In the place of an argument: padding with 0 of the rows and columns of a matrix product."""

Group = tuple[int, ...]


class Leaf(NamedTuple):
    """An array that is given: an argument or a group of parameters, with its scalars row by row."""

    kind: str
    name: str
    lengths: tuple[int, ...]
    scalars: Group


class Scalar(NamedTuple):
    """One number: `kind` is "leaf", "constant" or how its arguments are read.

    "elementwise": a group of one for each argument. "reduce": one group, of cross-entropy two, weights and logits.
    "dot": the two lists of factors, and what is added to their products. "softmax" and "neg_log_softmax": one group,
    of which number `index` is chosen.
    """

    kind: str
    op: Op | None = None
    groups: tuple[Group, ...] = ()
    batched: bool = False
    index: int = 0  # type: ignore[assignment]  # hides a method of tuples that nobody wants
    number: float = 0.0

    @property
    def arguments(self) -> Iterator[int]:
        """All that it reads."""
        return (argument for group in self.groups for argument in group if argument != NOTHING)


class Graph:
    """The scalars of a program, each after its arguments; `outputs` are among them, `leaves` the arrays given.

    `order` says which scalar each of the program's parameters is, those of the function first, then captured Values.
    """

    def __init__(self, program: ProgramData) -> None:
        self.scalars: list[Scalar] = []
        self.leaves: list[Leaf] = []
        self._known: dict[Scalar, int] = {}
        self.zero = self.add(Scalar("constant", number=0.0))
        self.at = [[NOTHING] * (size + 1) for size in program.sizes]
        self._enter_leaves(program)
        for instruction in program.instructions[: program.forward]:
            self._enter(instruction)
        self.outputs = [self.at[output.space][output.slots[0]] for output in program.outputs]

    def add(self, scalar: Scalar) -> int:
        """Add a scalar, of a batch if something that it reads is, unless it is there already; return its number."""
        if scalar.groups and scalar in self._known:
            return self._known[scalar]
        given = scalar
        if any(self.scalars[argument].batched for argument in scalar.arguments):
            scalar = scalar._replace(batched=True)
        self._known[given] = len(self.scalars)
        self.scalars.append(scalar)
        return self._known[given]

    def _enter_leaves(self, program: ProgramData) -> None:
        unbatched, batched = self.at
        arguments = program.arguments
        if sum(prod(shape) for _, shape in arguments) != program.inputs:
            arguments = (("x", (program.inputs,)),)
        inputs: list[int] = []
        for name, shape in arguments:
            numbers = tuple([self.add(Scalar("leaf", batched=True)) for _ in range(prod(shape))])
            self.leaves.append(Leaf("argument", name, tuple(shape), numbers))
            inputs += numbers
        for slot, place in enumerate(program.input_order):
            batched[slot] = inputs[place]
        named = program.parameter_names[: len(program.parameter_order)] or names_by_role(program)
        names = [*named, *[f"captured.{i}" for i in range(len(program.parameter_order) - len(named))]]
        self.order = [NOTHING] * len(names)
        for group in parameter_groups(program, names):
            numbers = tuple([self.add(Scalar("leaf")) for _ in group.members])
            self.leaves.append(Leaf("parameter", group.name, group.lengths, numbers))
            for member, number in zip(group.members, numbers):
                self.order[member] = number
        for slot, member in enumerate(program.parameter_order):
            unbatched[slot] = self.order[member]
        known: dict[str, int] = {}
        for constant, slot in zip(program.constants, program.constant_slots):
            if repr(constant) not in known:
                known[repr(constant)] = self.add(Scalar("constant", number=constant))
            unbatched[slot] = known[repr(constant)]
        if program.ones:
            one = known["1.0"] if "1.0" in known else self.add(Scalar("constant", number=1.0))
            for slot in program.ones:
                batched[slot] = one

    def _enter(self, i: Instruction) -> None:
        at, op = self.at[i.space], i.op
        reads = [[self.at[operand.space][slot] for slot in operand.slots.tolist()] for operand in i.operands]
        results = i.results.slots.tolist()
        if op.name == "identity":
            for slot, read in zip(results, reads[0]):
                at[slot] = read
        elif i.kind == "elementwise":
            for slot, row in zip(results, zip(*reads)):
                at[slot] = self._elementwise(op, row)
        elif i.kind == "matmul":
            self._matmul(i, reads[0], reads[1])
        else:
            for slot, terms in zip(results, _terms(i)):
                groups = tuple([tuple([read[t] for t in terms]) for read in reads])
                at[slot] = self._reduction(op, groups)

    def _matmul(self, i: Instruction, w: Sequence[int], x: Sequence[int]) -> None:
        count, rows, terms, columns = i.shape
        slots = iter(i.results.slots.tolist())
        for n in range(count):
            matrix = [x[n * terms * columns + c : (n + 1) * terms * columns : columns] for c in range(columns)]
            for r in range(rows):
                row = w[(n * rows + r) * terms : (n * rows + r + 1) * terms]
                for column in matrix:
                    self.at[i.space][next(slots)] = self._reduction(i.op, (tuple(row), tuple(column)))

    def _elementwise(self, op: Op, row: Group) -> int:
        softmax = self._softmax(*row) if op.name == "div" else None
        if softmax:
            return self.add(Scalar("softmax", op, (softmax[0],), index=softmax[1]))
        total = self.scalars[row[1]] if op.name == "sub" else None
        terms = total.groups[0] if total is not None and total.op is TABLE["logsumexp"] else ()
        if row[0] in terms:
            xs = [x for x in map(self._moved, terms) if x is not None]
            if len(xs) == len(terms):
                first = xs.pop(terms.index(row[0]))
                return self._elementwise(TABLE["neg"], (self._reduction(TABLE["neg_log_softmax"], ((first, *xs),)),))
        if op.name == "add":
            row = self._bias_in_product(*row)
        return self.add(Scalar("elementwise", op, tuple([(argument,) for argument in row])))

    def _bias_in_product(self, total: int, bias: int) -> Group:
        """Return (w · x + u v) + bias as w · x + bias and u v, where u is computed, as in later steps of a GRU."""
        scalar = self.scalars[total]
        if scalar.kind != "dot" or not scalar.batched or scalar.groups[2] or self.scalars[bias].kind != "leaf":
            return total, bias
        pairs = list(zip(*scalar.groups[:2]))
        computed = [pair for pair in pairs if any(map(self._is_computed, pair))]
        if len(computed) != 1 or len(pairs) == 1:
            return total, bias
        w, x = zip(*[pair for pair in pairs if pair != computed[0]])
        factors = sorted(computed[0], key=lambda factor: not self.scalars[factor].batched)
        return self.add(Scalar("dot", scalar.op, (w, x, (bias,)))), self._elementwise(TABLE["mul"], tuple(factors))

    def _is_computed(self, scalar: int) -> bool:
        """Say whether a scalar is computed of parameters and constants alone."""
        return scalar != NOTHING and bool(self.scalars[scalar].groups) and not self.scalars[scalar].batched

    def _moved(self, number: int) -> int | None:
        """Return x of (x < limit) * (x - top), as log_softmax moves many numbers whose largest is not known."""
        scalar = self.scalars[number]
        factors = [self.scalars[one] for one in scalar.arguments] if scalar.op is TABLE["mul"] else []
        if [factor.op for factor in factors] != [TABLE["less"], TABLE["sub"]]:
            return None
        x, other = (next(factor.arguments) for factor in factors)
        return x if x == other else None

    def _reduction(self, op: Op, groups: tuple[Group, ...]) -> int:
        if op.name == "neg_log_softmax":
            ordered = tuple(sorted(groups[0]))
            return self.add(Scalar(op.name, op, (ordered,), index=ordered.index(groups[0][0])))
        if op.name == "cross_entropy" and len(groups) == 1:
            half = len(groups[0]) // 2
            groups = groups[0][:half], groups[0][half:]
        if op.name != "dot":
            return self.add(Scalar("reduce", op, groups))
        pairs = [pair for pair in zip(*groups) if pair != (NOTHING, NOTHING)]
        added = [w if self._is_one(x) else x for w, x in pairs if self._is_one(x) or self._is_one(w)]
        pairs = [pair for pair in pairs if not any(map(self._is_one, pair))]
        w, x = (tuple([pair[k] for pair in pairs]) for k in range(2))
        return self.add(Scalar("dot", op, (w, x, tuple(added))))

    def _is_one(self, scalar: int) -> bool:
        return scalar != NOTHING and self.scalars[scalar].kind == "constant" and self.scalars[scalar].number == 1.0

    def _softmax(self, e: int, total: int) -> tuple[Group, int] | None:
        """Return of e / total the numbers x and the place of one if it is exp(xᵢ − m) / Σ exp(xⱼ − m), m = max x."""
        exponentials = [total]
        if total != e:
            scalar = self.scalars[total]
            if scalar.op not in {TABLE["sum"], TABLE["add"]}:
                return None
            exponentials = list(scalar.arguments)
        found = [self._shifted(x) for x in exponentials]
        shifts = {pair[1] for pair in found if pair}
        if None in found or len(shifts) != 1 or e not in exponentials:
            return None
        xs = tuple([pair[0] for pair in found if pair])
        top = self.scalars[shifts.pop()]
        largest = self.scalars[next(top.arguments)] if top.op is TABLE["detach"] else None
        if largest is None or largest.op is not TABLE["maximum"] or sorted(largest.arguments) != sorted(xs):
            return None
        return tuple(sorted(xs)), sorted(xs).index(xs[exponentials.index(e)])

    def _shifted(self, e: int) -> tuple[int, int] | None:
        """Return x and m of exp(x − m)."""
        scalar = self.scalars[e]
        inner = self.scalars[next(scalar.arguments)] if scalar.op is TABLE["exp"] else None
        if inner is None or inner.op is not TABLE["sub"]:
            return None
        x, m = inner.arguments
        return x, m


def _terms(i: Instruction) -> Iterator[range]:
    """Yield which of its operands' numbers each result of a reduction takes."""
    counts, start = i.counts or (i.terms,) * i.size, 0
    for count in counts:
        for place in range(i.width):
            yield range(start + place, start + count * i.width, i.width)
        start += count * i.width
