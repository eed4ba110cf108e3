"""Arguments of valid calls: graphs, models, optimisers, data, made anew for each call."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import microgradlib as mg
from microgradlib import Value, compiler, costs, data, interop, nn, numeric, optim, testing, training
from microgradlib.ops import TABLE, Op

__all__ = [
    "IMAGE", "LABELS", "NUMBERS", "POINTS", "ROW", "SERIES", "SIGNAL", "Call", "c", "cost", "dataset", "estimator",
    "fast", "graph", "history", "leaves", "loaded", "mlp", "neuron", "optimiser", "over", "random_graph", "report",
    "rng", "square_op", "squared", "trained", "v",
]  # fmt: skip


class Call(NamedTuple):
    """The arguments of a call, the object of a method first."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def c(*args: Any, **kwargs: Any) -> Call:
    return Call(args, kwargs)


def over(make: Callable[[], Any], build: Callable[[Any], Call]) -> Callable[[], Call]:
    """Return the maker of a call whose arguments are built from one new thing."""
    return lambda: build(make())


def v(*numbers: float) -> Any:
    """Return a Value, or a list of several."""
    return Value(numbers[0]) if len(numbers) == 1 else [Value(number) for number in numbers]


def rng() -> random.Random:
    return random.Random(7)


def graph() -> Value:
    x, y = Value(0.5, label="x"), Value(2.0, label="y")
    return (x * y + x).tanh()


def leaves(output: Value) -> list[Value]:
    return [node for node in mg.topological_sort(output) if not node.parents]


def mlp() -> nn.MLP:
    return nn.MLP([2, 3, 1], activation="tanh", rng=0)


def trained() -> tuple[nn.MLP, list[Value]]:
    """Return a model, some of whose gradients are not 0, and its parameters."""
    model = mlp()
    model([0.5, -1.0]).backward()
    return model, model.parameters()


def neuron() -> nn.Neuron:
    return nn.Neuron(2, "linear", rng=0)


POINTS = [[0.0, 1.0], [1.0, 0.5], [2.0, -1.0], [-1.0, 0.0]]
NUMBERS = [0.5, 1.0, -1.0, 0.0]
LABELS = [0, 1, 1, 0]


def squared(w: Value, x: Any) -> Any:
    return (w * x - 1.0) ** 2


def fast() -> compiler.Compiled:
    """Return a compiled function of a row of two numbers and a target."""
    w, b = Value(2.0, label="w"), Value(1.0, label="b")
    function = mg.compile(lambda x, y: (w * x[0] + x[1] - y + b) ** 2, [w, b], backend="numpy")
    function(POINTS, NUMBERS)
    return function


def loaded(folder: Any) -> compiler.LoadedProgram:
    return compiler.load_program(fast().save(folder / "program.json"))


def optimiser(kind: Any = optim.Adam, **settings: Any) -> Any:
    """Return an optimiser after one step, its parameters having gradients."""
    made = kind(trained()[1], lr=0.1, **settings)
    made.step()
    return made


def dataset() -> data.Dataset:
    return data.moons(12, rng=0)


def history() -> training.History:
    return training.fit(neuron(), costs.squared_error, POINTS, NUMBERS, epochs=1, compiled=False)


def report() -> numeric.GradcheckReport:
    return mg.gradcheck(lambda x: x * x, [1.0])


def estimator(kind: Any, fitted: bool = True) -> Any:
    made = kind((2,), epochs=1, random_state=0)
    return made.fit(POINTS, LABELS if kind is interop.MicrogradClassifier else NUMBERS) if fitted else made


def random_graph() -> testing.ExpressionGraph:
    step = testing.Step("a", TABLE["mul"], ("x", "y"))
    return testing.ExpressionGraph(("x", "y"), (step,), "a", (1.0, 2.0))


def square_op() -> Op:
    return TABLE["square"]


def cost(y: Callable[[], Any], target: Callable[[], Any], **kwargs: Any) -> Callable[[], Call]:
    return lambda: c(y(), target(), **kwargs)


SIGNAL = [[0.5, 1.0, -1.0, 0.0, 2.0, 1.0]]
IMAGE = [[[0.5, 1.0, -1.0, 0.0] for _ in range(4)]]
ROW = [0.5, -1.0]
SERIES = [[0.5, -1.0], [1.0, 2.0]]
