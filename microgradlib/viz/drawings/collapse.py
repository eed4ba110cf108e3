"""What `collapse` asks for, and the ladders of steps from the finest drawing to the coarsest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal, get_args

from microgradlib._support.shown import shown
from microgradlib.viz.boxes.choice import Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from microgradlib.viz.boxes.structure import Structure

CollapseWord = Literal["neuron", "layer", "step", "example"]
Collapse = CollapseWord | int

KINDS: Final[Mapping[str, frozenset[str]]] = {
    "neuron": frozenset({"neuron"}),
    "layer": frozenset({"neuron", "layer"}),
    "step": frozenset({"step"}),
    "example": frozenset({"example"}),
}
"""The kinds of scopes that each word closes."""
_FEW: Final = (32, 20, 12)
"""Of more boxes than these in one frame, the coarsest drawings leave out the middle."""


def check_collapse(collapse: object) -> Collapse | None:
    """Return what was given, if it is None, one of the words, or a whole number from 0.

    Raises:
        TypeError: it is something else.
        ValueError: it is another word, or a negative number.

    >>> check_collapse("layer"), check_collapse(2)
    ('layer', 2)
    """
    words = ", ".join(map(repr, get_args(CollapseWord)))
    what = f"collapse must be one of {words}, or a whole number: so many of the innermost levels of groups are closed"
    if collapse is None or (isinstance(collapse, str) and collapse in KINDS):
        return collapse  # type: ignore[return-value]
    if isinstance(collapse, str) or (isinstance(collapse, int) and not isinstance(collapse, bool) and collapse < 0):
        message = f"{what}; got {shown(collapse)}"
        raise ValueError(message)
    if isinstance(collapse, int) and not isinstance(collapse, bool):
        return collapse
    message = (
        f"{what}; got {shown(collapse)}. Write collapse=0 to open everything, collapse=None to let the size decide"
    )
    raise TypeError(message)


def ladder(structure: Structure, collapse: Collapse | None = None) -> Iterator[Step]:
    """Yield the steps to try, from the finest to the coarsest.

    Without `collapse`: neurons as cards; layers as tables, cards without weights; layers closed, equal ops side by
    side as one box; functions closed too, such as a softmax or a cost; the first three with equal groups drawn once;
    then groups closed from the inside to the outside; at last few boxes of each frame. With it: what it asks for; the
    same with equal groups drawn once; the same with few boxes of each frame.
    """
    if collapse is None:
        three = (Step(), Step(weights=False, tables=True), Step(weights=False, tables=True, layers=True, vectors=True))
        yield from three
        yield replace(three[-1], kinds=frozenset({"function"}))
        yield from (replace(step, fold=True) for step in three)
        coarse = replace(three[-1], fold=True, ends=2)
        highest = max(structure.groups.heights.values(), default=-1)
        yield from (replace(coarse, height=height) for height in range(highest + 1))
        yield from (replace(coarse, height=highest, ends=1, most=most, everything=True) for most in _FEW)
        return
    if isinstance(collapse, int):
        step = Step(cards=collapse > 0, height=collapse - 1, most=10**9)
    else:
        step = Step(kinds=KINDS[collapse], tables=collapse == "layer", most=10**9)
    yield step
    yield replace(step, fold=True, most=Step.most)
    yield replace(step, fold=True, most=_FEW[-1], everything=True, cards=True, ends=1)
