"""Programs that build nodes by hand, in the styles of other engines' courses, on micrograd and on our Value.

Each is a program of our own, written as such programs are, and run on both engines: the same numbers.
"""

import math
import random
from importlib import import_module
from itertools import pairwise

import pytest

from microgradlib import topological_sort
from microgradlib.engine import Value
from microgradlib.errors import ChangedDataError
from microgradlib.nn import MLP, Layer, Module, Neuron


def both(program, *arguments):
    """Return what a program gives on our Value and on micrograd's; skip the test where micrograd is not installed."""
    pytest.importorskip("micrograd")
    return program(Value, *arguments), program(import_module("micrograd.engine").Value, *arguments)


# One neuron, differentiated by hand: the first lecture of the course that made micrograd known


def tanh_of(value, x):
    """Return tanh x as a node made by hand, as the lecture adds it to its class."""
    t = (math.exp(2 * x.data) - 1) / (math.exp(2 * x.data) + 1)
    out = value(t, (x,), "tanh")

    def _backward():
        x.grad += (1 - t**2) * out.grad

    out._backward = _backward
    return out


def neuron(value):
    """Return the output of a neuron with two inputs, and its leaves."""
    x1, x2, w1, w2, b = map(value, (2.0, 0.0, -3.0, 1.0, 6.8813735870195432))
    total = (x1 * w1 + x2 * w2) + b
    return tanh_of(value, total), (x1, w1, x2, w2)


def ordered(node, visited, order):
    """Sort topologically by recursion over `_prev`, as the lecture does."""
    if node not in visited:
        visited.add(node)
        for child in node._prev:
            ordered(child, visited, order)
        order.append(node)
    return order


def neuron_by_hand(value):
    out, leaves = neuron(value)
    out.grad = 1.0
    for node in reversed(ordered(out, set(), [])):
        node._backward()
    return [leaf.grad for leaf in leaves]


def neuron_by_backward(value):
    out, leaves = neuron(value)
    out.backward()
    return [leaf.grad for leaf in leaves]


@pytest.mark.parametrize("program", [neuron_by_hand, neuron_by_backward])
def test_a_neuron_with_a_tanh_made_by_hand(program):
    ours, theirs = both(program)
    assert ours == pytest.approx(theirs, rel=1e-14, abs=1e-14)
    assert ours == pytest.approx([-1.5, 1.0, 0.5, 0.0], rel=1e-14)


def test_each_backward_called_by_name():
    out, (x1, w1, x2, w2) = neuron(Value)
    [total] = out._prev
    products, b = total._prev
    first, second = products._prev
    out.grad = 1.0
    for node in (out, total, b, products, first, second):
        node._backward()
    assert [v.grad for v in (x1, w1, x2, w2)] == pytest.approx([-1.5, 1.0, 0.5, 0.0], rel=1e-14)
    assert b.grad == pytest.approx(0.5, rel=1e-14)


def test_the_methods_of_the_lecture_added_to_our_class(monkeypatch):
    """exp and powers in place of tanh: what was one node becomes several, with the same gradients."""

    def raised(self):
        out = Value(math.exp(self.data), (self,), "exp")

        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out

    monkeypatch.setattr(Value, "exp_by_hand", raised, raising=False)
    x1, x2, w1, w2 = Value(2.0, label="x1"), Value(0.0, label="x2"), Value(-3.0, label="w1"), Value(1.0, label="w2")
    total = x1 * w1 + x2 * w2 + Value(6.8813735870195432, label="b")
    total.label = "n"
    e = (2 * total).exp_by_hand()
    out = (e - 1) / (e + 1)
    out.label = "o"
    out.backward()
    assert out.data == pytest.approx(math.sqrt(0.5), rel=1e-14)
    assert [v.grad for v in (x1, w1, x2, w2)] == pytest.approx([-1.5, 1.0, 0.5, 0.0], rel=1e-13)
    assert [n.label for n in topological_sort(out) if n.label] == ["x1", "w1", "x2", "w2", "b", "n", "o"]


def drawing_of(value):
    """Return what a program writes for Graphviz: a record for each node, one more for its op, edges between them."""
    a, b, c = value(2.0), value(-3.0), value(10.0)
    for name, leaf in zip("abc", (a, b, c)):
        leaf.label = name
    e = a * b
    e.label = "e"
    d = e + c
    d.label = "d"
    f = value(-2.0)
    f.label = "f"
    loss = value(d.data * f.data, (d, f), "*")
    loss.label = "L"
    names, lines = {}, []
    for node in ordered(loss, set(), []):
        names[node] = node.label
        lines.append(f"{node.label} | data {node.data:.4f} | grad {node.grad:.4f}")
        if node._op:
            lines += [f"{node.label}{node._op} -> {node.label}"]
            lines += [f"{child.label} -> {node.label}{node._op}" for child in node._prev]
    return sorted(lines)


def test_a_program_that_draws_the_graph():
    ours, theirs = both(drawing_of)
    assert ours == theirs
    assert len(ours) == 7 + 3 + 6


