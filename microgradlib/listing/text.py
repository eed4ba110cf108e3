"""A program as text: what it computes, and its gradient, as mathematics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib.listing.listing import by, listing_of
from microgradlib.listing.parameter_groups import few

if TYPE_CHECKING:
    from microgradlib.compiler.instructions import ProgramData
    from microgradlib.listing.listing import Listing

__all__ = ["written"]

WIDEST = 80
"""Where the remarks of a part begin at the latest; those of longer lines follow them."""

MOST_LISTED = 8
"""How many net inputs are listed; of more only the first two and the last."""


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

    >>> from dataclasses import replace
    >>> from microgradlib.compiler.canonicalize import canonicalize
    >>> from microgradlib.compiler.reverse import reverse
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.compiler.vectorize import vectorize
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [3, 1], activation="tanh")
    >>> names = tuple([name for name, _ in model.named_parameters()])
    >>> program = vectorize(canonicalize(trace(lambda x, y: (model(x) - y) ** 2, [[0, 0], 0], model.parameters())))
    >>> program = replace(program, parameter_names=names, arguments=(("x", (2,)), ("y", ())))
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
    parts = [(_forward_title(listing), listing.forward), (_backward_title(listing), listing.backward)]
    if listing.stacks:
        parts.insert(0, ("# parameters side by side (,) and below each other (;)", listing.stacks))
    texts = [[f"{line.target} {line.sign} {line.formula}".replace("  ", " ") for line in lines] for _, lines in parts]
    width = max([len(text) for part in texts for text in part if len(text) <= WIDEST], default=0)
    blocks = []
    for (title, lines), part in zip(parts, texts):
        rows = [f"{text:<{width}}  # {by(line.lengths)}" for text, line in zip(part, lines)]
        if lines:
            blocks.append("\n".join([title, *rows]))
    picked = any("[…]" in text for part in texts for text in part)
    return "\n\n".join(blocks + (["# […]: numbers of these, picked one by one"] if picked else []))


def _forward_title(listing: Listing) -> str:
    blocks = [block for block in listing.symbols.blocks if block.kind == "argument"]
    arguments = ", ".join([f"{block.name}: {by(block.lengths)}" for block in blocks])
    return f"# forward, for each example ({arguments})" if arguments else "# forward"


def _backward_title(listing: Listing) -> str:
    output = listing.output.block.name if listing.output and listing.output.block else "the first output"
    mean = ", and each ∇ its mean over the batch"
    if listing.averages_a_result():
        mean = "; of a parameter (∇), and of what else all examples share, its mean over the batch"
    title = f"# backward: g_v is ∂{output}/∂v{mean}"
    if listing.wrt == "inputs":
        title = "# backward: from the cotangents g of what is returned to those of the arguments"
    return "\n".join([title, *_net_inputs(listing)])


def _net_inputs(listing: Listing) -> list[str]:
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
