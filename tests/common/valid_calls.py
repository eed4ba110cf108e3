"""One valid call of every public callable: what a test replaces arguments in, one at a time.

`valid_call(entry)` makes new arguments at each call, so that no call sees what another has changed. Ops and the methods
of nodes get theirs from the op table and their signatures; all others stand in the files `recipes_of_…`, by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
from call_arguments import NUMBERS, POINTS, Call, c, fast, graph, loaded, mlp, optimiser, report, v
from public_functions import PublicCallable, public_callables
from recipes_of_networks import OF_NETWORKS
from recipes_of_numbers import OF_NUMBERS
from recipes_of_programs import OF_PROGRAMS
from recipes_of_unnamed import FURTHER

import microgradlib as mg
from microgradlib import Symbol, Value, compiler, nn, optim, training
from microgradlib.ops import Op
from microgradlib.viz import line_chart

__all__ = ["FURTHER", "WITHOUT_RECIPE", "Call", "all_callables", "valid_call"]


def in_folder(folder: Any) -> dict[str, Callable[[], Call]]:
    """Return the recipes of callables that read or write files, in this folder."""
    return {
        "save": lambda: c(mlp(), folder / "model.json"),
        "load": lambda: c(mlp(), mg.save(mlp(), folder / "saved.json")),
        "compiler.load_program": lambda: c(fast().save(folder / "program.json")),
        "compiler.Compiled.save": lambda: c(fast(), folder / "fast.json"),
        **{
            f"compiler.LoadedProgram.{name}": lambda: c(loaded(folder), [*POINTS], [*NUMBERS])
            for name in (
                "__call__",
                "hessian",
                "jacobian",
                "rows",
                "rows_and_grad",
                "value_and_grad",
                "values_and_grad",
            )
        },
        "compiler.LoadedProgram.hvp": lambda: c(loaded(folder), [*POINTS], [*NUMBERS], vector=[1.0, 0.5]),
        "compiler.LoadedProgram.set_parameters": lambda: c(loaded(folder), np.array([1.0, 2.0])),
        "compiler.LoadedProgram.show": lambda: c(loaded(folder)),
        "compiler.LoadedProgram.as_function": lambda: c(loaded(folder), "jax"),
        "interop.to_onnx": lambda: c(fast(), folder / "fast.onnx"),
        "viz.Chart.save": lambda: c(line_chart({"loss": [1.0, 2.0]}), folder / "chart.svg"),
        "viz.Drawing.save": lambda: c(mg.draw(graph()), folder / "graph.svg"),
    }


WITHOUT_RECIPE = {
    "compiler.LoadedProgram": "made by load_program alone",
    "nn.Module.__call__": "abstract: each module has its own",
    "nn.Cell.next_state": "abstract: each cell has its own",
    "optim.Optimiser.update": "abstract: each optimiser has its own",
    "ops.forget_op": "takes one name, of an op that there is",
    "compiler.Program": "plain data that the compiler makes; its fields are not arguments of users",
    "interop.MicrogradClassifier.set_score_request": "scikit-learn's",
    "interop.MicrogradRegressor.set_score_request": "scikit-learn's",
}
"""Public callables that are not called with wrong arguments, each with the reason."""


def valid_call(entry: PublicCallable, folder: Any) -> Callable[[], Call] | None:
    """Return the maker of a valid call of a public callable, None if there is no recipe for it."""
    name = entry.name
    recipes = {**OF_NUMBERS, **OF_NETWORKS, **OF_PROGRAMS, **in_folder(folder)}
    if name in recipes:
        return recipes[name]
    if isinstance(entry.thing, Op):
        return lambda: c(*_numbers(entry.thing))
    if entry.owner in {Value, Symbol}:
        return lambda: _method_call(entry)
    parameters = list(entry.signature.parameters.values()) if entry.signature else []
    if name.startswith("errors."):
        return lambda: c(training.History() if "Diverged" in name else report() if "Gradcheck" in name else "message")
    if entry.owner is not None and entry.owner in OBJECTS and len(parameters) == 1:
        return lambda: c(OBJECTS[entry.owner]())
    if parameters and parameters[0].name in {"xs", "numbers"} and entry.owner is None:
        return lambda: c(v(1.0, 2.0))
    return c if not parameters else None


OBJECTS: dict[Any, Callable[[], Any]] = {
    nn.Module: mlp,
    optim.Optimiser: optimiser,
    optim.Adam: lambda: optimiser(optim.Adam),
    optim.Adagrad: lambda: optimiser(optim.Adagrad),
    optim.RMSprop: lambda: optimiser(optim.RMSprop),
    optim.SGD: lambda: optimiser(optim.SGD, momentum=0.9),
    compiler.Program: lambda: fast().program,
}
"""Makers of the objects whose methods take no further arguments."""


def _numbers(op: Op) -> list[Any]:
    """Return inputs of an op, Values where they may be: 0.5, 0.75, … are in every domain but that of arccosh."""
    count = op.arity if op.arity is not None else 2
    numbers: list[Any] = [Value(1.5 + 0.25 * i) if op.name == "acosh" else Value(0.5 + 0.25 * i) for i in range(count)]
    if op.name == "polygamma":
        numbers[1] = 1
    return numbers


def _method_call(entry: PublicCallable) -> Call:
    """Return a call of a method of a node."""
    node = Value(0.5) if entry.owner is Value else Symbol("x")
    count = sum(parameter.default is inspect.Parameter.empty for parameter in entry.signature.parameters.values()) - 1
    return c(node, *[0.75 + 0.25 * i for i in range(count)])


def all_callables(folder: Any) -> dict[str, tuple[Callable[..., Any], Callable[[], Call] | None]]:
    """Return every public callable with the maker of a valid call, by name."""
    public = {name: (entry.thing, valid_call(entry, folder)) for name, entry in public_callables().items()}
    return {**{name: pair for name, pair in public.items() if name not in WITHOUT_RECIPE}, **FURTHER}
