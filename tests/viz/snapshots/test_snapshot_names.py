"""Names from variables: never wrong, silent when unsure; mg.name."""

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value
from microgradlib.nn import MLP, Layer, Module
from microgradlib.viz.snapshots.bindings import BUDGET, Bindings, automatic_label
from microgradlib.viz.snapshots.capture import capture
from microgradlib.viz.snapshots.frames import users_frame, users_variables

VARIABLES = ["a", "b", "xs", "W", "_hidden", "In", "table", "thing"]
EXPRESSIONS = [
    "Value(1.0)", "a", "b", "[a, b]", "[Value(1.0), Value(2.0)]", "(xs, b)", "{'w': a, 2: Value(3.0), (1, 2): b}",
    "[[Value(1.0), a], [Value(2.0)]]", "xs[0] if isinstance(xs, list) and xs else a", "[W]", "3.0", "None",
    "Thing(a, xs)", "Thing(Value(6.0), [thing])",
]  # fmt: skip
LOOPS = ["for v in xs: pass", "for v in list(W): pass", "del b; b = Value(5.0)", "xs = [*xs, a]", "xs.append(xs)"]


@st.composite
def programs(draw):
    """A program of assignments, loops and nested containers, after a first assignment to each variable."""
    lines = ["class Thing:\n    def __init__(self, v, parts): self.v, self.parts, self._own = v, parts, v"]
    lines += [
        "thing = Thing(None, [])",
        "a = Value(1.0)",
        "b = Value(2.0)",
        "xs = [a, Value(3.0)]",
        "W = [[Value(4.0)]]",
        "table = {}",
    ]
    for _ in range(draw(st.integers(0, 6))):
        if draw(st.booleans()):
            lines.append(f"{draw(st.sampled_from(VARIABLES))} = {draw(st.sampled_from(EXPRESSIONS))}")
        else:
            lines.append(draw(st.sampled_from(LOOPS)))
    return "\n".join(lines)


def run(program):
    variables = {"Value": Value, "__name__": "program"}
    with suppress(AttributeError, TypeError):  # xs may have become a number
        exec(program, variables)  # noqa: S102
    return variables


def nodes_in(thing, depth=0):
    if isinstance(thing, Value):
        return [thing]
    if type(thing).__module__ == "program":
        thing = vars(thing)
    parts = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, (list, tuple)) else ()
    return [node for part in parts for node in nodes_in(part, depth + 1)] if depth < 5 else []


@settings(max_examples=40)
@given(programs())
def test_a_name_evaluates_to_the_very_object(program):
    variables = run(program)
    public = {name: thing for name, thing in variables.items() if not name.startswith("_") and name != "In"}
    bindings = Bindings(public, own="program")
    for node in nodes_in(list(variables.values())):
        name = bindings.name(node)
        assert not name or eval(name, dict(public)) is node  # noqa: S307


@settings(max_examples=40)
@given(programs())
def test_a_node_with_one_variable_and_no_container_has_its_name(program):
    variables = {name: thing for name, thing in run(program).items() if isinstance(thing, Value)}
    bindings = Bindings(variables)
    for name, node in variables.items():
        others = [other for other, thing in variables.items() if thing is node and other != name]
        assert bindings.name(node) == ("" if others else name)


NEURON = "N = type('N', (), {'__init__': lambda self: vars(self).update(w=[Value(1.0), Value(2.0)], b=Value(0.0))})"


