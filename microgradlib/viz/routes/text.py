"""Routes in words: the lines written under a picture, each route with its product, their sum, and what it means."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from microgradlib._support.printable import shorten
from microgradlib.viz.numbers import MINUS, number
from microgradlib.viz.routes.search import symbol
from microgradlib.viz.typography import sans_width

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from microgradlib.viz.routes.search import Edge, Highlight, Route
    from microgradlib.viz.snapshots.snapshot import Scope, Snapshot, SnapshotNode

SHOWN_STEPS: Final = 12
"""A longer route is written with its first and last few steps, and how many lie between."""
_MAX_NAME: Final = 40
_SAME: Final = 1e-9
"""The largest relative difference between a sum of products and the gradient stored by `backward()`."""
_LONGEST_COUNT: Final = 10**15


@dataclass(frozen=True)
class CaptionLine:
    """One line under the picture.

    Args:
        style: "route0" … "route3" for the colour and dash of that route, "sum", "muted" or "warning".
        text: the line.
        first: whether a new entry begins, before which a sample of the route's line is drawn.

    """

    style: str
    text: str
    first: bool = True


def caption(snapshot: Snapshot, found: Highlight, width: float, size: float) -> tuple[CaptionLine, ...]:
    """Return the lines to write under the picture, none wider than `width` pixels in a font of `size` pixels.

    A word that is wider alone, such as a very long name, has been shortened before.
    """
    return tuple(
        CaptionLine(style, line, first=k == 0)
        for style, pieces in _entries(snapshot, found)
        for k, line in enumerate(_wrapped(pieces, width, size))
    )


def caption_text(snapshot: Snapshot, found: Highlight) -> str:
    """Return the same in plain text, one entry a line.

    >>> from microgradlib.viz.routes.search import highlight
    >>> from microgradlib.viz.snapshots.snapshot import Snapshot, SnapshotNode
    >>> w = SnapshotNode(0, "input", "w", data=2.0, grad=12.0)
    >>> u = SnapshotNode(1, "op", "u", "×", "mul", 4.0, 3.0, (0, 0), (2.0, 2.0))
    >>> z = SnapshotNode(2, "output", "z", "×", "mul", 12.0, 1.0, (1,), (3.0,))
    >>> graph = Snapshot((w, u, z), (2,))
    >>> print(caption_text(graph, highlight(graph, 0, 2)))
    w → u → z:   2 · 3 = 6
    w → u → z:   2 · 3 = 6
    sum of 2 routes:   6 + 6 = 12 = ∂z/∂w, the gradient of w
    """
    return "\n".join("".join(pieces) for _, pieces in _entries(snapshot, found))


def _entries(snapshot: Snapshot, found: Highlight) -> Iterator[tuple[str, list[str]]]:
    """Yield each entry as its style and its text in pieces, between which a line may be broken."""
    start, end = _name(snapshot.nodes[found.start]), _name(snapshot.nodes[found.end])
    slope = f"∂{_last_part(end)}/∂{_last_part(start)}"
    if not found.count:
        why = "each way meets a closed branch" if found.stopped else f"no route leads from {start} to {end}"
        yield "sum", [f"{why}, ", f"so {slope} = 0"]
        return
    for k, route in enumerate(found.routes):
        yield f"route{k}", _route(snapshot, found, route, start)
    more = found.count - len(found.routes)
    if more:
        yield "muted", [f"{count_text(more)} more route{'s' * (more != 1)}{_of_the_others(found)}"]
    meaning, warning = _comparison(snapshot, found, start)
    yield "sum", _symbolic_sum(snapshot, found, slope) if found.formulas else _sum(found, slope, meaning)
    if warning:
        yield "warning", warning


def _route(snapshot: Snapshot, found: Highlight, route: Route, start: str) -> list[str]:
    names = [start, *_step_names(snapshot, found, route)]
    pieces = [f"{name} → " for name in _middle_left_out(names[:-1])] + [f"{names[-1]}:   "]
    if not route.edges:
        return [*pieces, "1"]
    factors = [_factor(snapshot, found, edge) for edge in route.edges]
    shown = _middle_left_out(factors)
    pieces += [f"{factor} · " for factor in shown[:-1]] + [shown[-1]]
    return pieces if len(factors) == 1 or route.product is None else [*pieces, f" = {number(route.product)}"]


def _step_names(snapshot: Snapshot, found: Highlight, route: Route) -> Iterator[str]:
    """Yield a name for each node of a route after its start: its own, or its op, after the place where that changes."""
    places = _Places(snapshot)
    start = snapshot.nodes[found.start]
    current = start.name.rpartition(".")[0] if start.kind == "parameter" else ""
    for index, _ in route.edges:
        node = snapshot.nodes[index]
        inner = next((scope for scope in reversed(node.scopes) if scope.path or scope.kind in _NAMING), None)
        place = places.name(inner) if inner else ""
        is_same = f"{current}.".startswith(f"{place}.")
        if node.name or found.formulas:  # formulas refer to it by this name
            yield shorten(symbol(snapshot, index), _MAX_NAME)
        else:
            op = "z" if node.op_name == "dot" and inner else node.op or "?"
            yield op if is_same or not place else f"{shorten(place, _MAX_NAME)} {op}"
        current = place


class _Places:
    """Names of scopes that say where a node is; a layer of one neuron is called by the layer."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.neurons: dict[int, set[int]] = {}
        for node in snapshot.nodes:
            for scope in node.scopes:
                if scope.kind == "neuron" and scope.parent:
                    self.neurons.setdefault(id(scope.parent), set()).add(id(scope))

    def name(self, scope: Scope) -> str:
        """Return the path of a scope, or its name where it has none."""
        around = scope.parent
        if scope.kind == "neuron" and around and around.path and len(self.neurons.get(id(around), ())) == 1:
            return around.path
        return scope.path or scope.name


