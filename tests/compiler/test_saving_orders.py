"""Saved programs with ones and inputs in an order of their own: held to the eager engine, and refused if damaged."""

import copy
import json

import numpy as np
import pytest
from eager_oracle import SIZES, EagerOracle, assert_batch_matches, flat, random_columns
from hypothesis import assume, given, settings, strategies as st
from random_networks import Network

import microgradlib as mg
from microgradlib import nn
from microgradlib.compiler import compile as compiled, load_program
from microgradlib.core.value import Value
from microgradlib.errors import SavedFileError
from microgradlib.ops import TABLE

W = [Value(x) for x in np.random.default_rng(0).uniform(-1, 1, 6).tolist()]


def saved(path, function, parameters, rows):
    fast = compiled(function, parameters)
    fast(*rows)
    return load_program(fast.save(path / "program.json"))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(SIZES))
def test_a_loaded_program_is_held_to_the_eager_engine_too(tmp_path_factory, seed, size):
    network = Network(seed)
    rows = random_columns(seed, 3, *network.shapes)
    eager = EagerOracle(network, network.parameters, rows)
    assume(eager.is_moderate())
    assert_batch_matches(saved(tmp_path_factory.mktemp("p"), network, network.parameters, rows), eager, rows, size)


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    """A program with ones behind the inputs and behind results, whose inputs have an order of their own."""
    model, path = nn.MLP([3, 4, 1], activation="tanh", rng=0), tmp_path_factory.mktemp("programs") / "p.json"
    fast = compiled(lambda x, y: model([x[1], y, x[0]]), model.parameters())
    fast(*random_columns(0, 2, (3,), ()))
    return json.loads(fast.save(path).read_text(encoding="utf-8"))


def load(path, content):
    path = path / "damaged.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return load_program(path, check=False)


def test_what_is_to_be_damaged(content):
    assert len(content["ones"]) == 2
    assert sorted(content["input_order"]) == [0, 1, 2, 3] != content["input_order"]


DAMAGED_ONES = {
    "none": lambda c: [],
    "one missing": lambda c: c["ones"][:-1],
    "first missing": lambda c: c["ones"][1:],
    "twice the same": lambda c: [*c["ones"], c["ones"][0]],
    "one more": lambda c: [*c["ones"], c["batched_size"]],
    "where an input is": lambda c: [0, *c["ones"]],
    "where a result is": lambda c: [*c["ones"], c["instructions"][0]["results"][1]],
    "at a place below the first": lambda c: [-1, *c["ones"]],
    "one place further": lambda c: [slot + 1 for slot in c["ones"]],
    "far away": lambda c: [*c["ones"], 10**30],
    "no list": lambda c: 3,
    "nothing": lambda c: None,
    "a word": lambda c: "ones",
    "nan": lambda c: [*c["ones"], float("nan")],
    "lists": lambda c: [c["ones"]],
}
DAMAGED_ORDERS = {
    "empty": lambda c: [],
    "one missing": lambda c: c["input_order"][1:],
    "one more": lambda c: [*c["input_order"], 4],
    "twice the same": lambda c: [0, 0, 1, 2],
    "from 1": lambda c: [1, 2, 3, 4],
    "below 0": lambda c: [-1, 0, 1, 2],
    "no list": lambda c: 4,
    "nothing": lambda c: None,
    "a word": lambda c: "3210x",
    "nan": lambda c: [0, 1, 2, float("nan")],
}


@pytest.mark.parametrize(
    ("key", "name"), [("ones", name) for name in DAMAGED_ONES] + [("input_order", name) for name in DAMAGED_ORDERS]
)
def test_damaged_ones_and_orders_are_refused(tmp_path, content, key, name):
    damaged = copy.deepcopy(content)
    damaged[key] = {"ones": DAMAGED_ONES, "input_order": DAMAGED_ORDERS}[key][name](content)
    load(tmp_path, content)
    with pytest.raises(SavedFileError, match="damaged"):
        load(tmp_path, damaged)


OTHER_DAMAGE = {
    "no outputs": lambda c: c["outputs"].clear(),
    "an output of two slots": lambda c: c["outputs"][0].append(3),
    "fewer outputs than the result has": lambda c: c["outputs"].pop(),
    "counts where there are no segments": lambda c: c["instructions"][0].update(counts=[3]),
    "a dot of one operand": lambda c: c["instructions"][0]["operands"].pop(),
    "a reduction by an op of one number": lambda c: c["instructions"][-1].update(kind="reduce"),
}