# Nodes with their local derivatives: microgpt


def log_likelihood(value, logits, target, node):
    """Return −log softmax(logits)[target], each exp, log and quotient a node made by `node(data, parents, local)`."""
    largest = max(x.data for x in logits)
    shifted = [node(x.data - largest, (x,), (1.0,)) for x in logits]
    exps = [node(math.exp(x.data), (x,), (math.exp(x.data),)) for x in shifted]
    total = node(sum(e.data for e in exps), tuple(exps), (1.0,) * len(exps))
    p = exps[target]
    probability = node(p.data / total.data, (p, total), (1 / total.data, -p.data / total.data**2))
    return node(-math.log(probability.data), (probability,), (-1 / probability.data,))


def by_function(value):
    """Return a maker of nodes for micrograd's engine: the same local derivatives in a `_backward` function."""

    def node(data, parents, local):
        out = value(data, parents)

        def _backward():
            for parent, derivative in zip(parents, local):
                parent.grad += derivative * out.grad

        out._backward = _backward
        return out

    return node


def gradients_of_logits(value, node):
    logits = [value(x) for x in (0.5, -1.25, 2.0, 0.0)]
    loss = log_likelihood(value, logits, 1, node) + 0.1 * log_likelihood(value, logits, 3, node)
    loss.backward()
    return [loss.data, *[x.grad for x in logits]]


def test_nodes_with_local_derivatives():
    exact = [math.exp(x) for x in (0.5, -1.25, 2.0, 0.0)]
    softmax = [e / sum(exact) for e in exact]
    expected = [-math.log(softmax[1]) - 0.1 * math.log(softmax[3])]
    expected += [1.1 * p - (i == 1) - 0.1 * (i == 3) for i, p in enumerate(softmax)]
    assert gradients_of_logits(Value, Value) == pytest.approx(expected, rel=1e-14)
    assert gradients_of_logits(Value, by_function(Value)) == pytest.approx(expected, rel=1e-14)
    theirs = both(lambda value: gradients_of_logits(value, by_function(value)))[1]
    assert gradients_of_logits(Value, Value) == pytest.approx(theirs, rel=1e-14)


# A classifier with an optimiser that keeps its state on the parameters, and colours for drawings: EurekaLabs' micrograd


def unary(value, text, function, slope):
    """Return an op of one input as a method: its number, its text, and its slope from input and output."""

    def method(self):
        out = value(function(self.data), (self,), text)

        def _backward():
            self.grad += slope(self.data, out.data) * out.grad

        out._backward = _backward
        return out

    return method


class Classifier:
    """tanh units and logits, of single Values drawn by a generator of the program's own."""

    def __init__(self, value, ops, sizes, rng):
        self.ops = ops
        self.layers = [
            [([value(rng.uniform(-1, 1) * n**-0.5) for _ in range(n)], value(0.0)) for _ in range(m)]
            for n, m in pairwise(sizes)
        ]
        for p in self.parameters():
            p.color = "lightgreen"

    def parameters(self):
        return [p for layer in self.layers for w, b in layer for p in [*w, b]]

    def __call__(self, x):
        for layer in self.layers:
            x = [sum((w_i * x_i for w_i, x_i in zip(w, x)), b) for w, b in layer]
            if layer is not self.layers[-1]:
                x = [self.ops["tanh"](z) for z in x]
        return x


class DecoupledAdam:
    """Adam with decoupled weight decay; both moments are attributes of the parameters."""

    def __init__(self, parameters, rate=0.1, decay=1e-4):
        self.parameters, self.rate, self.decay, self.t = parameters, rate, decay, 0
        for p in parameters:
            p.m = 0
            p.v = 0

    def step(self):
        self.t += 1
        for p in self.parameters:
            p.m = 0.9 * p.m + 0.1 * p.grad
            p.v = 0.95 * p.v + 0.05 * p.grad**2
            m, v = p.m / (1 - 0.9**self.t), p.v / (1 - 0.95**self.t)
            p.data -= self.rate * (m / (v**0.5 + 1e-8) + self.decay * p.data)
            p.grad = 0


def classifier_losses(value):
    rng = random.Random(42)
    ops = {
        "tanh": unary(value, "tanh", math.tanh, lambda _, y: 1 - y**2),
        "exp": unary(value, "exp", math.exp, lambda _, y: y),
        "log": unary(value, "log", math.log, lambda x, _: 1 / x),
    }
    points = [(rng.uniform(-1, 1), rng.uniform(-1, 1)) for _ in range(12)]
    data = [((value(x), value(y)), (x > y) + (x > 0)) for x, y in points]
    model = Classifier(value, ops, [2, 4, 3], rng)
    optimiser = DecoupledAdam(model.parameters())
    losses = []
    for _ in range(4):
        total = value(0.0)
        for x, target in data:
            exps = [ops["exp"](logit) for logit in model(x)]
            total = total + -ops["log"](exps[target] / sum(exps))
        loss = total * (1.0 / len(data))
        loss.backward()
        optimiser.step()
        losses.append(loss.data)
    return losses, {p.color for p in model.parameters()}


