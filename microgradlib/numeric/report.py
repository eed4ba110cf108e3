"""The report of a gradient check: one row for each derivative, and its text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from microgradlib._support import display
from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from microgradlib.numeric.extrapolation import NumericDerivative
    from microgradlib.numeric.taylor import TaylorRemainder

__all__ = ["DerivativeCheck", "Fault", "GradcheckReport"]

MOST_ARGUMENTS = 6
"""The most arguments that the headline of a report lists."""

_HEADINGS = ("argument", "reverse", "forward", "numeric", "± estimated error", "verdict")


@dataclass(frozen=True)
class Fault:
    """An op whose local derivative is wrong: the first, in topological order, that disagrees with its differences.

    If no op does, it is the one of largest effect among those that disagree with complex steps.
    """

    op: str
    input: int
    """The index of the input, from 0."""
    at: tuple[float, ...]
    """The op's inputs."""
    recorded: float
    """The local derivative in the graph."""
    numeric: NumericDerivative
    """By differences; by a complex step if its `step` is 0."""
    line: str
    """The user's source line that made the node, as `file:line, in function`, or `cell [15], line 2`; "" if unknown."""

    def __str__(self) -> str:
        at = ", ".join(map(repr, self.at))
        made = f", made at {self.line}" if self.line else ""
        method = "differences of its value give" if self.numeric.step else "a complex step gives"
        return (
            f"traced to {self.op}({at}){made}: its derivative by input {self.input + 1} was recorded as "
            f"{self.recorded!r}, but {method} {_with_error(self.numeric)}"
        )


@dataclass(frozen=True)
class DerivativeCheck:
    """One derivative by three methods; only the verdict "FAIL" is a failure (`gradcheck` describes the verdicts).

    `crossed` names an op that changes branch: at the kink or, with another verdict, at steps larger than those used.
    """

    argument: str
    reverse: float
    forward: float
    numeric: NumericDerivative
    allowed: float
    """The largest accepted difference: the numeric error times `SAFETY`; at a kink only half of the gap counts once."""
    verdict: str
    crossed: str = ""
    fault: Fault | None = None
    reason: str = ""
    """The cause of a failure that is not the fault of one op, or of a derivative that is nan."""

    def failure(self) -> str:
        """Return a sentence that names the argument, the numbers, the allowed error and the op at fault."""
        off = max(abs(self.reverse - self.numeric.value), abs(self.forward - self.numeric.value))
        size = "not comparable" if math.isnan(off) else f"off by {off:.3g}"
        return (
            f"by {self.argument}: reverse gives {self.reverse!r}, forward {self.forward!r}, but differences give "
            f"{_with_error(self.numeric)}: {size} where {self.allowed:.3g} is allowed; {self.fault or self.reason}"
        )

    def cells(self) -> tuple[str, ...]:
        """Return the cells of this check's row in the table of the report."""
        verdict = self.verdict
        if self.crossed:
            where = "" if verdict == "kink" else " beyond the step"
            verdict += f": {self.crossed}" if verdict == "kink" else f" (kink of {self.crossed}{where})"
        numbers = [f"{x:.12g}" for x in (self.reverse, self.forward, self.numeric.value)]
        return (self.argument, *numbers, f"{self.numeric.error:.1e}", verdict)


@dataclass(frozen=True, repr=False)
class GradcheckReport(display.ShowsItself):
    """The result of `gradcheck`, a table in notebooks and as text; `show()` shows all of a long one."""

    point: tuple[float, ...]
    value: float
    checks: tuple[DerivativeCheck, ...]
    """The first derivatives, in the order of the arguments."""
    second: tuple[DerivativeCheck, ...]
    """For order=2, the derivatives of each entry of the gradient."""
    taylor: TaylorRemainder

    @property
    def undecided(self) -> list[DerivativeCheck]:
        """The checks that neither confirm nor refute: those whose verdict is "kink", "edge" or "cannot tell"."""
        return [check for check in (*self.checks, *self.second) if check.verdict not in {"ok", "FAIL"}]

    @property
    def failures(self) -> list[DerivativeCheck]:
        """The checks whose verdict is "FAIL"."""
        return [check for check in (*self.checks, *self.second) if check.verdict == "FAIL"]

    @property
    def ok(self) -> bool:
        """Whether there are no failures, and the Taylor remainder does not show a wrong gradient either."""
        return not self.failures and not self.taylor.refutes

    def headline(self) -> str:
        """Return one line: where the gradient was checked, and how many derivatives agree."""
        at = [f"{check.argument} = {x!r}" for check, x in zip(self.checks, self.point)]
        point = ", ".join(at if len(at) <= MOST_ARGUMENTS else [*at[: MOST_ARGUMENTS - 1], "…", at[-1]])
        checks = (*self.checks, *self.second)
        agreed = sum(check.verdict == "ok" for check in checks)
        return f"gradcheck at {point}: f = {self.value!r}; {agreed} of {len(checks)} derivatives agree"

    @in_plain_words
    def notes(self, most: int | None = display.SCREEN) -> list[str]:
        """Return what is to be said below the table: the Taylor test, and of so many derivatives why they fail."""
        reasons = [check.failure() for check in self.failures]
        reasons += [f"by {check.argument}: {check.reason}" for check in self.undecided if check.reason]
        most = _checked(most)
        left_out = 0 if most is None else max(len(reasons) - most, 0)
        lines = [str(self.taylor), *reasons[: len(reasons) - left_out]]
        if left_out:
            lines.append(f"… {left_out:,} more: show() shows all")
        if self.taylor.refutes and not self.failures:
            lines.append("every difference agrees, but the Taylor remainder falls as that of a wrong gradient does")
        return lines

    def rows(self, most: int | None) -> tuple[list[DerivativeCheck], int]:
        """Return at most so many checks, and how many are left out: those that agree, before others."""
        most = _checked(most)
        checks = [*self.checks, *self.second]
        if most is None or len(checks) <= most:
            return checks, 0
        first = {id(check) for check in sorted(checks, key=lambda check: check.verdict == "ok")[:most]}
        return [check for check in checks if id(check) in first], len(checks) - most

    def __str__(self) -> str:
        shown, left_out = self.rows(display.SCREEN)
        more = [f"  … {left_out:,} more: show() shows all"] if left_out else []
        return "\n".join([self.headline(), *[f"  {line}" for line in _table(shown)], *more, *self.notes()])

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.headline()}>"


def _checked(most: int | None) -> int | None:
    return None if most is None else whole_number(most, "most", 0, example=display.SCREEN)


def _with_error(derivative: NumericDerivative) -> str:
    return f"{derivative.value!r} ± {derivative.error:.1e}"


def _table(checks: Sequence[DerivativeCheck]) -> list[str]:
    rows = [_HEADINGS, *(check.cells() for check in checks)]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
