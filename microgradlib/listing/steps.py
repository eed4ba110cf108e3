"""Steps: the instructions with their operands as symbols, in an order and in shapes that read well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from microgradlib.compiler.instructions import UNBATCHED, Instruction, ProgramData, Slots
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.listing.readings import height
from microgradlib.listing.symbols import Block, Symbols
from microgradlib.ops import Op

__all__ = ["Step", "arranged", "broadcast", "forward_steps", "shaped"]

SYMMETRIC = {"sum", "mean", "prod", "dot", "maximum", "minimum", "logsumexp"}
"""Ops whose terms may be read in any order."""


@dataclass
class Step:
    """One instruction: `results` and `reads` are symbols, in the shapes in which they are written.

    "elementwise": all have the shape of the results, (n,) or (rows, columns). "matmul": (rows, terms) and (terms,
    columns); what is added to the products is a third operand. "reduce": the terms of all results one after another,
    `counts` of each. An adjoint has `wrt`; its operands are the cotangent, the output and the inputs of the op.
    `reader` is the step in whose line it is written.
    """

    kind: str
    op: Op
    space: int
    results: Slots
    reads: list[Slots]
    counts: list[int] = field(default_factory=list)
    shape: tuple[int, ...] = ()
    wrt: int | None = None
    backward: bool = False
    block: Block = field(default_factory=lambda: Block("", "", -1, ()))
    reader: Step | None = None

    @property
    def size(self) -> int:
        """How many results there are."""
        return int(self.results.size)

    @property
    def lengths(self) -> tuple[int, ...]:
        """The lengths of the results' axes."""
        return self.shape or self.results.shape

    def take(self, block: Block) -> None:
        """Let the results be those of a block."""
        self.block, self.results = block, shaped(block.symbols, self.results.shape)

    @property
    def is_function(self) -> bool:
        """Whether it is f(x) of one operand, as an activation is."""
        return self.kind == "elementwise" and len(self.reads) == 1 and self.op.symbol[-1].isalnum()


def forward_steps(program: ProgramData, symbols: Symbols) -> list[Step]:
    """Return the steps of the forward pass, and give their results symbols.

    Copies from space to space are no steps: what they copy is read instead. What is added to matrix products or dots,
    and is all that these are for, is an operand of theirs.
    """
    np = numpy()
    steps: dict[int, Step] = {}
    readers = [np.zeros(size + 1, int) for size in program.sizes]
    instructions = program.instructions[: program.forward]
    for operand in [*(operand for i in instructions for operand in i.operands), *program.outputs]:
        np.add.at(readers[operand.space], operand.slots, 1)
    for instruction in instructions:
        reads, at = [symbols.read(operand) for operand in instruction.operands], symbols.at[instruction.space]
        at[instruction.results.slots] = reads[0] if instruction.op.name == "identity" else -1
        product = steps.get(symbols.owner(reads[0][0]).start) if instruction.op.name == "add" else None
        if product is not None and _takes(product, instruction, reads[0], readers):
            product.reads.append(shaped(reads[1][np.argsort(reads[0])], product.results.shape))
            at[instruction.results.slots] = reads[0]
            if reads[1].max() > product.block.start:  # what is added may be computed after the products
                steps[product.block.start] = steps.pop(product.block.start)
        if at[instruction.results.slots[0]] >= 0:
            continue
        step, order = arranged(instruction, reads, symbols)
        step.take(symbols.add("result", "", step.lengths, by_columns=step.results.ndim == 2))
        at[instruction.results.slots[order]] = step.block.symbols
        steps[step.block.start] = step
    return list(steps.values())


def _takes(product: Step, add: Instruction, read: Slots, readers: Sequence[Slots]) -> bool:
    """Say whether an add is all that is done with matrix products or with dots."""
    np, results = numpy(), product.results.ravel("F")
    if product.op.name != "dot" or len(product.reads) > 2 or product.space != add.operands[0].space:
        return False
    once = (readers[product.space][add.operands[0].slots] == 1).all()
    return bool(once and len(read) == product.size and (np.sort(read) == results).all())


def shaped(symbols: Slots, shape: tuple[int, ...]) -> Slots:
    """Return symbols that follow each other column by column, in a shape.

    >>> shaped(numpy().arange(6), (2, 3)).tolist()
    [[0, 2, 4], [1, 3, 5]]
    """
    return symbols.reshape(shape[::-1]).T


