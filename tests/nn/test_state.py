"""State of a model: modes, weights, state_dict, summary, files."""

import json
import math
import os
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from microgradlib import Value
from microgradlib.errors import SavedFileError
from microgradlib.nn import MLP, Layer, Module, Neuron, Sequential, load, save


def model(seed=0):
    return MLP([2, 3, 1], activation="tanh", rng=seed)


def test_state_dict_transfers_parameters():
    one, other = model(0), model(1)
    assert one.state_dict() != other.state_dict()
    assert other.load_state_dict(one.state_dict()) == ([], [])
    assert one.state_dict() == other.state_dict()
    assert [p.data for p in one.parameters()] == [p.data for p in other.parameters()]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s: s.pop("layers.0.neurons.1.b"), ValueError, "missing layers.0.neurons.1.b;"),
        (lambda s: s.update(extra=1.0), ValueError, "unknown extra;"),
        (lambda s: s.clear(), ValueError, "missing layers.0.neurons.0.w.0, .* and 8 more"),
        (
            lambda s: s.update({"layers.1.neurons.0.b": "much"}),
            TypeError,
            "layers.1.neurons.0.b: expected a real number",
        ),
    ],
)
def test_a_mismatched_state_changes_nothing(change, error, message):
    one = model()
    before, state = one.state_dict(), model(1).state_dict()
    change(state)
    with pytest.raises(error, match=message):
        one.load_state_dict(state)
    assert one.state_dict() == before


def test_not_strict():
    one = model()
    missing, unknown = one.load_state_dict({"layers.0.neurons.0.b": 5, "c": 1.0}, strict=False)
    assert one.layers[0].neurons[0].b.data == 5.0
    assert (len(missing), unknown) == (12, ["c"])
    with pytest.raises(TypeError, match="a dict of numbers by parameter name"):
        one.load_state_dict([1.0])


def test_modes_reach_every_module():
    one = Sequential(Layer(1, 1), model())
    assert all(m.training for _, m in one.named_modules())
    assert one.eval() is one
    assert not any(m.training for _, m in one.named_modules())
    assert one.train() is one
    assert all(m.training for _, m in one.named_modules())


def test_named_modules():
    names = [name for name, _ in MLP([1, 2, 1], rng=0).named_modules()]
    assert names == [
        "", "layers.0", "layers.0.neurons.0", "layers.0.neurons.1", "layers.1", "layers.1.neurons.0",
    ]  # fmt: skip


def test_a_shared_module_counts_once():
    shared = Layer(2, 2, rng=0)
    tied = Sequential(shared, shared)
    assert len(tied.parameters()) == 6
    assert tied.summary().total == 6
    assert [row.layer for row in tied.summary().rows] == ["modules.0"]


def test_weights_are_what_multiplies_inputs():
    neuron = Neuron(2, "prelu", rng=0)
    assert neuron.weights() == neuron.w


def test_summary_of_a_user_defined_model():
    class Twice(Module):
        def __init__(self):
            self.first, self.second, self.scale = Layer(2, 3, rng=0), Layer(3, 1, "linear", rng=0), Value(1.0)

    summary = Twice().summary()
    assert [tuple(row) for row in summary.rows] == [
        ("first", "Layer", "2 → 3 relu", 9),
        ("second", "Layer", "3 → 1 linear", 4),
        ("scale", "Value", "", 1),
    ]
    assert summary.total == 14
    assert str(summary).splitlines()[-1].split() == ["total", "14"]
    assert str(Neuron(2, rng=0).summary()).splitlines()[1].split() == ["model", "Neuron", "2", "→", "1", "relu", "3"]


# Files


