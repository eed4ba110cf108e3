"""The worked network of lecture 8, 5.6, against the closed forms written out with math alone."""

import math

import pytest
from hypothesis import given, settings, strategies as st

numbers = st.floats(-2, 2)


def rows(count, length):
    return st.lists(st.lists(numbers, min_size=length, max_size=length), min_size=count, max_size=count)


def by_hand(x, y, w1, w2):
    """δ⁽²⁾, δ⁽¹⁾ and the gradients as the lecture prints them, its misprinted indices put right; and L."""
    (w10, w11, w12), (w20, w21, w22), (w30, w31, w32) = w1
    (v10, v11, v12, v13), (v20, v21, v22, v23) = w2
    x1, x2 = x
    z1, z2, z3 = (
        math.tanh(a) for a in (w10 + w11 * x1 + w12 * x2, w20 + w21 * x1 + w22 * x2, w30 + w31 * x1 + w32 * x2)
    )
    y_hat1 = v10 + v11 * z1 + v12 * z2 + v13 * z3
    y_hat2 = 1 / (1 + math.exp(-(v20 + v21 * z1 + v22 * z2 + v23 * z3)))
    d1, d2 = y_hat1 - y[0], y_hat2 - y[1]
    e1 = (1 - z1**2) * (v11 * d1 + v21 * d2)
    e2 = (1 - z2**2) * (v12 * d1 + v22 * d2)
    e3 = (1 - z3**2) * (v13 * d1 + v23 * d2)
    return {
        "delta2": [d1, d2],
        "delta1": [e1, e2, e3],
        "dw2": [[d * z for z in (1.0, z1, z2, z3)] for d in (d1, d2)],
        "dw1": [[e * x_i for x_i in (1.0, x1, x2)] for e in (e1, e2, e3)],
        "loss": (y[0] - y_hat1) ** 2 / 2 - (math.log(y_hat2) if y[1] else math.log(1 - y_hat2)),
    }


def close(ours, theirs):
    return all(
        a == pytest.approx(b, rel=1e-13, abs=1e-14) if isinstance(a, float) else close(a, b)
        for a, b in zip(ours, theirs, strict=True)
    )


def agrees(gradients, expected):
    return all(close(getattr(gradients, name), expected[name]) for name in ("delta1", "delta2", "dw1", "dw2"))


def test_the_numbers_of_the_script(script):
    net = script("worked_network")
    expected = by_hand(net.INPUTS, net.TARGETS, net.W1, net.W2)
    found = net.backpropagate(net.INPUTS, net.TARGETS, net.W1, net.W2)
    for name in ("delta1", "delta2"):
        assert getattr(found, name) == pytest.approx(expected[name], rel=0, abs=1e-14)
    for name in ("dw1", "dw2"):
        for row, row_by_hand in zip(getattr(found, name), expected[name], strict=True):
            assert row == pytest.approx(row_by_hand, rel=0, abs=1e-14)
    y_hat = net.forward(net.INPUTS, net.W1, net.W2).y_hat
    assert net.loss(y_hat, net.TARGETS) == pytest.approx(expected["loss"], abs=1e-14)


@settings(max_examples=50, deadline=None)
@given(x=st.tuples(numbers, numbers), y=st.tuples(numbers, st.sampled_from([0.0, 1.0])), w1=rows(3, 3), w2=rows(2, 4))
def test_delta_and_gradients_are_the_closed_forms_wherever_the_weights_are(script, x, y, w1, w2):
    net = script("worked_network")
    expected = by_hand(x, y, w1, w2)
    assert agrees(net.backpropagate(x, y, w1, w2), expected)
    assert agrees(net.closed_form(x, y, w1, w2), expected)


@settings(max_examples=25, deadline=None)
@given(x=st.tuples(numbers, numbers), w1=rows(3, 3), w2=rows(2, 4))
def test_the_mlp_is_the_network_as_written_out(script, x, w1, w2):
    net = script("worked_network")
    model = net.network(w1, w2)
    assert [row.shape for row in model.summary().rows] == ["2 → 3 tanh", "3 → 2 linear, sigmoid"]
    y_hat = net.forward(x, w1, w2).y_hat
    assert [y.data for y in model(x)] == pytest.approx(y_hat, rel=1e-13, abs=1e-14)


@pytest.mark.parametrize("misprint", ["w21 for w31", "a1 for a2", "tanh² of a2 for a3"])
def test_the_document_as_printed_is_not_the_gradient(script, misprint):
    net = script("worked_network")
    x, y, w1, w2 = net.INPUTS, net.TARGETS, [list(row) for row in net.W1], [list(row) for row in net.W2]
    found = net.backpropagate(x, y, w1, w2)
    expected = by_hand(x, y, w1, w2)
    if misprint == "w21 for w31":
        w1[2][1] = w1[1][1]
        expected = by_hand(x, y, w1, w2)
    elif misprint == "a1 for a2":
        a1 = net.forward(x, w1, w2).a2[0]
        expected["delta2"][1] = 1 / (1 + math.exp(-a1)) - y[1]
    else:
        z = net.forward(x, w1, w2).z1
        expected["delta1"][2] *= (1 - z[1] ** 2) / (1 - z[2] ** 2)
    assert not agrees(found, expected)


def test_the_difference_shown_is_the_largest(script):
    net = script("worked_network")
    g = net.backpropagate(net.INPUTS, net.TARGETS, net.W1, net.W2)
    assert net.largest_difference(g, g) == 0.0
    changed = g._replace(dw1=[[*g.dw1[0][:2], g.dw1[0][2] + 0.5], *g.dw1[1:]])
    assert net.largest_difference(g, changed) == 0.5


def test_main(script, capsys):
    net = script("worked_network")
    net.main()
    text = capsys.readouterr().out
    assert "δ2 = +0.466453 -0.529933" in text
    assert "differ by at most" in text
