"""Assert that a function has the value and the gradient that PyTorch computes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from microgradlib._support.calling import AS_ARGUMENTS, call, check_function, in_plain_words
from microgradlib._support.number import as_float, is_one_number
from microgradlib._support.pytree import flatten, unflatten
from microgradlib._support.shown import shown
from microgradlib.core.autodiff import grad_table, gradients, tangent_table
from microgradlib.core.kinks import kinks
from microgradlib.core.modes import recording
from microgradlib.core.value import Value, as_node
from microgradlib.errors import MicrogradError
from microgradlib.numeric.branch_changes import Recording
from microgradlib.numeric.rounding import rounding_error
from microgradlib.testing.tolerance import same
from microgradlib.testing.torch_nodes import LOOSE, TorchNode, torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["assert_same_as_torch"]

SAFETY = 20.0
"""The allowed difference is this multiple of the estimated rounding error: both sides round, in different formulas."""

EPSILON = 2.0**-52


class _Entry(NamedTuple):
    name: str
    ours: float
    theirs: float
    allowed: float

    @property
    def differs(self) -> bool:
        return not (same(self.ours, self.theirs) or abs(self.ours - self.theirs) <= self.allowed)


@in_plain_words
def assert_same_as_torch(f: Callable[..., Any], xs: Sequence[Any], theirs: Callable[..., Any] | None = None) -> None:
    """Assert that f(*xs) has the same value and the same gradient by microgradlib and by PyTorch, in float64.

    `xs` are the arguments of f: numbers, or nested lists, tuples and dicts of them. f gives one number, or a nested
    list of them; of each, the value and the derivatives by all numbers in `xs` are compared.

    Without `theirs`, f runs on PyTorch too: its operators, methods and microgradlib functions then call PyTorch's
    functions of the same meaning on float64 tensors, and PyTorch's autograd differentiates. An op that PyTorch lacks,
    or that you defined, is computed by its value rule, so that PyTorch differentiates what the op claims to be. Values
    that f uses besides its arguments, such as a model's parameters, count as constants: `nn.functional_call` makes
    arguments of them. With `theirs`, f is compared with a function that you wrote for PyTorch: it is given the same
    arguments as float64 tensors without axes, nested as `xs`, and returns tensors.

    The allowed difference is twenty times the estimated rounding error of the number: Linnainmaa's bound for the
    computation that f records (for derivatives, that of the derivative's own graph), plus one rounding of each local
    derivative, of size 1 at least, as PyTorch's 1 − tanh² has. inf and nan must be equal. PyTorch has nan where an
    unchosen branch of `where` is infinite, which microgradlib has not.

    Needs the extra `torch`. Raises `AssertionError` with a table of the numbers that differ, the kinks that the result
    sits on, and both versions' numbers; `MissingExtraError` where PyTorch is not installed.

    >>> import pytest
    >>> torch = pytest.importorskip("torch")
    >>> from microgradlib import tanh
    >>> assert_same_as_torch(lambda w, x: tanh(w * x) ** 2, [0.5, -1.5])
    >>> assert_same_as_torch(lambda w, x: tanh(w * x), [0.5, -1.5], lambda w, x: torch.sin(w * x))
    Traceback (most recent call last):
    AssertionError: f differs from PyTorch ...
    """
    t = torch()
    check_function(f)
    if not is_one_number(xs) and not hasattr(xs, "__iter__"):
        message = f"xs is the list of the arguments of f, as in [2.0], got {shown(xs)}"
        raise TypeError(message)
    arguments = [xs] if is_one_number(xs) else list(xs)
    numbers = [as_float(x) for x in flatten(arguments)]
    with recording():
        leaves = [Value(x) for x in numbers]
        outputs = [as_node(y) for y in flatten(call(f, AS_ARGUMENTS, *unflatten(arguments, leaves)))]
    tensors = [t.tensor(x, dtype=t.float64, requires_grad=True) for x in numbers]
    if theirs is None:
        given: list[Any] = [TorchNode(tensor) for tensor in tensors]
        results = [y.tensor if isinstance(y, TorchNode) else y for y in flatten(f(*unflatten(arguments, given)))]
    else:
        results = flatten(theirs(*unflatten(arguments, tensors)))
    tensor_outputs = [y for result in results for y in _scalars(t, result)]
    if len(tensor_outputs) != len(outputs):
        message = f"f gives {len(outputs)} numbers, by PyTorch {len(tensor_outputs)}"
        raise AssertionError(message)
    entries = []
    for k, (output, tensor) in enumerate(zip(outputs, tensor_outputs)):
        name = "f" if len(outputs) == 1 else f"f[{k}]"
        entries += _entries(name, output, leaves, tensor, _torch_gradient(t, tensor, tensors))
    if any(entry.differs for entry in entries):
        raise AssertionError(_report(t.__version__, entries, outputs))


def _scalars(t: Any, result: Any) -> list[Any]:
    """Return the entries of a tensor, or a number as a tensor, each as a tensor without axes."""
    tensor = result if isinstance(result, t.Tensor) else t.tensor(as_float(result), dtype=t.float64)
    return list(tensor.reshape(-1).unbind())


def _torch_gradient(t: Any, output: Any, tensors: list[Any]) -> list[float]:
    if not output.requires_grad:
        return [0.0] * len(tensors)
    slopes = t.autograd.grad(output, tensors, retain_graph=True, allow_unused=True)
    return [0.0 if slope is None else float(slope) for slope in slopes]


def _entries(name: str, output: Value, leaves: list[Value], tensor: Any, slopes: list[float]) -> list[_Entry]:
    table = grad_table(output)
    recorded = Recording(leaves, output, table)
    rounding = rounding_error(recorded, of_inputs=True) + _looseness(table)
    value = _Entry(name, output.data, float(tensor.detach()), _allowed(output.data, rounding))
    entries = [value]
    for i, (leaf, slope) in enumerate(zip(leaves, slopes)):
        ours = table.get(leaf, 0.0)
        error = _slope_rounding(output, leaf, leaves) + _local_rounding(output, table, leaf)
        entries.append(_Entry(f"∂{name}/∂x[{i}]", ours, slope, _allowed(ours, error)))
    return entries


def _allowed(number: float, error: float) -> float:
    return SAFETY * (error + EPSILON * abs(number))


def _slope_rounding(output: Value, leaf: Value, leaves: list[Value]) -> float:
    """Return a bound on the error of ∂output/∂leaf, from the graph of that derivative."""
    try:
        [slope] = gradients(output, [leaf])
    except MicrogradError:  # a node made by hand has no derivative as a graph
        return 0.0
    table = grad_table(slope)
    return rounding_error(Recording(leaves, slope, table), of_inputs=True) + _looseness(table)


def _looseness(table: dict[Value, float]) -> float:
    """Return a bound on how far the errors of PyTorch's inexact functions move the output of a table of gradients."""
    return sum(_finite(gradient * node.data) * _loose(node) for node, gradient in table.items())


def _local_rounding(output: Value, table: dict[Value, float], leaf: Value) -> float:
    """Return Σ |∂output/∂n| ε max(1, |∂n/∂p|) |∂p/∂leaf| over nodes n and their parents p."""
    tangents = tangent_table(output, {leaf: 1.0})
    return sum(
        _finite(gradient * max(1.0, abs(local)) * tangents.get(parent, 0.0)) * (EPSILON + _loose(node))
        for node, gradient in table.items()
        for parent, local in zip(node.parents, node.local_derivatives)
    )


def _loose(node: Value) -> float:
    return 0.0 if node.op is None else LOOSE.get(node.op.name, 0.0)


def _finite(number: float) -> float:
    """Return |number|, or 0 for inf and nan."""
    return abs(number) if math.isfinite(number) else 0.0


def _report(version: str, entries: list[_Entry], outputs: list[Value]) -> str:
    cells = [["", "microgradlib", "PyTorch", "allowed difference"]]
    cells += [[e.name, repr(e.ours), repr(e.theirs), f"{e.allowed:.1e}"] for e in entries]
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
    marked = [f"{line}  <-" if e.differs else line for line, e in zip(lines[1:], entries)]
    at_kinks = sorted({str(node.op) for output in outputs for node in kinks(output)})
    note = [f"the result sits on a kink of {', '.join(at_kinks)}, where conventions may differ"] if at_kinks else []
    return "\n".join([f"f differs from PyTorch {version} where there is an arrow:", lines[0], *marked, *note])
