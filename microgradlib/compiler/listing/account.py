"""The account of a program: its steps, folded and named, and the lines of both passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib.compiler.instructions import FIXED
from microgradlib.compiler.printing.backward import Backward, Line
from microgradlib.compiler.printing.expressions import Expressions
from microgradlib.compiler.printing.families import names_by_role
from microgradlib.compiler.printing.folding import fold, give_names
from microgradlib.compiler.printing.places import Places
from microgradlib.compiler.printing.steps import Step, steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from microgradlib.compiler.instructions import ProgramData

__all__ = ["Account"]


class Account:
    """What a program does, in lines. Arguments as those of `written`."""

    def __init__(
        self, program: ProgramData, parameter_names: Sequence[str], arguments: Sequence[tuple[str, tuple[int, ...]]]
    ) -> None:
        names = list(parameter_names)[: len(program.parameter_order)] or names_by_role(program)
        self.places = Places(program, names, arguments)
        self.write = Expressions(self.places)
        steps = steps_of(program, self.places)
        self.outputs = [self.places.at[output.bank][output.slots[0]] for output in program.outputs]
        fold(steps, self.outputs, self.write)
        self.first = isinstance(program.shape, tuple) and bool(program.shape) and program.shape[0] is None
        self.first |= len(self.outputs) == 1
        alone = self.places.owner(self.outputs[0]) if self.first else None
        self.output = next((step for step in steps if step.block is alone and alone.size == 1), None)
        give_names(steps, self.output, [block.name for block in self.places.blocks])
        self.steps = steps
        self.shown = [step for step in steps if step.reader is None]

    def forward(self) -> list[Line]:
        """Return a line for each step that is not folded, and one for the outputs if they are not just the last."""
        lines = [Line(s.block.name, "=", str(self.write.expression(s)), s.block.lengths) for s in self.shown]
        if self.output is None or self.shown[-1] is not self.output or len(self.outputs) > 1:
            lines.append(Line("return", "", str(self.places.written(self.outputs)), (len(self.outputs),)))
        return lines

    def backward(self) -> list[Line]:
        """Return the lines of the backward pass, from the only output, or the first of a tuple's numbers."""
        return Backward(self.steps, self.write).lines(self.outputs[0]) if self.first else []

    def stacks(self) -> list[Line]:
        """Return a line for each name that several families of parameters got together; call after the other two."""
        return [
            Line(name, "=", self.places.stacked(read, lengths), lengths)
            for read, (name, lengths) in self.places.stacks.items()
        ]

    def arguments(self) -> str:
        """Write the arguments with the lengths of their axes."""
        blocks = [block for block in self.places.blocks if block.kind == "argument"]
        return ", ".join([f"{b.name}: {' × '.join(map(str, b.lengths))}" for b in blocks])

    def net_inputs(self) -> list[tuple[str, str, str]]:
        """Return each net input that has no line of its own, the function that takes it, and the line's name."""
        found = []
        for step in self.steps:
            for child in step.folded.values():
                root = step
                while root.reader is not None:
                    root = root.reader
                if child.kind == "product":
                    found.append((child.block.name, step.op.symbol, root.block.name))
        return found

    def averages_a_result(self) -> bool:
        """Say whether results that are the same for all examples have a gradient of their own."""
        return any(step.bank == FIXED and step.needed for step in self.shown) and self.output is not None

    def read_by(self, step: Step) -> Iterator[str]:
        """Yield the names of what a line reads, each once, stacks by theirs."""
        seen = dict[str, None]()
        waiting = [step]
        while waiting:
            step = waiting.pop(0)
            for k, read in enumerate(step.reads):
                if k in step.folded:
                    waiting.append(step.folded[k])
                    continue
                stack = self.places.stacks.get(tuple(self.write.base(step, k)[0]))
                names = [stack[0]] if stack else [block.name for block in self.places.owners(read)]
                seen.update(dict.fromkeys(name for name in names if name))
        yield from seen
