"""Stages: a function as each pass of the compiler leaves it, to be looked at."""

from __future__ import annotations

from typing import NamedTuple

from microgradlib.compiler.canonicalize import canonicalize
from microgradlib.compiler.instructions import ProgramData
from microgradlib.compiler.planning import Plan, plan
from microgradlib.compiler.reverse import reverse
from microgradlib.compiler.trace import Trace
from microgradlib.compiler.vectorize import vectorize

__all__ = ["Stages"]

TITLES = (
    "trace: scalar operations", "canonicalize: the same, simplified", "vectorize: instructions on vectors",
    "reverse: forward and backward", "plan: steps on rows of memory",
)  # fmt: skip


class Stages(NamedTuple):
    """What each pass has made of a function, which shows itself as text. `joint` is the program with its gradient.

    >>> from microgradlib import Value, compile
    >>> w = Value(2.0)
    >>> compile(lambda x: w * x, [w]).stages([1.0])
    # trace: scalar operations
       0  parameter 0
       1  input 0
       2  mul 0, 1
          return 2
    # canonicalize: the same, simplified
       0  parameter 0
       1  input 0
       2  mul 0, 1
          return 2
    # vectorize: instructions on vectors
       0  batched[1] = elementwise mul unbatched[0], batched[0]
          return batched[1]
    # reverse: forward and backward
       0  batched[1] = elementwise mul unbatched[0], batched[0]
       1  batched[3] = elementwise mul adjoint 0 batched[2], batched[0]
       2  unbatched[1] = reduce sum of 1 batched[3]
          return batched[1], unbatched[1]
    # plan: steps on rows of memory
    3 unbatched rows, 5 batched rows
       0  batched[2] = elementwise mul unbatched[0], batched[0]
       1  batched[3] = elementwise mul adjoint 0 batched[1], batched[0]
       2  unbatched[1] = reduce sum batched[3]
    """

    trace: Trace
    canonical: Trace
    program: ProgramData
    joint: ProgramData
    plan: Plan

    @classmethod
    def of(cls, trace: Trace) -> Stages:
        """Run the passes on a traced function."""
        canonical = canonicalize(trace)
        program = vectorize(canonical)
        joint = reverse(program)
        return cls(trace, canonical, program, joint, plan(joint))

    def __repr__(self) -> str:
        texts = _listing(self.trace), _listing(self.canonical), self.program.listing(), self.joint.listing(), self.plan
        return "\n".join(f"# {title}\n{text}" for title, text in zip(TITLES, texts))


def _listing(trace: Trace) -> str:
    lines = [f"{position:>4}  {node}" for position, node in enumerate(trace.nodes)]
    return "\n".join([*lines, f"      return {', '.join(map(str, trace.outputs))}"])
