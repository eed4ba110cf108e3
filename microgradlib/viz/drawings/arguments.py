"""The arguments of `draw`: what can be drawn, and checks that say what is wrong and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, get_args

from microgradlib._support.shown import shown
from microgradlib.core.node import Node
from microgradlib.viz.boxes.options import LocalDerivatives
from microgradlib.viz.drawings.collapse import check_collapse
from microgradlib.viz.layout.placement import Direction

if TYPE_CHECKING:
    from microgradlib._support.checks import WholeNumber
    from microgradlib.viz.drawings.drawing import Drawing, Engine
    from microgradlib.viz.theme import Theme


class HasProgram(Protocol):
    """A compiled function."""

    @property
    def program(self) -> HasDraw:
        """Its program."""


class HasDraw(Protocol):
    """What draws itself, such as a program."""

    def draw(self, *, max_nodes: WholeNumber = ..., engine: Engine = ..., theme: Theme | None = ...) -> Drawing:
        """Return a drawing of itself."""


Drawable = Node | Sequence[Any] | Mapping[str, Any] | HasProgram | HasDraw


def check_options(direction: Any, collapse: Any, local_derivatives: Any, numbers: Any) -> None:
    """Raise an error unless these options of `draw` are what it takes.

    Raises:
        TypeError, ValueError: one is not.

    """
    if direction is not None and direction not in get_args(Direction):
        message = f"direction must be 'right' or 'down', or None for the one that reads better; got {shown(direction)}"
        raise ValueError(message)
    check_collapse(collapse)
    if local_derivatives is not None and local_derivatives not in get_args(LocalDerivatives):
        message = f"local_derivatives must be 'number', 'formula' or None, got {shown(local_derivatives)}"
        raise ValueError(message)
    if not isinstance(numbers, bool):
        message = f"numbers must be True or False, got {shown(numbers)}"
        raise TypeError(message)


def refuse(what: str, options: Mapping[str, bool]) -> None:
    """Raise an error if options were given that mean nothing for what is drawn.

    Args:
        what: what is drawn.
        options: for each option whether it was given.

    Raises:
        TypeError: one was.

    >>> refuse("a program", {"numbers": True, "names": False})
    Traceback (most recent call last):
        ...
    TypeError: a drawing of a program does not take numbers; leave it out
    """
    given = [name for name, is_given in options.items() if is_given]
    if given:
        several = len(given) > 1
        message = f"a drawing of {what} does not take {', '.join(given)}; leave {'them' if several else 'it'} out"
        raise TypeError(message)


def program_of(thing: Any) -> HasDraw | None:
    """Return the program of a compiled function, or a program; None for anything else."""
    program = getattr(thing, "program", thing)
    if isinstance(thing, (Node, Mapping, type)) or not callable(getattr(program, "draw", None)):
        return None
    found: HasDraw = program
    return found


def outputs_of(thing: Any) -> tuple[list[Node], dict[str, Any]]:
    """Return the nodes to draw, and the names that a dict gives them.

    Raises:
        TypeError: there is something else among them.
        ValueError: there are none.

    """
    given = {str(name): value for name, value in thing.items()} if isinstance(thing, Mapping) else {}
    outputs: list[Node] = []
    waiting: list[Any] = [list(given.values()) if isinstance(thing, Mapping) else thing]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Node):
            outputs.append(part)
        elif isinstance(part, (list, tuple)):
            waiting += reversed(part)
        elif callable(getattr(part, "tolist", None)):  # a NumPy array of Values
            waiting.append(part.tolist())
        else:
            raise TypeError(_not_drawable(thing, part))
    if not outputs:
        message = f"there is nothing to draw: got an empty {type(thing).__name__}; give at least one Value or Symbol"
        raise ValueError(message)
    return outputs, given


def _not_drawable(thing: Any, part: Any) -> str:
    expected = (
        "draw() takes a Value or Symbol, the output of a graph; a list, tuple or dict of several; a module; or a "
        "compiled function"
    )
    if thing is not part:
        return f"{expected}; got a {type(thing).__name__} that contains {shown(part)}"
    return f"{expected}; got {shown(part)}. Make one first: x = Value(2.0, label='x'); draw(x * x)"
