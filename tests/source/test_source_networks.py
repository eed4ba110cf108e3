"""Emitted text against the compiled function: values to 1e-12 and gradients, on networks and on random programs."""

import numpy as np
import pytest
from emitted_source import gradient, load, numbers_of, results
from random_networks import Network

import microgradlib as mg
from microgradlib import Value, compile, nn  # noqa: A004  the library's own
from microgradlib.costs import cross_entropy

FRAMEWORKS = ["numpy", "torch", "jax"]
QUICK = ["numpy", "torch", pytest.param("jax", marks=pytest.mark.slow)]
"""The frameworks; XLA takes seconds to compile a network."""


class Sequence(nn.Module):
    """A recurrent network and a readout, of the last state or of all."""

    def __init__(self, network, *, every=False):
        self.network, self.readout, self.every = network(3, 4, rng=0), nn.Layer(4, 2, "linear", rng=1), every

    def __call__(self, xs):
        states = self.network(xs)
        states = states[0] if isinstance(states, tuple) else states
        return [self.readout(state) for state in states] if self.every else self.readout(states[-1])


class Transformer(nn.Module):
    """Embeddings, causal attention with two heads and a readout."""

    def __init__(self):
        self.token, self.position = nn.Embedding(7, 8, rng=0), nn.Embedding(5, 8, rng=1)
        self.attention, self.norm = nn.CausalSelfAttention(8, 2, rng=2), nn.RMSNorm(8)
        self.scores = nn.Layer(8, 7, "linear", rng=3)

    def __call__(self, tokens):
        xs = [[a + b for a, b in zip(self.token(t), self.position(i))] for i, t in enumerate(tokens)]
        mixed = self.attention([self.norm(x) for x in xs])
        return [self.scores([a + b for a, b in zip(*pair)]) for pair in zip(xs, mixed)]


def classifier(model, *shapes):
    return compile(lambda x, y: cross_entropy(model(x), y), model.parameters(), backend="numpy"), shapes


