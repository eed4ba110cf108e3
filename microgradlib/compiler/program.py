"""The rolled program: a few instructions on whole vectors of scalars, each scalar in a slot of one of two banks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from microgradlib.viz.from_graph import MAX_NODES

if TYPE_CHECKING:
    from microgradlib.ops import Op
    from microgradlib.viz.drawing import Drawing, Engine

__all__ = ["BATCH", "FIXED", "Instruction", "Operand", "Program"]

FIXED, BATCH = 0, 1
"""The banks: numbers that are the same for every example (parameters, constants and what is made of them alone), and
numbers that each example of the batch has for itself."""


@dataclass(frozen=True, slots=True)
class Operand:
    """Slots to be read: `bank` and the positions in it, in order."""

    bank: int
    slots: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Instruction:
    """One operation on vectors: slots `start` to `start + size` of `bank` are written.

    `kind` says how the operands belong to them:
    - "map": operand i holds the i-th argument of each result.
    - "reduce": one operand (two for dot: weights and inputs; then perhaps a bias) with `terms` arguments of the first
      result, then those of the second …
    - "segments": as "reduce", but the results have different numbers of terms, `counts`.
    - "product": Z = W X + b with W of `rows` × `terms` and X of `terms` × columns; all are written row by row, and b,
      if there is one, has an entry for each result.
    """

    kind: str
    op: Op
    bank: int
    start: int
    size: int
    operands: tuple[Operand, ...]
    terms: int = 1
    rows: int = 1
    counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Program:
    """What `roll` makes of a trace.

    Slots of the batch bank: first the inputs in the order `input_order`, then the results; those of `ones` hold 1: a
    row of ones below X makes W X + b one product, [W b] [X; 1]. Slots of the fixed bank: first the parameters in the
    order `parameter_order`, then the constants, then the results.
    """

    instructions: tuple[Instruction, ...]
    outputs: tuple[Operand, ...]
    shape: Any
    input_order: tuple[int, ...]
    parameter_order: tuple[int, ...]
    constants: tuple[float, ...]
    fixed_size: int
    batch_size: int
    ones: tuple[int, ...] = ()
    parameter_names: tuple[str, ...] = field(default=(), compare=False)
    arguments: tuple[tuple[str, tuple[int, ...]], ...] = field(default=(), compare=False)
    """The arguments of the function, each with its name and the lengths of one row's axes."""

    @property
    def inputs(self) -> int:
        """How many numbers an example has."""
        return len(self.input_order)

    def __str__(self) -> str:
        """Return the program as mathematics, forward and backward, with the names of parameters and arguments."""
        from microgradlib.compiler.printing import written  # noqa: PLC0415  printing reads programs

        return written(self, self.parameter_names, self.arguments or (("x", (self.inputs,)),))

    def draw(self, *, max_nodes: int = MAX_NODES, engine: Engine = "own") -> Drawing:
        """Draw the program as a small graph, from the top down: a box for each line of `print(program)`'s forward pass.

        Blue boxes are arguments, parameters and "held" Values, those that the function uses besides; amber ones are
        results, each with its formula; what the function returns is green, gathered in a box "return" where it is not
        just one result. Each has its size for one example, rows × columns of a matrix; a result that is the same for
        all examples is marked "once for all". An arrow goes from each box to those that read it. In a notebook the
        drawing shows itself; save it by `.save("program.svg")`.

        Args:
            max_nodes: refuse programs of more boxes.
            engine: `"own"` needs nothing installed; `"dot"` asks Graphviz.

        Raises:
            ValueError: an unknown engine, or `max_nodes` below 1.
            GraphTooLargeError: more than `max_nodes` boxes.
            MissingExtraError: engine `"dot"` without Graphviz.
            DrawingError: Graphviz failed or took too long.

        >>> from microgradlib import compile, relu
        >>> from microgradlib.nn import MLP
        >>> model = MLP(2, [16, 1], rng=0)
        >>> fast = compile(lambda x, y: relu(1 - y * model(x)), model.parameters())
        >>> losses = fast([[0.5, -1.0]], [1.0])
        >>> print(fast.program.draw().text)
        <Drawing of 9 boxes and 8 arrows>
          n0  layers.0.w  size 16 × 2  (parameter)
          n1  x  size 2  (argument)
          n2  layers.0.b  size 16  (parameter)
          n3  h1  = relu(layers.0.w @ x + layers.0.b)  size 16  from n0, n1, n2
          n4  layers.1.w  size 1 × 16  (parameter)
          n5  layers.1.b  size 1  (parameter)
          n6  a2  = layers.1.w @ h1 + layers.1.b  size 1  from n4, n3, n5
          n7  y  size 1  (argument)
          n8  J  = relu(1 - y * a2)  size 1  from n7, n6
        """
        from microgradlib.compiler.drawing import drawing_of  # noqa: PLC0415  drawing reads programs

        return drawing_of(self, max_nodes=max_nodes, engine=engine)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("Program(…)" if cycle else str(self))
