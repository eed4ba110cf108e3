"""Printing: a rolled program as mathematics, forward and backward, and as a small graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from microgradlib.compiler.instructions import BATCH
from microgradlib.compiler.printing.account import Account

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.compiler.instructions import ProgramData
    from microgradlib.compiler.printing.backward import Line

__all__ = ["DrawnNode", "drawn", "written"]

WIDEST = 80
"""Where the remarks of a part begin at the latest; those of longer lines follow them."""

MOST_LISTED = 8
"""How many net inputs are listed; of more only the first and the last."""


def written(
    program: ProgramData, parameter_names: Sequence[str], arguments: Sequence[tuple[str, tuple[int, ...]]]
) -> str:
    """Return a program as text: what it computes for one example, and, below, the gradient of that.

    `parameter_names`: the dotted path of each parameter; where there are none, they are W1, b1, … by what they do. What
    the program holds beyond those named are Values without a gradient, `held`. `arguments`: the name of each argument
    of the function and the lengths of one example's axes, `()` for a number. Where the function returns a tuple, the
    gradient is that of the first number in it.

    Each line ends with how many numbers it sets, rows × columns of a matrix. Matrices are as in the book, one column
    for each vector: a = W @ h + b. Net inputs are a1, a2, …, their activations h1, h2, …, the output J, other results
    have the letter of their op. What differs in `layers.0.neurons.3.w.1` only by indices of units and inputs is one
    matrix, `layers.0.w`; `[a, b]` are vectors one after another, `a.{U, W}` matrices side by side, `{q; k}.w` below
    each other. For an MLP these are Algorithms 6.3 and 6.4 of *Deep Learning*.

    >>> import microgradlib as mg
    >>> from microgradlib.compiler.canonical import canonical
    >>> from microgradlib.compiler.roll import roll
    >>> from microgradlib.compiler.trace import trace
    >>> from microgradlib.nn import MLP
    >>> model = MLP(2, [3, 1], activation="tanh")
    >>> program = roll(canonical(trace(lambda x, y: (model(x) - y) ** 2, [[0, 0], 0], model.parameters())))
    >>> print(written(program, [name for name, _ in model.named_parameters()], [("x", (2,)), ("y", ())]))
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
    account = Account(program, parameter_names, arguments)
    forward, backward = account.forward(), account.backward()
    parts = [(_forward_title(account), forward), (_backward_title(account), backward)]
    if account.stacks():
        parts.insert(0, ("# parameters side by side (,) and below each other (;)", account.stacks()))
    texts = [[f"{line.target} {line.sign} {line.formula}".replace("  ", " ") for line in lines] for _, lines in parts]
    width = max([len(text) for part in texts for text in part if len(text) <= WIDEST], default=0)
    blocks = []
    for (title, lines), part in zip(parts, texts):
        remarks = [" × ".join(map(str, line.lengths)) or "1" for line in lines]
        rows = [f"{text:<{width}}  # {remark}" for text, remark in zip(part, remarks)]
        if lines:
            blocks.append("\n".join([title, *rows]))
    picked = any("[…]" in text for part in texts for text in part)
    return "\n\n".join(blocks + (["# […]: numbers of these, picked one by one"] if picked else []))


def _forward_title(account: Account) -> str:
    arguments = account.arguments()
    return f"# forward, for each example ({arguments})" if arguments else "# forward"


def _backward_title(account: Account) -> str:
    output = account.output.block.name if account.output else "the first output"
    averages = account.averages_a_result()
    mean = (
        "; of a parameter (∇), and of what else all examples share, its mean" if averages else ", and each ∇ its mean"
    )
    title = f"# backward: g_v is ∂{output}/∂v{mean} over the batch"
    return "\n".join([title, *_net_inputs(account)])


def _net_inputs(account: Account) -> list[str]:
    """Say what the net inputs are that have no line of their own, function by function."""
    by_function: dict[str, list[tuple[str, str]]] = {}
    for a, function, line in account.net_inputs():
        by_function.setdefault(function, []).append((a, line))
    remarks = []
    for function, pairs in by_function.items():
        names, lines = (", ".join(group) for group in zip(*_few(pairs)))
        verb, noun = ("is", "line") if len(pairs) == 1 else ("are", "lines")
        remarks.append(f"# {names} {verb} what {function} takes in the {noun} of {lines}")
    return remarks


def _few(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return pairs if len(pairs) <= MOST_LISTED else [*pairs[:2], ("…", "…"), pairs[-1]]


class DrawnNode(NamedTuple):
    """One box of a program's graph: an "argument", "parameter", "held" Value, "result" or "output".

    `name` is its own among the boxes, `formula` what it is computed by (nothing for a leaf), `lengths` those of its
    axes, `reads` the names of the boxes from which arrows come, in order. `each` says whether every example of a batch
    has numbers of its own there.
    """

    kind: str
    name: str
    formula: str
    lengths: tuple[int, ...]
    reads: tuple[str, ...]
    each: bool


def drawn(
    program: ProgramData, parameter_names: Sequence[str], arguments: Sequence[tuple[str, tuple[int, ...]]]
) -> list[DrawnNode]:
    """Return the boxes of a program's graph, what is read before what reads it: one for each line of the forward pass.

    Arguments as those of `written`. Leaves that nothing reads are left out.

    >>> from microgradlib import Value
    >>> from microgradlib.compiler.canonical import canonical
    >>> from microgradlib.compiler.roll import roll
    >>> from microgradlib.compiler.trace import trace
    >>> w = Value(2.0)
    >>> program = roll(canonical(trace(lambda x: (w * x).tanh(), [0.0], [w])))
    >>> for node in drawn(program, ["w"], [("x", ())]):
    ...     print(node.kind, node.name, node.formula, *node.reads)
    parameter w
    argument x
    output J tanh(w * x) w x
    """
    account = Account(program, parameter_names, arguments)
    account.forward()
    leaves = {b.name: DrawnNode(b.kind, b.name, "", b.lengths, (), b.kind == "argument") for b in account.places.blocks}
    stacks = {line.target: DrawnNode("parameter", *_leaf(line)) for line in account.stacks()}
    known = {**leaves, **stacks}
    nodes: dict[str, DrawnNode] = {}
    outputs = {block.name for block in account.places.owners(account.outputs)}
    for step in account.shown:
        reads = tuple(account.read_by(step))
        for name in reads:
            nodes.setdefault(name, known[name])
        block = step.block
        kind = "output" if block.name in outputs else "result"
        formula = str(account.write.expression(step))
        nodes[block.name] = DrawnNode(kind, block.name, formula, block.lengths, reads, step.bank == BATCH)
    return list(nodes.values())


def _leaf(line: Line) -> tuple[str, str, tuple[int, ...], tuple[str, ...], bool]:
    return line.target, line.formula, line.lengths, (), False