@pytest.mark.parametrize("name", OTHER_DAMAGE)
def test_what_could_not_be_run_is_refused(tmp_path, name):
    rows = random_columns(2, 2, (4, 4), (4, 4))
    fast = compiled(lambda x, y: [mg.exp(mg.dot(a, b)) for a in x for b in y])
    fast(*rows)
    content = json.loads(fast.save(tmp_path / "p.json").read_text(encoding="utf-8"))
    assert [i["kind"] for i in content["instructions"]] == ["matmul", "elementwise"]
    load(tmp_path, content)
    OTHER_DAMAGE[name](content)
    with pytest.raises(SavedFileError, match="damaged"):
        load(tmp_path, content)


def test_a_product_whose_rows_do_not_make_up_its_results_is_refused(tmp_path):
    fast = compiled(lambda x: [mg.dot(W[2 * i : 2 * i + 2], x) for i in range(3)], W)
    fast(random_columns(0, 1, (2,))[0])
    content = json.loads(fast.save(tmp_path / "p.json").read_text(encoding="utf-8"))
    [product] = content["instructions"]
    assert product["shape"] == [1, 3, 2, 1]
    product.update(shape=[1, 2, 1, 1], operands=[[0, 0, 1], [1, 0]])  # 2 rows of 1 column are not 3
    with pytest.raises(SavedFileError, match="damaged"):
        load(tmp_path, content)


def segments(tmp_path):
    """A program of one instruction: sums of three numbers and of five."""
    fast = compiled(lambda x: [mg.sum(x[:3]), mg.sum(x)])
    fast(random_columns(0, 1, (5,))[0])
    content = json.loads(fast.save(tmp_path / "p.json").read_text(encoding="utf-8"))
    [i] = content["instructions"]
    assert (i["kind"], i["counts"]) == ("segment_reduce", [3, 5])
    return content, i


@pytest.mark.parametrize(
    "change", [{"counts": [8]}, {"counts": [8, 0]}, {"counts": [9, -1]}, {"counts": [1, 2, 5]}, {"op": ["logsumexp"]}]
)
def test_segments_that_are_not_those_of_the_results_are_refused(tmp_path, change):
    content, i = segments(tmp_path)
    load(tmp_path, content)
    i.update(change)
    with pytest.raises(SavedFileError, match=r"operands or results of segment_reduce .* do not fit"):
        load(tmp_path, content)


@pytest.mark.parametrize("count", [2, 3, 4, 5])  # of an odd number of inputs, the last has the weight 0
def test_a_cross_entropy_of_any_number_of_inputs_is_loaded(tmp_path, count):
    rows = np.random.default_rng(0).uniform(0.3, 3, (3, count))
    fast = compiled(lambda x: TABLE["cross_entropy"](*x))
    expected = fast(rows).tolist()
    assert load_program(fast.save(tmp_path / "p.json"))(rows).tolist() == expected


def test_padding_is_read_by_products_of_batched_numbers_only(tmp_path):
    def causal(x):
        queries, keys = ([[f(a) for a in x[4 * i : 4 * i + 4]] for i in range(4)] for f in (mg.tanh, mg.sin))
        return [mg.dot(queries[i][: i + 1], keys[k][: i + 1]) for i in range(4) for k in range(4)]

    rows = np.random.default_rng(0).normal(size=(3, 16))
    fast = compiled(causal)
    expected = fast(rows).tolist()
    path = fast.save(tmp_path / "p.json")
    assert load_program(path)(rows).tolist() == expected
    content = json.loads(path.read_text(encoding="utf-8"))
    [product] = [i for i in content["instructions"] if i["kind"] == "matmul"]
    assert -1 in product["operands"][0] + product["operands"][1]
    next(i for i in content["instructions"] if i["kind"] == "elementwise")["operands"][0][2] = -1
    with pytest.raises(SavedFileError, match="a slot is read before it is written"):
        load(tmp_path, content)


@pytest.mark.parametrize("key", ["ones", "input_order"])
def test_without_ones_or_orders_it_is_refused(tmp_path, content, key):
    with pytest.raises(SavedFileError, match=f"damaged: the file has no '{key}'"):
        load(tmp_path, {name: part for name, part in content.items() if name != key})


def test_another_order_of_the_inputs_is_another_function(tmp_path, content):
    """What no check can find out: the file says which number of an example goes where."""
    rows = random_columns(1, 3, (3,), ())
    turned = {**content, "input_order": content["input_order"][::-1]}
    assert flat(load(tmp_path, turned)(*rows)).tolist() != flat(load(tmp_path, content)(*rows)).tolist()
