"""Loops of a function under construction: an index, and values that change from turn to turn."""

from __future__ import annotations

from typing import Any

from microgradlib.compiler.llvm.numbers import Instructions, Number

__all__ = ["Loop"]


class Loop:
    """A loop under construction; see `Function.loop`."""

    def __init__(self, function: Instructions, end: int | str, step: int | str) -> None:
        self.function, self.end, self.step = function, end, step
        number = function._count = function._count + 1
        self.label, self.exit, self.index = f"loop.{number}", f"end.{number}", f"%index.{number}"
        self._before = function.block
        function.do(f"br label %{self.label}")
        function.start_block(self.label)
        self._next = f"%next.{number}"  # it is used before it is written, for which numbers are not allowed
        self._first_phi = len(function.lines)
        function.do("")  # the index, written when the loop is closed
        self._carried: list[list[Any]] = []

    def carry(self, initial: Number) -> Number:
        """Return a value that is first `initial`, then what `update` gave; to be called before other instructions."""
        function = self.function
        number = Number(function, initial.real, function.name_value())
        self._carried.append([number, initial, len(function.lines), number])
        function.do("")
        return number

    def update(self, carried: Number, following: Number) -> None:
        """Say what a carried value is in the next turn, and behind the loop."""
        for entry in self._carried:
            if entry[0] is carried:
                entry[3] = following

    def close(self) -> None:
        """Write the end of the loop."""
        function, latch = self.function, self.function.block
        after = f"add nuw nsw i64 {self.index}, {self.step}"
        function.do(f"{self._next} = {after}")
        function.lines[self._first_phi] = f"{self.index} = phi i64 [0, %{self._before}], [{self._next}, %{latch}]"
        for number, initial, line, following in self._carried:
            sources = f"[{initial.name}, %{self._before}], [{following.name}, %{latch}]"
            function.lines[line] = f"{number.name} = phi {number.real.text} {sources}"
        again = function.emit(f"icmp ult i64 {self._next}, {self.end}")
        function.do(f"br i1 {again}, label %{self.label}, label %{self.exit}")
        function.start_block(self.exit)