def names_of(program):
    """Return the names that a program's Values get, in the order in which it lists them in `shown`."""
    variables = run(program)
    kept = {name: thing for name, thing in variables.items() if name not in {"Value", "shown"} and name[0] != "_"}
    bindings = Bindings(kept, own="program")
    return [bindings.name(node) for node in variables["shown"]]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("x = Value(1.0); y = x; shown = [x]", [""]),
        ("xs = [Value(1.0), Value(2.0)]\nfor v in xs: pass\nshown = xs", ["xs[0]", "xs[1]"]),
        ("a = Value(1.0); b = Value(2.0); xs = [a, b]; shown = xs", ["a", "b"]),
        ("a = Value(1.0); xs = [a, Value(2.0), Value(3.0)]; shown = xs", ["xs[0]", "xs[1]", "xs[2]"]),
        ("a = Value(1.0); b = Value(2.0); xs = [a, b, Value(3.0)]; shown = xs", ["", "", "xs[2]"]),
        ("W = [[Value(1.0)], [Value(2.0)]]; shown = [W[0][0], W[1][0]]", ["W[0][0]", "W[1][0]"]),
        (
            "w = {'in': Value(1.0), 3: Value(2.0), (1, 'b'): Value(3.0), 0.5: Value(4.0)}; shown = [*w.values()]",
            ["w['in']", "w[3]", "w[(1, 'b')]", ""],
        ),
        ("xs = [Value(1.0)]; ys = [Value(2.0)]; data = (xs, ys); shown = [*xs, *ys]", ["xs[0]", "ys[0]"]),
        ("v = Value(1.0); xs = [v]; ys = [v]; shown = [v]", ["v"]),
        ("xs = [Value(1.0)]; ys = [xs[0]]; shown = xs", [""]),
        ("xs = [Value(1.0)] * 2; shown = xs[:1]", [""]),
        ("xs = [Value(1.0)]; xs.append(xs); shown = xs[:1]", [""]),
        (f"{NEURON}; n = N(); shown = [*n.w, n.b]", ["n.w[0]", "n.w[1]", "n.b"]),
        (f"{NEURON}; n = N(); ps = [*n.w, n.b]\nfor p in ps: pass\nshown = ps", ["n.w[0]", "n.w[1]", "n.b"]),
        (f"{NEURON}; n = N(); layer = [n, N()]; shown = [n.b, layer[1].b]", ["layer[0].b", "layer[1].b"]),
        (f"{NEURON}; ns = [N(), N()]; shown = [ns[1].w[0]]", ["ns[1].w[0]"]),
    ],
)
def test_rules(program, expected):
    assert names_of(program) == expected


CLASSES = """
class Hidden:
    def __init__(self): vars(self)['w'] = Value(1.0)
    w = property(lambda self: Value(2.0))
class Cached:
    w = None
    def __init__(self): self.w = Value(1.0)
class Reversed(list):
    def __getitem__(self, i): return list.__getitem__(self, -1 - i)
class Raises(list):
    def __len__(self): raise RuntimeError
    def __iter__(self): raise RuntimeError
class Proxy:
    __class__ = property(lambda self: 1 / 0)
class Bare:
    __dict__ = property(lambda self: 1 / 0)
class Own(dict):
    def items(self): raise RuntimeError
"""


@pytest.mark.parametrize(
    ("thing", "value", "expected"),
    [
        ("Hidden()", "vars(thing)['w']", ""),
        ("Cached()", "thing.w", "thing.w"),
        ("Reversed([Value(1.0), Value(2.0)])", "thing[0]", ""),
        ("Raises([Value(1.0)])", "thing[0]", "thing[0]"),
        ("Own(a=Value(1.0))", "thing['a']", "thing['a']"),
        ("Proxy()", "Value(1.0)", ""),
        ("Bare()", "Value(1.0)", ""),
    ],
)
def test_objects_that_are_read_in_their_own_way_give_no_name_and_stop_no_drawing(thing, value, expected):
    variables = run(f"{CLASSES}\nthing = {thing}\nshown = [{value}]")
    assert Bindings({"thing": variables["thing"]}, own="program").name(variables["shown"][0]) == expected


def test_much_data_does_not_hide_small_lists_behind_it():
    data, w = [[0.0] * 64 for _ in range(1800)], [[Value(1.0)]]
    assert Bindings({"X": data, "W": w}).name(w[0][0]) == "W[0][0]"


def test_no_two_nodes_have_one_name_but_those_that_the_user_gave():
    a, b = Value(1.0, label="b"), Value(2.0)
    y = a * b
    nodes = capture(y).snapshot.nodes
    assert [node.name for node in nodes] == ["b", "", "y"]
    assert [node.kind for node in nodes] == ["input", "input", "output"]
    y = a * 3
    a = y + 1
    assert [node.name for node in capture(a).snapshot.nodes] == ["b", "", "y", "", "a"]


def test_a_leaf_with_two_variables_is_an_input_without_a_name():
    x = Value(2.0)
    same, y = x, x * 3
    assert next((node.name, node.kind) for node in capture(y).snapshot.nodes) == ("", "input")
    assert same is x


def test_paths_begin_with_the_model_where_a_variable_has_the_same_name():
    neuron, b = mg.nn.Neuron(1, rng=0), Value(2.0)
    y = neuron([3.0]) * b
    names = [node.name for node in capture(y).snapshot.nodes]
    assert "b" in names
    assert {"neuron.w.0", "neuron.b"} <= {*names}


