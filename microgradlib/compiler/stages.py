"""Stages: a function as each pass of the compiler leaves it, to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.planning import plan
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.vectorize import vectorize

if TYPE_CHECKING:
    from microgradlib.compiler.trace import Trace

__all__ = ["Stages"]


class Stages:
    """The trace of a function, `canonical`, the `program`, the `joint` program with its gradient, and the `plan`.

    >>> from microgradlib import Value, compile
    >>> w = Value(2.0)
    >>> print(compile(lambda x: (w * x + 0) * 3.0, [w]).stages([1.0]))
    """

    def __init__(self, trace: Trace) -> None:
        self.trace, self.canonical = trace, canonicalize(trace)
        self.program = vectorize(self.canonical)
        self.joint = reverse(self.program, wrt="parameters")
        self.plan = plan(self.joint)

    def __str__(self) -> str:
        parts = {
            "trace: scalar operations": _listing(self.trace),
            "canonicalize: the same, simplified": _listing(self.canonical),
            "vectorize: instructions on vectors": self.program.listing(),
            "reverse: forward and backward": self.joint.listing(),
            "plan: steps on rows of memory": str(self.plan),
        }
        return "\n\n".join(f"# {title}\n{text}" for title, text in parts.items())

    def __repr__(self) -> str:
        counts = [len(self.trace.nodes), len(self.canonical.nodes), len(self.program.instructions)]
        return "<Stages: {} scalars, {} canonical, {} instructions; print it>".format(*counts)


def _listing(trace: Trace) -> str:
    """Return a trace as text, one scalar per line."""
    lines = [f"{position:>4}  {_written(node)}" for position, node in enumerate(trace.nodes)]
    return "\n".join([*lines, f"      return {', '.join(map(str, trace.outputs))}"])


def _written(node: Any) -> str:
    if node.op is None:
        return f"constant {node.number:g}" if node.kind == "constant" else f"{node.kind} {node.index}"
    settings = "".join(f" {setting:g}" for setting in node.op.settings)
    return f"{node.op.name}{settings} {', '.join(map(str, node.arguments))}"
