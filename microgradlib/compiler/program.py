"""A program with its presentation: `print(program)`, `program.draw()` and `program.to_source("torch")`."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final, Literal

from microgradlib._support import display
from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber
from microgradlib.compiler.instructions import ProgramData
from microgradlib.compiler.reverse import reverse
from microgradlib.viz.drawings.drawing import Drawing, Engine
from microgradlib.viz.theme import Theme

__all__ = ["MAX_BOXES", "Program"]

Framework = Literal["torch", "jax", "numpy"]

MAX_BOXES: Final = 200
"""Default of `max_nodes` of `Program.draw`: drawings of larger programs are hard to read."""


class Program(ProgramData, display.ShowsItself):
    """A program that prints as mathematics, can be drawn, and written as source. The fields are `ProgramData`'s."""

    @classmethod
    def of(cls, program: ProgramData, **changes: Any) -> Program:
        """Return the data of a program, with some fields changed, as one that presents itself."""
        return cls(**{**{field.name: getattr(program, field.name) for field in fields(program)}, **changes})

    def __str__(self) -> str:
        """Return the program as mathematics, forward and backward, with the names of parameters and arguments."""
        return display.listing(self._joint())

    def _joint(self) -> ProgramData:
        return reverse(self) if self.forward is None else self

    @in_plain_words
    def draw(
        self, *, backward: bool = False, max_nodes: WholeNumber = MAX_BOXES, engine: Engine = "own",
        theme: Theme | None = None,
    ) -> Drawing:  # fmt: skip
        """Draw the program as a small graph, from top to bottom: a box for each line of the forward pass as printed.

        Arguments are round and blue, parameters amber, other Values that the function uses ("captured") grey; white
        boxes are results, each with its formula; the output is green, a box "return" if it is not a single result. Each
        box shows its size for one example, rows × columns of a matrix; a result that is the same for all examples is
        marked "once for all". Arrows go from operands to results. Jupyter displays the drawing; `.save("program.svg")`
        writes it to a file.

        Args:
            backward: also draw the backward pass as printed, with a box for the cotangents g of each result and for the
                gradient ∇ of each group of parameters.
            max_nodes: the limit above which programs are refused, in boxes.
            engine: `"own"` is this library's layout, without dependencies; `"dot"` is Graphviz.
            theme: `"light"` or `"dark"`; None: files are light, and a notebook's drawing has the theme of the page.

        Raises:
            TypeError: `max_nodes` is not a whole number.
            ValueError: an unknown engine or theme, or `max_nodes` below 1.
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
          n0  layers.0.w  (parameter)  size 16 × 2
          n1  x  (argument)  size 2
          n2  layers.0.b  (parameter)  size 16
          n3  h1  = relu(layers.0.w @ x + layers.0.b)  size 16  from n0, n1, n2
          n4  layers.1.w  (parameter)  size 1 × 16
          n5  layers.1.b  (parameter)  size 1
          n6  a2  = layers.1.w @ h1 + layers.1.b  size 1  from n4, n3, n5
          n7  y  (argument)  size 1
          n8  J  = relu(1 - y * a2)  size 1  from n7, n6
        """
        drawing: Drawing = display.drawing(
            self._joint(), backward=backward, max_nodes=max_nodes, engine=engine, theme=theme
        )
        return drawing

    @in_plain_words
    def to_source(self, framework: Framework = "torch", *, name: str = "forward") -> str:
        """Return the program as the text of a Python module for PyTorch, JAX or NumPy, to be run or read.

        It imports the framework alone and has a function `name(parameters, *arguments)`, which returns for a batch what
        the function returns for each example; derivatives are the framework's own. `parameters` is a dict of arrays by
        name, made by the text's `named(numbers)` of a flat array, `[p.data for p in fast.parameters]`, each once; the
        numbers of other Values that the function uses come behind those. Steps that repeat are a loop, windows unfold,
        causal attention a mask. Where derivatives at kinks differ, the text's first lines say so.

        Raises:
            ValueError: another framework than "torch", "jax" and "numpy", a `name` that is no identifier or is taken,
                or an op of the user's whose value rule cannot be written.

        >>> from microgradlib import compile
        >>> from microgradlib.nn import MLP
        >>> model = MLP(2, [3, 1], activation="tanh")
        >>> fast = compile(lambda x, y: (model(x) - y) ** 2, model.parameters())
        >>> losses = fast([[0.5, -1.0]], [1.0])
        >>> text = fast.program.to_source("torch")
        >>> print(text[text.index("def forward") :])
        def forward(parameters, x, y):
            \"\"\"Return (batch,). x: (batch, 2), y: (batch,).\"\"\"
            layers_0_w = parameters["layers.0.w"]           # (3, 2)
            layers_0_b = parameters["layers.0.b"]           # (3,)
            layers_1_w = parameters["layers.1.w"]           # (1, 3)
            layers_1_b = parameters["layers.1.b"]           # (1,)
            h1 = torch.tanh(x @ layers_0_w.T + layers_0_b)  # (batch, 3)
            a1 = h1 @ layers_1_w[0] + layers_1_b[0]         # (batch,)
            return (a1 - y)**2
        <BLANKLINE>
        """
        return display.source(self, framework=framework, name=name)

    def size(self) -> str:
        """Return in words how many instructions the program has, and what one example is."""
        steps, numbers = len(self.instructions), self.inputs
        return f"{steps:,} instruction{'s' * (steps != 1)} for examples of {numbers:,} number{'s' * (numbers != 1)}"

    def __repr__(self) -> str:
        return f"<Program: {self.size()}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text("Program(…)" if cycle else display.text(self) or str(self))
