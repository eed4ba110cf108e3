"""Products with one-hot data are look-ups, block by block; all others, and all that is not finite, as before."""

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.planning import plan
from microgradlib.compiler.planning.lookups import lookups_of
from microgradlib.nn import Embedding

COLUMNS = 3
TOLERANCES = {"float64": 1e-12, "float32": 3e-5}


def model(terms, width):
    """Return the table, and a loss of the columns that it has for one-hot rows x, times a number s."""
    table = Embedding(terms, width, rng=terms)

    def loss(x, s):
        return s * sum(mg.sin(e * (k + 1)) for k, row in enumerate(x) for e in table(list(row)))

    return table, loss


def one_hot(terms, batch, seed=0):
    return np.eye(terms)[np.random.default_rng(seed).integers(terms, size=(batch, COLUMNS))]


def agree(fast, expected, *data, rtol=1e-12):
    """Assert that two functions give the same values and gradients."""
    np.testing.assert_allclose(fast(*data), expected(*data), rtol=rtol, atol=10 * rtol)
    gradients = [function.value_and_grad(*data)[1] for function in (fast, expected)]
    np.testing.assert_allclose(*gradients, rtol=rtol, atol=10 * rtol)


def same_results(loss, parameters, *data, dtype="float64", reference="numpy"):
    """Assert that results are those of another engine; return the native function."""
    fast, expected = [compiled(loss, parameters, backend=name, dtype=dtype) for name in ("native", reference)]
    agree(fast, expected, *data, rtol=TOLERANCES[dtype])
    return fast


def lookups(fast, what="gradient"):
    return list(lookups_of(plan(fast._last.engine.joint(what))).values())


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("terms", "width"), [(8, 1), (27, 16), (64, 3), (65, 17), (130, 5)])
def test_one_hot_data_give_what_a_product_gives(terms, width, dtype):
    table, loss = model(terms, width)
    for batch in (2, 7, 33):
        x = one_hot(terms, batch)
        x[x == 0] *= -1  # −0 is 0 too
        scale = np.linspace(-1, 1, batch)
        fast = same_results(loss, table.parameters(), x, scale, dtype=dtype)
    assert [lookup.is_forward for lookup in lookups(fast)] == [True, False]


ODD = {
    "a mixture": lambda row: row.__imul__(0.5),
    "none": lambda row: row.fill(0.0),
    "two": lambda row: row.__setitem__(slice(1, 3), 1.0),
    "all": lambda row: row.fill(1.0),
    "less one": lambda row: row.__imul__(-1.0),
    "a small number more": lambda row: row.__iadd__(1e-300),
    "nan": lambda row: row.__setitem__(2, np.nan),
    "inf": lambda row: row.__imul__(np.inf),
}


@pytest.mark.parametrize("name", ODD)
def test_blocks_of_other_data_are_multiplied(name):
    table, loss = model(27, 5)
    functions = [compiled(loss, table.parameters(), backend=backend) for backend in ("native", "reference")]
    for example in (0, 9, 39):
        x, scale = one_hot(27, 40), np.ones(40)
        with np.errstate(invalid="ignore"):
            ODD[name](x[example, COLUMNS - 1])
        agree(*functions, x, scale)


@pytest.mark.parametrize("number", [np.inf, -np.inf, np.nan, 1e308, -0.0])
@pytest.mark.parametrize("is_chosen", [True, False])
def test_numbers_of_the_table_that_no_product_leaves_out(number, *, is_chosen):
    table, loss = model(12, 3)
    x, scale = one_hot(12, 20), np.ones(20)
    x[:, :, 4] = 0
    x[:, :, 5] = x.sum(2) == 0
    table.w[5 if is_chosen else 4][1].data = number
    same_results(loss, table.parameters(), x, scale, reference="reference")


def test_forward_results_are_the_chosen_numbers_themselves():
    table, _ = model(27, 16)
    x = one_hot(27, 33)[:, 0]
    expected = np.array([[w.data for w in row] for row in table.w])[x.argmax(1)]
    found = compiled(lambda row: table(list(row)), table.parameters(), backend="native")(x)
    assert (np.asarray(found) == expected).all()


@pytest.mark.parametrize(
    "function",
    [
        lambda x, s: x[0][3] * s,
        lambda x, s: s * mg.maximum(*x[1]),
        lambda x, s: x[2][0],
        lambda x, s: mg.dot([Value(0.5)] * 54, [*x[0], *x[1]]),
    ],
    ids=["elementwise", "reduction", "result", "another product"],
)
def test_data_that_others_read_too_are_not_looked_up(function):
    table, loss = model(27, 4)
    fast = same_results(lambda x, s: loss(x, s) + function(x, s), table.parameters(), one_hot(27, 10), np.ones(10))
    assert lookups(fast) == []


def test_tables_shared_with_other_products_add_up():
    table, loss = model(27, 4)

    def tied(x, s):
        columns = list(zip(*table.w))
        return loss(x, s) + sum(mg.dot(row, [mg.dot(c, list(x[0])) for c in columns]) ** 2 for row in table.w)

    fast = same_results(tied, table.parameters(), one_hot(27, 21), np.ones(21))
    assert lookups(fast)