def test_letters_of_the_user_s_names_are_not_the_library_s():
    neuron, x = mg.nn.Neuron(1, "linear", rng=0), 3.0
    y = neuron([x])
    loss = mg.costs.squared_error(y, 1.0)
    names = [node.name for node in capture(loss).snapshot.nodes if node.name]
    assert names == ["w.0", "x.0", "b", "y", "target", "loss"]
    loss = mg.costs.squared_error(neuron([Value(2.0, label="x.0")]) + neuron([3.0]), 1.0)
    assert {"x.0", "input.0", "y"} <= {node.name for node in capture(loss).snapshot.nodes}


def test_a_class_is_no_name_where_a_variable_of_another_module_has_it():
    mlp, loss = MLP(1, [1], rng=1), MLP(1, [1], rng=0)([1.0]) * MLP(1, [1], rng=2)([2.0])
    names = {node.name.partition(".")[0] for node in capture(loss).snapshot.nodes if node.kind == "parameter"}
    assert names == {"mlp1", "mlp2"}
    frames = {
        scope.name for node in capture(mlp([1.0]) * MLP(1, [1], rng=0)([1.0])).snapshot.nodes for scope in node.scopes
    }
    assert {"mlp", "mlp1"} <= frames


def test_elements_of_numpy_arrays_have_names():
    numpy = pytest.importorskip("numpy")
    w, v = numpy.array([[Value(1.0), Value(2.0)]], dtype=object), numpy.array([Value(3.0)], dtype=object)
    bindings = Bindings({"W": w, "v": v, "data": numpy.zeros(3)})
    assert [bindings.name(node) for node in (*w[0], v[0])] == ["W[0][0]", "W[0][1]", "v[0]"]


def test_private_variables_and_those_of_ipython_are_left_out():
    frame = SimpleNamespace(f_globals={"In": 1, "Out": 2, "_1": 3, "x": 4, "exit": 5}, f_locals={"y": 6})
    assert users_variables(frame) == [{"y": 6}, {"x": 4}]
    assert users_variables(None) == []


def test_locals_hide_globals():
    frame = SimpleNamespace(f_globals={"x": 1}, f_locals={"x": 2})
    assert users_variables(frame) == [{"x": 2}, {}]
    assert users_variables(SimpleNamespace(f_globals=frame.f_globals, f_locals=frame.f_globals)) == [{"x": 1}]


def test_the_users_frame_is_the_innermost_outside_the_package():
    assert users_frame() is sys._getframe()


def test_frames_of_the_standard_library_give_no_names():
    x = Value(2.0)
    y = x * 3
    with ThreadPoolExecutor(1) as threads:
        picture = threads.submit(capture, y).result().snapshot
    assert [node.name for node in picture.nodes] == ["", "", ""]
    assert [node.name for node in next(map(capture, [y])).snapshot.nodes] == ["x", "", "y"]


def test_values_of_functions_that_have_returned_have_no_names():
    def made():
        hidden = Value(2.0)
        return hidden * 3

    y = made()
    assert [node.name for node in capture(y).snapshot.nodes] == ["", "", "y"]


def test_a_local_variable_names_what_has_another_name_outside():
    program = "def f(a):\n    return capture(a * 2).snapshot.nodes[0].name\nx = Value(3.0)\nname = f(x)"
    variables = {"Value": Value, "capture": capture}
    exec(program, variables)  # noqa: S102
    assert variables["name"] == "a"