def convolutional(**options):
    size = options.pop("kernel_size", 3)
    maps = nn.Conv2d(1, 3, size, activation="relu", rng=0, **options)
    width = 3 * ((7 + 2 * options.get("padding", 0) - (size - 1) * options.get("dilation", 1) - 1) // 2) ** 2
    model = nn.Sequential(maps, nn.MaxPool2d(2), nn.Flatten(), nn.Layer(width, 2, "linear", rng=1))
    return classifier(model, (1, 6, 6), (2,))


def perceptron():
    model = nn.MLP(3, [5, 4, 1], activation="tanh", rng=0)
    return compile(lambda x, y: mg.relu(1 - y * model(x)), model.parameters(), backend="numpy"), ((3,), ())


def autoencoder():
    model = nn.MLP(5, [2, 5], rng=0)
    loss = compile(lambda x: mg.sum([(a - b) ** 2 for a, b in zip(model(x), x)]), model.parameters(), backend="numpy")
    return loss, ((5,),)


def attention():
    model = nn.CausalSelfAttention(6, 2, rng=0)
    loss = compile(lambda x: mg.sum([v * v for row in model(x) for v in row]), model.parameters(), backend="numpy")
    return loss, ((4, 6),)


def probabilities(classes):
    """Return the logarithms of a softmax, of which there are two forms in the graph, by the number of classes."""
    model = nn.Layer(3, classes, "linear", rng=0)
    fast = compile(lambda x: mg.log_softmax(model(x)), model.parameters(), backend="numpy")
    return fast, ((3,),)


def normalised():
    model = nn.Sequential(nn.LayerNorm(4), nn.Layer(4, 3, "gelu", rng=0))
    return classifier(model, (4,), (3,))


NETWORKS = {
    "perceptron": perceptron,
    "autoencoder": autoencoder,
    "softmax regression": lambda: classifier(nn.Layer(4, 3, "linear", rng=0), (4,), (3,)),
    "RNN": lambda: classifier(Sequence(nn.RNN), (6, 3), (2,)),
    "RNN, every state": lambda: classifier(Sequence(nn.RNN, every=True), (6, 3), (6, 2)),
    "LSTM": lambda: classifier(Sequence(nn.LSTM), (5, 3), (2,)),
    "GRU": lambda: classifier(Sequence(nn.GRU, every=True), (5, 3), (5, 2)),
    "CNN": convolutional,
    "CNN, padded": lambda: convolutional(padding=1),
    "CNN, dilated": lambda: convolutional(dilation=2),
    "CNN, 2 × 2 windows, padded": lambda: convolutional(kernel_size=2, padding=1),
    "attention": attention,
    "GPT": lambda: classifier(Transformer(), (5, 7), (5, 7)),
    "layer norm": normalised,
    "log softmax": lambda: probabilities(3),
    "log softmax of many": lambda: probabilities(10),
}


def data_for(shapes, seed=0, batch=3):
    draw = np.random.default_rng(seed)
    return [draw.normal(size=(batch, *shape)) for shape in shapes]


@pytest.mark.parametrize("framework", QUICK)
@pytest.mark.parametrize("name", NETWORKS)
def test_the_text_computes_what_the_program_does(name, framework):
    fast, shapes = NETWORKS[name]()
    data = data_for(shapes)
    expected = fast(*data)
    found = np.asarray(results(fast, framework, *data))
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    if framework != "numpy" and expected.ndim == 1:
        np.testing.assert_allclose(
            gradient(fast, framework, *data), fast.value_and_grad(*data)[1], rtol=1e-11, atol=1e-12
        )


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_a_shorter_row_lacks_is_zero(framework):
    def sums(x):
        p, v = mg.softmax(x), [mg.tanh(one) for one in x]
        return [mg.dot(p[:k], v[:k]) if k > 1 else p[0] * v[0] for k in (1, 2, 3)]

    fast = compile(sums, backend="numpy")
    data = data_for([(3,)])
    np.testing.assert_allclose(np.asarray(results(fast, framework, *data)), fast(*data), rtol=1e-12)


@pytest.mark.parametrize("framework", QUICK)
@pytest.mark.parametrize("batch", [1, 2, 7])
def test_any_batch(framework, batch):
    fast, shapes = NETWORKS["LSTM"]()
    data = data_for(shapes, batch=batch)
    np.testing.assert_allclose(fast(*data), results(fast, framework, *data), rtol=1e-12)


def held_to_the_program(seed, framework):
    network = Network(seed)
    fast = compile(network, network.parameters, backend="numpy")
    data = data_for(network.shapes, seed)
    np.testing.assert_allclose(results(fast, framework, *data), fast(*data), rtol=1e-12, atol=1e-12)
    if framework == "torch" and network.parameters:
        found = gradient(fast, framework, *data)[: len(network.parameters)]
        np.testing.assert_allclose(found, fast.value_and_grad(*data)[1], rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("framework", ["numpy", "torch"])
@pytest.mark.parametrize(
    "seed", [*range(30), 5902, 20005]
)  # 5902: results along a diagonal of their grid; 20005: p · p
def test_random_networks(seed, framework):
    held_to_the_program(seed, framework)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30, 1000))
def test_many_random_networks(seed):
    held_to_the_program(seed, "torch")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_random_networks_in_jax(seed):
    held_to_the_program(seed, "jax")


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_results_have_the_nesting_of_the_functions(framework):
    w = Value(2.0, label="w")
    fast = compile(lambda x: {"a": w * x[0], "b": ([x[1], w], [w * x[0], 3.0])}, [w], backend="numpy")
    data = np.array([[1.0, 2.0], [3.0, 4.0]])
    expected, found = fast(data), results(fast, framework, data)
    assert found.keys() == expected.keys()
    for key in expected:
        np.testing.assert_allclose(np.asarray(found[key]), expected[key])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_no_argument_reaches_is_returned_for_each_example(framework):
    w = Value(2.0)
    fast = compile(lambda x: w * w, [w], backend="numpy")
    data = np.ones((4, 2))
    assert np.asarray(results(fast, framework, data)).tolist() == fast(data).tolist() == [4.0] * 4


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_parameters_listed_twice_and_captured_values(framework):
    a, b, free = Value(2.0), Value(3.0), Value(5.0)
    fast = compile(lambda x: a * x + b * free, [a, b, a], backend="numpy")
    data = np.array([1.0, 2.0])
    assert np.asarray(results(fast, framework, data)).tolist() == fast(data).tolist() == [17.0, 19.0]


def test_float32_stays_float32():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    fast, shapes = NETWORKS["LSTM"]()
    data = data_for(shapes)
    expected = fast(*data)
    names = load(fast.program.to_source("torch"))
    numbers = torch.tensor(numbers_of(fast), dtype=torch.float32)
    found = names["forward"](names["named"](numbers), *[torch.tensor(x, dtype=torch.float32) for x in data])
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4)
