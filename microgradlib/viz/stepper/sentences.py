"""The steps of a pass in words, one line each, for terminals and screen readers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from microgradlib.ops import ZERO
from microgradlib.symbolic.book import is_compound, is_power
from microgradlib.viz.numbers import NOT_REACHED, number
from microgradlib.viz.stepper.tapes.frames import edges_of, replay
from microgradlib.viz.stepper.words import say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.captions import Language
    from microgradlib.viz.stepper.tapes.frames import Edges, Row

__all__ = ["decode", "edges_of_level", "fill", "sentences"]

Level = dict[str, Any]

_NUMBER: Final = re.compile(r"[\d.]+(e−?\d+)?")
_PLACE: Final = re.compile(r"\{(\w+)\}")


def decode(number: float | str | None) -> float:
    """Return a number of the tape; null is `ZERO`.

    >>> decode("-Infinity"), decode(None) is ZERO
    (-inf, True)
    """
    return ZERO if number is None else float(number)


def fill(template: str, parts: Sequence[str], output: str) -> str:
    """Put names or numbers into a template such as `1 − {z}²`; in parentheses where they would be read wrongly.

    >>> fill("{0} · {1}", ["−2", "−3"], "z"), fill("{0}²", ["−3"], "z"), fill("{0}", ["−3"], "z")
    ('−2 · (−3)', '(−3)²', '−3')
    """

    def part(match: re.Match[str]) -> str:
        text = output if match[1] == "z" else parts[int(match[1])]
        before, after = template[: match.start()][-1:], template[match.end() :][:1]
        in_power = after and after in "^⁻⁰¹²³⁴⁵⁶⁷⁸⁹"
        alone = before in {"(", "|"} and after in {")", "|", ","}
        if alone or (match.start() == 0 and text.startswith("−") and not in_power):
            return text
        is_number = _NUMBER.fullmatch(text)
        wrapped = text.startswith(("−", "≈")) or (
            not is_number and (is_compound(text) or (in_power and is_power(text)))
        )
        return f"({text})" if wrapped and match[0] != template else text

    return _PLACE.sub(part, template)


def _factor(text: str) -> str:
    return f"({text})" if text.startswith("−") else text


def edges_of_level(level: Level) -> Edges:
    """Return the edges of a level of the tape."""
    parents = [[level["edges"][e]["tail"] for e in node.get("in", ())] for node in level["nodes"]]
    quiet = [node["id"] for node in level["nodes"] if node["role"] in {"constant", "target"}]
    return edges_of(parents, quiet)


def sentences(level: Level, mode: str = "reverse", lang: Language = "en", digits: int = 4) -> list[str]:
    r"""Return one line for each frame of a pass: `reverse`, `forward` or `training`.

    >>> from microgradlib import Value
    >>> from microgradlib.viz.snapshots.capture import capture
    >>> from microgradlib.viz.stepper.tapes.subject import Subject
    >>> x = Value(3.0, label="x")
    >>> subject = Subject.of(capture(x * x))
    >>> [level] = subject.tape(*subject.levels())["levels"]
    >>> print(*sentences(level)[1:4], sep="\n")
    u1 = x · x = 3 · 3 = 9
    u1.grad = 1
    x.grad += u1.grad · ∂u1/∂x = 1 · 3 → 0 + 3 = 3 (∂u1/∂x = x; term 1 of 2)
    """
    graph = edges_of_level(level)
    frames = level["passes"][mode]
    slopes = [decode(edge["local"]) for edge in level["edges"]]
    played = replay(graph, frames, slopes, decode(level["seed"]))
    rows = {row.frame: row for row in played.rows}
    writer = _Writer(level, mode, lang, digits, played.result)
    return [writer.line(frame, rows.get(i)) for i, frame in enumerate(frames)]


class _Writer:
    """Writes the frames of one level."""

    def __init__(self, level: Level, mode: str, lang: Language, digits: int, result: Sequence[float]) -> None:
        self.level, self.mode, self.lang, self.digits, self.result = level, mode, lang, digits, result
        self.names = [node["full"] for node in level["nodes"]]
        self.numbers = [number(decode(node["value"]), digits) for node in level["nodes"]]

    def line(self, frame: Mapping[str, Any], row: Row | None) -> str:
        """Return the line of a frame."""
        do = frame["do"]
        if row is not None:
            return self._term(frame, row)
        if do in {"value", "seed", "sweep", "update", "after"}:
            line: str = getattr(self, f"_{do}")(frame)
            return line
        if do == "done":
            return self._done_forward() if self.mode == "forward" else self._done()
        return say(self.lang, do)

    def _number(self, x: float) -> str:
        return number(None if x is ZERO else x, self.digits)

    def _value(self, frame: Mapping[str, Any]) -> str:
        node = self.level["nodes"][frame["node"]]
        tails = [self.level["edges"][e]["tail"] for e in node["in"]]
        sides = [self.names[node["id"]]]
        if node["text"]:
            sides += [fill(node["text"], [part[t] for t in tails], "") for part in (self.names, self.numbers)]
        elif "closed" in node:
            sides.append(node["sign"])
        else:
            sides.append(f"{node['sign']}({', '.join(self.names[t] for t in tails[:8])}{', …' * (len(tails) > 8)})")
        return " = ".join([*sides, self.numbers[node["id"]]]).replace(" = ≈", " ≈ ")

    def _seed(self, frame: Mapping[str, Any]) -> str:
        return f"{self.names[frame['node']]}.grad = {self._number(decode(self.level['seed']))}"

    def _sweep(self, frame: Mapping[str, Any]) -> str:
        return say(self.lang, "sweep_why", k=frame["sweep"] + 1, n=frame["of"], node=self.names[frame["node"]])

    def _term(self, frame: Mapping[str, Any], row: Row) -> str:
        is_tangent = frame["do"] == "tangent"
        edge = self.level["edges"][row.edge]
        head, tail = self.names[edge["head"]], self.names[edge["tail"]]
        source, target = self.names[row.source], self.names[row.target]
        what = say(self.lang, "tangent") if is_tangent else "grad"
        if row.upstream is ZERO or row.local is ZERO:
            if row.upstream is ZERO:
                return f"{target}.{what}: {say(self.lang, 'nothing_upstream', node=source, input=target)}"
            return f"{target}.{what}: {say(self.lang, 'wall', node=head, input=tail)}"
        partial = f"∂{head}/∂{tail}"
        numbers = f"{_factor(self._number(row.upstream))} · {_factor(self._number(row.local))}"
        total = f"{self._number(row.before + 0.0)} + {_factor(self._number(row.added))} = {self._number(row.after)}"
        notes = []
        if edge["text"] and not re.fullmatch(r"−?[\d.]+", edge["text"]):
            node = self.level["nodes"][edge["head"]]
            names = [self.names[self.level["edges"][e]["tail"]] for e in node["in"]]
            notes.append(f"{partial} = {fill(edge['text'], names, head)}")
        if frame["of"] > 1:
            notes.append(say(self.lang, "term_of", k=frame["k"], n=frame["of"]))
        shown = f" ({'; '.join(notes)})" if notes else ""
        return f"{target}.{what} += {source}.{what} · {partial} = {numbers} → {total}{shown}"

    def _update(self, frame: Mapping[str, Any]) -> str:
        w, training = frame["node"], self.level["training"]
        name, new = self.names[w], self._number(decode(training["new"][str(w)]))
        gradient = NOT_REACHED if self.result[w] is ZERO else _factor(self._number(self.result[w]))
        numbers = f"{self.numbers[w]} − {number(training['rate'])} · {gradient}"
        return f"{name} ← {name} − η · {name}.grad = {numbers} = {new}"

    def _after(self, _: Mapping[str, Any]) -> str:
        training = self.level["training"]
        before, after = [self._number(decode(training[key])) for key in ("before", "after")]
        return say(self.lang, "after_why", before=before, after=after)

    def _count(self, mode: str, do: str) -> int:
        return sum(frame["do"] == do for frame in self.level["passes"][mode])

    def _done(self) -> str:
        return say(self.lang, "done", n=self._count("reverse", "term"), m=len(self.level["inputs"]))

    def _done_forward(self) -> str:
        used, back = self._count("forward", "tangent"), self._count("reverse", "term")
        sweeps, inputs = len(self.level["sweeps"]), len(self.level["inputs"])
        if sweeps < inputs:
            return say(self.lang, "done_forward_some", sweeps=sweeps, inputs=inputs, n=used, m=back)
        return say(self.lang, "done_forward", sweeps=sweeps, n=used, m=back)
