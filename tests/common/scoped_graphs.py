"""Graphs with scopes noted by hand, as snapshots, for tests of drawings."""

from contextlib import contextmanager
from dataclasses import replace

from microgradlib import Value, dot, mean, sum as total, tanh
from microgradlib.viz.snapshots.capture import capture
from microgradlib.viz.snapshots.snapshot import Scope, Snapshot


class Recorder:
    """Notes in which scope each op is made, and what leaves are.

    Scopes do not come from the library here, so that a test says exactly what is in each.
    """

    def __init__(self):
        self.stack = []
        self.paths = {}
        self.leaves = {}

    @contextmanager
    def scope(self, name, kind="block", path="", formula=""):
        self.stack.append(Scope(name, kind, path, formula, self.stack[-1] if self.stack else None))
        yield self.stack[-1]
        self.stack.pop()

    def leaf(self, data, name, kind="input"):
        value = Value(data, label=name)
        self.leaves[value] = kind
        self.paths[value] = tuple(self.stack) if kind in {"input", "target"} else ()
        return value

    def note(self, value):
        """Note that an op was made here."""
        self.paths[value] = tuple(self.stack)
        return value

    def snapshot(self, *outputs, backward=True):
        """Return the graph below the outputs."""
        if backward:
            outputs[0].backward()
        captured = capture(*outputs)
        nodes = tuple(
            replace(
                node,
                kind=self.leaves.get(live, node.kind),
                name=live.label,
                grad=None if self.leaves.get(live) == "target" else node.grad,
                scopes=self.paths.get(live, ()),
            )
            for node, live in zip(captured.snapshot.nodes, captured.nodes, strict=True)
        )
        return Snapshot(nodes, captured.snapshot.outputs)


class Layers:
    """A network of tanh layers, whose calls open a scope for each layer and each neuron."""

    def __init__(self, recorder, sizes):
        self.recorder = recorder
        self.weights = [
            [
                (
                    [
                        recorder.leaf(0.1 * (i - j) + 0.05, f"layers.{k}.neurons.{j}.w.{i}", "parameter")
                        for i in range(sizes[k])
                    ],
                    recorder.leaf(0.1 * j, f"layers.{k}.neurons.{j}.b", "parameter"),
                )
                for j in range(sizes[k + 1])
            ]
            for k in range(len(sizes) - 1)
        ]

    def __call__(self, inputs):
        recorder = self.recorder
        for k, layer in enumerate(self.weights):
            with recorder.scope(f"layers.{k}", "layer", f"layers.{k}", "tanh(W x + b)"):
                outputs = []
                for j, (w, b) in enumerate(layer):
                    with recorder.scope(f"neurons.{j}", "neuron", f"layers.{k}.neurons.{j}", "tanh(w·x + b)"):
                        z = recorder.note(dot(w, inputs, b))
                        outputs.append(recorder.note(tanh(z)))
            inputs = outputs
        return inputs


def batch(examples, sizes=(2, 3, 1), *, scoped=True):
    """Return the snapshot of the mean squared error of a network of tanh layers over a batch of examples."""
    recorder = Recorder()
    model = Layers(recorder, sizes)
    errors = []
    for k in range(examples):
        if scoped:
            with recorder.scope(f"example {k + 1}", "example"):
                errors.append(_error(recorder, model, sizes[0], k))
        else:
            errors.append(_error(recorder, model, sizes[0], k))
    loss = recorder.note(mean(errors)) if examples > 1 else errors[0]
    loss.label = "loss"
    return recorder.snapshot(loss)


def _error(recorder, model, inputs, k):
    x = [recorder.leaf(0.25 * (k + 1) - 0.5 * i, f"x.{i}") for i in range(inputs)]
    target = recorder.leaf((-1.0) ** k, "t", "target")
    difference = recorder.note(model(x)[0] - target)
    return recorder.note(difference**2)


def recurrent(steps, units=2):
    """Return the snapshot of a recurrent network, with a scope for each time step and an error in each."""
    recorder = Recorder()
    cell = Layers(recorder, (1 + units, units))
    state = [recorder.leaf(0.0, f"h0.{i}") for i in range(units)]
    errors = []
    for t in range(steps):
        with recorder.scope(f"step {t + 1}", "step"):
            x = recorder.leaf(0.3 * t - 0.5, f"x{t + 1}")
            state = cell([x, *state])
            errors.append(recorder.note(recorder.note(state[0] - 0.5) ** 2))
    loss = recorder.note(total(errors))
    loss.label = "loss"
    return recorder.snapshot(loss)


def plain(*outputs):
    """Return the snapshot of live Values or Symbols, with labels alone as names."""
    captured = capture(*outputs)
    pairs = zip(captured.snapshot.nodes, captured.nodes, strict=True)
    nodes = tuple(replace(node, name=live.label, scopes=()) for node, live in pairs)
    return Snapshot(nodes, captured.snapshot.outputs)


__all__ = ["Layers", "Recorder", "batch", "plain", "recurrent"]
