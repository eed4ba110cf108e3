"""The tree of scopes: where leaves belong, which scopes are alike, and around which a frame would say nothing."""

from scoped_graphs import Layers, Recorder, batch, recurrent

from microgradlib import Value, tanh
from microgradlib.viz.boxes.groups import common, find_groups
from microgradlib.viz.snapshots.snapshot import Scope, Snapshot, SnapshotNode


def names(groups, i):
    return [scope.name for scope in groups.paths[i]]


def leaf(groups, name):
    return next(node.index for node in groups.snapshot.nodes if node.name == name)


def test_a_parameter_belongs_where_all_its_uses_are():
    groups = find_groups(batch(1))
    assert names(groups, leaf(groups, "layers.0.neurons.1.w.0")) == ["example 1", "layers.0", "neurons.1"]
    shared = find_groups(batch(2))
    assert names(shared, leaf(shared, "layers.0.neurons.1.w.0")) == []


def test_an_input_belongs_where_it_was_made_and_not_to_the_module_that_reads_it():
    groups = find_groups(batch(1))
    assert names(groups, leaf(groups, "x.0")) == ["example 1"]
    outside = find_groups(recurrent(3))
    assert names(outside, leaf(outside, "h0.0")) == []
    assert names(outside, leaf(outside, "x2")) == ["step 2"]


def test_inputs_made_around_equal_scopes_belong_inside_if_each_reads_as_many():
    recorder = Recorder()
    inputs = [recorder.leaf(1.0 + k, f"x{k}") for k in range(3)]
    outputs = []
    for k, x in enumerate(inputs):
        with recorder.scope(f"example {k}"):
            outputs.append(recorder.note(recorder.note(x * 2.0) ** 2))
    groups = find_groups(recorder.snapshot(recorder.note(outputs[0] + outputs[1] + outputs[2])))
    assert [names(groups, leaf(groups, f"x{k}")) for k in range(3)] == [["example 0"], ["example 1"], ["example 2"]]


def test_inputs_of_equal_layers_stay_outside_them():
    recorder = Recorder()
    outputs = []
    for k in range(2):
        x = recorder.leaf(1.0 + k, f"x{k}")
        with recorder.scope(f"layers.{k}", "layer", f"layers.{k}"):
            outputs.append(recorder.note(recorder.note(x * 2.0) ** 2))
    groups = find_groups(recorder.snapshot(recorder.note(outputs[0] + outputs[1])))
    assert names(groups, leaf(groups, "x0")) == names(groups, leaf(groups, "x1")) == []


def test_an_input_that_only_the_first_of_equal_scopes_reads_stays_outside():
    groups = find_groups(recurrent(4, units=1))
    assert names(groups, leaf(groups, "h0.0")) == []


def test_equal_scopes_have_equal_shapes():
    groups = find_groups(batch(3))
    kinds = {}
    for scope in groups.order:
        kinds.setdefault(groups.alike(scope), []).append(scope.name)
    assert list(kinds.values()) == [
        ["example 1", "example 2", "example 3"],
        ["layers.0"] * 3,
        ["neurons.0", "neurons.1", "neurons.2"] * 3,
        ["layers.1"] * 3,
        ["neurons.0"] * 3,
    ]


def test_another_op_or_other_wiring_is_another_shape():
    recorder = Recorder()
    a, b = recorder.leaf(1.0, "a"), recorder.leaf(2.0, "b")
    scopes = []
    outputs = []
    for function in (lambda: a - b, lambda: b - a, lambda: a * b, lambda: a - a):
        with recorder.scope("part") as scope:
            outputs.append(recorder.note(tanh(recorder.note(function()))))
            scopes.append(scope)
    groups = find_groups(recorder.snapshot(*outputs))
    shapes = [groups.shapes[scope] for scope in scopes]
    assert shapes[0] == shapes[1]  # both read two operands from outside, in the order of first use
    assert len({shapes[0], shapes[2], shapes[3]}) == 3


def test_frames_around_one_op_and_around_the_only_model_say_nothing():
    recorder = Recorder()
    x = recorder.leaf(1.0, "x")
    with recorder.scope("model", "module") as model:
        with recorder.scope("activation", "function") as activation:
            y = recorder.note(tanh(x))
        with recorder.scope("square", "function") as square:
            z = recorder.note(recorder.note(y * y) + 1.0)
    groups = find_groups(recorder.snapshot(z))
    assert groups.plain == {model, activation}
    assert groups.heights == {activation: 0, square: 0, model: 1}


def test_two_models_have_frames():
    recorder = Recorder()
    x = recorder.leaf(1.0, "x")
    scopes = []
    for name in ("generator", "critic"):
        with recorder.scope(name, "module") as scope:
            x = recorder.note(tanh(recorder.note(x * 2.0)))
            scopes.append(scope)
    assert not find_groups(recorder.snapshot(x)).plain & set(scopes)


def test_keys_follow_the_order_of_first_nodes():
    groups = find_groups(batch(1))
    assert [(groups.keys[scope], scope.name) for scope in groups.order[:3]] == [
        ("s0", "example 1"),
        ("s1", "layers.0"),
        ("s2", "neurons.0"),
    ]


def test_common_of_nothing_is_nothing():
    assert common([]) == ()
    scope = Scope("a")
    assert common([(scope,), ()]) == ()


def test_a_long_chain_of_nested_scopes_is_read_without_recursion():
    scope = None
    path = []
    for depth in range(3000):
        scope = Scope(f"s{depth}", parent=scope)
        path.append(scope)
    x = SnapshotNode(0, "input", "x", data=1.0)
    y = SnapshotNode(1, "output", op="tanh", op_name="tanh", data=1.0, parents=(0,), scopes=tuple(path[:50]))
    groups = find_groups(Snapshot((x, y), (1,)))
    assert groups.heights[path[0]] == 48  # the innermost holds one op and is plain


def test_layers_without_examples():
    recorder = Recorder()
    model = Layers(recorder, (2, 2))
    outputs = model([recorder.leaf(0.5, "x.0"), Value(1.0)])
    groups = find_groups(recorder.snapshot(*outputs))
    assert [len(groups.children[scope]) for scope in groups.order] == [2, 0, 0]
