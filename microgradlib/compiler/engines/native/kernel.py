"""What a step of a plan becomes: a function of LLVM IR, called with the places of its rows; and where rows lie."""

from __future__ import annotations

from typing import Any, NamedTuple

from microgradlib.compiler.instructions import BATCHED, UNBATCHED
from microgradlib.compiler.llvm.ir import Function, NotNativeError, Real

__all__ = ["ARGUMENTS", "LANE_SUMS", "Kernel", "Layout", "NotNativeError", "kernel_function", "starts_sums"]

ARGUMENTS = "ptr noalias %u, ptr noalias %b, ptr noalias %l, ptr noalias %s, ptr noalias readonly %t, i64 %B"
"""What every kernel is given: the unbatched rows, a number each; the batched rows, B numbers each; lane sums, a vector
each; scratch memory; the tables, 32-bit integers; and B, the examples of a block."""

LANE_SUMS = 2
"""The space of lane sums, beside UNBATCHED and BATCHED: its rows are lane sums."""


class Layout(NamedTuple):
    """How rows lie in memory, for which a kernel is written.

    Batched row r is B numbers from `b + r·B` on, one for each example of the block, where B is a multiple of
    `real.lanes`; if `is_single`, B is 1, and vectors lie along other axes. Unbatched row r is the number `u + r`.
    Lane sum k is a vector, at `l + k·lanes`: numbers to be added up, over examples and lanes, when all blocks are done;
    of a single example it is one number, at `l + k`.
    """

    real: Real
    """The type of vectors that the machine computes with."""
    registers: int
    """How many vector registers it has."""
    is_single: bool

    @property
    def row_real(self) -> Real:
        """The type of what batched rows are made of: vectors of examples, or one number."""
        return self.real.one if self.is_single else self.real

    @property
    def block(self) -> int | str:
        """The number of examples in a block, as an integer of the IR."""
        return 1 if self.is_single else "%B"

    @property
    def sum_lanes(self) -> int:
        """How many numbers a lane sum has."""
        return 1 if self.is_single else self.real.lanes

    def rows(self, space: int) -> tuple[str, int | str]:
        """Return the pointer to the rows of a space, or to the lane sums, and how many numbers each has."""
        return {UNBATCHED: ("%u", 1), BATCHED: ("%b", self.block), LANE_SUMS: ("%l", self.sum_lanes)}[space]


class Kernel(NamedTuple):
    """A function with the arguments of one call of it.

    Steps that are alike but for where their rows start have the same function. `arguments` are the integers %a0, %a1 …
    behind `ARGUMENTS`, in the order of its parameters; an array among them is a table of integers, for which its place
    in `t` is given.
    """

    function: Function
    arguments: tuple[Any, ...]
    scratch: int = 0
    """So many rows of scratch memory it needs, B numbers each, and as many vectors."""
    callees: tuple[Function, ...] = ()
    """Functions that it calls, by names of their own: the same name is the same function."""
    is_short: bool = False
    """Whether it only calls a few others: then `run` does so itself, as LLVM takes a millisecond for a function."""


def kernel_function(count: int) -> Function:
    """Return the function of a kernel with so many arguments of its own, %a0, %a1 …, to be written.

    >>> kernel_function(1).parameters[-15:]
    'i64 %B, i64 %a0'
    """
    return Function("kernel", ARGUMENTS + "".join([f", i64 %a{k}" for k in range(count)]))


def starts_sums(f: Function, layout: Layout, argument: str) -> str:
    """Return the condition that a kernel's lane sums have no numbers yet: that another one, in an argument, is 1.

    So it is in the first block. To fill all lane sums with zeros before takes as long as several of its kernels.
    """
    place = f.address(layout.real, "%l", f.mul(argument, layout.sum_lanes))
    return f.load(layout.real.one, place).equals(1.0).name
