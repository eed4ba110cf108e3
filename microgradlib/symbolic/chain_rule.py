"""The chain rule of one parameter as rows of equations: definitions, local derivatives, gradients."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from microgradlib._support import display
from microgradlib.core.autodiff import grad_table, gradients
from microgradlib.core.graph import descendants, topological_sort
from microgradlib.core.value import Value
from microgradlib.errors import GraphTooLargeError
from microgradlib.ops.formula import PRODUCT, SUM, Formula, write_op
from microgradlib.symbolic.latex import Latex
from microgradlib.symbolic.local_derivatives import formula_holds, write_local_derivative
from microgradlib.symbolic.names import fresh_names
from microgradlib.symbolic.simplify import simplify
from microgradlib.symbolic.text import Text
from microgradlib.symbolic.write_graph import has_more_operations, write_graph

if TYPE_CHECKING:
    from microgradlib.core.node import Node
    from microgradlib.ops import Op

__all__ = ["LATEX", "TEXT", "ChainRule", "Style"]

LARGEST = 2_000_000
"""The largest number of inputs in all local derivatives together: those of a sum of n terms have n each."""

LINE_LIMIT = 30
"""The largest number of operations on one line; of a longer expression only the number is written."""


class Style(NamedTuple):
    """The notation of equations: the class of their formulas, and templates with `{0}` and `{1}` for names of nodes."""

    dialect: type[Formula]
    times: str
    gradient: str
    partial: str


TEXT = Style(Text, " · ", "grad({0})", "∂{0}/∂{1}")
LATEX = Style(Latex, r" \cdot ", r"\operatorname{{grad}}({0})", r"\frac{{\partial {0}}}{{\partial {1}}}")


class ChainRule:
    """The chain rule for ∂output/∂x as equations between named nodes, with numbers if the nodes are Values.

    `blocks(style)` returns the definitions and the chain rule, each a list of rows; a row a = b = c is the list of its
    sides. Raises `GraphTooLargeError` if more than `limit` nodes lie on the paths from x to output.

    >>> from microgradlib import Symbol
    >>> x = Symbol("x")
    >>> ChainRule(x * x, x, 6, 100).blocks(TEXT)[1]
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
                "explain a node nearer to the output, or raise limit="
            )
            raise GraphTooLargeError(message)
        self._check_local_derivatives(between)
        self.gradients: dict[Any, float] | None = grad_table(output) if isinstance(output, Value) else None
        self.names = self._choose_names()

    def _check_local_derivatives(self, between: set[Node]) -> None:
        """Raise `GraphTooLargeError` if the local derivatives have more than `LARGEST` inputs."""
        inputs = sum(len(node.parents) * sum(map(between.__contains__, node.parents)) for node in self.path)
        if inputs > LARGEST:
            message = (
                f"the local derivatives from the output to the parameter have {inputs} inputs, more than {LARGEST}: "
                "explain a node nearer to the output, or a function of fewer terms"
            )
            raise GraphTooLargeError(message)

    def _choose_names(self) -> dict[Node, str]:
        """Return a name for each node in the equations: as drawings and tables name it, u1, u2, … without a name."""
        order = self.order if self.x in {*self.order} else [*self.order, self.x]
        known = display.names(order)
        named = {self.output, self.x, *self.path}.union(*[node.parents for node in self.path if node is not self.x])
        names = {node: known[node] for node in order if node in known and (node.op is None or node in named)}
        fresh = fresh_names("u", known.values())
        for node in order:
            if node not in names and (node in {self.x, self.output} or (node.op is not None and node in named)):
                names[node] = next(fresh)
        return names

    def blocks(self, style: Style) -> tuple[list[list[str]], list[list[str]]]:
        """Return the rows that define the nodes, and the rows of the chain rule, in the given style."""
        return _without_repeated_sides(self._definitions(style)), _without_repeated_sides(self._steps(style))

    def _definitions(self, style: Style) -> list[list[str]]:
        rows = []
        path = set(self.path)
        for node in self.order:
            if node.op is None or node is self.x or node not in self.names:
                continue
            row = [self._name(style, node)]
            if node in path:
                row.append(write_op(style.dialect, node.op, [self._operand(style, p) for p in node.parents]).text)
            else:
                row += self._if_one_line(style, node)
            row += self._number(style, node.data) if self.gradients is not None else []
            rows += [row] if len(row) > 1 else []
        return rows

    def _steps(self, style: Style) -> list[list[str]]:
        """Return the rows of Algorithm 6.2: local derivatives and gradient of each node, consumers before inputs."""
        rows = [[self._gradient(style, self.output), "1"]]
        if self.x not in self.path:
            return [*rows, [self._gradient(style, self.x), "0"]]
        consumers = self._consumers()
        for node in reversed(self.path[:-1]):
            terms: list[tuple[str, str]] = []
            for consumer in consumers[node]:
                partial = style.partial.format(self._name(style, consumer), self._name(style, node))
                number = self._local_number(consumer, node)
                written = self._local_derivative(style, consumer, node) if self._holds(consumer, node) else None
                rows.append([partial, *([written] if written else []), *self._number(style, number)])
                gradient = None if self.gradients is None else self.gradients[consumer]
                numbers = self._number(style, gradient, PRODUCT) + self._number(style, number, PRODUCT)
                names = self._gradient(style, consumer) + style.times + partial
                terms.append((names, style.times.join(numbers)))
            sums = [" + ".join(products) for products in zip(*terms)]
            if self.gradients is None:
                rows.append([self._gradient(style, node), sums[0]])
            else:
                rows.append([self._gradient(style, node), *sums, *self._number(style, self.gradients[node])])
        return rows + self._closed_form(style)

    def _consumers(self) -> dict[Node, list[Node]]:
        """Return for each node on the path those that are computed from it, the last first."""
        consumers: dict[Node, list[Node]] = {node: [] for node in self.path}
        for consumer in reversed(self.path):
            for parent in dict.fromkeys(consumer.parents if consumer is not self.x else ()):
                if parent in consumers:
                    consumers[parent].append(consumer)
        return consumers

    def _local_derivative(self, style: Style, consumer: Node, node: Node) -> str:
        """Return the formula of ∂consumer/∂node in terms of the names."""
        inputs = [self._operand(style, parent) for parent in consumer.parents]
        output, op = style.dialect.name(self.names[consumer]), cast("Op", consumer.op)
        places = [i for i, parent in enumerate(consumer.parents) if parent is node]
        derivatives = [write_local_derivative(style.dialect, op, i, inputs, output, digits=self.digits) for i in places]
        formula = reduce(add, derivatives)
        return formula.in_brackets() if formula.opposite else formula.text  # a comparison, as the number 1 or 0

    def _holds(self, consumer: Any, node: Node) -> bool:
        """Return whether the formula of ∂consumer/∂node gives its number, which it does not where maxima are equal."""
        if self.gradients is None:
            return True
        inputs = [parent.data for parent in consumer.parents]
        places = [i for i, parent in enumerate(consumer.parents) if parent is node]
        numbers = consumer.local_derivatives
        return all(formula_holds(consumer.op, i, inputs, consumer.data, numbers[i]) for i in places)

    def _local_number(self, consumer: Any, node: Node) -> float | None:
        if self.gradients is None:
            return None
        return float(sum(d for parent, d in zip(consumer.parents, consumer.local_derivatives) if parent is node))

    def _closed_form(self, style: Style) -> list[list[str]]:
        """Return the row with the closed form of the derivative of Symbols, or no row if it does not fit on a line."""
        if self.gradients is not None or self.x is self.output:
            return []
        [derivative] = gradients(self.output, [self.x])
        line = self._if_one_line(style, simplify(derivative))
        return [[self._gradient(style, self.x), *line]] if line else []

    def _if_one_line(self, style: Style, node: Node) -> list[str]:
        """Return a list with the formula of a node, or an empty list if it does not fit on a line."""
        if has_more_operations(node, LINE_LIMIT):
            return []
        definitions, [formula] = write_graph(
            style.dialect, node, digits=self.digits, name_above=LINE_LIMIT, limit=LINE_LIMIT, names=self.names
        )
        return [] if definitions else [formula.text]

    def _name(self, style: Style, node: Node) -> str:
        return style.dialect.name(self.names[node]).text

    def _operand(self, style: Style, node: Node) -> Formula:
        if node in self.names:
            return style.dialect.name(self.names[node])
        return style.dialect.number(node.data, self.digits)

    def _gradient(self, style: Style, node: Node) -> str:
        return style.gradient.format(self._name(style, node))

    def _number(self, style: Style, number: float | None, level: int = SUM) -> list[str]:
        return [] if number is None else [style.dialect.number(number, self.digits).at(level)]


def _without_repeated_sides(rows: list[list[str]]) -> list[list[str]]:
    """Drop sides that repeat the side before them: a = 1 = 1 becomes a = 1."""
    return [[side for i, side in enumerate(row) if i == 0 or side != row[i - 1]] for row in rows]
