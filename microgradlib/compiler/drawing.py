"""Drawing: a program as boxes and arrows, from the top down, a box for each line of its forward pass."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Final

from microgradlib.compiler.printing import DrawnNode, drawn
from microgradlib.compiler.printing.account import Account
from microgradlib.errors import GraphTooLargeError
from microgradlib.viz import Drawing
from microgradlib.viz.diagram import Arrow, Box, Diagram
from microgradlib.viz.from_graph import check_limit

if TYPE_CHECKING:
    from microgradlib.compiler.program import Program
    from microgradlib.viz.drawing import Engine

__all__ = ["diagram_of", "drawing_of", "wrapped"]

LONGEST: Final = 36
"""Characters in a line of a box: the step of a layer, = relu(layers.0.w @ x + layers.0.b), just fits."""
MOST_LINES: Final = 8
"""Lines of a formula in a box; the rest of a longer one is left out."""

_OPERATOR: Final = re.compile(r"(?<= )(\*\*|[-+*/@]) ")
_TIED: Final = "\u00a0"


def drawing_of(program: Program, *, max_nodes: int, engine: Engine) -> Drawing:
    """Return the drawing that `Program.draw` documents."""
    return Drawing(diagram_of(program, max_nodes=max_nodes), engine=engine)


def diagram_of(program: Program, *, max_nodes: int) -> Diagram:
    """Describe a program as boxes n0, n1, …, what is read before what reads it, and an arrow for each reading.

    Raises:
        ValueError: `max_nodes` is less than 1.
        GraphTooLargeError: there are more boxes than that.

    >>> from microgradlib import Value, compile
    >>> w = Value(2.0, label="w")
    >>> fast = compile(lambda x: (w * x).tanh(), [w])
    >>> values = fast([0.0])
    >>> for box in diagram_of(fast.program, max_nodes=10).boxes:
    ...     print(box.text)
    n0  w  size 1  (parameter)
    n1  x  size 1  (argument)
    n2  J  = tanh(w * x)  size 1
    """
    check_limit(max_nodes)
    nodes = drawn(program, program.parameter_names, program.arguments)
    last = _returned(program)
    if last is not None:
        known = {node.name for node in nodes}
        nodes += [leaf for leaf in last[1] if leaf.name not in known]
    count = len(nodes) + (last is not None)
    if count > max_nodes:
        message = (
            f"the program has {count:,} boxes and a drawing shows at most {max_nodes:,}. Draw a smaller one, of the same "
            "function with fewer layers or on a shorter sequence; or raise max_nodes, as in "
            f"draw(max_nodes={count}); or read it: print(program) has no limit"
        )
        raise GraphTooLargeError(message)
    ids = {node.name: f"n{place}" for place, node in enumerate(nodes)}
    boxes = [_box(node, ids[node.name], returned=last is None) for node in nodes]
    arrows = [Arrow(ids[name], ids[node.name]) for node in nodes for name in node.reads]
    if last is not None:
        node, leaves = last
        boxes.append(_box(node, f"n{len(nodes)}", returned=True))
        arrows += [Arrow(ids[name], f"n{len(nodes)}") for name in node.reads]
    return Diagram(tuple(boxes), tuple(arrows), down=True)
