"""Expression graphs: short programs over the ops of the table, which can be called, and printed as Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, cast

from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value
from microgradlib.ops import PUBLIC, TABLE, reductions

if TYPE_CHECKING:
    from microgradlib.ops import Op

__all__ = ["ExpressionGraph", "Step"]

Number = TypeVar("Number", float, Value, Symbol)

_OPERATORS = {"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "neg": "-{}", "dot": "mg.dot({})"}
_COMPARISONS = frozenset({"less", "less_equal", "greater", "greater_equal"})  # `x < y` of Values is a bool, not a node
_LIST_FUNCTIONS = frozenset(name for name in vars(reductions) if name in TABLE) - {"dot", "maximum", "minimum"}
_PUBLIC = {*PUBLIC, *_LIST_FUNCTIONS, *_OPERATORS, "maximum", "minimum"} - _COMPARISONS
"""The ops that `microgradlib` exports under their names or as operators."""


@dataclass(frozen=True)
class Step:
    """One line of the program: name = op(*arguments). Each argument is a number or the name of an earlier line."""

    name: str
    op: Op
    arguments: tuple[str | float, ...]

    def __str__(self) -> str:
        return f"{self.name} = {_call(self.op.name, [str(argument) for argument in self.arguments])}"


def _call(op: str, arguments: list[str]) -> str:
    if op == "dot":
        n = len(arguments) // 2
        halves = [f"[{', '.join(arguments[:n])}]", f"[{', '.join(arguments[n : 2 * n])}]"]
        arguments = [", ".join([*halves, *arguments[2 * n :]])]
    if op in _OPERATORS:
        return _OPERATORS[op].format(*arguments)
    inputs = f"[{', '.join(arguments)}]" if op in _LIST_FUNCTIONS else ", ".join(arguments)
    return f"{'mg.' if op in _PUBLIC else ''}{op}({inputs})"


@dataclass(frozen=True, repr=False)
class ExpressionGraph:
    """A function as a list of steps; call it with floats, Values or Symbols, one for each of `names`.

    `names` are the arguments. Each of `steps` uses only names defined before it. `output` is the name of the result.
    `inputs` is a sample point, one float for each argument, at which every op is well conditioned. The `repr` is Python
    source that defines the function `f` and calls it at the sample point.

    >>> from microgradlib import Value
    >>> from microgradlib.ops import TABLE
    >>> square = ExpressionGraph(("x",), (Step("t1", TABLE["mul"], ("x", "x")),), "t1", (3.0,))
    >>> square(3.0), square(Value(3.0)).op.symbol
    (9.0, '*')
    >>> square
    import microgradlib as mg
    <BLANKLINE>
    def f(x):
        t1 = x * x
        return t1
    <BLANKLINE>
    f(3.0)
    """

    names: tuple[str, ...]
    steps: tuple[Step, ...]
    output: str
    inputs: tuple[float, ...]

    def __call__(self, *numbers: Number) -> Number:
        """Run the steps and return the output, of the class of the arguments.

        Raises:
            TypeError: a wrong number of arguments.

        """
        if len(numbers) != len(self.names):
            message = f"this graph takes {len(self.names)} arguments ({', '.join(self.names)}), got {len(numbers)}"
            raise TypeError(message)
        table: dict[str | float, Any] = dict(zip(self.names, numbers))
        for step in self.steps:
            table[step.name] = step.op(*[table[a] if isinstance(a, str) else a for a in step.arguments])
        return cast(Number, table[self.output])

    @property
    def depths(self) -> dict[str, int]:
        """For each name, the number of steps on the longest path to it: 0 for the arguments."""
        depths = dict.fromkeys(self.names, 0)
        for step in self.steps:
            depths[step.name] = 1 + max([depths[a] for a in step.arguments if isinstance(a, str)], default=0)
        return depths

    def __repr__(self) -> str:
        imports = ["import microgradlib as mg"]
        private = dict.fromkeys(step.op.name for step in self.steps if step.op.name not in _PUBLIC)
        if private:
            imports += ["from microgradlib.ops import TABLE", "", *[f'{name} = TABLE["{name}"]' for name in private]]
        body = [f"    {step}" for step in self.steps]
        point = ", ".join(map(repr, self.inputs))
        definition = [f"def f({', '.join(self.names)}):", *body, f"    return {self.output}"]
        return "\n".join([*imports, "", *definition, "", f"f({point})"])

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """Show the source in IPython and in Hypothesis's reports of a failing graph."""
        for line in repr(self).splitlines():
            printer.break_()
            printer.text(line)
