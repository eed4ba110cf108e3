"""Every public function that takes a graph takes a large one: without recursion, in linear time, or it says its limit.

The functions are found: what works on a small graph in one of the `ways` is tried on large ones, in a thread with
256 kB of stack. Growth is counted in calls and lines, not in seconds. By hand, `LARGE_GRAPHS=1000000` takes all
functions, shapes and leaves, of that size in the last test, for hours.
"""

from __future__ import annotations

import contextlib
import copy
import os
import pickle
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from graph_shapes import LEAVES, SHAPES, ways
from public_functions import public_callables

import microgradlib as mg
from microgradlib import Symbol, Value
from microgradlib.errors import GraphTooLargeError

STACK = 256 * 1024 if sys.version_info >= (3, 11) else 1024 * 1024
"""In 3.10 each of the 1,000 calls that Python lets a function nest takes 0.5 kB of the stack, and SymPy nests some."""
SMALL = 3
LONG = int(os.environ.get("LARGE_GRAPHS", "50000"))
BY_HAND = "LARGE_GRAPHS" in os.environ
OTHER_THINGS = ("data.", "errors.", "interop.", "optim.", "plot", "testing.", "training.")
"""Where functions take datasets, models and frameworks' objects, not graphs."""


def dumped_and_loaded(thing: Any) -> Any:
    return pickle.loads(pickle.dumps(thing))


PROTOCOLS: dict[str, Callable[..., Any]] = {
    "copy.copy": copy.copy, "copy.deepcopy": lambda thing: copy.deepcopy(thing), "pickle": dumped_and_loaded,
    "repr": repr, "str": str,
    "hash": hash, "format": format, "float": float, "==": lambda a, b: a == b,
}  # fmt: skip
UNLIMITED: dict[str, Callable[..., Any]] = {
    "to_text, limit raised": lambda y: mg.to_text(y, limit=10**9),
    "to_text, without names": lambda y: mg.to_text(y, limit=10**9, name_above=10**9),
    "to_latex, limit raised": lambda y: mg.to_latex(y, limit=10**9),
    "explain_gradient, limit raised": lambda y, x: mg.explain_gradient(y, x, limit=10**9),
    "the table in full": lambda y: repr(mg.grad_table(y).show()),
    "a pickled table": lambda y: dumped_and_loaded(mg.grad_table(y)),
    "gradients of gradients": lambda y, xs: mg.gradients(mg.gradients(y, xs)[0], xs),
    "simplified gradients": lambda y, xs: mg.simplify(mg.gradients(y, xs)),
}


def functions() -> dict[str, Callable[..., Any]]:
    """Return the functions that may take graphs, by name; ops only make a node, so one of them stands for all."""
    found: dict[str, Callable[..., Any]] = {**PROTOCOLS, **UNLIMITED}
    for name, entry in public_callables().items():
        is_node_method = entry.owner in (Value, Symbol) and not hasattr(mg, name.rpartition(".")[2])
        is_op = isinstance(entry.thing, mg.ops.Op) and name != "tanh"
        if is_node_method or not (entry.owner or entry.kind == "class" or is_op or name.startswith(OTHER_THINGS)):
            found[name] = entry.thing
    return found