@given(numbers=st.lists(st.floats(), min_size=3, max_size=3))
def test_a_file_holds_every_float_exactly(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("models") / "neuron.json"
    one, other = Neuron(2, rng=0), Neuron(2, rng=1)
    for p, number in zip(one.parameters(), numbers):
        p.data = number
    assert save(one, path) == path
    load(other, path)
    assert list(map(repr, other.state_dict().values())) == list(map(repr, numbers))


@pytest.mark.parametrize("parts", [{"a.b": 1.0, "a": {"b": 2.0}}, {1: 1.0, "1": 2.0}])
def test_two_parameters_of_the_same_path_are_not_lost(tmp_path, parts):
    class Ambiguous(Module):
        def __init__(self):
            self.parts = {key: Value(x) if isinstance(x, float) else {"b": Value(x["b"])} for key, x in parts.items()}

    for call in (lambda m: m.state_dict(), lambda m: m.load_state_dict({}), lambda m: save(m, tmp_path / "m.json")):
        with pytest.raises(ValueError, match=r"two parameters have the path 'parts\.(a\.b|1)'"):
            call(Ambiguous())
    assert list(tmp_path.iterdir()) == []


def test_a_model_whose_repr_raises_is_saved(tmp_path):
    class Odd(Module):
        def __init__(self):
            self.w = Value(0.5)

        def __repr__(self):
            raise RuntimeError("no text")

    loaded = Odd()
    loaded.w.data = 0.0
    assert load(loaded, save(Odd(), tmp_path / "m.json")) == ([], [])
    assert loaded.w.data == 0.5


def test_checks_and_limits_are_those_of_files(tmp_path):
    one, other = model(), model(1)
    path = save(one, tmp_path / "m.json")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("0.0", "0.25"), encoding="utf-8")
    with pytest.raises(SavedFileError, match="the checksum of 'parameters' does not fit"):
        load(other, path)
    assert load(other, path, check=False) == ([], [])
    assert {0.25} < set(other.state_dict().values())
    save(other, path)
    assert load(one, path) == ([], [])
    with pytest.raises(SavedFileError, match="is too large"):
        load(one, path, max_bytes=100)


def test_a_file_is_readable_json(tmp_path):
    path = save(model(), str(tmp_path / "model.json"))
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["version"] == 2
    assert content["parameters"] == model().state_dict()
    assert len(path.read_text(encoding="utf-8").splitlines()) == 13 + 11


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a JSON file, or is damaged"),
        ('{"format": "microgradlib parameters", "version": 1, "param', "not a JSON file, or is damaged"),
        ("[1, 2]", "not a file that save wrote"),
        ('{"weights": [1]}', "not a file that save wrote"),
        ('{"format": "microgradlib parameters", "version": 3, "parameters": {}}', "has version 3 .* reads version 2"),
        ('{"format": "microgradlib parameters", "version": 1, "parameters": [1]}', '"parameters" is not an object'),
        (
            '{"format": "microgradlib parameters", "version": 1, "parameters": {"w.0": true}}',
            "'w.0': True is not a number",
        ),
        (
            '{"format": "microgradlib parameters", "version": 1, "parameters": {"w.0": "x"}}',
            "'w.0': 'x' is not a number",
        ),
        ('{"format": "microgradlib parameters", "version": 1, "parameters": {"w.0": NaN}}', "NaN is not JSON"),
        (
            '{"format": "microgradlib parameters", "version": 1, "parameters": {"w.0": 1e999}}',
            "'w.0': inf is not a number",
        ),
        (
            '{"format": "microgradlib parameters", "version": 1, "parameters": {"w.0": 1' + "0" * 400 + "}}",
            "'w.0': 1000",
        ),
        ('{"format": "microgradlib parameters", "version": true, "parameters": {}}', "has version True"),
        ('{"format": "microgradlib parameters", "version": 1, "parameters": {"b": 1, "b": 2}}', "'b' occurs twice"),
        ("[" * 100_000, "not a JSON file, or is damaged"),
    ],
)
def test_a_damaged_or_foreign_file_changes_nothing(tmp_path, text, message):
    path, one = tmp_path / "model.json", Neuron(1, rng=0)
    path.write_text(text, encoding="utf-8")
    before = one.state_dict()
    with pytest.raises(SavedFileError, match=message):
        load(one, path)
    assert one.state_dict() == before


def test_files_that_are_not_utf_8(tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(SavedFileError, match="not a JSON file"):
        load(Neuron(1), path)


def test_a_file_of_another_model(tmp_path):
    path = save(Neuron(3, rng=0), tmp_path / "neuron.json")
    with pytest.raises(ValueError, match=r"does not fit this Neuron: unknown w.1, w.2"):
        load(Neuron(1), path)
    missing, unknown = load(Neuron(1), path, strict=False)
    assert (missing, unknown) == ([], ["w.1", "w.2"])


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(Neuron(1), tmp_path / "none.json")
    with pytest.raises(FileNotFoundError, match="no folder"):
        save(Neuron(1), tmp_path / "none" / "model.json")


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = save(Neuron(1, rng=0), tmp_path / "neuron.json")
    before = path.read_bytes()

    def fail(self, target):
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="full"):
        save(Neuron(1, rng=1), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["neuron.json"]


def test_infinite_parameters_are_written_as_text(tmp_path):
    neuron = Neuron(1, rng=0)
    neuron.b.data = math.inf
    assert '"b": "inf"' in save(neuron, tmp_path / "n.json").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_saving_keeps_file_permissions(tmp_path):
    path = save(Neuron(1, rng=0), tmp_path / "n.json")
    path.chmod(0o600)
    save(Neuron(1, rng=1), path)
    assert path.stat().st_mode & 0o777 == 0o600
