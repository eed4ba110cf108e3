# pyright: standard
"""Mistakes that type checkers must find: each line marked `# E`, and no other. The file is never run."""

from __future__ import annotations

import math

import microgradlib as mg
from microgradlib import Symbol, Value, nn
from microgradlib.costs import absolute_error, cross_entropy, hinge, squared_error
from microgradlib.data import Alphabet, iris, moons, sine, split, standardise
from microgradlib.metrics import accuracy, confusion_matrix
from microgradlib.nn import MLP, Conv2d, Layer, Neuron, load, save
from microgradlib.numeric import numeric_derivative
from microgradlib.optim import SGD, Adam, clip_by_norm, linear, minimize
from microgradlib.regularisers import L2, l2_norm
from microgradlib.testing import assert_derivative_rule, graphs, inputs_for, values
from microgradlib.training import EarlyStopping, fit, score
from microgradlib.viz import line_chart

w, x, s = Value(0.5), Value(2.0), Symbol("s")
y = mg.tanh(w * x)

# Values

Value("a")  # E
Value([1.0, 2.0])  # E
Value(1.0, label=3)  # E
Value(1.0, 3)  # E
Value(1.0, (w, 2.0), "+")  # E
Value(1.0, (w,), ("a",))  # E
Value(1.0, children=(w,), colour="red")  # E
Value()  # E
w + "a"  # E
"a" * w  # E
w * [1.0, 2.0]  # E
w + None  # E
w ** "2"  # E
w + 1j  # E
divmod(w, "a")  # E
divmod(w, 2)[0].quotient  # E
w < "a"  # E
w.data = "3"  # E
w.label = 3  # E
w.parents.append(x)  # E
w.dat  # E
w.backward("1")  # E
w.tanh(2)  # E
w.clip(0.0)  # E
y.op.name  # E
wrong_slope: str = w.grad  # E
wrong_sum: float = w + 1  # E
y.local_derivatives["w"]  # E

# Functions

mg.tanh(w, w)  # E
mg.tanh("a")  # E
mg.tanh([1.0, 2.0])  # E
mg.tanh()  # E
mg.atan2(w)  # E
mg.atan2(w, "1")  # E
mg.where(w > 0, w)  # E
mg.clip(w, 0)  # E
mg.leaky_relu(w, slope=0.1)  # E
mg.leaky_relu(w, "0.1")  # E
mg.nothing  # E
mg.tanhh(w)  # E
mg.mean(3.0)  # E
mg.mean(w)  # E
mg.sum(w, x)  # E
mg.sum(["a"])  # E
mg.sum([w], start="a")  # E
mg.dot([w, x])  # E
mg.dot(w, x)  # E
mg.softmax(w)  # E
mg.maximum(w, "a")  # E
mg.norm([w], [x])  # E
mg.sum([1j, w])  # E
mg.maximum([w, "a"])  # E
sum([w, x]).backward()  # E
wrong_output: float = mg.tanh(w)  # E
wrong_node: Value = mg.tanh(0.5)  # E

# Symbols

Symbol()  # E
Symbol(2.0)  # E
float(s)  # E
int(s)  # E
math.sin(s)  # E
wrong_comparison: bool = s > 0  # E
wrong_meeting: Value = s * w  # E
wrong_mean: Value = mg.mean([s, w])  # E

# Derivatives

mg.gradients(y, "x").backward()  # E
mg.gradients([y], [x])  # E
mg.gradients(y)  # E
mg.gradients(y, [x]).backward()  # E
mg.gradients(y, [x])[0].slope  # E
mg.grad_table(3.0)  # E
mg.grad_table(y, "1")  # E
mg.topological_sort(3.0)  # E
mg.evaluate(y)  # E
mg.evaluate(y, [2.0])  # E
mg.evaluate(s, {s: "2"})  # E
mg.grad(3.0)  # E
mg.grad(lambda: 1.0)  # E
mg.grad(mg.tanh)()  # E
mg.grad(mg.tanh)("a").backward()  # E
mg.grad(lambda x: x, argnums="x")  # E
mg.gradcheck(mg.tanh)  # E
mg.gradcheck(mg.tanh, "0.5")  # E
mg.gradcheck(mg.tanh, [0.5]).okay  # E
mg.jvp(mg.tanh, None, 2.0)  # E
mg.numeric_gradient(mg.tanh, "0.5")  # E
numeric_derivative(mg.tanh, [0.5])  # E
wrong_derivative: int = mg.grad(lambda x: x * x)(2.0)  # E


def product(x: list[Value], k: float = 2.0) -> Value:
    return x[0] * x[1] * k


mg.grad(product)([3.0, 4.0], k="x")  # E
mg.grad(product)([3.0, 4.0], 2.0, 3.0)  # E
wrong_hessian: list[float] = mg.hessian(product)([1.0, 2.0])  # E

# Modes, text, drawings

with mg.no_grad(w):  # E
    y = w * x
with mg.detect_anomaly:  # E
    y = w * x
mg.draw(3)  # E
mg.draw(y, engine="matplotlib")  # E
mg.draw(y).save()  # E
mg.draw(y).svgs  # E
mg.to_text("x")  # E
mg.to_text(y).latex  # E
mg.simplify("x")  # E
mg.explain_gradient(y)  # E
line_chart([1.0, 2.0])  # E

# Networks