def test_a_classifier_with_its_optimisers_state_on_the_parameters():
    (ours, colors), (theirs, _) = both(classifier_losses)
    assert ours == pytest.approx(theirs, rel=1e-12)
    assert ours[-1] < ours[0]
    assert colors == {"lightgreen"}


def test_the_same_with_the_tables_ops():
    def losses(value):
        rng = random.Random(1)
        w, xs = [value(rng.uniform(-1, 1)) for _ in range(2)], [(0.5, 1.0, 1.5), (-1.0, 0.25, -2.0)]
        for p in w:
            p.velocity = 0.0
        found = []
        for _ in range(5):
            loss = sum((w[0] * x + w[1] * y - target) ** 2 for x, y, target in xs)
            for p in w:
                p.grad = 0.0
            loss.backward()
            for p in w:
                p.velocity = 0.5 * p.velocity - 0.05 * p.grad
                p.data += p.velocity
            found.append(loss.data)
        return found

    ours, theirs = both(losses)
    assert ours == pytest.approx(theirs, rel=1e-12)


# Marks on nodes: programs that walk the graph


def test_a_walk_that_marks_nodes():
    x = Value(2.0, label="x")
    out = ((x * x + x) * x.relu() - 3) ** 2
    for depth, node in enumerate(topological_sort(out)):
        node.depth, node.visited, node.color = depth, False, "white"
    stack = [out]
    while stack:
        node = stack.pop()
        if not node.visited:
            node.visited, node.color = True, "black"
            stack.extend(node._prev)
    assert all(node.visited and node.color == "black" for node in topological_sort(out))
    out.backward()
    assert x.grad == 2 * (8 + 4 - 3) * (3 * 4 + 2 * 2)


# The modules


def test_neurons_have_micrograds_attributes():
    plain, rectified = Neuron(3, False), Neuron(3)
    assert (plain.nonlin, rectified.nonlin, Neuron(3, True).nonlin, Neuron(3, nonlin=False).nonlin) == (
        False,
        True,
        True,
        False,
    )
    assert (str(plain), str(Neuron(3, True))) == ("LinearNeuron(3)", "ReLUNeuron(3)")
    assert (len(plain.w), plain.b.data, len(plain.parameters())) == (3, 0.0, 4)
    assert Neuron(2, "tanh").nonlin
    rectified.nonlin = False
    for w, number in zip(rectified.w, (-1.0, -2.0, -3.0)):
        w.data = number
    assert (str(rectified), rectified([1.0, 1.0, 1.0]).data) == ("LinearNeuron(3)", -6.0)
    rectified.nonlin = True
    assert (str(rectified), rectified([1.0, 1.0, 1.0]).data, rectified.summary_shape) == (
        "ReLUNeuron(3)",
        0.0,
        "3 → 1 relu",
    )
    model = MLP(2, [4, 1])
    assert [[n.nonlin for n in layer.neurons] for layer in model.layers] == [[True] * 4, [False]]
    assert isinstance(model.layers[0], Layer)


def test_an_untrained_seeded_network_gives_micrograds_numbers():
    def outputs(mlp):
        random.seed(1337)
        model = mlp(2, [16, 16, 1])
        return [model([x, 0.5]).data for x in (-1.0, 0.0, 2.0)]

    nn = pytest.importorskip("micrograd.nn")
    assert outputs(MLP) == pytest.approx(outputs(nn.MLP), rel=1e-12)


class Line(Module):
    """A module of a program's own, with micrograd's parameters()."""

    def __init__(self):
        self.a, self.b = Value(random.uniform(-1, 1)), Value(0)

    def __call__(self, x):
        return self.a * x + self.b

    def parameters(self):
        return [self.a, self.b]


def test_a_module_of_ones_own():
    line = Line()
    (line(3.0) ** 2).backward()
    assert line.parameters()[0].grad == 6 * line(3.0).data
    line.zero_grad()
    assert [p.grad for p in line.parameters()] == [0, 0]


def test_where_we_differ_from_micrograd():
    """Each with its reason in `microgradlib.engine`."""
    assert not Value(0.0)
    assert Value(0.5)
    with pytest.raises(TypeError, match=r"v\.detach\(\)"):
        Value(Value(2))
    x = Value(3.0)
    assert [len(node._prev) for node in (-x, 1 - x, x / 2)] == [1, 2, 2]
    cube = x**3
    cube.backward()
    cube.backward()
    assert x.grad == 54.0  # micrograd adds to inner gradients too
    y = Value(5.0)
    product = x * y
    x.data, x.grad = 10.0, 0.0
    with pytest.raises(ChangedDataError):
        product.backward()  # micrograd multiplies by the new number, 10
    with pytest.raises(AttributeError, match="no attribute 'heat'"):
        x.heat = 300.0