def called(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Call a function, the function that it returns, and show what it gives."""
    result = function(*arguments)
    if callable(result) and len(arguments) == 1 and callable(arguments[0]):
        with contextlib.suppress(TypeError):
            result = result(1.0)
    if type(result).__module__.startswith("microgradlib."):
        repr(result)
        for name in ("_repr_html_", "_repr_latex_", "_repr_markdown_"):
            getattr(result, name, lambda: None)()


def in_thread(work: Callable[[], Any]) -> Any:
    """Run the work in a thread with a short stack, and return its result or raise its error."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.extend([work(), None])
        except BaseException as error:  # noqa: BLE001  raised again below
            outcome.extend([None, error])

    before = threading.stack_size(STACK)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    result, error = outcome
    if error is not None:
        raise error
    return result


def works(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bool:
    try:
        called(function, arguments)
    except Exception:  # noqa: BLE001  whatever it is: the function does not take this
        return False
    return True


def work_of(function: Callable[..., Any], arguments: tuple[Any, ...]) -> int:
    """Return how many lines and calls, of C functions too, a call takes."""
    count = 0

    def on_line(_frame: Any, _event: str, _argument: Any) -> Any:
        nonlocal count
        count += 1
        return on_line

    def on_call(_frame: Any, _event: str, _argument: Any) -> None:
        nonlocal count
        count += 1

    def counted() -> int:
        sys.setprofile(on_call)
        sys.settrace(on_line)
        try:
            called(function, arguments)
        finally:
            sys.settrace(None)
            sys.setprofile(None)
        return count

    with contextlib.suppress(GraphTooLargeError):
        in_thread(counted)
    return count


def faults(
    functions: dict[str, Callable[..., Any]],
    shape: str,
    leaf: str,
    n: int,
    *,
    counts: bool,
    ways_each: int | None = None,
) -> list[str]:
    """Return what a function does wrong with a large graph: fails, or takes more than in proportion to its size.

    Of the ways in which a function takes a graph, so many are tried; None: all.
    """
    make = SHAPES[shape]
    small, large = (ways(make(size, LEAVES[leaf]), size) for size in (SMALL, n))
    double = ways(make(2 * n, LEAVES[leaf]), 2 * n) if counts else {}
    found = []
    for name, function in functions.items():
        for way in [way for way, arguments in small.items() if works(function, arguments)][:ways_each]:
            try:
                in_thread(lambda function=function, way=way: called(function, large[way]))
            except GraphTooLargeError:
                continue
            except Exception as error:  # noqa: BLE001  whatever it is, it is the fault that is looked for
                found.append(f"{name}({way}) of {shape}: {type(error).__name__}: {error!s:.80}")
                continue
            if counts:
                once, twice = work_of(function, large[way]), work_of(function, double[way])
                if twice > 2.4 * once + 2000:
                    found.append(f"{name}({way}) of {shape}: {once} steps for {n} nodes, {twice} for twice as many")
    return found


NOT_FOR_ALL_LENGTHS = {"costs.cholesky_factor", "Symbol.clip", "Value.clip"}
"""Functions that take lists of certain lengths only, or several numbers that the ways give by chance."""


SECONDS_EACH = {"compile", "explain", "gradcheck", "numeric.taylor_slope", "the table in full", "to_sympy"}


def taken(leave_out: set[str] = frozenset()) -> dict[str, Callable[..., Any]]:
    return {name: f for name, f in functions().items() if name not in NOT_FOR_ALL_LENGTHS | leave_out}


def test_functions_of_every_kind_are_found() -> None:
    graph = ways(SHAPES["chain"](SMALL, LEAVES["Value"]), SMALL)
    found = {
        name for name, function in taken().items() if any(works(function, arguments) for arguments in graph.values())
    }
    assert found >= {
        "topological_sort", "grad_table", "tangent_table", "gradients", "evaluate", "kinks", "draw", "grad",
        "to_text", "to_latex", "simplify", "explain_gradient", "Value.backward", "Value.detach", "hvp", "jvp", "vjp",
        "numeric_gradient", "sum", "symbolic.show", *PROTOCOLS, *UNLIMITED.keys() - SECONDS_EACH,
    }  # fmt: skip
    assert len(found) > 60


def test_no_function_recurses_or_fails() -> None:
    assert faults(taken(SECONDS_EACH), "products", "Value", 1100, counts=False) == []


@pytest.mark.slow
@pytest.mark.parametrize("leaf", LEAVES if BY_HAND else ["Value"])
@pytest.mark.parametrize("shape", SHAPES if BY_HAND else ["sum"])
def test_no_function_recurses_or_fails_on_any_shape(shape: str, leaf: str) -> None:
    assert faults(taken(set() if BY_HAND else SECONDS_EACH), shape, leaf, 1100, counts=False) == []


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES if BY_HAND else ["chain"])
def test_work_grows_with_the_size(shape: str) -> None:
    assert faults(taken(SECONDS_EACH), shape, "Value", 80, counts=True) == []


def recursive(output: Any) -> int:
    count = 1
    for parent in output.parents:
        count += recursive(parent)
    return count


def quadratic(output: Any) -> int:
    order = mg.topological_sort(output)
    return sum(parent is node for node in order for other in order for parent in other.parents)


def test_a_recursive_and_a_quadratic_function_are_faults() -> None:
    [fault] = faults({"recursive": recursive}, "chain", "Value", 2000, counts=False)
    assert "RecursionError" in fault
    [fault] = faults({"quadratic": quadratic}, "chain", "Value", 100, counts=True)
    assert "for twice as many" in fault
    assert faults({"sort": mg.topological_sort, "len": len}, "chain", "Value", 100, counts=True) == []


def test_the_arrows_of_a_node_that_is_read_many_times_are_drawn_one_by_one() -> None:
    x = mg.Value(1.0, label="x")
    assert "<svg" in mg.draw(mg.sum([x] * 400)).svg  # imports all that is needed
    once, twice = (work_of(lambda y: mg.draw(y).text, (mg.sum([x] * n),)) for n in (200, 400))
    assert twice < 2.2 * once


def test_a_refusal_names_the_limit() -> None:
    pytest.importorskip("sympy", reason="SymPy is an extra")
    small, graph = (SHAPES["chain"](n, LEAVES["Value"]) for n in (SMALL, 2000))
    for refusing in (mg.to_text, mg.to_latex, lambda y: mg.explain_gradient(y, mg.topological_sort(y)[0]), mg.to_sympy):
        refusing(small.output)  # modules are imported with the whole stack: Python may have to compile them
        with pytest.raises(GraphTooLargeError, match=r"more than (the )?\d+"):
            in_thread(lambda refusing=refusing: refusing(graph.output))


@pytest.mark.slow
@pytest.mark.parametrize("shape", ["products", "sum"])
def test_the_walks_of_a_very_large_graph(shape: str) -> None:
    chosen = {name: function for name, function in taken().items() if name in {
        "topological_sort", "grad_table", "gradients", "evaluate", "kinks", "tangent_table", "copy.deepcopy", "pickle",
        "Value.backward", "draw", "to_text", "to_text, limit raised", "to_latex, limit raised", "simplify", "repr",
        "hvp",
    }}  # fmt: skip
    functions = taken() if BY_HAND else chosen
    assert faults(functions, shape, "Value", LONG, counts=False, ways_each=None if BY_HAND else 1) == []