MLP(2, [3], activation=3)  # E
MLP("2", [3, 1])  # E
MLP(2, [3, 1], activaton="tanh")  # E
MLP(2, [3, 1], bias="no")  # E
MLP(2, [1]).summary().rows[0].shpe  # E
MLP(2, [1]).parameters()[0].dat  # E
MLP(2, [1]).load_state_dict(3)  # E
Layer(2, 3, 5)  # E
Neuron(2)("ab")  # E
Neuron(2)([[1.0]])  # E
Neuron(2, rng=None, init=3)  # E
nn.LSTM(1, 2, reset_after=True)  # E
nn.LSTM(1, 2).cell.forget  # E
nn.Softmax()(w)  # E
MLP(2.5, [1])  # E
nn.Liner(1, 2)  # E
Conv2d(1, 1, 2, strid=2)  # E
Conv2d(1, 1, 2, dilation="same")  # E
MLP(2, 4, 1)  # E
MLP([2, 3, 2], output=["linear", 3])  # E
nn.LSTM(1, 2, layers=2)  # E
nn.LSTM(1, 2, bidirectional="yes")  # E
nn.MaxPool2d(2, count_include_pad=True)  # E
save("model.json", MLP(2, [1]))  # E
load(MLP(2, [1]))  # E

# Costs, metrics, data

squared_error(w, 2.0, reduction="avg")  # E
squared_error("1", 2.0)  # E
squared_error([w])  # E
absolute_error(w, "2")  # E
cross_entropy(1.0, 0)  # E
hinge(w, 1, margin=2)  # E
wrong_cost: float = squared_error(w, 2.0)  # E
squared_error(w, 2.0, reduction="none").backward()  # E
wrong_cost_of_target: float = squared_error(1.0, w)  # E
accuracy(1, 1)  # E
confusion_matrix([1, 0])  # E
moons("30")  # E
moons(30.0)  # E
split([1, 2])  # E
standardise(iris(), sine())  # E
iris().class_names.foo  # E
Alphabet.of(3)  # E

# Optimisers and training

model = MLP([4, 3], rng=0)
inputs, targets = iris().inputs, iris().targets
Adam(3.0)  # E
Adam([1.0])  # E
Adam(model.parameters(), lr="fast")  # E
Adam(model.parameters(), learning_rate=0.1)  # E
Adam(model.parameters(), betas=0.9)  # E
SGD(model)  # E
SGD(model.parameters(), nesterov="yes")  # E
SGD(model.parameters()).step("x")  # E
linear(0.1, 0.0, steps="3")  # E
minimize(w, [w])  # E
minimize(lambda: 3.0, [w])  # E
clip_by_norm(3.0, 1.0)  # E
L2("0.1")  # E
L2(0.1)([w])  # E
l2_norm([w])  # E
fit(model)  # E
fit(model, inputs, targets)  # E
fit(model, "mse", inputs, targets)  # E
fit(lambda x: x, cross_entropy, inputs, targets)  # E
fit(model, cross_entropy, 3.0, targets)  # E
fit(model, cross_entropy, inputs, targets, 30)  # E
fit(model, cross_entropy, inputs, targets, epochs="3")  # E
fit(model, cross_entropy, inputs, targets, optimizer="adam")  # E
fit(model, cross_entropy, inputs, targets, optimiser=Adam)  # E
fit(model, cross_entropy, inputs, targets, validation="0.2")  # E
fit(model, cross_entropy, inputs, targets, callbacks=3)  # E
fit(model, cross_entropy, inputs, targets, callbacks=lambda model: None)  # E
fit(model, cross_entropy, inputs, targets, regulariser=0.1)  # E
fit(model, cross_entropy, inputs, targets, early_stopping=3.5)  # E
fit(model, cross_entropy, inputs, targets, compiled="always")  # E
fit(model, lambda output: output, inputs, targets)  # E
fit(model, cross_entropy, inputs, targets).loss + 1.0  # E
score(model, cross_entropy, inputs)  # E
EarlyStopping("3")  # E
EarlyStopping(3, monitor="accuracy")  # E
SGD([{1: [w]}])  # E
SGD(model.parameters(), maximize="yes")  # E

# The compiler

mg.compile(3.0)  # E
mg.compile(hinge, 3.0)  # E
mg.compile(hinge, [1.0])  # E
mg.compile(hinge).program.drawing()  # E
mg.compile(hinge).value_and_grad([1.0], [1.0])[1].backward()  # E
mg.compile(hinge).value_and_gradient([1.0], [1.0])  # E

# Ops and property tests

mg.define_op("f", lambda xp, x: x, [lambda xp, z, x: 1.0], formul="x")  # E
mg.define_op("f", lambda xp, x: x, [lambda xp, z, x: 1.0])  # E
mg.define_op("f", lambda xp, x: x, formula="x")  # E
mg.define_op("f", lambda xp, x: x, [lambda xp, x: 1.0], formula="x")  # E
mg.define_op("f", lambda xp, x, y: x, [lambda xp, z, x: 1.0], formula="x")  # E
mg.define_op("f", lambda xp, x: x, 1.0, formula="x")  # E
square = mg.define_op("square2", lambda xp, x: x * x, [lambda xp, z, x: 2 * x], formula="x²")
square(w, w)  # E
square("a")  # E
assert_derivative_rule("tanh")  # E
assert_derivative_rule(mg.tanh, "a")  # E
values("0")  # E
inputs_for("tanh")  # E
graphs("tanh")  # E
graphs([mg.tanh], depth=3)  # E
