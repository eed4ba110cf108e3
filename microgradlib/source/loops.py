"""Loops: lines that repeat step by step, as those of a recurrent network, written once in a `for`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from microgradlib.source.writer import Line

__all__ = ["Statement", "statements"]

FEWEST_STEPS, MOST_LINES = 3, 60
"""A loop has so many steps at least, and so many lines at most."""

LONGEST_RETURNED = 100
"""A last line of at most so many characters is what is returned."""

TOKEN = re.compile(r"§[\d.]+§|[^\W\d]\w*|\d+(?:\.\d+)?(?:e[+-]?\d+)?|.")
NAME = re.compile(r"§[\d.]+§")


class Statement(NamedTuple):
    """One line of a function: its code, and a comment, the shape of what it computes; `depth` is 1 in a loop."""

    code: str
    comment: str = ""
    depth: int = 0


@dataclass
class Loop:
    """`count` times `period` lines from `start` on. `body` has their tokens, a name as the number of a line in it.

    A token (first, step) is a number that grows. `carried`: what stands for a line's result in the first step.
    """

    start: int
    period: int
    count: int
    body: list[list[str | int | tuple[int, int]]] = field(default_factory=list)
    carried: dict[int, str] = field(default_factory=dict)

    @property
    def saved(self) -> int:
        """How many lines it saves."""
        return self.period * (self.count - 1)

    @property
    def rank(self) -> tuple[int, int]:
        """The higher the better: the lines that it saves, then as few as can be that wait for the next step."""
        return self.saved, -len(self.carried)

    @property
    def stop(self) -> int:
        """The line after the last."""
        return self.start + self.period * self.count


def statements(lines: Sequence[Line], returned: str, fresh: Callable[..., str]) -> tuple[list[Statement], str]:
    """Return the statements of lines and what is returned, with names: those of a loop without their step's number."""
    lines = sorted(lines, key=lambda line: (NAME.search(line.text) is not None, line.number))
    loops = _loops(lines, 0, len(lines))
    return _Namer(lines, loops, returned, fresh).written()


