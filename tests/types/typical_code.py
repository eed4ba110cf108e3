# pyright: strict
"""What users write, with the types that it has: `mypy --strict` and `pyright` accept every line, without a cast.

`test_types.py` also runs this file, with an `assert_type` that looks at the class of each result.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from hypothesis import given, settings
from numpy.typing import NDArray
from typing_extensions import assert_type

import microgradlib as mg
from microgradlib import Symbol, Value, nn
from microgradlib.compiler import Compiled, LoadedProgram, Program, load_program
from microgradlib.core.kinks import Kinks
from microgradlib.core.tables import NodeTable
from microgradlib.costs import (
    absolute_error,
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    decision_of,
    gaussian_nll,
    hinge,
    huber,
    kl_div,
    nll,
    nll_of,
    poisson_nll,
    smooth_l1,
    squared_error,
)
from microgradlib.data import (
    Alphabet,
    Dataset,
    RegressionDataset,
    augmented,
    chain,
    gaussian_noise,
    iris,
    moons,
    names,
    scale,
    sine,
    split,
    standardise,
    xor,
)
from microgradlib.errors import AnomalyError, GradcheckError, MicrogradError
from microgradlib.metrics import accuracy, confusion_matrix
from microgradlib.nn import MLP, Cell, Layer, Module, Neuron, Sequential, Unfolded, load, save
from microgradlib.numeric import complex_step_derivative, numeric_derivative, taylor_slope
from microgradlib.ops import Op, forget_op
from microgradlib.ops.signatures import Binary, Unary, Variadic, WithSetting
from microgradlib.optim import (
    SGD,
    Adam,
    AdamW,
    Optimiser,
    clip_by_norm,
    clip_by_value,
    clip_grad_norm,
    cosine,
    linear,
    minimize,
    warm_up,
)
from microgradlib.regularisers import L1, L2, TangentPropagation, l2_norm
from microgradlib.testing import (
    ExpressionGraph,
    assert_derivative_rule,
    assert_gradients_close,
    floats_for,
    graphs,
    inputs_for,
    values,
)
from microgradlib.training import EarlyStopping, History, Score, fit, score
from microgradlib.viz import Chart, Drawing, line_chart

# Values and operators

w, x, b = Value(0.5, label="w"), Value(2, "x"), Value(np.float64(-1.0), label="b")
y = mg.tanh(w * x + b)
assert_type(y, Value)
y.backward()
y.backward(seed=2.0)
assert_type(y.data, float)
assert_type(w.grad, float)
assert_type(y.label, str)
assert_type(y.op, Op | None)
assert_type(y.parents, tuple[Value, ...])
assert_type(y.local_derivatives, tuple[float, ...])
for parent, slope in zip(y.parents, y.local_derivatives):
    assert_type(parent, Value)
    assert_type(slope, float)
if y.op is not None:
    assert_type(y.op.name, str)
    assert_type(y.op.symbol, str)

assert_type(Value(0.25, (w,), (1.0,)), Value)
assert_type(Value(0.25, [w, x], "*", label="c"), Value)
assert_type(Value(0.25, _children=(w, x), _op="*", label="c"), Value)
assert_type(Value(data=0.25, children=[w], local_grads=[0.5]), Value)
assert_type(Neuron(2, False).nonlin, bool)

assert_type(w + x, Value)
assert_type(w + 1, Value)
assert_type(1 + w, Value)
assert_type(w - 1.5, Value)
assert_type(1.5 - w, Value)
assert_type(w * True, Value)
assert_type(True * w, Value)
assert_type(w / Fraction(1, 3), Value)
assert_type(Fraction(1, 3) / w, Value)
assert_type(w + np.float64(2.0), Value)
assert_type(w * np.int64(2), Value)
assert_type(w**2, Value)
assert_type(w**0.5, Value)
assert_type(w**x, Value)
assert_type(2**w, Value)
assert_type(w % 2, Value)
assert_type(7.5 % w, Value)
assert_type(w // 2, Value)
assert_type(2 // w, Value)
assert_type(divmod(w, 2), tuple[Value, Value])
assert_type(divmod(7.5, w), tuple[Value, Value])
assert_type(-w, Value)
assert_type(+w, Value)
assert_type(abs(w), Value)
total = Value(0.0)
total += w
total *= 2
total -= 1
total /= x
total **= 2
assert_type(total, Value)

assert_type(w > 0, bool)
assert_type(w <= x, bool)
assert_type(0.5 < w, bool)  # noqa: SIM300  a number on the left
assert_type(w >= np.float64(0.5), bool)
assert_type(w == x, bool)
assert_type(float(w), float)
assert_type(int(w), int)
assert_type(bool(w), bool)
assert_type(round(w, 2), float)
assert_type(f"{w:.3f} {w}", str)
assert_type(sorted([w, x]), list[Value])
assert_type({w: 1.0}[w], float)
assert_type(w.detach(), Value)
assert_type(w.tanh().exp().log().sqrt(), Value)
assert_type(w.relu() + w.sigmoid().sin() + w.softplus().cos() + w.leaky_relu(0.1) + w.clip(0, 1), Value)
for parameter in [w, x]:
    parameter.data -= 0.1 * parameter.grad
    parameter.grad = 0.0
y = mg.tanh(w * x + b)

# Functions: floats in, float out; Values in, Value out; Symbols in, Symbol out

assert_type(mg.tanh(0.5), float)
assert_type(mg.tanh(1), float)
assert_type(mg.exp(np.float64(0.5)), float)
assert_type(mg.exp(w), Value)
assert_type(mg.log(Symbol("s")), Symbol)
assert_type(mg.atan2(w, 1), Value)
assert_type(mg.atan2(1, w), Value)
assert_type(mg.atan2(1.0, 2.0), float)
assert_type(mg.hypot(Symbol("s"), 2.0), Symbol)
assert_type(mg.pow(w, 2), Value)
assert_type(mg.pow(2.0, 3.0), float)
assert_type(mg.leaky_relu(w), Value)
assert_type(mg.leaky_relu(w, 0.2), Value)
assert_type(mg.leaky_relu(-1.0), float)
assert_type(mg.clip(w, 0, 1), Value)
assert_type(mg.clip(2.0, 0.0, 1.0), float)
assert_type(mg.where(w > 0, w, 0.0), Value)
assert_type(mg.where(w > 0, 1.0, 0.0), float)
assert_type(mg.where(Symbol("s") > 0, Symbol("s"), 0.0), Symbol)
assert_type(mg.exp2(w), Value)
assert_type(mg.square(3.0), float)
assert_type(mg.reciprocal(w), Value)
assert_type(mg.fmod(w, 2), Value)
assert_type(mg.degrees(w), Value)
assert_type(mg.copysign(w, -1.0), Value)
assert_type(mg.gelu(w), Value)
assert_type(mg.log_sigmoid(-800.0), float)
assert_type(mg.logaddexp(w, 1.0), Value)
assert_type(mg.xlog1py(1.0, Symbol("s")), Symbol)
assert_type(mg.round(w), Value)
assert_type(mg.heaviside(w), Value)
assert_type(mg.heaviside(-1.0, 1.0), float)
assert_type(mg.sgn(Symbol("s")), Symbol)
assert_type(mg.less(w, 1), Value)
assert_type(mg.greater(Symbol("s"), 0.0), Symbol)

# Lists of numbers

assert_type(mg.sum([1.0, 2, 3]), float)
assert_type(mg.sum([w, x]), Value)
assert_type(mg.sum([w, 1.0]), Value)
assert_type(mg.sum([w, 1.0], start=x), Value)
assert_type(mg.sum([Symbol("s"), w, 1.0]), Symbol)
assert_type(mg.sum(w * i for i in range(3)), Value)
assert_type(mg.sum((w, x)), Value)
assert_type(mg.sum([Fraction(1, 2), np.float32(0.5), np.int64(2), True]), float)
assert_type(mg.sum([Fraction(1, 2), np.float32(0.5), np.int64(2), w]), Value)
assert_type(mg.mean([w, x]), Value)
assert_type(mg.mean([1, 2]), float)
assert_type(mg.prod([w, 2]), Value)
assert_type(mg.norm([3.0, 4.0]), float)
assert_type(mg.dist([w, x], [1.0, 2.0]), Value)
assert_type(mg.logsumexp([w, x]), Value)
assert_type(mg.maximum(w, 0.0), Value)
assert_type(mg.maximum([w, x, 1]), Value)
assert_type(mg.minimum(1.0, 2.0), float)
assert_type(mg.minimum(np.float32(1.0), w), Value)
assert_type(mg.dot([w, x], np.ones(2)), Value)
assert_type(mg.maximum(Symbol("s"), 0), Symbol)
assert_type(mg.dot([w, x], [1.0, 2.0], bias=b), Value)
assert_type(mg.dot([w, x], [1, 2]), Value)
assert_type(mg.dot([1, 2], [3, 4]), float)
assert_type(mg.var([w, x], correction=1), Value)
assert_type(mg.std([1.0, 2]), float)
assert_type(mg.var([Symbol("s"), 1.0]), Symbol)
assert_type(mg.linear([[w, x], [1.0, 2.0]], [1.0, w], [b, 0.5]), list[Value])
assert_type(mg.linear([[1.0, 2.0]], [3, 4]), list[float])
assert_type(mg.matvec([[w, x]], [1.0, 2.0]), list[Value])
assert_type(mg.matvec([[Symbol("s"), 1.0]], [1.0, 2.0]), list[Symbol])
assert_type(mg.softmax([w, x]), list[Value])
assert_type(mg.softmax([1.0, 2.0]), list[float])
assert_type(mg.log_softmax([w, 1.0]), list[Value])
assert_type(sum([w, x]), Value | Literal[0])
assert_type(sum([w, x], Value(0.0)), Value)
sum([w, x], Value(0.0)).backward()
mg.sum([w * x, b]).backward()

# NumPy arrays

array = np.array([1.0, 2.0])
print(array * w, mg.exp(array), mg.hypot(array, 1.0), mg.where(array > 1, w, 0.0), mg.maximum(w, array), w + array)

# Graphs and derivatives of nodes

assert_type(mg.topological_sort(y), list[Value])
assert_type(mg.grad_table(y), NodeTable[Value])
assert_type(mg.grad_table(y)[w], float)
assert_type(mg.tangent_table(y, {x: 1.0}), NodeTable[Value])
assert_type(mg.grad_table(y).reached, frozenset[Value])
assert_type(mg.kinks(mg.relu(w)), Kinks[Value])
assert_type(mg.kinks(mg.relu(w)).notes, dict[Value, str])
[by_w] = mg.gradients(w**3, [w])
assert_type(by_w, Value)
by_w.backward()
assert_type(mg.grad_table(by_w)[w], float)

s, t = Symbol("s"), Symbol("t")
assert_type(s + 1, Symbol)
assert_type(2 * s, Symbol)
assert_type(s * t, Symbol)
assert_type(s / w, Symbol)
assert_type(w / s, Symbol)
assert_type(s**2, Symbol)
assert_type(-abs(s), Symbol)
assert_type(s % 2, Symbol)
assert_type(s > 0, Symbol)
assert_type(s <= w, Symbol)
[by_s] = mg.gradients(s**3 + 2 * s, [s])
assert_type(by_s, Symbol)
assert_type(mg.evaluate(by_s, {s: 2.0}), float)
assert_type(mg.evaluate([by_s, s * t], {s: 2.0, t: 3}), list[float])
assert_type(mg.evaluate(by_s, {s: w}), Value)
assert_type(mg.evaluate(w * x, {x: 2.0}), float)

# Functions of functions


def cube(x: Value) -> Value:
    return x**3


def product(x: list[Value], k: float = 2.0) -> Value:
    return x[0] * x[1] * k


def pair(x: list[Value]) -> list[Value]:
    return [x[0] * x[1], x[0] + x[1]]


def with_moment(x: list[Value]) -> tuple[Value, Value]:
    return mg.mean(x), mg.mean([x_i**2 for x_i in x])


def energy(p: dict[str, Value]) -> Value:
    return p["mass"] * p["speed"] ** 2 / 2


def with_inner_derivative(x: Value) -> Value:
    return x * mg.grad(cube)(x)


def neuron_output(w: Value, x: Value) -> Value:
    return mg.tanh(w * x)


def detached(x: Value) -> Value:
    return x * x.detach()


def energy_of_array(x: NDArray[Any]) -> Any:
    return x @ x


class Square:
    def __call__(self, x: Value) -> Value:
        return x * x


def newton(f: Callable[[Value], Value], x: float, steps: int = 20) -> float:
    slope = mg.grad(f)
    for _ in range(steps):
        x -= f(Value(x)).data / slope(x)
    return x


assert_type(newton(lambda x: x * x - 2, 1.0), float)
assert_type(mg.grad(cube)(2.0), float)
assert_type(mg.grad(cube)(2), float)
assert_type(mg.grad(mg.grad(cube))(2.0), float)
assert_type(mg.grad(cube)(Value(2.0)), Value)
assert_type(mg.grad(cube)(Symbol("x")), Symbol)
assert_type(mg.grad(product)([3.0, 4.0], k=3.0), list[float])
assert_type(mg.grad(product)([3, 4]), list[float])
assert_type(mg.grad(energy)({"mass": 1.0, "speed": 2.0}), dict[str, float])
assert_type(mg.grad(neuron_output, argnums=(0, 1))(2.0, 3.0), tuple[Any, ...])
assert_type(mg.grad(with_inner_derivative)(2.0), float)
assert_type(mg.grad(Square())(1.0), float)
assert_type(mg.grad(mg.sin)(1.0), float)
assert_type(mg.grad(mg.grad(mg.grad(mg.sin)))(1.0), float)
assert_type(mg.value_and_grad(cube)(2.0), tuple[float, float])
assert_type(mg.value_and_grad(product)([3.0, 4.0]), tuple[float, list[float]])
assert_type(mg.value_and_grad(cube)(Value(1.0)), tuple[Value, Value])
assert_type(mg.hessian(product)([3.0, 4.0]), list[list[float]])
assert_type(mg.hessian(product)([3.0, 4.0], 2.0), list[list[float]])
assert_type(mg.hessian(cube)(1.0), float)
assert_type(mg.jacobian(pair)([3.0, 4.0]), list[list[float]])
assert_type(mg.jacobian(cube)(1.0), float)
assert_type(mg.jacobian(with_moment)([3.0, 4.0]), tuple[list[float], ...])
assert_type(mg.jvp(cube, (2.0,), (1.0,)), tuple[float, float])
assert_type(mg.jvp(pair, ([2.0, 3.0],), ([1.0, 0.0],)), tuple[list[float], list[float]])
assert_type(mg.jvp(cube, [Value(2.0)], [1.0]), tuple[Value, Value])
assert_type(mg.jvp(cube, 2.0, 1.0), tuple[float, float])
assert_type(mg.jvp(cube, Value(2.0), 1.0), tuple[Value, Value])
output, pullback = mg.vjp(cube, 2.0)
assert_type(output, float)
assert_type(pullback(1.0), tuple[float, ...])
outputs, pullback = mg.vjp(pair, [2.0, 3.0])
assert_type(outputs, list[float])
assert_type(mg.hvp(product, [3.0, 4.0], [1.0, 10.0]), list[float])
assert_type(mg.hvp(cube, 1.0, 2.0), float)
numbers_in: NDArray[Any] = np.array([1.0, 2.0])
assert_type(mg.grad(energy_of_array)(numbers_in), NDArray[Any])
assert_type(mg.hvp(energy_of_array, numbers_in, numbers_in), NDArray[Any])
assert_type(mg.elementwise_grad(cube)(2.0), float)
assert_type(mg.elementwise_grad(np.tanh)(numbers_in), NDArray[Any])
assert_type(mg.hessian(neuron_output, argnums=(0, 1))(2.0, 3.0), Any)
assert_type(np.exp(Value(1.0)), Any)
neuron = Neuron(2, rng=0)
assert_type(mg.grad(lambda numbers: nn.functional_call(neuron, numbers, [1.0, 2.0]))([0.1, 0.2, 0.3]), list[float])
assert_type(mg.numeric_gradient(neuron_output, [3.0, 2.0]), list[float])
assert_type(mg.numeric_gradient(cube, 3.0), float)
assert_type(numeric_derivative(lambda x: x**3, 2.0).value, float)
assert_type(complex_step_derivative(mg.tanh, 0.5), float)
assert_type(mg.krylov.hessian_products(y, [w, x])([1.0, 0.0]), list[float])
assert_type(taylor_slope(cube, [2.0]).agrees, bool)
report = mg.gradcheck(neuron_output, [0.5, 2.0], order=2)
assert_type(report.ok, bool)
print(report)
try:
    mg.gradcheck(detached, [3.0])
except GradcheckError as error:
    print(error)

# Modes and errors

with mg.no_grad():
    assert_type(w * x, Value)


@mg.no_grad()
def predict(model: MLP, row: Sequence[float]) -> float:
    return float(model(row).data)


assert_type(predict(MLP(2, [1]), [0.5, 1.0]), float)
try:
    with mg.detect_anomaly():
        mg.log(Value(-1.0)).backward()
except AnomalyError as error:
    assert_type(error.args, tuple[Any, ...])
try:
    s.backward()
except MicrogradError as error:
    print(error)

# Text, mathematics and drawings

assert_type(mg.to_text(s**2 + w), str)
assert_type(mg.to_latex(s**2), str)
assert_type(mg.simplify(by_s), Symbol)
assert_type(mg.simplify([by_w, w]), list[Value])
assert_type(mg.explain_gradient(y, w).text, str)
print(mg.explain_gradient(y, w), mg.to_sympy(s**2))
drawing = mg.draw(y)
assert_type(drawing, Drawing)
assert_type(drawing.svg, str)
assert_type(drawing.save("y.svg"), Path)
assert_type(mg.draw(s * t, max_nodes=100, engine="own").save(Path("graph.svg")), Path)
assert_type(line_chart({"loss": [1.0, 0.5]}, title="Loss"), Chart)

# Networks

model = MLP(2, [16, 1], activation="tanh", rng=0)
same = MLP([2, 16, 1], activation=["tanh"], output="linear", rng=random.Random(0), init="glorot", bias=True)
assert_type(model.parameters(), list[Value])
assert_type(model.named_parameters(), list[tuple[str, Value]])
assert_type(model.state_dict(), dict[str, float])
assert_type(model.eval(), MLP)
assert_type(model.train(), MLP)
assert_type(model.summary().total, int)
assert_type(model.layers, list[Layer])
assert_type(model.layers[0].neurons[0].w[0].data, float)
assert_type(mg.nn.MLP(2, [1]), MLP)
assert_type(save(model, "model.json"), Path)
missing, unknown = load(same, "model.json", strict=True)
assert_type(missing, list[str])
model([0.5, -1.0]).backward()
model(np.array([0.5, -1.0])).backward()
model([w, 2.0]).backward()

rows_of_data = np.array([[0.5, -1.0], [2.0, 0.3]])
neuron = Neuron(2, "tanh", rng=0)
assert_type(neuron([1.0, w]), Value)
assert_type(neuron.w, list[Value])
assert_type(neuron.b, Value | None)
layer = Layer(2, 3, mg.tanh, rng=0)
assert_type(layer.net_inputs([1.0, 2.0]), list[Value])
assert_type(layer.outputs([1.0, w]), list[Value])
states, (hidden, cell) = nn.LSTM(1, 2, rng=0, forget_bias=1.0)([[0.5], [1.0]])
states[-1][0].backward()
hidden[0].backward()
assert_type(nn.LSTM(1, 2).cell.forget_gate.u, list[list[Value]])
assert_type(nn.RNN(1, 2).cell.w, list[list[Value]])
assert_type(nn.GRU(1, 2).cell.update_gate.b, list[Value] | None)
MLP([rows_of_data.shape[1], np.int64(3), np.max(np.array([0, 1])) + 1], rng=np.int64(0))
moons(np.int64(30))
states, last = nn.GRU(1, 2, rng=0, reset_after=False)([[0.5]])
last[0].backward()
stack = nn.LSTM(1, 2, num_layers=2, bidirectional=True, dropout=0.5, rng=0)
states, (hidden, cell) = stack([[0.5]])
states[-1][3].backward()
hidden[3][0].backward()
stack.cells[-1].weights()[0].backward()
nn.GRU(1, np.int64(2), num_layers=np.int64(1), reset_after=False)([[0.5]], [0.0, 1.0])
assert_type(nn.Embedding(26, 4, rng=0)(2), list[Value])
assert_type(nn.Softmax()([w, x]), list[Value])
assert_type(nn.Softmax()([1.0, 2.0]), list[float])
assert_type(nn.LogSoftmax()([w, 1.0]), list[Value])
assert_type(nn.Dropout(0.5, rng=0)([w, x]), list[Value])
assert_type(nn.LayerNorm(2)([1.0, w]), list[Value])
assert_type(nn.CausalSelfAttention(2, 1, rng=0)([[0.0, 1.0], [1.0, 0.0]]), list[list[Value]])
images = Sequential(nn.Conv2d(1, 2, 3, rng=0), nn.MaxPool2d(2), nn.Flatten(), Layer(8, 2, "softmax", rng=1))
images([[[0.0] * 6] * 6])
nn.Conv2d(1, 1, (2, 2))(np.zeros((1, 4, 4)))[0][0][0].backward()
nn.Conv1d(1, 1, 3, padding="same", dilation=2, padding_mode="circular")([[1.0, 2.0]])[0][0].backward()
nn.AvgPool2d(2, 1, (1, 0), dilation=(1, 2), count_include_pad=False)(np.zeros((1, 4, 4)))[0][0][0].backward()
MLP([2, 3, 2], activation="tanh", output=["linear", "sigmoid"], rng=0)([1.0, 2.0])[0].backward()
MLP([2, 3, 2], activation=[["tanh", mg.relu, "relu"], "sigmoid"])


class Line(Module):
    def __init__(self, nin: int) -> None:
        self.w = [Value(1.0) for _ in range(nin)]
        self.activation = nn.PReLU()

    def __call__(self, x: Sequence[float]) -> Value:
        return self.activation(mg.dot(self.w, x))


class Running(Cell[list[Value]]):
    def __init__(self) -> None:
        self.nin = self.nhidden = 1

    def next_state(self, x: list[Value], state: list[Value]) -> list[Value]:
        return [a + b for a, b in zip(x, state)]


def mean_cost(model: Module, rows: Sequence[Sequence[float]], targets: Sequence[float]) -> Value:
    loss: Value = mg.mean([(model(row) - target) ** 2 for row, target in zip(rows, targets)])
    return loss


line = Line(2)
assert_type(mean_cost(line, [[2.0, 1.0]], [1.0]), Value)
assert_type(line([2.0, 1.0]), Value)
assert_type(line.train().w, list[Value])
sums, last_sum = Unfolded(Running())([[1.0], [2.0]])
last_sum[0].backward()

# Costs and metrics

assert_type(squared_error(w, 2.0), Value)
assert_type(squared_error(1.0, 2), float)
assert_type(squared_error(s, 2), Symbol)
assert_type(squared_error([w], [2.0], reduction="none"), list[Value])
assert_type(squared_error(1.0, w), Value)
assert_type(cross_entropy([w, 0.0], 1), Value)
assert_type(cross_entropy([0.0, 1.0], [0.5, 0.5]), float)
assert_type(squared_error([[w], [x]], np.ones((2, 1))), Value)
assert_type(absolute_error([1, 2], [0.0, 4.0]), float)
assert_type(cross_entropy([w, x], 1), Value)
assert_type(cross_entropy([[w, x]], [1], weight=[1.0, 2.0], reduction="mean"), Value)
assert_type(binary_cross_entropy(mg.sigmoid(w), 1), Value)
assert_type(binary_cross_entropy_with_logits(w, 1), Value)
assert_type(hinge(w, 1), Value)
assert_type(nll([-1.0, w], 1), Value)
assert_type(huber(w, 1.0, delta=0.5), Value)
assert_type(huber(1.0, 2.0), float)
assert_type(smooth_l1([[w], [x]], [[1.0], [2.0]], beta=0.5, reduction="mean"), Value)
assert_type(poisson_nll(s, 2, log_input=False), Symbol)
assert_type(poisson_nll([w], [2], full=True, reduction="none"), list[Value])
assert_type(kl_div([w, -1.0], [0.5, 0.5]), Value)
assert_type(kl_div([-1.0, -0.5], [0.5, 0.5], log_target=False), float)
print(nll_of(lambda output, y: -abs(y - output))(w, 1.0))
assert_type(gaussian_nll((w, x), 3.0), Value)
assert_type(gaussian_nll((w, 1.0), 3.0), Value)
assert_type(gaussian_nll([(w, 1.0)], [3.0]), Value)
assert_type(accuracy([1, 0], np.array([1, 0])), float)
assert_type(confusion_matrix([1, 0], [1.0, 0]), list[list[int]])
weighted = partial(cross_entropy, weight=[1.0, 2.0])
decide = decision_of(cross_entropy)
assert_type(mg.sample([0.25, Value(0.75)], random.Random(0), top_k=1), int)
assert_type(nn.sample_from_logits([w, 1.0], 0, temperature=0.5), int)

# The training loop

inputs, targets = [(0, 0), (0, 1), (1, 0), (1, 1)], [-1, 1, 1, -1]
for _ in range(2):
    loss = mg.sum((model(row) - target) ** 2 for row, target in zip(inputs, targets))
    model.zero_grad()
    loss.backward()
    for p in model.parameters():
        p.data -= 0.1 * p.grad
assert_type([round(model(row).data) for row in inputs], list[Any])

# Optimisers

optimizer = Adam(model.parameters(), lr=0.05, betas=(0.9, 0.999))
optimizer.zero_grad()
optimizer.step()
optimizer.lr = linear(0.1, 0.0, 10)
optimizer.lr = 0.5
assert_type(optimizer.steps, int)
assert_type(optimizer.state_dict(), dict[str, Any])
optimizer.load_state_dict(optimizer.state_dict())
SGD(w).step([1.0])
SGD([w, x], lr=warm_up(3, cosine(0.1, 0.0, 10)), momentum=0.9, nesterov=True).step(np.ones(2))
AdamW(np.ones(3), lr=lambda t: 1 / (1 + t)).step(np.ones(3))
AdamW(p for p in model.parameters())
groups = SGD([{"params": [w], "lr": 0.1, "momentum": 0.9}, {"params": iter([x])}], lr=0.01, maximize=True)
groups.add_param_group({"params": Value(1.0), "name": "later"})
for group in groups.param_groups:
    group["lr"] *= 0.5
Adam([{"params": np.ones(3)}, {"params": np.ones(2), "betas": (0.5, 0.9)}]).step(np.ones(5))


class SignDescent(Optimiser):
    def update(self, xp: Any, t: int, lr: float, p: Any, g: Any) -> tuple[Any, ...]:
        return (p - lr * xp.where(g > 0, 1.0, -1.0),)


SignDescent(model.parameters(), lr=0.1).step()
gradient, length = clip_by_norm([1.0, 2.0], 1.0)
assert_type(gradient, list[float])
assert_type(length, float)
clip_by_value(np.ones(3), 1.0).mean()
assert_type(clip_grad_norm(model.parameters(), 1.0), float)
result = minimize(lambda: (1 - w) ** 2, [w], method="BFGS")
assert_type(result.success, bool)
assert_type(result.fun, float)
assert_type(result.x, NDArray[Any])
assert_type(L2(0.01)(model), Value)
assert_type(l2_norm([3.0, 4.0], 0.5), float)
assert_type(l2_norm([w], 0.5), Value)
assert_type(TangentPropagation([1.0, 0.0])(model, [0.5, 0.5]), Value)

# Data and fit

train, test = standardise(*split(iris(), held_out=0.2, rng=0))
assert_type(train, Dataset)
assert_type(train.class_names[train.targets[0]], str)
assert_type(sine(30), RegressionDataset)
assert_type(augmented(xor(), gaussian_noise(0.1), copies=3), Dataset)
for row, label in zip(moons(30).inputs, moons(30).targets):
    assert_type(row, tuple[float, ...])
    assert_type(label, int)
alphabet = Alphabet.of(names()[:10])
assert_type(alphabet.decode(alphabet.encode("emma")), str)

flowers = MLP([4, 3], rng=0)
quick = partial(fit, flowers, cross_entropy, train.inputs[:10], train.targets[:10], epochs=1, progress=False)
assert_type(quick(), History)
history = fit(
    flowers,
    cross_entropy,
    train.inputs,
    train.targets,
    epochs=2,
    batch_size=8,
    optimizer=Adam(flowers.parameters(), lr=0.02),
    regulariser=[L2(1e-3), L1(1e-3)],
    penalty=TangentPropagation([1.0, 0, 0, 0]),
    validation=(test.inputs, test.targets),
    early_stopping=EarlyStopping(10, monitor="error_rate"),
    augment=chain(gaussian_noise(0.1), scale(1.5)),
    clip_norm=1.0,
    compiled="auto",
    rng=0,
    progress=False,
)
assert_type(history, History)
assert_type(history.loss, list[float])
assert_type(max(history.validation_accuracy) > 0.1, bool)
assert_type(history.plot().save("training.svg"), Path)
assert_type(score(flowers, cross_entropy, test.inputs, test.targets), Score)
rows, classes = np.ones((10, 4)), np.zeros(10, dtype=int)
fit(flowers, weighted_loss := partial(cross_entropy, weight=[1.0, 1, 2]), rows, classes, epochs=1, validation=test)
fit(flowers, weighted_loss, rows.tolist(), classes.tolist(), optimizer=Adam, epochs=1, early_stopping=3)


def watch(model: MLP, history: History) -> bool:
    return len(model.layers) > history.epochs


def cost(output: Value, target: float) -> Value:
    return (output - target) ** 2


quick(optimizer=partial(SGD, lr=0.1), callbacks=watch)
fit(flowers, cross_entropy, rows, classes, optimizer=lambda p: SGD(p, lr=0.1), callbacks=[watch], epochs=1)
points = sine(10)
fit(Line(1), cost, points.inputs, points.targets, epochs=1, regulariser=lambda m: m.w[0] ** 2, callbacks=print)

# The compiler


def risk(x: Sequence[Symbol], y: Symbol) -> Value:
    output: Value = mg.relu(1 - y * model(x))
    return output


fast = mg.compile(risk, model.parameters())
assert_type(fast, Compiled)
mean, flat_gradient = fast.value_and_grad([[0.5, -1.0], [2.0, 0.3]], [1.0, -1.0])
assert_type(mean, float)
assert_type(flat_gradient, NDArray[Any])
assert_type(fast.jacobian(np.ones((3, 2)), np.ones(3)), NDArray[Any])
assert_type(fast.hvp(np.ones((3, 2)), np.ones(3), vector=flat_gradient), NDArray[Any])
assert_type(fast.hessian(np.ones((3, 2)), np.ones(3)), NDArray[Any])
print(fast(np.ones((3, 2)), np.ones(3)), fast.stages())
assert_type(fast.lower(np.ones((3, 2)), np.ones(3)), Program)
assert_type(fast.program, Program)
assert_type(fast.program.draw(), Drawing)
assert_type(fast.save("risk.json"), Path)
assert_type(load_program("risk.json"), LoadedProgram)

# Ops of one's own, and property tests

swish = mg.define_op(
    "swish",
    value=lambda xp, x: x * xp.sigmoid(x),
    derivatives=[lambda xp, z, x: xp.sigmoid(x) + z * xp.sigmoid(-x)],
    formula="x σ(x), derivative σ(x) + x σ(x) σ(−x)",
)
assert_type(swish, Unary)
assert_type(swish(0.0), float)
assert_type(swish(w), Value)
assert_type(swish(s), Symbol)
harmonic = mg.define_op(
    "harmonic",
    value=lambda xp, x, y: x * y / (x + y),
    derivatives=[lambda xp, z, x, y: (y / (x + y)) ** 2, lambda xp, z, x, y: (x / (x + y)) ** 2],
    formula="x y / (x + y)",
    sample=((0.5, 2.0),),
)
assert_type(harmonic, Binary)
assert_type(harmonic(w, 1.0), Value)
scaled = mg.define_op(
    "scaled",
    value=lambda xp, x, factor: factor * x,
    derivatives=[lambda xp, z, x, factor: factor, lambda xp, z, x, factor: x],
    formula="k x",
    defaults=(2.0,),
)
assert_type(scaled, WithSetting)


def sum_of_squares(xp: Any, *xs: Any) -> Any:
    return xs[0] * xs[0] if len(xs) == 1 else xs[0] * xs[0] + sum_of_squares(xp, *xs[1:])


def derivatives_of_the_sum(xp: Any, z: Any, *xs: Any) -> tuple[Any, ...]:
    return tuple([2 * x for x in xs])


squares = mg.define_op(
    "squares",
    value=sum_of_squares,
    derivatives=derivatives_of_the_sum,
    formula="Σ xᵢ²",
)
assert_type(squares, Variadic)
assert_type(squares(w, x, 2), Value)
assert_type(squares(1.0, 2), float)
assert_type(scaled(w), Value)
assert_type(scaled(1.0, 3.0), float)
assert_derivative_rule(swish)
assert_derivative_rule(harmonic, 1.0, 2.0)


@settings(max_examples=3, database=None)
@given(values(-2.0, 2.0), floats_for(mg.exp), inputs_for(swish))
def test_swish(node: Value, number: float, inputs: tuple[float, ...]) -> None:
    assert_type(swish(node) * number, Value)
    assert_derivative_rule(swish, *inputs)


@settings(max_examples=3, database=None)
@given(graphs([mg.tanh, swish], inputs=2, max_nodes=3))
def test_graphs(graph: ExpressionGraph) -> None:
    assert_type(graph(*graph.inputs), float)
    assert_type(graph(*[Value(x) for x in graph.inputs]), Value)
    assert_gradients_close(graph, graph.inputs)


test_swish()
test_graphs()
forget_op("swish")
forget_op("scaled")
forget_op("squares")
forget_op("harmonic")
