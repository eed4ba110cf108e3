"""What nodes, groups and local derivatives are called in a drawing."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from microgradlib.ops.slopes import DERIVATIVES_ONLY, SLOPE_OF
from microgradlib.symbolic import formula_holds, local_derivative_formula, value_formula
from microgradlib.viz.boxes.absorption import is_number
from microgradlib.viz.boxes.groups import common
from microgradlib.viz.numbers import MINUS, number

if TYPE_CHECKING:
    from microgradlib.ops import Op
    from microgradlib.viz.boxes.groups import Path
    from microgradlib.viz.boxes.options import Options
    from microgradlib.viz.boxes.structure import Structure
    from microgradlib.viz.snapshots.snapshot import Scope

_DIGITS: Final = 3
_MOST_OPERANDS: Final = 8
"""Formulas are written for ops of so many operands."""
_NUMBERED: Final = frozenset({"step", "example"})
_PLACES: Final = re.compile(r"\d+")
_INFIX: Final = frozenset({"+", "−", "×", "÷", "**", "%", "//"})


def relative_name(name: str, path: Path) -> str:
    """Return a name less the longest prefix that the scopes around it say.

    >>> from microgradlib.viz.snapshots.snapshot import Scope
    >>> layer = Scope("layers.0", "layer", "layers.0")
    >>> neuron = Scope("neurons.3", "neuron", "layers.0.neurons.3", parent=layer)
    >>> relative_name("layers.0.neurons.3.w.1", (layer, neuron))
    'w.1'
    """
    prefixes = [f"{scope.path}." for scope in path if scope.path and name.startswith(f"{scope.path}.")]
    return name[max(map(len, prefixes), default=0) :]


def bracketed(text: str) -> str:
    """Return a number as the second operand: a negative one in brackets.

    >>> bracketed("2"), bracketed("−2")
    ('2', '(−2)')
    """
    return f"({text})" if text.startswith(MINUS) else text


def base_name(name: str) -> str:
    """Return what the names of the elements of one list have in common.

    >>> base_name("x.3"), base_name("w[0][1]"), base_name("loss")
    ('x', 'w', 'loss')
    """
    return _PLACES.sub("", name).rstrip("._[]() {}^") if name else ""


def scope_title(scope: Scope, path: Path) -> str:
    """Return the title of a scope inside the frames of `path`."""
    repeated = any(one.name == scope.name for one in path)
    if not scope.path or (not repeated and (scope.parent is None or scope.parent in path)):
        return scope.name
    return relative_name(scope.path, path)


@dataclass(frozen=True)
class Labels:
    """Names and formulas of the nodes of one graph."""

    structure: Structure
    options: Options

    def name(self, i: int) -> str:
        """Return what a node is called in formulas: its name, its number, or u1, u2, … as results without a name."""
        node = self.structure.nodes[i]
        if is_number(node):
            return number(node.data, _DIGITS)
        groups = self.structure.groups
        return relative_name(node.name, groups.paths[i]) or groups.snapshot.automatic_names[i]

    def shown(self, i: int) -> str:
        """Return the name that the box or row of a node shows; a result without a name has one if formulas need it."""
        node = self.structure.nodes[i]
        if node.name or (i in self._referred and node.op_name not in SLOPE_OF):
            return self.name(i)
        return ""

    def where(self, i: int, path: Path) -> str:
        """Return the step or example that reads a leaf, if others have its name and the frames do not say it."""
        node = self.structure.nodes[i]
        if node.parents or node.name not in self._repeated:
            return ""
        paths = [self.structure.groups.paths[user] for user, _ in self.structure.groups.uses[i]]
        return next((scope.name for scope in common(paths) if scope.kind in _NUMBERED and scope not in path), "")

    def title(self, i: int, path: Path) -> str:
        """Return the title of the box of a node, inside the frames of `path`."""
        node = self.structure.nodes[i]
        if node.name:
            return relative_name(node.name, path)
        if node.op_name in SLOPE_OF:
            return f"{SLOPE_OF[node.op_name]}′({self.name(node.parents[0])})"
        return self.shown(i)

    def op(self, i: int, numbers: frozenset[int], digits: int) -> str:
        """Return the operation of a node, with the nameless numbers among its operands: `× 0.25`, `1 ÷`, `where`."""
        node = self.structure.nodes[i]
        function = self.function(i)
        if function is not None and len(function.name) < len(node.op):
            return function.name
        if node.op_name in DERIVATIVES_ONLY and self.options.ops:
            return self._slope(i) or node.op
        texts = [
            number(self.structure.nodes[parent].data, digits) if parent in numbers else "" for parent in node.parents
        ]
        if not any(texts):
            return node.op
        if node.op in _INFIX and len(texts) == 2:
            if texts[1]:
                return f"{node.op} {bracketed(texts[1])}"
            return f"{node.op} {bracketed(texts[0])}" if node.op in {"+", "×"} else f"{texts[0]} {node.op}"
        return f"{node.op}({', '.join(text or '·' for text in texts)})"

    def function(self, i: int) -> Scope | None:
        """Return the part of the library that consists of this op alone, such as a cross-entropy."""
        groups = self.structure.groups
        path = groups.paths[i]
        return path[-1] if path and path[-1].kind == "function" and path[-1] in groups.plain else None

    def formula(self, i: int) -> str:
        """Return how a node is computed, such as `w · x + b`; an empty string if it has no short formula."""
        node = self.structure.nodes[i]
        function = self.function(i)
        if function is not None and function.formula:
            return function.formula
        op = self._op(i)
        if op is None or not 0 < len(node.parents) <= _MOST_OPERANDS:
            return ""
        return value_formula(op, [self.name(parent) for parent in node.parents])

    def local_derivative(self, i: int, place: int) -> tuple[str, str, str]:
        """Return a local derivative in three texts: what it is, its formula and its number; each may be empty.

        They are such as `∂t/∂w`, `x` and `3`.
        """
        node = self.structure.nodes[i]
        op = self._op(i)
        formula = ""
        if op is not None and len(node.parents) <= _MOST_OPERANDS:
            names = [self.name(parent) for parent in node.parents]
            formula = local_derivative_formula(op, place, names, self.name(i))
        local = node.local_derivatives[place] if place < len(node.local_derivatives) else None
        if formula and local is not None and not self._holds(i, place, local):
            formula = ""
        shown = "" if local is None and node.data is None else "?" if local is None else number(local, _DIGITS)
        return f"∂{self.name(i)}/∂{self.name(node.parents[place])}", formula, shown

    def tooltip(self, i: int, place: int) -> str:
        """Return a local derivative in full, such as `∂t/∂w = x = 3`."""
        parts = self.local_derivative(i, place)
        return " = ".join(dict.fromkeys(part for part in parts if part))

    def text(self, i: int, place: int) -> str:
        """Return what stands on an arrow."""
        if self.options.local_derivatives is None:
            return ""
        if self.options.local_derivatives == "number":
            return self.local_derivative_number(i, place)
        return self.tooltip(i, place)

    def local_derivative_number(self, i: int, place: int) -> str:
        """Return the number of a local derivative; `?` where a node made by hand has none, nothing for a Symbol."""
        node = self.structure.nodes[i]
        local = node.local_derivatives[place] if place < len(node.local_derivatives) else None
        if local is None:
            return "" if node.data is None else "?"
        return number(local, _DIGITS)

    @cached_property
    def _twins(self) -> dict[tuple[str, tuple[int, ...]], int]:
        """The functions whose derivatives may be written by their values, by op and operands."""
        slopes = set(SLOPE_OF.values())
        return {(node.op_name, node.parents): node.index for node in self.structure.nodes if node.op_name in slopes}

    @cached_property
    def _repeated(self) -> frozenset[str]:
        """The names that several leaves have, such as those of the inputs of each time step."""
        names = Counter(node.name for node in self.structure.nodes if not node.parents and node.name)
        return frozenset(name for name, count in names.items() if count > 1)

    @cached_property
    def _referred(self) -> frozenset[int]:
        """The results that texts on boxes and arrows refer to."""
        nodes = self.structure.nodes
        if self.options.local_derivatives == "formula":
            return frozenset(node.index for node in nodes if not is_number(node))
        slopes = [node for node in nodes if node.op_name in DERIVATIVES_ONLY]
        twins = [self._twins.get((SLOPE_OF.get(node.op_name, ""), node.parents)) for node in slopes]
        operands = [parent for node in slopes for parent in node.parents]
        found = [i for i in [*twins, *operands] if i is not None and not is_number(nodes[i])]
        return frozenset([*found, *self.options.named])

    def _slope(self, i: int) -> str:
        """Return a part of a derivative as books write it: tanh′ is 1 − u2² where u2 is the value of tanh."""
        node = self.structure.nodes[i]
        operands = [self.name(parent) for parent in node.parents]
        twin = self._twins.get((SLOPE_OF.get(node.op_name, ""), node.parents))
        function = None if twin is None else self._op(twin)
        if twin is not None and function is not None:
            return local_derivative_formula(function, 0, operands, self.name(twin))
        op = self._op(i)
        return "" if op is None else value_formula(op, operands)

    def _holds(self, i: int, place: int, local: float) -> bool:
        """Return whether the formula of a local derivative gives its number, as it does not where maxima are equal."""
        node, op = self.structure.nodes[i], self._op(i)
        inputs = [self.structure.nodes[parent].data for parent in node.parents]
        known = [x for x in inputs if x is not None]
        if op is None or node.data is None or len(known) < len(inputs):
            return True
        return formula_holds(op, place, known, node.data, local)

    def _op(self, i: int) -> Op | None:
        return self.options.ops[i] if i < len(self.options.ops) else None