def _loops(lines: Sequence[Line], start: int, stop: int) -> list[Loop]:
    """Return the loops among lines, in order: first the one that saves the most."""
    forms = [_form(line) for line in lines[start:stop]]
    best: Loop | None = None
    for period in range(1, min(MOST_LINES, (stop - start) // FEWEST_STEPS) + 1):
        alike = [a == b for a, b in zip(forms, forms[period:])]
        k = 0
        while k < len(alike):
            run = next((j for j in range(k, len(alike)) if not alike[j]), len(alike)) - k
            for shift in range(min(period, run) if run >= (FEWEST_STEPS - 1) * period else 0):
                most = (run - shift) // period + 1
                if best is None or (most - 1) * period >= best.saved:
                    loop = _loop(lines, start + k + shift, period, most)
                    if loop and (best is None or loop.rank > best.rank):
                        best = loop
            k += run + 1
    if best is None:
        return []
    return [*_loops(lines, start, best.start), best, *_loops(lines, best.stop, stop)]


def _form(line: Line) -> str:
    """Return what lines of a loop have in common: the text without numbers and names, and the shape."""
    return "".join(
        ["#" if token[0] == "§" or token.isdecimal() else token for token in TOKEN.findall(line.text)]
    ) + repr(line.lengths)


def _loop(lines: Sequence[Line], start: int, period: int, most: int) -> Loop | None:
    """Return the loop of as many steps as are alike, at least so many as a loop has; a first one may differ."""
    for first in (0, 1):
        for count in range(most - first, FEWEST_STEPS - 1, -1):
            loop = Loop(start + first * period, period, count)
            if _fill(loop, lines):
                return loop
    return None


def _fill(loop: Loop, lines: Sequence[Line]) -> bool:
    """Write the body of a loop; return whether all its steps do the same."""
    zeros = {line.name for line in lines if line.letter == "z"}
    place = {lines[loop.start + k].name: divmod(k, loop.period) for k in range(loop.period * loop.count)}
    for j in range(loop.period):
        steps = [TOKEN.findall(lines[loop.start + t * loop.period + j].text) for t in range(loop.count)]
        row: list[str | int | tuple[int, int]] = []
        for column in zip(*steps):
            token = _token(loop, column, place, j, zeros)
            if token is None:
                return False
            row.append(token)
        loop.body.append(row)
    return True


def _token(
    loop: Loop, column: tuple[str, ...], place: dict[str, tuple[int, int]], line: int, zeros: set[str]
) -> str | int | tuple[int, int] | None:
    """Return what a token is in all steps; None if it is nothing of a loop."""
    if len({*column}) == 1 and column[0] not in place:
        return column[0]
    where = [place.get(token) for token in column]
    last = where[-1]
    if last is None:
        numbers = [int(token) if token.isdecimal() else -1 for token in column]
        steps = {b - a for a, b in pairwise(numbers)}
        return (numbers[0], steps.pop()) if min(numbers) >= 0 and len(steps) == 1 else None
    source = last[1]
    if where == [(t, source) for t in range(loop.count)]:
        return source
    if where[1:] == [(t, source) for t in range(loop.count - 1)] and where[0] is None and source >= line:
        first = loop.carried.setdefault(source, column[0])
        if {first, column[0]} & zeros and {first, column[0]} <= {"0", *zeros}:  # 0, and an array of zeros
            loop.carried[source] = column[0] if first == "0" else first
            return source
        return source if first == column[0] else None
    return None


class _Namer:
    """Gives names: `names` of lines, which in a loop's earlier steps are those of a list's elements, `lists`."""

    def __init__(self, lines: Sequence[Line], loops: Sequence[Loop], returned: str, fresh: Callable[..., str]) -> None:
        self.lines, self.returned, self.fresh = lines, returned, fresh
        self.loops = {loop.start: loop for loop in loops}
        self.inside = {k for loop in loops for k in range(loop.start, loop.stop)}
        outside = [returned, *[line.text for k, line in enumerate(lines) if k not in self.inside]]
        outside += [token for loop in loops for token in loop.carried.values()]
        self.uses = Counter(NAME.findall(" ".join(outside)))
        self.names: dict[str, str] = {}
        self.lists: list[tuple[list[str], str]] = []
        self.variables: dict[tuple[int, int], str] = {}

    def written(self) -> tuple[list[Statement], str]:
        """Return the statements, and what is returned."""
        result: list[Statement] = []
        starts = {
            token: (loop.start, j) for loop in self.loops.values() for j, token in loop.carried.items()
            if self.uses[token] == 1
        }  # fmt: skip
        for k, line in enumerate(self.lines):
            if k in self.loops:
                result += self._loop(self.loops[k])
            elif k not in self.inside:
                letter = line.letter
                if line.name in starts:  # the state before the first step has the name of those behind it
                    start, j = starts[line.name]
                    letter = self.lines[start + j].letter
                self.names[line.name] = name = self.fresh(letter)
                if line.name in starts:
                    self.variables[starts[line.name]] = name
                result.append(Statement(f"{name} = {self._named(line.text)}", line.shape))
        returned, last = self._named(self.returned), result[-1:]
        if last and last[0].code.startswith(f"{returned} = ") and len(last[0].code) <= LONGEST_RETURNED:
            returned = result.pop().code.partition(" = ")[2]
        return result, returned

    def _loop(self, loop: Loop) -> list[Statement]:
        variables = [self._variable(loop, j) for j in range(loop.period)]
        before = [
            Statement(f"{variables[j]} = {self._named(token)}")
            for j, token in sorted(loop.carried.items())
            if self._named(token) != variables[j]
        ]
        growing = Counter(
            [token[0] for row in loop.body for token in row if isinstance(token, tuple) and token[1] == 1]
        )
        first = growing.most_common(1)[0][0] if growing else 0
        step = (
            self.fresh("t", alone=True)
            if growing or any(isinstance(token, tuple) for row in loop.body for token in row)
            else "_"
        )
        body = [Statement(f"for {step} in range({f'{first}, ' if first else ''}{first + loop.count}):")]
        for j, row in enumerate(loop.body):
            text = "".join([self._token(token, variables, step, first) for token in row])
            last = self.lines[loop.stop - loop.period + j]
            body.append(Statement(f"{variables[j]} = {text}", last.shape, 1))
            members = [self.lines[loop.start + t * loop.period + j].name for t in range(loop.count)]
            self.names |= dict.fromkeys(members, variables[j])
            if any(self.uses[name] for name in members[:-1]):
                collected = self.fresh(f"{variables[j].rstrip('0123456789')}_all")
                before.append(Statement(f"{collected} = []"))
                body.append(Statement(f"{collected}.append({variables[j]})", "", 1))
                self.lists.append((members, collected))
                self.names |= {name: f"{collected}[{t}]" for t, name in enumerate(members[:-1])}
        return [*before, *body]

    def _variable(self, loop: Loop, j: int) -> str:
        return self.variables.get((loop.start, j)) or self.fresh(self.lines[loop.start + j].letter)

    def _token(self, token: str | int | tuple[int, int], variables: list[str], step: str, first: int) -> str:
        if isinstance(token, int):
            return variables[token]
        if isinstance(token, str):
            return self._named(token)
        start, stride = token[0] - first * token[1], token[1]
        text = step if stride == 1 else f"{stride} * {step}"
        return f"{text} {'+' if start > 0 else '-'} {abs(start)}" if start else text

    def _named(self, text: str) -> str:
        """Write names in the place of those that lines had so far; all elements of a list as the list."""
        for members, collected in self.lists:
            text = text.replace(f"[{', '.join(members)}]", collected)
            total = " + ".join(members)
            text = text.replace(f"({total})", f"sum({collected})").replace(total, f"sum({collected})")
        return NAME.sub(lambda match: self.names[match[0]], text)
