"""The backward pass in lines, as Algorithm 6.4 has it: g for the results' cotangents, ∇ for the parameters'."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from microgradlib.compiler.instructions import BATCHED, NOT_REACHED, Instruction, Operand, ProgramData, Slots
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.listing.expressions import Expressions
from microgradlib.listing.formula import ArrayFormula
from microgradlib.listing.inlining import LONGEST
from microgradlib.listing.readings import reading
from microgradlib.listing.steps import arranged, broadcast
from microgradlib.listing.symbols import Block
from microgradlib.ops import TABLE

__all__ = ["Line", "backward_lines"]

ADD, IDENTITY, SUM = (TABLE[name] for name in ("add", "identity", "sum"))

FEW_PARTS = 3
"""Products of one cotangent with so few vectors each have a line."""


class Line(NamedTuple):
    """One line of a program: what is set (`sign` =) or added to (+=), by which formula, and the lengths of its axes.

    `names` are those of the blocks that it writes.
    """

    target: str
    sign: str
    formula: ArrayFormula
    lengths: tuple[int, ...]
    names: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The line without its size."""
        return f"{self.target} {self.sign} {self.formula}".replace("  ", " ")


def backward_lines(program: ProgramData, write: Expressions) -> list[Line]:
    """Return the lines of a joint program's backward pass, in the order of its instructions.

    Shares of a cotangent are added to it as they are computed: the instructions that add them up, over the batch or
    over all that read a number, have no lines of their own.
    """
    backward = _Backward(program, write)
    backward.give_seed()
    for instruction in program.instructions[program.forward :]:
        backward.add(instruction)
        backward.pass_on(instruction.results)
    return backward.lines


