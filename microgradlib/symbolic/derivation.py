"""The steps of a chain rule: definitions, local derivatives, gradients, each as the sides of one chain of = signs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from microgradlib.core.autodiff import grad_table, gradients
from microgradlib.core.graph import descendants, topological_sort
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value
from microgradlib.errors import GraphTooLargeError
from microgradlib.ops import GRAPH
from microgradlib.symbolic.latex import Latex
from microgradlib.symbolic.lines import LARGEST, write_graph
from microgradlib.symbolic.names import fresh_names, unique_names
from microgradlib.symbolic.simplify import simplify
from microgradlib.symbolic.text import Text
from microgradlib.symbolic.written import PRODUCT, SUM, write_op

if TYPE_CHECKING:
    from microgradlib.core.node import Node
    from microgradlib.symbolic.written import Written

__all__ = ["LATEX", "TEXT", "Derivation", "Signs"]

SHORT = 30
"""How many operations may stand on one line: longer side branches are given by their number alone."""


@dataclass(frozen=True)
class Signs:
    """How a style writes the signs of the chain rule; `{0}` and `{1}` are names."""

    style: type[Written]
    times: str
    gradient: str
    partial: str


TEXT = Signs(Text, " · ", "grad({0})", "∂{0}/∂{1}")
LATEX = Signs(Latex, r" \cdot ", r"\operatorname{{grad}}({0})", r"\frac{{\partial {0}}}{{\partial {1}}}")


class Derivation:
    """The chain rule from `output` down to `x`: names for the nodes, local derivatives, and numbers where known.

    `blocks(signs)` gives the definitions and the chain rule, each a list of rows; a row is what stands between = signs.
    Raises `GraphTooLargeError` for more than `limit` nodes between the two.

    >>> x = Symbol("x")
    >>> Derivation(x * x, x, 6, 100).blocks(TEXT)[1]
    [['grad(u1)', '1'], ['∂u1/∂x', 'x + x'], ['grad(x)', 'grad(u1) · ∂u1/∂x'], ['grad(x)', 'x + x']]
    """

    def __init__(self, output: Node, x: Node, digits: int, limit: int) -> None:
        self.output, self.x, self.digits = output, x, digits
        self.order = topological_sort(output)
        between = descendants(self.order, [x])
        self.path = [node for node in self.order if node in between]
        if len(self.path) > limit:
            message = (
                f"{len(self.path)} nodes lie between the parameter and the output, more than the {limit} allowed: "
                "explain a part of the way, or raise limit="
            )
            raise GraphTooLargeError(message)
        self.numbers: dict[Any, float] | None = grad_table(output) if isinstance(output, Value) else None
        self.names = self._named()
        self.stand_ins: dict[Node, Node] = {node: Symbol(name) for node, name in self.names.items()}

    def _named(self) -> dict[Node, str]:
        """Name what the steps mention: labels, x for a parameter without one, u1, u2, … in topological order."""
        mentioned = {self.output, self.x, *self.path}.union(*[node.parents for node in self.path if node is not self.x])
        leaves = [node for node in self.order if node.op is None and node.label]
        inner = [node for node in self.order if node.op is not None and node in mentioned]
        if self.x not in self.path:
            inner.append(self.x)
        names = unique_names(dict.fromkeys([*leaves, *[node for node in inner if node.label]]))
        taken = set(names.values())
        if self.x not in names and self.x.op is None and "x" not in taken:
            names[self.x] = "x"
        fresh = fresh_names("u", taken)
        for node in [*inner, self.x]:
            if node not in names:
                names[node] = next(fresh)
        return names

    def blocks(self, signs: Signs) -> tuple[list[list[str]], list[list[str]]]:
        """Return the rows that define the nodes, and those of the chain rule."""
        definitions, rules = self._definitions(signs), self._chain_rule(signs)
        return _without_repeats(definitions), _without_repeats(rules)

    def _definitions(self, signs: Signs) -> list[list[str]]:
        rows = []
        on_the_way = set(self.path)
        for node in self.order:
            if node.op is None or node is self.x or node not in self.names:
                continue
            row = [self._name(signs, node)]
            if node in on_the_way:
                row.append(write_op(signs.style, node.op, [self._operand(signs, p) for p in node.parents]).text)
            else:
                row += self._on_one_line(signs, node)
            row += self._number(signs, node.data) if self.numbers is not None else []
            rows += [row] if len(row) > 1 else []
        return rows

    def _chain_rule(self, signs: Signs) -> list[list[str]]:
        """Run Algorithm 6.2 on paper: each node's gradient, after those of the nodes that use it."""
        rows = [[self._gradient(signs, self.output), "1"]]
        if self.x not in self.path:
            return [*rows, [self._gradient(signs, self.x), "0"]]
        for node in reversed(self.path[:-1]):
            terms: list[tuple[str, str]] = []
            for user in reversed(self.path):
                if node in user.parents and user is not self.x:
                    partial = signs.partial.format(self._name(signs, user), self._name(signs, node))
                    number = self._local_number(user, node)
                    rows.append([partial, self._local(signs, user, node), *self._number(signs, number)])
                    gradient = None if self.numbers is None else self.numbers[user]
                    written = signs.times.join(
                        self._number(signs, gradient, PRODUCT) + self._number(signs, number, PRODUCT)
                    )
                    terms.append((self._gradient(signs, user) + signs.times + partial, written))
            total = [" + ".join(parts) for parts in zip(*terms)] if self.numbers is not None else []
            symbols = total[:1] or [" + ".join(term for term, _ in terms)]
            number = None if self.numbers is None else self.numbers[node]
            rows.append([self._gradient(signs, node), *symbols, *total[1:], *self._number(signs, number)])
        return rows + self._closed_form(signs)

    def _local(self, signs: Signs, user: Node, node: Node) -> str:
        """Write ∂user/∂node in terms of the names."""
        stand_ins = [self.stand_ins.get(parent, parent) for parent in user.parents]
        op: Any = user.op
        here = [i for i, parent in enumerate(user.parents) if parent is node]
        if op.variadic:
            every = op.differentiate(GRAPH, self.stand_ins[user], *stand_ins)
            derivatives = [every[i] for i in here]
        else:
            derivatives = [op.partial_derivative(i, self.stand_ins[user], *stand_ins) for i in here]
        written = [self._write(signs, simplify(derivative)) for derivative in derivatives]
        total: Written = reduce(add, written)
        return total.text

    def _write(self, signs: Signs, expression: Node) -> Written:
        names = {stand_in: self.names[node] for node, stand_in in self.stand_ins.items()}
        everything = {"name_above": LARGEST, "limit": LARGEST}
        _, results = write_graph(signs.style, expression, digits=self.digits, names=names, **everything)
        return results[0]

    def _local_number(self, user: Any, node: Node) -> float | None:
        if self.numbers is None:
            return None
        return float(sum(d for parent, d in zip(user.parents, user.local_derivatives) if parent is node))

    def _closed_form(self, signs: Signs) -> list[list[str]]:
        """Write the whole derivative of Symbols, if a line holds it."""
        if self.numbers is not None or self.x is self.output:
            return []
        [derivative] = gradients(self.output, [self.x])
        line = self._on_one_line(signs, simplify(derivative))
        return [[self._gradient(signs, self.x), *line]] if line else []

    def _on_one_line(self, signs: Signs, node: Node) -> list[str]:
        try:
            definitions, [written] = write_graph(
                signs.style, node, digits=self.digits, name_above=SHORT, limit=SHORT, names=self.names
            )
        except GraphTooLargeError:
            return []
        return [] if definitions else [written.text]

    def _name(self, signs: Signs, node: Node) -> str:
        return signs.style.name(self.names[node]).text

    def _operand(self, signs: Signs, node: Node) -> Written:
        return signs.style.name(self.names[node]) if node in self.names else signs.style.number(node.data, self.digits)

    def _gradient(self, signs: Signs, node: Node) -> str:
        return signs.gradient.format(self._name(signs, node))

    def _number(self, signs: Signs, number: float | None, level: int = SUM) -> list[str]:
        return [] if number is None else [signs.style.number(number, self.digits).at(level)]


def _without_repeats(rows: list[list[str]]) -> list[list[str]]:
    """Write a = 1 for a = 1 = 1."""
    return [[side for i, side in enumerate(row) if i == 0 or side != row[i - 1]] for row in rows]