_NAMING: Final = ("neuron", "layer", "step", "example")
"""The kinds of scopes that say where a node without a name is."""


def _middle_left_out(words: list[str]) -> list[str]:
    if len(words) <= SHOWN_STEPS + 1:
        return words
    half = SHOWN_STEPS // 2
    return [*words[:half], f"… {len(words) - 2 * half:,} more …", *words[-half:]]


def _factor(snapshot: Snapshot, found: Highlight, edge: Edge) -> str:
    """Return a local derivative as a factor: its number, or its formula if it has none, in brackets where needed."""
    factor = snapshot.nodes[edge[0]].local_derivatives[edge[1]]
    text = (found.formulas.get(edge) or "?") if factor is None else number(factor, 3)
    is_sum = text.startswith((MINUS, f"≈{MINUS}")) or _SUM.search(text)
    return f"({text})" if is_sum else text


_SUM: Final = re.compile(rf"^[^(]* [+{MINUS}] ")
"""A formula with a plus or minus sign outside of brackets, before the first of them at least."""


def _of_the_others(found: Highlight) -> str:
    products = [route.product for route in found.routes]
    if found.total is None or not math.isfinite(found.total) or not all(p is not None for p in products):
        return ""
    sizes = [abs(p) for p in products if p is not None]
    rest = math.fsum([found.total, *(-p for p in products if p is not None)])
    # The total is rounded, so a rest of its last bits says nothing.
    return f":   {number(rest)}" if abs(rest) > 1e-12 * max(*sizes, abs(found.total)) else ":   about 0"


def _symbolic_sum(snapshot: Snapshot, found: Highlight, slope: str) -> list[str]:
    """Return the sum of products of formulas, factors of 1 left out."""
    terms = []
    for route in found.routes:
        factors = [factor for factor in (_factor(snapshot, found, edge) for edge in route.edges) if factor != "1"]
        terms.append(" · ".join(_middle_left_out(factors)) or "1")
    more = [" + …"] if found.count > len(terms) else []
    return [f"{slope} = ", terms[0], *(f" + {term}" for term in terms[1:]), *more]


def _sum(found: Highlight, slope: str, meaning: str) -> list[str]:
    total = "unknown, as a local derivative is" if found.total is None else number(found.total)
    if found.count == 1:
        return ["the only route:   ", f"{slope} = {total}{meaning}"]
    pieces = [f"sum of {count_text(found.count)} routes:   "]
    products = [number(route.product) for route in found.routes]
    if found.count > len(products) or found.total is None:
        return [*pieces, f"{slope} = {total}{meaning}"]
    terms = [f" {MINUS} {text[1:]}" if text.startswith(MINUS) else f" + {text}" for text in products[1:]]
    return [*pieces, products[0], *terms, f" = {total} ", f"= {slope}{meaning}"]


def _comparison(snapshot: Snapshot, found: Highlight, name: str) -> tuple[str, list[str]]:
    """Return what the sum is to the gradient stored at the start: an addition to its line, or why they differ."""
    node, end = snapshot.nodes[found.start], snapshot.nodes[found.end]
    on_routes = [found.start, *(index for index, _ in found.edges)]
    if any(snapshot.nodes[index].stale for index in on_routes):
        changed = f" of {', '.join(snapshot.changed)}" if snapshot.changed else ""
        return "", [f"the local derivatives are those from before the change{changed}: ", "build the graph anew"]
    if node.data is None or found.total is None or found.end not in snapshot.outputs:
        return "", []
    if end.grad is None:
        return "", ["no backward pass yet"]
    if node.grad is None:
        return "", []
    if _equal(node.grad, found.total * end.grad):
        times = "" if end.grad == 1 else f" times {_name(end)}.grad = {number(end.grad)}:"
        return f",{times} the gradient of {name}", []
    return "", [
        f"{name}.grad is {number(node.grad)}, not {number(found.total * end.grad)}: ",
        "it comes from another backward pass, or from several that were added up",
    ]


def _equal(x: float, y: float) -> bool:
    return x == y or (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=_SAME)


def _last_part(name: str) -> str:
    """Return the end of a dotted path that says which parameter it is: `w.0` of `layers.0.neurons.1.w.0`."""
    found = re.search(r"\.([A-Za-z_]\w*(?:\.\d+)*)$", name)
    return found[1] if found else name


def _name(node: SnapshotNode) -> str:
    return shorten(node.name, _MAX_NAME) or node.op or f"node {node.index}"


def count_text(count: int) -> str:
    """Write a count: in full up to a thousand billions, else as a power of ten.

    >>> count_text(4994), count_text(2**10_000)
    ('4,994', 'about 1.995e3010')
    """
    if count < _LONGEST_COUNT:
        return f"{count:,}"
    exponent = math.log10(count)
    return f"about {number(10 ** (exponent % 1))}e{math.floor(exponent)}"


def _wrapped(pieces: Iterable[str], width: float, size: float) -> Iterator[str]:
    line = ""
    for piece in pieces:
        if line and sans_width((line + piece).rstrip(), size) > width:
            yield line.rstrip()
            line = ""
        line += piece
    yield line.rstrip()
