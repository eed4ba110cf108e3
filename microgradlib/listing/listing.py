"""Programs as mathematics: the steps, inlined and named, the lines of both passes, and their text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from microgradlib.compiler.instructions import BATCHED, ProgramData
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.listing.backward import Line, backward_lines
from microgradlib.listing.expressions import Expressions
from microgradlib.listing.formula import ArrayFormula
from microgradlib.listing.inlining import UNNAMED, give_names, inline
from microgradlib.listing.parameter_groups import few, names_by_role
from microgradlib.listing.readings import by, groups_of, reading
from microgradlib.listing.steps import Step, forward_steps
from microgradlib.listing.symbols import Symbols

__all__ = ["Listing", "listing_of", "written"]

WIDEST = 80
"""Where the remarks of a part begin at the latest; those of longer lines follow them."""

MOST_LISTED = 8
"""How many net inputs are listed; of more only the first two and the last."""


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
            self.forward.append(Line("return", "", reading(symbols, self.outputs), (len(self.outputs),)))
        self.backward: list[Line] = []
        if (first or program.wrt == "inputs") and program.cotangents:
            cotangents = symbols.add_cotangents(program.wrt)
            self.batched |= {cotangents[name]: batched for name, batched in self.batched.items()}
            self.backward = backward_lines(program, write)
            self.batched |= write.batched
        self.stacks = [
            Line(name, "=", ArrayFormula(groups_of(symbols, stack)), stack.shape)
            for name, stack in symbols.stacks.items()
        ]
        self.lengths = {block.name: block.lengths for block in symbols.blocks}
        self.lengths |= {name: line.lengths for line in self.stacks for name in (line.target, f"∇{line.target}")}
        self.net_inputs = list(_net_inputs(steps))
        self.partly_read = write.partly_read


def _net_inputs(steps: Sequence[Step]) -> Iterator[tuple[str, str, str]]:
    """Yield the name of each product without a line of its own, the function that takes it, and the line's name."""
    for step in steps:
        line = step.reader
        if step.kind == "matmul" and line is not None:
            function = line.op.symbol
            while line.reader is not None:
                line = line.reader
            yield step.block.name, function, line.block.name


def written(program: ProgramData) -> str:
    """Return a program as text: what it computes for one example, and, of a joint program, below the gradient of that.

    The names are those of the program's `parameter_names`, dotted paths, and `arguments`; parameters without names are
    W1, b1, … by what they do. What the program holds beyond those named are Values without a gradient, `captured`.
    Where the function returns a tuple, the gradient is that of the first number in it.

    Each line ends with how many numbers it sets, rows × columns of a matrix. Matrices are as in the book, one column
    for each vector: a = W @ h + b. Net inputs are a1, a2, …, their activations h1, h2, …, the output J, other results
    have the letter of their op. What differs in `layers.0.neurons.3.w.1` only by indices of units and inputs is one
    matrix, `layers.0.w`; `[a, b]` are vectors one after another, `a.{U, W}` matrices side by side, `{q; k}.w` below
    each other. For an MLP these are Algorithms 6.3 and 6.4 of *Deep Learning*. A program that was differentiated twice
    is written instruction by instruction.

    >>> from microgradlib import compile
    >>> from microgradlib.compiler.reverse import reverse
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [3, 1], activation="tanh")
    >>> program = compile(lambda x, y: (model(x) - y) ** 2, model.parameters()).lower([[0.0, 0.0]], [0.0])
    >>> print(written(reverse(program)))
    # forward, for each example (x: 2, y: 1)
    h1 = tanh(layers.0.w @ x + layers.0.b)  # 3
    a2 = layers.1.w @ h1 + layers.1.b       # 1
    J = (a2 - y)**2                         # 1
    <BLANKLINE>
    # backward: g_v is ∂J/∂v, and each ∇ its mean over the batch
    # a1 is what tanh takes in the line of h1
    g_a2 = 2 * (a2 - y)                     # 1
    ∇layers.1.b = g_a2                      # 1
    ∇layers.1.w = g_a2 @ h1.T               # 1 × 3
    g_h1 = layers.1.w.T @ g_a2              # 3
    g_a1 = g_h1 * tanh'(a1)                 # 3
    ∇layers.0.b = g_a1                      # 3
    ∇layers.0.w = g_a1 @ x.T                # 3 × 2
    """
    if len(program.seeds) > 1:
        return program.listing()
    listing = listing_of(program)
    blocks = [block for block in listing.symbols.blocks if block.kind == "argument"]
    arguments = ", ".join([f"{block.name}: {by(block.lengths)}" for block in blocks])
    parts = [
        ("# parameters side by side (,) and below each other (;)", listing.stacks),
        (f"# forward, for each example ({arguments})" if arguments else "# forward", listing.forward),
        (_backward_title(listing), listing.backward),
    ]
    texts = [line.text for _, lines in parts for line in lines]
    width = max([len(text) for text in texts if len(text) <= WIDEST], default=0)
    sections = [
        "\n".join([title, *[f"{line.text:<{width}}  # {by(line.lengths)}" for line in lines]])
        for title, lines in parts
        if lines
    ]
    picked = any("[…]" in text for text in texts)
    return "\n\n".join(sections + ["# […]: numbers of these, picked one by one"] * picked)


def _backward_title(listing: Listing) -> str:
    output = listing.output.block.name if listing.output else "the first output"
    mean = ", and each ∇ its mean over the batch"
    if listing.output and not all(listing.batched.get(name, True) for line in listing.backward for name in line.names):
        mean = "; of a parameter (∇), and of what else all examples share, its mean over the batch"
    title = f"# backward: g_v is ∂{output}/∂v{mean}"
    if listing.wrt == "inputs":
        title = "# backward: from the cotangents g of what is returned to those of the arguments"
    return "\n".join([title, *_remarks(listing)])


def _remarks(listing: Listing) -> list[str]:
    """Say what the net inputs are that have no line of their own, function by function."""
    by_function: dict[str, list[tuple[str, str]]] = {}
    for a, function, line in listing.net_inputs:
        by_function.setdefault(function, []).append((a, line))
    remarks = []
    for function, pairs in by_function.items():
        names, lines = (", ".join(few(list(group), MOST_LISTED)) for group in zip(*pairs))
        verb, noun = ("is", "line") if len(pairs) == 1 else ("are", "lines")
        remarks.append(f"# {names} {verb} what {function} takes in the {noun} of {lines}")
    return remarks