class _Backward:
    """Writes instructions one after another; `written` are the symbols that have a line so far."""

    def __init__(self, program: ProgramData, write: Expressions) -> None:
        self.program, self.write, self.symbols = program, write, write.symbols
        self.lines: list[Line] = []
        self.written: set[int] = set()
        self.known = [slots.copy() for slots in program.cotangent_slots[-1]]
        for instruction in program.instructions[: program.forward]:  # a copy's cotangent is not that of what is copied
            if instruction.op is IDENTITY:
                self.known[instruction.space][instruction.results.slots] = NOT_REACHED
        self.leaves, self.space = len(program.cotangents[-1].slots), program.cotangents[-1].space
        self.values: dict[tuple[int, int], int] = {}
        for space, slots in enumerate(self.known):
            for value in (slots != NOT_REACHED).nonzero()[0].tolist():
                symbol = int(self.symbols.at[space][value])
                if self._is_shown(symbol) and (space != self.space or value >= self.leaves):
                    self.values.setdefault((space, int(slots[value])), symbol)

    def _is_shown(self, symbol: int) -> bool:
        """Say whether a value has a name: a leaf, the result of a line, or a net input."""
        child = self.write.inlined.get(self.symbols.owner(symbol).start)
        return child is None or child.kind == "matmul"

    def give_seed(self) -> None:
        """Of a gradient the seed is 1; of a Jacobian's rows, g of each output."""
        [*_, seed], outputs = self.program.seeds, self.program.outputs
        values = self.symbols.cotangent(numpy().concatenate([self.symbols.read(output) for output in outputs]))
        one = self.symbols.constant(1.0)
        self.symbols.at[seed.space][seed.slots] = values if self.program.wrt == "inputs" else one
        self.pass_on(seed)

    def add(self, instruction: Instruction) -> None:
        """Write the lines of one instruction, and give its results symbols."""
        slots, at, reads = instruction.results.slots, self.symbols.at[instruction.space], self._reads(instruction)
        values = numpy().full(len(slots), -1)
        if instruction.cotangent_of is not None:
            for place, value in enumerate(self.symbols.read(instruction.cotangent_of).tolist()):
                shown = self._is_shown(value)
                values[place] = value if shown else self.values.get((instruction.space, int(slots[place])), -1)
        sums = instruction.op in {ADD, SUM} and instruction.wrt is None
        if instruction.op is IDENTITY or (instruction.op is SUM and len(reads[0]) == len(slots)):
            at[slots] = reads[0]
            self.pass_on(instruction.results, averaged=instruction.op is SUM)
        elif (values < 0).any():
            self._inline(instruction, reads, values)
        else:
            at[slots] = self.symbols.cotangent(values)
            self._sum(instruction, at[slots], reads) if sums else self._write(instruction, at[slots], reads)

    def _reads(self, instruction: Instruction) -> list[Slots]:
        """Return the symbols that are read; of an elementwise adjoint (cotangent, output, inputs …), all of them."""
        reads = [self.symbols.read(operand) for operand in instruction.operands]
        if instruction.kind != "elementwise" or instruction.wrt is None:
            return reads
        forward = self.program.instructions[instruction.forward or 0]
        every = [forward.results, *forward.operands]
        places = list(range(forward.size))
        if instruction.size < forward.size:  # a part of the results, in their order
            known = [every[1 + instruction.wrt], *[every[k] for k in instruction.reads]]
            given = [instruction.cotangent_of or every[0], *instruction.operands[1:]]
            rows = enumerate(zip(*[operand.slots.tolist() for operand in known]))
            wanted = zip(*[operand.slots.tolist() for operand in given])
            places = [next(place for place, row in rows if row == one) for one in wanted]
        return [reads[0], *[self.symbols.read(operand)[places] for operand in every]]

    def _inline(self, instruction: Instruction, reads: list[Slots], values: Slots) -> None:
        """Let the cotangent of a value without a name be written in the lines of what reads it, or give it a name."""
        number = -1 - int(instruction.results.slots[0])
        named = number in self.write.kept
        _, _, terms, columns = instruction.shape
        if instruction.kind == "matmul" and instruction.shape[:2] == (1, 1):  # a row is written as a vector
            instruction = replace(instruction, shape=(1, columns, terms, 1))
            reads = [reads[1].reshape(terms, columns).T.ravel(), reads[0]]
        block = self.symbols.add(*("cotangent", "g") if named else ("inlined", ""), (instruction.size,))
        step, order = arranged(instruction, reads, self.symbols, block.symbols)
        step.take(block)
        block.lengths, block.by_columns = step.lengths, step.results.ndim == 2
        literal = self.write.expression(step).literal
        results = block.symbols if literal is None else self.symbols.constant(literal)
        self.symbols.at[instruction.space][instruction.results.slots[order]] = results
        if named:
            self.write.batched[block.name] = instruction.space == BATCHED
            self._line(instruction, self.symbols.read(instruction.results), reads)
            return
        step.block = Block("inlined", "", number, ())
        self.write.inlined[block.start] = step
        if (values >= 0).any():
            self.write.partly_read.add(number)

    def _sum(self, instruction: Instruction, targets: Slots, reads: list[Slots]) -> None:
        """Write what is added up, but for shares, which have lines already."""
        counts, width = list(instruction.counts) or instruction.terms, instruction.width
        if instruction.kind != "elementwise":
            targets = numpy().repeat(targets.reshape(-1, width), counts, axis=0).ravel()
        for read in reads:
            other = read != targets
            if other.any():
                self._copy(targets[other], read[other])

    def _copy(self, targets: Slots, read: Slots) -> None:
        instruction = Instruction("elementwise", IDENTITY, Operand.of(BATCHED, range(len(read))), ())
        self._write(instruction, targets, [read])

    def pass_on(self, results: Operand, *, averaged: bool = False) -> None:
        """Write the cotangents of leaves that are those of other values, which adds passed on unchanged.

        Where they were `averaged` over the batch: those of all other values with a name, if they are no numbers.
        """
        at, known = self.symbols.at[results.space], self.known[results.space]
        values = numpy().isin(known, results.slots).nonzero()[0]
        leaves = values < (self.leaves if results.space == self.space else 0)
        shown = [self._is_shown(at[value]) and at[known[value]] not in self.symbols.constants for value in values]
        values = values[~leaves & numpy().array(shown, bool) if averaged else leaves]
        targets, read = self.symbols.cotangent(at[values]), at[known[values]]
        for block in self.symbols.owners(targets[read != targets]):
            passed = (read != targets) & (targets >= block.start) & (targets < block.start + block.size)
            self._copy(targets[passed], read[passed])
        if averaged:
            at[known[values]] = targets

    def _write(self, instruction: Instruction, targets: Slots, reads: list[Slots]) -> None:
        """Write the lines of an instruction: of products of a cotangent with few vectors, and of a bias, one each."""
        if instruction.kind == "matmul" and instruction.shape[0] == 1:
            _, rows, terms, columns = instruction.shape
            z, x = targets.reshape(rows, columns), reads[1].reshape(terms, columns)
            ones = (x == self.symbols.one).all(0)
            for part in [*ones.nonzero()[0][:, None], (~ones).nonzero()[0]]:
                shape = (1, rows, terms, len(part))
                self._line(replace(instruction, shape=shape), z[:, part].ravel(), [reads[0], x[:, part].ravel()])
            return
        if instruction.op.name != "mul" or instruction.wrt is not None:
            self._line(instruction, targets, reads)
            return
        for part in self._parts(instruction, targets, reads):
            self._line(instruction, targets[part], [read[part] for read in reads])

    def _parts(self, instruction: Instruction, targets: Slots, reads: list[Slots]) -> list[Any]:
        """Return which results of a product of a cotangent with several vectors have lines of their own."""
        if arranged(instruction, reads, self.symbols, targets)[0].results.ndim > 1:
            return [slice(None)]
        owners = numpy().stack([self.symbols.owner_numbers(read) for read in (reads[1], targets)])
        distinct, which = numpy().unique(owners, axis=1, return_inverse=True)
        count = distinct.shape[1]
        return [which.ravel() == k for k in range(count)] if 1 < count <= FEW_PARTS else [slice(None)]

    def _line(self, instruction: Instruction, targets: Slots, reads: list[Slots]) -> None:
        """Write one line; where a cotangent is there several times, the sum of what is given to it."""
        step, _ = arranged(instruction, reads, self.symbols, targets)
        (formula, own), results, flat = self.write.expression_and_pattern(step), step.results, True
        if step.kind == "elementwise":
            results, pattern = broadcast(results)
            if pattern != "all":
                formula = _added(formula, own, pattern, step.size // results.size).replaced(size=results.size)
        elif step.kind == "reduce" and step.wrt is not None:
            results, flat = self.write.like_terms(step, results)
        if {block.name for block in self.symbols.owners(results)} == {"_"}:
            return
        target = reading(self.symbols, results, flat=flat)
        lengths, text = results.shape, target.text
        if text.endswith(".T"):
            text, lengths = text.removesuffix(".T"), lengths[::-1] if lengths[0] > 1 else lengths[1:]
            formula = self.write.transposed(step) if step.kind == "matmul" else formula.transposed()
        new = results.ravel().tolist()
        new = [symbol for symbol in new if self.symbols.owner(symbol).name != "_"]
        again = len(set(new)) < len(new) or not self.written.isdisjoint(new)
        self.written.update(new)
        line = Line(text, "+=" if again else "=", formula, lengths, target.leaves)
        if self.lines and self.lines[-1].target == text and "[…]" not in text:
            before = self.lines[-1]
            both = ArrayFormula.total([before.formula, formula])
            if len(str(both)) <= LONGEST:
                self.lines[-1] = before._replace(formula=both)
                return
        self.lines.append(line)


def _added(formula: ArrayFormula, own: str, pattern: str, times: int) -> ArrayFormula:
    """Write the sum of what is given to a number `times` times: for each row, each column, or all results."""
    if own in {"one", pattern}:
        return times * (formula.transposed() if own == "each" else formula)
    if own != "all":
        return (times // formula.size) * ArrayFormula.function("sum", [formula])
    return ArrayFormula.function("sum", [formula], {"each": "each column", "tile": "each row"}.get(pattern, ""))
