"""The listing of a program: its steps, inlined and named, and the lines of both passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib.compiler.instructions import BATCHED
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.listing.backward import Line, backward_lines
from microgradlib.listing.expressions import Expressions
from microgradlib.listing.formula import ArrayFormula
from microgradlib.listing.inlining import UNNAMED, give_names, inline
from microgradlib.listing.parameter_groups import names_by_role
from microgradlib.listing.readings import groups_of, written
from microgradlib.listing.steps import forward_steps
from microgradlib.listing.symbols import Symbols

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from microgradlib.compiler.instructions import ProgramData
    from microgradlib.listing.steps import Step

__all__ = ["Listing", "by", "listing_of"]


def listing_of(program: ProgramData) -> Listing:
    """Return the listing of a forward or joint program; `ValueError` for one that was differentiated twice."""
    if len(program.seeds) > 1:
        message = (
            "a program that was differentiated twice has no listing as mathematics; print(program.listing()) shows its "
            f"{len(program.instructions)} instructions"
        )
        raise ValueError(message)
    kept: set[int] = set()
    while True:  # until nothing is inlined of which something reads only a part
        listing = Listing(program, kept)
        if listing.partly_read <= kept:
            return listing
        kept |= listing.partly_read


class Listing:
    """What a program does, in lines: of the forward pass, one for each step that is not inlined, and the backward pass.

    `stacks`: a line for each name that several groups of parameters got together. `output`: the step of the only
    output, or the first of a tuple's numbers, if it is a single number. `net_inputs`: each that has no line of its own,
    the function that takes it, and the line's name.
    """

    def __init__(self, program: ProgramData, kept: set[int]) -> None:
        names = program.parameter_names[: len(program.parameter_order)] or names_by_role(program)
        self.wrt = program.wrt
        self.symbols = symbols = Symbols(program, names)
        steps = forward_steps(program, symbols)
        self.outputs = numpy().concatenate([symbols.read(output) for output in program.outputs])
        write = Expressions(symbols, kept)
        inline(steps, self.outputs, write)
        first = len(self.outputs) == 1 or (isinstance(program.shape, tuple) and program.shape[:1] == (None,))
        alone = symbols.owner(self.outputs[0]) if first else None
        self.output = next((step for step in steps if step.block is alone and step.size == 1), None)
        give_names(steps, self.output, [block.name for block in symbols.blocks if block.kind != "result"])
        shown = [step for step in steps if step.reader is None]
        self.batched = {block.name: True for block in symbols.blocks if block.kind == "argument"}
        self.batched |= {step.block.name: step.space == BATCHED for step in steps if step.block.name != UNNAMED}
        self.forward = [Line(step.block.name, "=", write.expression(step), step.lengths) for step in shown]
        if self.output is None or shown[-1] is not self.output or len(self.outputs) > 1:
            self.forward.append(Line("return", "", written(symbols, self.outputs), (len(self.outputs),)))
        self.backward: list[Line] = []
        if (first or program.wrt == "inputs") and program.cotangents:
            cotangents = symbols.add_cotangents(program.wrt)
            self.batched |= {cotangents[name]: batched for name, batched in self.batched.items()}
            self.backward = backward_lines(program, write)
        self.stacks = [
            Line(name, "=", ArrayFormula(groups_of(symbols, stack)), stack.shape)
            for name, stack in symbols.stacks.items()
        ]
        self.net_inputs = list(_net_inputs(steps))
        self.partly_read = write.partly_read

    def lengths(self, name: str) -> tuple[int, ...]:
        """Return the lengths of the axes of what has a name."""
        stacks = {f"∇{line.target}": line.lengths for line in self.stacks}
        return stacks.get(name) or next(block.lengths for block in self.symbols.blocks if block.name == name)

    def averages_a_result(self) -> bool:
        """Say whether results that are the same for all examples have a cotangent of their own."""
        names = [name for line in self.backward for name in line.names]
        return self.output is not None and not all(self.batched.get(name, True) for name in names)


def by(lengths: Iterable[int]) -> str:
    """Write the lengths of axes, rows × columns of a matrix."""
    return " × ".join(map(str, lengths)) or "1"


def _net_inputs(steps: Sequence[Step]) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each product without a line of its own, the function that takes it, and the line's name."""
    for step in steps:
        line = step.reader
        if step.kind == "matmul" and line is not None:
            function = line.op.symbol
            while line.reader is not None:
                line = line.reader
            yield step.block.name, function, line.block.name