def arranged(
    instruction: Instruction, reads: list[Slots], symbols: Symbols, targets: Slots | None = None
) -> tuple[Step, Slots]:
    """Return the step, and in order of which of the instruction's it has results: those that read first come first.

    `targets` are the symbols of the results, in the backward pass; in the forward pass there are none yet.
    """
    np, size = numpy(), len(reads[0]) if instruction.kind == "elementwise" else instruction.size
    step = Step(
        instruction.kind, instruction.op, instruction.space, np.arange(size) if targets is None else targets, reads
    )
    step.wrt, step.backward = instruction.wrt, targets is not None
    if step.kind == "elementwise":
        return step, _arrange(step, symbols)
    if step.kind == "matmul" and instruction.shape[0] > 1:
        step.shape = (instruction.shape[0], instruction.shape[1], instruction.shape[3])
        return step, np.arange(size)
    if step.kind == "matmul" and (size > 1 or step.backward or instruction.operands[1].space != UNBATCHED):
        return step, _arrange_matrices(step, symbols, *instruction.shape[1:])
    several = 1 if step.wrt is None else instruction.terms
    # a matmul that comes here is a sum of products of parameters alone
    terms = instruction.terms if step.kind == "reduce" else instruction.shape[2]
    step.counts = list(instruction.counts) or [terms] * (size // several)
    step.kind = "reduce"
    return step, _arrange_terms(step)


def _arrange(step: Step, symbols: Symbols) -> Slots:
    """Arrange results by the first operand that reads each symbol once; in columns, if an operand is a matrix."""
    np = numpy()
    every = [*step.reads, *([step.results] if step.backward else [])]
    once = [read for read in every if len(np.unique(read)) == len(read)]
    order = np.argsort(once[0], kind="stable") if once else np.lexsort(every[::-1])
    rows = _rows([read[order] for read in every], symbols)
    if not rows and not (step.backward and all(len(block.lengths) < 2 for block in symbols.named(step.results))):
        heights = [height(symbols, read[order]) for read in every if symbols.owner(read[order[0]]).by_columns]
        rows = next((rows for rows in heights if 0 < rows < step.size), 0)
    shape = (rows, step.size // rows) if rows else (step.size,)
    step.reads = [shaped(read[order], shape) for read in step.reads]
    step.results = shaped(step.results[order], shape)
    return order


def _rows(reads: Sequence[Slots], symbols: Symbols) -> int:
    """Return of how many rows a matrix is, if an operand has one number for each of its columns or rows; else 0."""
    size = len(reads[0])
    runs = [(read != read[0]).nonzero()[0][:1] for read in reads]
    periods = [(read[1:] == read[0]).nonzero()[0][:1] + 1 for read in reads]
    for rows in map(int, numpy().concatenate(runs + periods)):
        if 1 < rows < size and size % rows == 0:
            patterns = [broadcast(shaped(read, (rows, size // rows)))[1] for read in reads]
            others = [read for read, pattern in zip(reads, patterns) if pattern == "all"]
            if {"each", "tile"} & set(patterns) and all(height(symbols, read) == rows for read in others):
                return rows
    return 0


def broadcast(read: Slots) -> tuple[Slots, str]:
    """Return what a reading of the shape of the results repeats, and how: "one", "each" column's or "tile": each row's.

    >>> from microgradlib.compiler.instructions import slot_array
    >>> [broadcast(slot_array(read).reshape(2, 2))[1] for read in ([4, 4, 4, 4], [4, 5, 4, 5], [4, 4, 5, 5])]
    ['one', 'each', 'tile']
    """
    if read.size > 1 and (read == read.flat[0]).all():
        return read.ravel()[:1], "one"
    if read.ndim == 2 and (read == read[0]).all():
        return read[0], "each"
    if read.ndim == 2 and (read == read[:, :1]).all():
        return read[:, 0], "tile"
    return read, "all"


def _arrange_matrices(step: Step, symbols: Symbols, rows: int, terms: int, columns: int) -> Slots:
    """Arrange rows and columns by what they read, those of gradients, and where zeros are read, by the results.

    In the forward pass the column of a matrix that meets a row of ones is added to the product.
    """
    np = numpy()
    w, x, z = step.reads[0].reshape(rows, terms), step.reads[1].reshape(terms, columns), step.results
    across = np.lexsort(sorted((x[:, 0], w[0]), key=lambda key: len(np.unique(key))))
    w, x, z = w[:, across], x[across], z.reshape(rows, columns)
    by_results = [
        step.backward and (symbols.owner(z[0, 0]).kind == "gradient" or len(np.unique(read)) < read.size)
        for read in (w, x)
    ]
    down = np.argsort(z[:, 0], kind="stable") if by_results[0] else np.lexsort(w.T[::-1])
    along = np.argsort(z[0], kind="stable") if by_results[1] else np.lexsort(x[::-1])
    shape = (rows, columns) if columns > 1 else (rows,)
    w, x, step.results = w[down], x[:, along], z[down][:, along].reshape(shape)
    ones = (x == symbols.one).all(1) & (not step.backward)
    step.reads = [w[:, ~ones], x[~ones], *[shaped(np.tile(bias, columns), shape) for bias in w.T[ones]]]
    return np.arange(rows * columns).reshape(rows, columns)[down][:, along].ravel("F")


def _arrange_terms(step: Step) -> Slots:
    """Arrange the terms of a reduction, where it does not matter, and the results by their terms."""
    np, counts = numpy(), step.counts
    ends = np.cumsum(counts)
    read = np.stack(step.reads[:2] if step.wrt is None else step.reads[2:4], 1)
    inside = np.split(np.arange(len(read)), ends[:-1])
    if step.op.name in SYMMETRIC:
        inside = [terms[np.lexsort(read[terms].T[::-1])] for terms in inside]
    order = sorted(range(len(counts)), key=lambda i: read[inside[i]].tolist())
    terms = np.concatenate([inside[i] for i in order])
    step.reads = [read[terms if len(read) == ends[-1] else order] for read in step.reads]
    step.counts = [counts[i] for i in order]
    results = np.array(order) if step.wrt is None else terms
    step.results = step.results[results]
    return results
