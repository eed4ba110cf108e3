"""One valid call of every public callable: what a test replaces arguments in, one at a time.

`valid_call(entry)` makes new arguments at each call, so that no call sees what another has changed. Ops and the methods
of nodes get theirs from the op table and their signatures; all others stand in `RECIPES`, by name. `FURTHER` are
callables that are public without a name of their own: what transforms return, operators, assignments to attributes.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import random
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from public_functions import PublicCallable, public_callables

import microgradlib as mg
from microgradlib import (
    Symbol,
    Value,
    compiler,
    costs,
    data,
    interop,
    nn,
    numeric,
    optim,
    regularisers,
    testing,
    training,
)
from microgradlib.ops import TABLE, Op
from microgradlib.viz import line_chart

__all__ = ["FURTHER", "RECIPES", "Call", "all_callables", "valid_call"]


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


def fast(called: bool = True) -> compiler.Compiled:
    """Return a compiled function of a row of two numbers and a target."""
    w, b = Value(2.0, label="w"), Value(1.0, label="b")
    function = mg.compile(lambda x, y: (w * x[0] + x[1] - y + b) ** 2, [w, b], backend="numpy")
    if called:
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

RECIPES: dict[str, Callable[[], Call]] = {
    # values and graphs
    "Symbol": lambda: c("x"),
    "Value": lambda: c(2.0, label="x"),
    "Value.backward": lambda: c(graph()),
    "Value.constant": lambda: c(1.0),
    "Symbol.constant": lambda: c(1.0),
    "evaluate": over(lambda: Symbol("x"), lambda x: c(x * 2.0, {x: 1.0})),
    "grad_table": lambda: c(graph()),
    "gradients": over(lambda: graph(), lambda output: c(output, leaves(output))),
    "tangent_table": over(lambda: graph(), lambda output: c(output, dict.fromkeys(leaves(output), 1.0))),
    "topological_sort": lambda: c(graph()),
    "kinks": lambda: c(graph()),
    "no_grad": c,
    "detect_anomaly": c,
    "scope": lambda: c("layer", formula="x"),
    "name": lambda: c({"x": Value(1.0)}),
    "define_op": lambda: c("cube", lambda xp, x: x**3, [lambda xp, z, x: 3 * x**2], formula="x³"),
    "engine.declare_attributes": lambda: c("temperature"),
    # derivatives
    "grad": lambda: c(lambda x: x * x),
    "value_and_grad": lambda: c(lambda x: x * x),
    "elementwise_grad": lambda: c(lambda x: x * x),
    "jacobian": lambda: c(lambda x: [x[0] * x[1], x[0]]),
    "hessian": lambda: c(lambda x: x[0] * x[1]),
    "hvp": lambda: c(lambda x: x[0] * x[1], [1.0, 2.0], [1.0, 0.0]),
    "jvp": lambda: c(lambda x: x * x, (3.0,), (1.0,)),
    "vjp": lambda: c(lambda x: x * x, 3.0),
    # lists
    "sum": lambda: c(v(1.0, 2.0)),
    "dot": lambda: c(v(1.0, 2.0), [3.0, 4.0], v(1.0)),
    "linear": lambda: c([v(1.0, 2.0), v(3.0, 4.0)], [3.0, 4.0], v(1.0, 2.0)),
    "matvec": lambda: c([v(1.0, 2.0), v(3.0, 4.0)], [3.0, 4.0]),
    "dist": lambda: c(v(1.0, 2.0), [3.0, 4.0]),
    "std": lambda: c(v(1.0, 2.0)),
    "var": lambda: c(v(1.0, 2.0)),
    "maximum": lambda: c(v(1.0), 2.0),
    "minimum": lambda: c(v(1.0), 2.0),
    "sample": lambda: c([0.25, 0.75], rng()),
    "sample_from_logits": lambda: c([0.25, 0.75], rng()),
    # symbolic
    "simplify": lambda: c(graph()),
    "to_text": lambda: c(graph()),
    "to_latex": lambda: c(graph()),
    "to_sympy": lambda: c(graph()),
    "explain_gradient": over(lambda: graph(), lambda output: c(output, leaves(output)[0])),
    "symbolic.show": lambda: c(graph()),
    "symbolic.formula_holds": lambda: c(square_op(), 0, [3.0], 9.0, 6.0),
    "symbolic.local_derivative_formula": lambda: c(square_op(), 0, ["x"], "z"),
    "symbolic.value_formula": lambda: c(square_op(), ["x"]),
    # numeric
    "gradcheck": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "numeric_gradient": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "numeric.complex_step_derivative": lambda: c(lambda x: x * x, 1.0),
    "numeric.numeric_derivative": lambda: c(lambda x: x * x, 1.0),
    "numeric.numeric_derivatives": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "numeric.taylor_slope": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "numeric.GradcheckReport": over(lambda: report(), lambda r: c(r.point, r.value, r.checks, r.second, r.taylor)),
    "numeric.GradcheckReport.headline": lambda: c(report()),
    "numeric.GradcheckReport.notes": lambda: c(report()),
    "numeric.GradcheckReport.rows": lambda: c(report(), 3),
    "numeric.GradcheckReport.show": lambda: c(report()),
    "numeric.NumericDerivative": lambda: c(2.0, 1e-9, 1e-3),
    "numeric.NumericDerivative.show": lambda: c(numeric.numeric_derivative(lambda x: x * x, 1.0)),
    # costs
    "costs.absolute_error": cost(lambda: v(0.5, 1.0), lambda: [1.0, 2.0]),
    "costs.squared_error": cost(lambda: v(0.5, 1.0), lambda: [1.0, 2.0]),
    "costs.smooth_l1": cost(lambda: v(0.5, 1.0), lambda: [1.0, 2.0]),
    "costs.huber": cost(lambda: v(0.5, 1.0), lambda: [1.0, 2.0]),
    "costs.poisson_nll": cost(lambda: v(0.5, 1.0), lambda: [1.0, 2.0]),
    "costs.hinge": cost(lambda: v(0.5), lambda: 1),
    "costs.binary_cross_entropy": cost(lambda: v(0.5), lambda: 1),
    "costs.binary_cross_entropy_with_logits": cost(lambda: v(0.5), lambda: 1),
    "costs.cross_entropy": cost(lambda: v(0.5, 1.0, 2.0), lambda: 1),
    "costs.cross_entropy_from_probabilities": cost(lambda: v(0.5, 0.25, 0.25), lambda: 1),
    "costs.nll": cost(lambda: v(-0.5, -1.0, -2.0), lambda: 1),
    "costs.kl_div": cost(lambda: v(-0.5, -1.0), lambda: [0.5, 0.5]),
    "costs.gaussian_nll": cost(lambda: (v(0.5), v(1.0)), lambda: 1.0),
    "costs.multivariate_gaussian_nll": cost(
        lambda: (v(0.5, 1.0), costs.cholesky_factor(v(0.0, 0.5, 0.0))), lambda: [1.0, 2.0]
    ),
    "costs.cholesky_factor": lambda: c(v(0.0, 0.5, 0.0)),
    "costs.decision_of": lambda: c(costs.cross_entropy),
    "costs.nll_of": lambda: c(lambda output, target: -((output - target) ** 2)),
    "costs.scale_gradient": lambda: c(v(1.0), 2.0),
    # regularisers
    "regularisers.L1": lambda: c(0.1),
    "regularisers.L2": lambda: c(0.1),
    "regularisers.L1.__call__": lambda: c(regularisers.L1(0.1), mlp()),
    "regularisers.L2.__call__": lambda: c(regularisers.L2(0.1), mlp()),
    "regularisers.TangentPropagation": lambda: c([1.0, 0.0]),
    "regularisers.TangentPropagation.__call__": lambda: c(regularisers.TangentPropagation([1.0, 0.0]), mlp(), ROW),
    "regularisers.l1_norm": lambda: c(v(1.0, 2.0), 0.1),
    "regularisers.l2_norm": lambda: c(v(1.0, 2.0), 0.1),
    # networks
    "nn.AvgPool1d": lambda: c(2),
    "nn.AvgPool1d.__call__": lambda: c(nn.AvgPool1d(2), SIGNAL),
    "nn.AvgPool2d": lambda: c(2),
    "nn.AvgPool2d.__call__": lambda: c(nn.AvgPool2d(2), IMAGE),
    "nn.MaxPool1d": lambda: c(2),
    "nn.MaxPool1d.__call__": lambda: c(nn.MaxPool1d(2), SIGNAL),
    "nn.MaxPool2d": lambda: c(2),
    "nn.MaxPool2d.__call__": lambda: c(nn.MaxPool2d(2), IMAGE),
    "nn.CausalSelfAttention": lambda: c(2, 1, rng=rng()),
    "nn.CausalSelfAttention.__call__": lambda: c(nn.CausalSelfAttention(2, rng=0), SERIES, []),
    "nn.Cell": c,
    "nn.Cell.__call__": lambda: c(nn.RNNCell(2, 2, rng=0), ROW, v(0.0, 1.0)),
    "nn.Cell.checked_state": lambda: c(nn.RNNCell(2, 2, rng=0), v(0.0, 1.0)),
    "nn.Cell.hidden": lambda: c(nn.RNNCell(2, 2, rng=0), v(0.0, 1.0)),
    "nn.Cell.zero_state": lambda: c(nn.RNNCell(2, 2, rng=0)),
    "nn.RNNCell": lambda: c(2, 2, rng=rng()),
    "nn.RNNCell.__call__": lambda: c(nn.RNNCell(2, 2, rng=0), ROW, v(0.0, 1.0)),
    "nn.RNNCell.next_state": lambda: c(nn.RNNCell(2, 2, rng=0), v(0.5, -1.0), v(0.0, 1.0)),
    "nn.GRUCell": lambda: c(2, 2, rng=rng()),
    "nn.GRUCell.__call__": lambda: c(nn.GRUCell(2, 2, rng=0), ROW, v(0.0, 1.0)),
    "nn.GRUCell.next_state": lambda: c(nn.GRUCell(2, 2, rng=0), v(0.5, -1.0), v(0.0, 1.0)),
    "nn.LSTMCell": lambda: c(2, 2, rng=rng()),
    "nn.LSTMCell.__call__": lambda: c(nn.LSTMCell(2, 2, rng=0), ROW, (v(0.0, 1.0), v(0.5, 0.5))),
    "nn.LSTMCell.checked_state": lambda: c(nn.LSTMCell(2, 2, rng=0), (v(0.0, 1.0), v(0.5, 0.5))),
    "nn.LSTMCell.hidden": lambda: c(nn.LSTMCell(2, 2, rng=0), nn.LSTMCell(2, 2, rng=0).zero_state()),
    "nn.LSTMCell.next_state": lambda: c(nn.LSTMCell(2, 2, rng=0), v(0.5, -1.0), nn.LSTMCell(2, 2, rng=0).zero_state()),
    "nn.LSTMCell.zero_state": lambda: c(nn.LSTMCell(2, 2, rng=0)),
    "nn.RNN": lambda: c(2, 2, rng=rng()),
    "nn.RNN.__call__": lambda: c(nn.RNN(2, 2, rng=0), SERIES, v(0.0, 1.0)),
    "nn.GRU": lambda: c(2, 2, rng=rng()),
    "nn.GRU.__call__": lambda: c(nn.GRU(2, 2, rng=0), SERIES, v(0.0, 1.0)),
    "nn.LSTM": lambda: c(2, 2, rng=rng()),
    "nn.LSTM.__call__": lambda: c(nn.LSTM(2, 2, rng=0), SERIES, (v(0.0, 1.0), v(0.5, 0.5))),
    "nn.Unfolded": lambda: c(nn.RNNCell(2, 2, rng=0)),
    "nn.Unfolded.__call__": lambda: c(nn.Unfolded(nn.RNNCell(2, 2, rng=0)), SERIES, v(0.0, 1.0)),
    "nn.Gate": lambda: c(2, 2, rng=rng()),
    "nn.Gate.outputs": lambda: c(nn.Gate(2, 2, rng=0), v(0.5, -1.0), v(0.0, 1.0)),
    "nn.Gate.scope_units": lambda: c(nn.Gate(2, 2, rng=0)),
    "nn.Conv1d": lambda: c(1, 1, 3, rng=rng()),
    "nn.Conv1d.__call__": lambda: c(nn.Conv1d(1, 1, 3, rng=0), SIGNAL),
    "nn.Conv2d": lambda: c(1, 1, 3, rng=rng()),
    "nn.Conv2d.__call__": lambda: c(nn.Conv2d(1, 1, 3, rng=0), IMAGE),
    "nn.Subsampling": lambda: c(1),
    "nn.Subsampling.__call__": lambda: c(nn.Subsampling(1), IMAGE),
    "nn.Dropout": lambda: c(0.5, rng=rng()),
    "nn.Dropout.__call__": lambda: c(nn.Dropout(0.5, rng=rng()), v(0.5, 1.0)),
    "nn.Embedding": lambda: c(3, 2, rng=rng()),
    "nn.Embedding.__call__": lambda: c(nn.Embedding(3, 2, rng=0), 1),
    "nn.Flatten": c,
    "nn.Flatten.__call__": lambda: c(nn.Flatten(), IMAGE),
    "nn.GaussianOutput": lambda: c(2, 1, rng=rng()),
    "nn.GaussianOutput.__call__": lambda: c(nn.GaussianOutput(2, 1, rng=0), ROW),
    "nn.Layer": lambda: c(2, 3, "tanh", rng=rng(), bias=True, init="uniform", expand=False),
    "nn.Layer.__call__": lambda: c(nn.Layer(2, 3, rng=0), ROW),
    "nn.Layer.activated": lambda: c(nn.Layer(2, 3, rng=0), v(0.5, 1.0, 2.0)),
    "nn.Layer.net_inputs": lambda: c(nn.Layer(2, 3, rng=0), ROW),
    "nn.Layer.outputs": lambda: c(nn.Layer(2, 3, rng=0), ROW),
    "nn.Layer.scope_units": lambda: c(nn.Layer(2, 3, rng=0)),
    "nn.LayerNorm": lambda: c(2),
    "nn.LayerNorm.__call__": lambda: c(nn.LayerNorm(2), ROW),
    "nn.RMSNorm": lambda: c(2),
    "nn.RMSNorm.__call__": lambda: c(nn.RMSNorm(2), ROW),
    "nn.LogSoftmax": c,
    "nn.LogSoftmax.__call__": lambda: c(nn.LogSoftmax(), v(0.5, 1.0)),
    "nn.Softmax": c,
    "nn.Softmax.__call__": lambda: c(nn.Softmax(), v(0.5, 1.0)),
    "nn.MLP": lambda: c([2, 3, 1], rng=rng(), bias=True, init="uniform"),
    "nn.MLP.__call__": lambda: c(mlp(), ROW),
    "nn.Maxout": lambda: c(2, 1, rng=rng()),
    "nn.Maxout.__call__": lambda: c(nn.Maxout(2, 1, rng=0), ROW),
    "nn.Module": c,
    "nn.Module.load_state_dict": lambda: c(mlp(), {name: number + 1 for name, number in mlp().state_dict().items()}),
    "nn.Module.show": lambda: c(mlp()),
    "nn.Module.train": lambda: c(mlp()),
    "nn.Neuron": lambda: c(2, "tanh", rng=rng()),
    "nn.Neuron.__call__": lambda: c(neuron(), ROW),
    "nn.Neuron.net_input": lambda: c(neuron(), ROW),
    "nn.Neuron.scope_units": lambda: c(neuron()),
    "nn.PReLU": c,
    "nn.PReLU.__call__": lambda: c(nn.PReLU(), v(0.5)),
    "nn.RBF": lambda: c(2, 1, rng=rng()),
    "nn.RBF.__call__": lambda: c(nn.RBF(2, 1, rng=0), ROW),
    "nn.Sequential": lambda: c(nn.Layer(2, 3, rng=0), nn.Dropout(0.5, rng=rng())),
    "nn.Sequential.__call__": lambda: c(nn.Sequential(nn.Layer(2, 1, rng=0), nn.Dropout(0.5, rng=rng())), ROW),
    "nn.functional_call": over(lambda: mlp(), lambda model: c(model, model.state_dict(), (ROW,))),
    # optimisers
    "optim.Adagrad": lambda: c(trained()[1], 0.1),
    "optim.Adam": lambda: c(trained()[1], 0.1),
    "optim.AdamW": lambda: c(trained()[1], 0.1),
    "optim.RMSprop": lambda: c(trained()[1], 0.1),
    "optim.SGD": lambda: c(trained()[1], 0.1),
    "optim.Optimiser": lambda: c(trained()[1], 0.1),
    "optim.Optimiser.step": over(lambda: optimiser(), lambda o: c(o, [0.5] * len(o.parameters))),
    "optim.Optimiser.add_param_group": lambda: c(optimiser(), {"params": v(1.0, 2.0), "lr": 0.2}),
    "optim.Optimiser.configure": over(lambda: optimiser(), lambda o: c(o, o._groups[0], {"lr": 0.2})),
    "optim.Optimiser.load_state_dict": lambda: c(optimiser(), optimiser().state_dict()),
    "optim.Optimiser.moved_array": over(
        lambda: optim.Adam(np.zeros(3)), lambda o: c(o, o._groups[0], np.ones(3), np.ones(3))
    ),
    "optim.Adagrad.update": lambda: c(optim.Adagrad(v(1.0, 2.0)), np, 1, 0.1, 1.0, 0.5, 0.0),
    "optim.Adam.update": lambda: c(optim.Adam(v(1.0, 2.0)), np, 1, 0.1, 1.0, 0.5, 0.0, 0.0),
    "optim.RMSprop.update": lambda: c(optim.RMSprop(v(1.0, 2.0)), np, 1, 0.1, 1.0, 0.5, 0.0),
    "optim.SGD.update": lambda: c(optim.SGD(v(1.0, 2.0)), np, 1, 0.1, 1.0, 0.5),
    "optim.clip_by_norm": lambda: c(np.array([3.0, 4.0]), 1.0),
    "optim.clip_by_value": lambda: c(np.array([3.0, 4.0]), 1.0),
    "optim.clip_grad_norm": lambda: c(trained()[1], 0.1),
    "optim.clip_grad_value": lambda: c(trained()[1], 0.1),
    "optim.constant": lambda: c(0.1),
    "optim.constant.__call__": lambda: c(optim.constant(0.1), 3),
    "optim.cosine": lambda: c(0.1, 0.01, 10),
    "optim.cosine.__call__": lambda: c(optim.cosine(0.1, 0.01, 10), 3),
    "optim.linear": lambda: c(0.1, 0.01, 10),
    "optim.linear.__call__": lambda: c(optim.linear(0.1, 0.01, 10), 3),
    "optim.step_decay": lambda: c(0.1, 10, 0.5),
    "optim.step_decay.__call__": lambda: c(optim.step_decay(0.1, 10, 0.5), 3),
    "optim.warm_up": lambda: c(10, 0.1),
    "optim.warm_up.__call__": lambda: c(optim.warm_up(10, 0.1), 3),
    "optim.minimize": over(lambda: v(1.0), lambda w: c(lambda: (w - 3.0) ** 2, [w])),
    # training
    "fit": over(
        lambda: nn.Sequential(
            nn.Layer(2, 3, "tanh", rng=0), nn.Dropout(0.5, rng=rng()), nn.Layer(3, 1, "linear", rng=0)
        ),
        lambda model: c(
            model,
            costs.squared_error,
            [*POINTS],
            [*NUMBERS],
            epochs=1,
            batch_size=2,
            rng=rng(),
            compiled=False,
            optimizer=optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
            validation=0.25,
        ),
    ),
    "training.score": lambda: c(mlp(), costs.squared_error, [*POINTS], [*NUMBERS]),
    "training.random_order": lambda: c(5, rng()),
    "training.EarlyStopping": lambda: c(3),
    "training.EarlyStopping.ends": lambda: c(training.EarlyStopping(3), 0, 1.0, mlp()),
    "training.EarlyStopping.restore": lambda: c(training.EarlyStopping(3), mlp()),
    "training.EarlyStopping.watched": lambda: c(training.EarlyStopping(3), mlp(), history()),
    "training.History": c,
    "training.History.curves": lambda: c(history(), "loss"),
    "training.History.line": lambda: c(history()),
    "training.History.plot": lambda: c(history()),
    "training.History.show": lambda: c(history()),
    "training.Score": lambda: c(0.5, None),
    # data
    "data.Alphabet": lambda: c("abc"),
    "data.Alphabet.decode": lambda: c(data.Alphabet("abc"), [0, 1]),
    "data.Alphabet.encode": lambda: c(data.Alphabet("abc"), "ab"),
    "data.Alphabet.of": lambda: c(["ab", "c"]),
    "data.Dataset": lambda: c(((0.0,), (1.0,)), (0, 1), ("x",), ("a", "b")),
    "data.Dataset.show": lambda: c(dataset()),
    "data.RegressionDataset": lambda: c(((0.0,), (1.0,)), (0.5, 1.0), ("x",)),
    "data.RegressionDataset.show": lambda: c(data.sine(10)),
    "data.as_image": lambda: c([0.5, 1.0, 2.0, 3.0], 2),
    "data.augmented": lambda: c(dataset(), data.gaussian_noise(0.1), 1, rng()),
    "data.blobs": lambda: c(12, 0.1, rng()),
    "data.chain": lambda: c(data.gaussian_noise(0.1), data.mirror(2)),
    "data.circles": lambda: c(12, 0.1, rng()),
    "data.gaussian_noise": lambda: c(0.1),
    "data.mirror": lambda: c(2),
    "data.moons": lambda: c(12, 0.1, rng()),
    "data.mu_law": c,
    "data.rotate": lambda: c(10.0, 4),
    "data.scale": lambda: c(1.2, 4),
    "data.shift": lambda: c(1, 4),
    "data.sine": lambda: c(12, 0.1, rng()),
    "data.spirals": lambda: c(12, 0.1, rng()),
    "data.split": lambda: c(dataset(), 0.25, rng()),
    "data.standardise": lambda: c(dataset(), dataset()),
    "data.yin_yang": lambda: c(12, 0.1, rng()),
    "metrics.accuracy": lambda: c([0, 1, 1], [0, 1, 0]),
    "metrics.confusion_matrix": lambda: c([0, 1, 1], [0, 1, 0]),
    # compiler
    "compile": over(lambda: v(2.0), lambda w: c(functools.partial(squared, w), [w], backend="numpy")),
    "compiler.Compiled": over(lambda: v(2.0), lambda w: c(functools.partial(squared, w), [w], float, "numpy")),
    **{
        f"compiler.Compiled.{name}": lambda: c(fast(), [*POINTS], [*NUMBERS])
        for name in (
            "__call__",
            "hessian",
            "jacobian",
            "lower",
            "rows",
            "rows_and_grad",
            "stages",
            "value_and_grad",
            "values_and_grad",
        )
    },
    "compiler.Compiled.hvp": lambda: c(fast(), [*POINTS], [*NUMBERS], vector=[1.0, 0.5]),
    "compiler.Compiled.set_parameters": lambda: c(fast(), np.array([1.0, 2.0])),
    "compiler.Compiled.as_function": lambda: c(fast(), "jax"),
    "compiler.Compiled.show": lambda: c(fast()),
    "compiler.Program.draw": lambda: c(fast().program),
    "compiler.Program.of": lambda: c(fast().program),
    "compiler.Program.show": lambda: c(fast().program),
    "compiler.Program.to_source": lambda: c(fast().program, "numpy"),
    "compiler.columns_of": lambda: c(([*POINTS], [*NUMBERS]), float),
    # interop
    "interop.MicrogradClassifier": c,
    "interop.MicrogradRegressor": c,
    "interop.MicrogradClassifier.fit": lambda: c(estimator(interop.MicrogradClassifier, fitted=False), POINTS, LABELS),
    "interop.MicrogradRegressor.fit": lambda: c(estimator(interop.MicrogradRegressor, fitted=False), POINTS, NUMBERS),
    **{
        f"interop.MicrogradClassifier.{name}": lambda: c(estimator(interop.MicrogradClassifier), POINTS)
        for name in ("decision_function", "predict", "predict_proba")
    },
    "interop.MicrogradRegressor.predict": lambda: c(estimator(interop.MicrogradRegressor), POINTS),
    "interop.jax_loss": lambda: c(fast()),
    "interop.torch_loss": lambda: c(fast()),
    "krylov.hessian_operator": over(lambda: graph(), lambda output: c(output, leaves(output))),
    "krylov.hessian_products": over(lambda: graph(), lambda output: c(output, leaves(output))),
    # drawings and plots
    "draw": lambda: c(graph()),
    "explain": lambda: c(graph()),
    "plot_activations": lambda: c(["tanh"]),
    "plot_decision_boundary": lambda: c(mlp(), data.moons(8, rng=0), resolution=3),
    "plot_derivative_error": lambda: c(lambda x: x * x, 1.0),
    "plot_gradient_flow": lambda: c(trained()[0]),
    "plot_history": lambda: c(history()),
    "plot_loss_surface": over(lambda: v(1.0, 2.0), lambda w: c(lambda: w[0] * w[0] + w[1] * w[1], *w, resolution=3)),
    "viz.Chart": lambda: c(line_chart({"loss": [1.0, 2.0]})._canvas),
    "viz.Drawing": lambda: c(mg.draw(graph())._content),
    "viz.Drawing.to_graphviz": lambda: c(mg.draw(graph())),
    "viz.line_chart": lambda: c({"loss": [1.0, 2.0]}),
    # for extenders and testers
    "ops.Op": lambda: c(
        name="cube", symbol="cube", value=lambda xp, x: x**3, derivatives=(lambda xp, z, x: 3 * x**2,), formula="x³"
    ),
    "ops.Op.__call__": lambda: c(square_op(), v(1.0)),
    "ops.Op.bind": lambda: c(TABLE["elu"], 2.0),
    "ops.Op.compute": lambda: c(square_op(), 3.0),
    "ops.Op.differentiate": lambda: c(square_op(), np, 9.0, 3.0),
    "ops.Op.local_derivatives": lambda: c(square_op(), 9.0, 3.0),
    "ops.Op.partial_derivative": lambda: c(square_op(), 0, 9.0, 3.0),
    "ops.Op.record": lambda: c(square_op(), [3.0]),
    "testing.ExpressionGraph": over(lambda: random_graph(), lambda g: c(g.names, g.steps, g.output, g.inputs)),
    "testing.ExpressionGraph.__call__": lambda: c(random_graph(), 1.0, 2.0),
    "testing.Step": lambda: c("a", TABLE["mul"], ("x", "y")),
    "testing.assert_derivative_rule": lambda: c(square_op(), 3.0),
    "testing.assert_gradients_close": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "testing.assert_same_as_torch": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "testing.floats_for": lambda: c(square_op()),
    "testing.graphs": c,
    "testing.inputs_for": lambda: c(square_op()),
    "testing.values": c,
}


def _assign(name: str) -> Callable[[Any, Any], None]:
    """Return a function that assigns to an attribute."""

    def assign(thing: Any, new: Any) -> None:
        setattr(thing, name, new)

    assign.__name__ = f"assign_{name}"
    return assign


def _operator(sign: str) -> Callable[[Any, Any], Any]:
    return eval(f"lambda a, b: a {sign} b")  # noqa: S307  our own signs


def _group_set(o: Any, name: str, setting: Any) -> None:
    o.param_groups[0][name] = setting


def _applied(transform: Callable[..., Any], f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: transform(f)(*args)


def torch() -> Any:
    return importlib.import_module("torch")


def _pull_back(f: Callable[..., Any], x: Any, seed: Any) -> Any:
    return mg.vjp(f, x)[1](seed)


def _torch_call(f: compiler.Compiled, parameters: Any, inputs: Any, targets: Any) -> Any:
    return interop.torch_loss(f)(parameters, inputs, targets)


FURTHER: dict[str, tuple[Callable[..., Any], Callable[[], Call]]] = {
    "grad(f)": (lambda x: mg.grad(lambda x: x * x)(x), lambda: c(3.0)),
    "grad(f, argnums)": (lambda f, k, x, y: mg.grad(f, k)(x, y), lambda: c(lambda x, y: x * y, (0, 1), 3.0, 2.0)),
    "value_and_grad(f)": (lambda f, x: mg.value_and_grad(f)(x), lambda: c(lambda x: x[0] * x[1], [1.0, 2.0])),
    "jacobian(f)": (lambda f, x: mg.jacobian(f)(x), lambda: c(lambda x: [x[0] * x[1], x[0]], [1.0, 2.0])),
    "hessian(f)": (lambda f, x: mg.hessian(f)(x), lambda: c(lambda x: x[0] * x[1], [1.0, 2.0])),
    "elementwise_grad(f)": (lambda f, x: mg.elementwise_grad(f)(x), lambda: c(lambda x: x * x, np.array([1.0, 2.0]))),
    "vjp(f, x)[1]": (_pull_back, lambda: c(lambda x: [x * x, x], 3.0, [1.0, 0.0])),
    "Value.data = x": (_assign("data"), lambda: c(v(1.0), 2.0)),
    "Value.grad = x": (_assign("grad"), lambda: c(v(1.0), 2.0)),
    "Value.label = x": (_assign("label"), lambda: c(v(1.0), "x")),
    "Optimiser.lr = x": (_assign("lr"), lambda: c(optimiser(), 0.5)),
    "param_groups[0][name] = x": (_group_set, lambda: c(optimiser(), "lr", 0.5)),
    **{
        f"Value {sign} x": (_operator(sign), lambda: c(v(1.5), 2.0))
        for sign in ("+", "-", "*", "/", "//", "%", "**", "<", "<=", ">", ">=")
    },
    **{f"Symbol {sign} x": (_operator(sign), lambda: c(Symbol("s"), 2.0)) for sign in ("+", "*", "**", "<")},
    **{
        f"{name}(parameters, **settings)": (
            getattr(optim, name),
            lambda settings=settings: c(trained()[1], 0.1, **settings),
        )
        for name, settings in {
            "Adam": {"betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.1, "amsgrad": True, "maximize": True},
            "SGD": {"momentum": 0.9, "dampening": 0.0, "weight_decay": 0.1, "nesterov": True, "maximize": True},
        }.items()
    },
    "optimiser of groups": (
        lambda a, b, lr: optim.SGD([{"params": a, "lr": 0.1}, {"params": b}], lr=lr, momentum=0.9),
        lambda: c(v(1.0, 2.0), v(3.0, 4.0), 0.1),
    ),
    "Optimiser.step of an array": (lambda o, g: o.step(g), lambda: c(optim.Adam(np.ones(3)), np.ones(3))),
    "Optimiser.load_state_dict of groups": (
        lambda o, state: o.load_state_dict(state),
        lambda: c(
            *[optim.SGD([{"params": v(1.0)}, {"params": v(2.0), "lr": 0.5}], lr=0.1, momentum=0.9)] * 1,
            optim.SGD([{"params": v(1.0)}, {"params": v(2.0), "lr": 0.5}], lr=0.1, momentum=0.9).state_dict(),
        ),
    ),
    "fit, compiled": (
        training.fit,
        over(
            lambda: trained()[0].eval(),
            lambda model: c(
                model,
                costs.squared_error,
                np.array(POINTS),
                np.array(NUMBERS),
                epochs=1,
                batch_size=2,
                rng=rng(),
                optimizer=optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
                backend="numpy",
            ),
        ),
    ),
    "augmentation(x, rng)": (data.gaussian_noise(0.1), lambda: c([0.5, 1.0], rng())),
    "augmentation of images": (data.shift(1, 2), lambda: c([0.5, 1.0, 2.0, 3.0], rng())),
    "augmentation that rotates": (data.rotate(10.0, 2), lambda: c([0.5, 1.0, 2.0, 3.0], rng())),
    "chained augmentations": (
        data.chain(data.shift(1, 2), data.gaussian_noise(0.1)),
        lambda: c([0.5, 1.0, 2.0, 3.0], rng()),
    ),
    "fast of a model": (
        lambda f, x: f(x),
        over(lambda: mlp(), lambda m: c(mg.compile(m, m.parameters(), backend="numpy"), POINTS)),
    ),
    "torch_loss(fast)": (_torch_call, lambda: c(fast(), torch().zeros(2).double(), POINTS, NUMBERS)),
    "minimize by BFGS": (
        lambda loss, w, **options: optim.minimize(loss, w, "BFGS", **options),
        over(lambda: v(1.0), lambda w: c(lambda: (w - 3.0) ** 2, [w], options={"maxiter": 2})),
    ),
}
"""Callables without a name of their own: name → (callable, the maker of a valid call)."""


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
    recipes = {**RECIPES, **in_folder(folder)}
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
