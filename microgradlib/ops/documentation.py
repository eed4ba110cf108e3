"""The documentation of one op, written from its record: formula, domain, convention at kinks, and an example."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib.ops.accuracy import LARGEST_ERRORS

if TYPE_CHECKING:
    from inspect import Signature

__all__ = ["Documentation", "OpSignature", "document"]

PLACES = (0.6, 0.25, 0.8)
"""Where in the sample intervals the inputs of the example lie: from 0, the left end, to 1, the right one."""


def input_names(op: Any) -> list[str]:
    """Return the names that the op's value rule gives to its inputs, `*xs` for any number of them."""
    code = op.value.__code__
    names = list(code.co_varnames[1 : code.co_argcount])  # without xp
    return names if op.arity is not None else ["*xs"]


def document(op: Any) -> str:
    """Return the docstring of an op: formula, domain, convention, and an example that runs as a doctest.

    >>> from microgradlib import relu
    >>> for line in document(relu).splitlines()[:3]:
    ...     print(line)
    max(0, x), derivative I(x > 0).
    <BLANKLINE>
    relu(x) is defined for all numbers. By convention relu′(0) = 0.
    """
    names = input_names(op)
    required = len(names) - len(op.defaults)
    names[required:] = [f"{name}={default:g}" for name, default in zip(names[required:], op.defaults)]
    convention = f" By convention {op.kink_note}." if op.kink_note else ""
    about = [f"{op.formula}.", f"{op.name}({', '.join(names)}) is defined for {op.domain}.{convention}", _errors(op)]
    return "\n\n".join([*filter(None, about), "\n".join(_example(op))])


def _errors(op: Any) -> str:
    """Return the largest errors found, as a sentence; nothing for an op that a user defined."""
    errors = LARGEST_ERRORS.get(op.name)
    if errors is None:
        return ""
    value, first, second = errors
    orders = f"{value:g} ulp of the value, {first:g} of first and {second:g} of second derivatives"
    return f"The largest errors found are {orders} (microgradlib.ops.accuracy)."


def _example(op: Any) -> list[str]:
    """Return a doctest of the value and the local derivatives at numbers from the op's sample."""
    count = 3 if op.arity is None else op.arity
    intervals = [*op.sample, *[op.sample[-1]] * count][:count]
    numbers = [round(low + place * (high - low), 1) for (low, high), place in zip(intervals, PLACES)]
    nodes = numbers[: count - op.setting_count]
    output = op.compute(*numbers)
    derivatives = op.local_derivatives(output, *numbers)[: len(nodes)]
    inputs = ", ".join([f"Value({x})" for x in nodes] + [str(x) for x in numbers[len(nodes) :]])
    return [
        f">>> {op.name}({', '.join(map(str, numbers))})", repr(output),
        f">>> {op.name}({inputs}).local_derivatives", repr(derivatives),
    ]  # fmt: skip


class Documentation:
    """The `__doc__` of ops: of the class, its docstring; of an op, its own, written when it is read."""

    def __init__(self, of_class: str | None) -> None:
        self.of_class = of_class

    def __get__(self, op: Any, owner: type) -> str | None:
        return self.of_class if op is None else document(op)


class OpSignature:
    """The `__signature__` of an op, for `inspect.signature` and the help of notebooks; the class Op has none."""

    def __get__(self, op: Any, owner: type) -> Signature:
        if op is None:
            raise AttributeError("__signature__")
        from inspect import Parameter, Signature  # noqa: PLC0415  slow to import, and seldom wanted

        names = input_names(op)
        if op.arity is None:
            return Signature([Parameter(names[0][1:], Parameter.VAR_POSITIONAL)])
        defaults = [Parameter.empty] * (len(names) - len(op.defaults)) + list(op.defaults)
        kind = Parameter.POSITIONAL_ONLY
        return Signature([Parameter(name, kind, default=default) for name, default in zip(names, defaults)])