def test_huge_containers_are_not_searched():
    numbers = [0.0] * (BUDGET // 10)
    numbers.append(Value(1.0))
    assert Bindings({"numbers": numbers}).name(numbers[-1]) == ""


def test_labels_come_before_variables():
    x = Value(2.0, label="weight")
    y = x * 3
    assert capture(y).snapshot.nodes[0].name == "weight"


def test_given_names_come_before_variables():
    x = Value(2.0)
    y = x * 3
    assert capture(y, names={"w": [x]}).snapshot.nodes[0].name == "w[0]"
    y = x * 3  # so that y and z are not one Value
    assert capture(y).snapshot.nodes[0].name == "x"


@pytest.mark.parametrize(
    ("label", "path", "automatic"),
    [
        ("w1", "layers.0.neurons.3.w.1", True),
        ("w2", "layers.0.neurons.3.w.1", False),
        ("b", "layers.0.neurons.3.b", True),
        ("u1,2", "cell.u.1.2", True),
        ("w0_1", "w.3.2.0.1", True),
        ("b0", "gate.b.0", True),
        ("g", "norm.gain.0", True),
        ("σ", "width.0", True),
        ("slope", "neurons.0.f.slope", True),
        ("", "w.0", False),
        ("my weight", "w.0", False),
    ],
)
def test_automatic_labels(label, path, automatic):
    assert automatic_label(label, path) is automatic


def test_labels_that_the_library_gives_are_all_automatic():
    nn = mg.nn
    modules = [
        MLP(2, [2, 1], activation="prelu"), nn.LSTM(1, 2), nn.GRU(1, 2), nn.RNN(1, 2), nn.Conv2d(1, 1, 2),
        nn.Conv1d(1, 1, 2), nn.Embedding(2, 2), nn.LayerNorm(2), nn.RMSNorm(2), nn.RBF(1, 1), nn.Maxout(1, 1),
        nn.Subsampling(1, 2), nn.CausalSelfAttention(2), nn.GaussianOutput(1, 1),
    ]  # fmt: skip
    for module in modules:
        assert all(automatic_label(p.label, path) for path, p in module.named_parameters()), module


# mg.name


def test_name_labels_what_has_no_label():
    x, ws, kept = Value(1.0), [Value(2.0), Value(3.0)], Value(4.0, label="kept")
    assert mg.name(locals()) is None
    assert [node.label for node in (x, *ws, kept)] == ["x", "ws[0]", "ws[1]", "kept"]


def test_name_leaves_parameters_and_doubtful_values_alone():
    layer, x = Layer(1, 1, rng=0), Value(1.0)
    y = x
    labels = [parameter.label for parameter in layer.parameters()]
    weight = layer.neurons[0].w[0]
    mg.name(locals())
    assert y.label == ""
    assert weight.label == "w0"
    assert [parameter.label for parameter in layer.parameters()] == labels


def test_name_takes_a_dict():
    with pytest.raises(TypeError, match=r"name takes a dict from names to Values, as in name\(locals\(\)\), got 3"):
        mg.name(3)


# modules


def test_a_user_s_label_of_a_parameter_wins_over_its_path():
    model = MLP(1, [1], rng=0)
    model.layers[0].neurons[0].w[0].label = "slope"
    nodes = capture(model([2.0])).snapshot.nodes
    assert [node.name for node in nodes if node.kind == "parameter"] == ["slope", "layers.0.neurons.0.b"]


def test_a_broken_module_elsewhere_does_not_stop_a_drawing():
    class Broken(Module):
        def __init__(self):
            self.weights_set = {Value(1.0)}

    broken, x = Broken(), Value(2.0)
    y = x * 2
    assert [node.name for node in capture(y).snapshot.nodes] == ["x", "", "y"]
    assert broken.weights_set


def several_layers():
    return [Layer(1, 1, rng=0), Layer(1, 1, rng=1)]


def prefixes(loss, **options):
    nodes = capture(loss, **options, frame=sys._getframe(1)).snapshot.nodes
    return {node.name.partition(".neurons")[0] for node in nodes if node.kind == "parameter"}


def test_parameters_of_several_models_begin_with_their_variables():
    layers = several_layers()
    assert prefixes(layers[0]([1.0]) * layers[1]([2.0])) == {"layers[0]", "layers[1]"}
    first, second = several_layers()
    assert prefixes(first([1.0]) * second([2.0])) == {"first", "second"}


def test_models_may_be_given_with_names():
    loss = (layers := several_layers())[0]([1.0]) * layers[1]([2.0])
    assert prefixes(loss, model={"encoder": layers[0], "decoder": layers[1]}) == {"encoder", "decoder"}
    assert prefixes(loss, model=layers) == {"layers[0]", "layers[1]"}


def test_models_without_variables_are_told_by_their_classes():
    loss = MLP(1, [1], rng=0)([1.0]) * MLP(1, [1], rng=1)([2.0])
    names = {node.name for node in capture(loss).snapshot.nodes if node.kind == "parameter"}
    assert names == {f"mlp{k}.layers.0.neurons.0.{p}" for k in (1, 2) for p in ("w.0", "b")}


def test_places_in_a_list_of_all_nodes_are_no_names():
    x = Value(2.0)
    y = x * 3 + 1
    order = mg.topological_sort(y)
    assert [node.name for node in capture(y).snapshot.nodes] == ["x", "", "", "", "y"]
    assert len(order) == 5
