"""Graphs that a lecturer draws, each with the options of `draw`: small networks, batches, time steps, derivatives."""

import math

import microgradlib as mg
from microgradlib import Value, nn
from microgradlib.costs import cross_entropy
from microgradlib.data import iris, split, standardise

POINTS = [((0.5, -1.0), 1.0), ((1.0, 0.25), -1.0), ((-0.75, 0.5), 1.0), ((0.25, 1.0), -1.0)]


def finished(loss, **options):
    """Label a loss, run its backward pass, and return it with the options."""
    loss.label = "loss"
    loss.backward()
    return loss, options


def small_network():
    """Return the squared error of MLP(2, [3, 1])."""
    model = nn.MLP(2, [3, 1], activation="tanh", rng=0)
    t = Value(1.0, "t")
    return finished((model([Value(0.5, "x.0"), Value(-1.0, "x.1")]) - t) ** 2, model=model, targets=[t])


def batch(count):
    """Return the mean squared error of the same network over a batch, each example in a scope."""
    model = nn.MLP(2, [3, 1], activation="tanh", rng=0)
    targets, errors = [], []
    for k in range(count):
        x, y = POINTS[k] if count <= 4 else ((0.1 * k % 1.0, 0.3 * k % 1.0), (-1.0) ** k)
        with mg.scope(f"example {k + 1}"):
            targets.append(Value(y, "t"))
            errors.append((model([Value(v, f"x.{i}") for i, v in enumerate(x)]) - targets[-1]) ** 2)
    return finished(mg.mean(errors), model=model, targets=targets)


def softmax_by_hand():
    """Return softmax and cross-entropy of three numbers, written out."""
    z = [Value(v, f"z.{i}") for i, v in enumerate((1.0, 2.0, 0.5))]
    with mg.scope("softmax", formula="exp(z − max) / Σ"):
        largest = mg.maximum(z)
        powers = [mg.exp(v - largest) for v in z]
        total = mg.sum(powers)
        p = [power / total for power in powers]
    with mg.scope("cross-entropy", formula="−log p_y, y = 1"):
        loss = -mg.log(p[1])
    return finished(loss)


def recurrent(steps=3, units=2):
    """Return the loss of a recurrent cell with a readout, each step in a scope."""
    cell, readout = nn.RNNCell(1, units, rng=0), nn.Layer(units, 1, "linear", rng=1)
    state = [Value(0.0, f"h0.{i}") for i in range(units)]
    targets, errors = [], []
    for t in range(steps):
        with mg.scope(f"step {t + 1}"):
            x = Value((0.5, -1.0, 0.75)[t % 3], f"x{t + 1}")
            targets.append(Value((1.0, 0.0, -1.0)[t % 3], f"t{t + 1}"))
            state = cell([x], state)
            errors.append((readout(state) - targets[-1]) ** 2)
    return finished(mg.sum(errors), model={"cell": cell, "readout": readout}, targets=targets)


def derivative():
    """Return f(f(f(w))) and its derivative as a graph beside it (*Deep Learning*, figure 6.10)."""
    w = Value(0.5, "w")
    with mg.scope("forward", formula="z = f(f(f(w))), f = tanh"):
        z = mg.tanh(mg.tanh(mg.tanh(w)))
    with mg.scope("derivative", formula="dz/dw = f′(u2) · f′(u1) · f′(w)"):
        [slope] = mg.gradients(z, [w])
    z.label, slope.label = "z", "dz/dw"
    return [z, slope], {}


def flower():
    """Return the cross-entropy of MLP(4, [8, 3]) for one iris."""
    model = nn.MLP(4, [8, 3], activation="tanh", rng=0)
    train = standardise(*split(iris(), rng=0))[0]
    names = ("sepal length", "sepal width", "petal length", "petal width")
    x = [Value(number, name) for number, name in zip(train.inputs[0], names, strict=True)]
    return finished(cross_entropy(model(x), int(train.targets[0])), model=model)


def digit_image(side=8):
    """Return an image of a zero as rows of numbers from 0 to 1."""
    middle = (side - 1) / 2
    return [
        [
            max(0.0, 1 - 2.2 * abs(math.hypot((r - middle) / (0.41 * side), (c - middle) / (0.3 * side)) - 1))
            for c in range(side)
        ]
        for r in range(side)
    ]


def digit():
    """Return the cross-entropy of MLP(64, [32, 10]) for one image: 2,550 nodes."""
    model = nn.MLP(64, [32, 10], activation="tanh", rng=0)
    x = [Value(v, f"x.{i}") for i, v in enumerate(v for row in digit_image() for v in row)]
    return finished(cross_entropy(model(x), 0), model=model)


def routes():
    """Return the error of MLP(2, [2, 2, 1]), with all routes from one weight to it."""
    model = nn.MLP(2, [2, 2, 1], activation="tanh", rng=3)
    t = Value(1.0, "t")
    loss = (model([Value(0.5, "x.0"), Value(-1.0, "x.1")]) - t) ** 2
    return finished(loss, model=model, targets=[t], highlight=(model.layers[0].neurons[0].w[0], loss))


def chain(length):
    """Return a long chain of products and sums."""
    y = Value(0.5, "x")
    for k in range(length // 2):
        y = y * 0.9999 if k % 2 else y + 0.01
    return finished(y)


def lstm():
    """Return the loss of an LSTM over five steps."""
    model = nn.LSTM(1, 2, rng=0)
    hidden, _ = model([[0.5], [1.0], [-0.5], [0.2], [0.1]])
    return finished(mg.sum([h * h for h in hidden[-1]]), model=model)


def convolution():
    """Return the cross-entropy of a small convolutional network for one image."""
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, activation="relu", rng=0),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Layer(36, 10, "linear", rng=1),
    )
    return finished(cross_entropy(model([digit_image()]), 0), model=model)
