"""The JAX engine on batches of any size: padding, blocks, precision, options; on 8 pretended devices in a process."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import microgradlib as mg
from microgradlib import Value, nn

jax = pytest.importorskip("jax", reason="the JAX engine")

from microgradlib.compiler.engines.jax import blocks as jax_blocks, engine as jax_engine, float64_enabled  # noqa: E402
from microgradlib.compiler.engines.jax.evaluation import Evaluation  # noqa: E402
from microgradlib.compiler.instructions import BATCHED, Operand, ProgramData  # noqa: E402
from microgradlib.compiler.reverse import reverse  # noqa: E402


@given(st.integers(1, 100_000))
def test_padded_sizes_are_few_and_near(batch):
    size = jax_engine.padded_size(batch)
    assert batch <= size <= 1.25 * batch + 1
    assert jax_engine.padded_size(size) == size


@settings(max_examples=25)
@given(
    st.integers(0, 10_000), st.integers(0, 3), st.lists(st.tuples(st.integers(1, 4), st.integers(-7, 9)), max_size=3)
)
def test_slots_are_read_as_indexing_reads_them(seed, start, axes):
    rng = np.random.default_rng(seed)
    slots = np.array([start])
    for size, step in axes:
        slots = (slots[:, None] + step * np.arange(size)).ravel()
    slots = np.concatenate([slots - slots.min(), rng.integers(0, 12, seed % 4)])
    program = ProgramData((), tuple([Operand.of(BATCHED, [s]) for s in slots]), [None] * len(slots),
                          tuple(range(90)), (), (), (), 0, 90)  # fmt: skip
    block = rng.normal(size=(90, 3)).astype(np.float32)
    evaluation = Evaluation(program)
    found = evaluation._read([jax.numpy.array(block)], Operand.of(BATCHED, slots), (len(slots),))
    assert np.array_equal(np.asarray(found), block[slots])


def test_padding_with_infinite_derivatives_reaches_no_sum():
    w = Value(2.0)
    fast = mg.compile(lambda x: w * mg.log(x) + mg.dot([w, w * w], [1 / x, mg.sqrt(x)]), [w], backend="jax")
    column = np.linspace(1.0, 2.0, 9)  # padded to 10 by zeros, where log and 1/x are infinite
    expected = mg.compile(fast.__wrapped__, [w], backend="numpy").value_and_grad(column)
    engine = fast._ready((column,))[0]
    engine.exact = None  # nothing is done again
    assert fast.value_and_grad(column) == (pytest.approx(expected[0]), pytest.approx(expected[1]))


def test_blocks_add_up(monkeypatch):
    model = nn.MLP([3, 4, 1], rng=0)
    rng = np.random.default_rng(0)
    data = rng.normal(size=(70, 3)), rng.normal(size=70)

    def loss(x, y):
        return (model(x) - y) ** 2

    expected = mg.compile(loss, model.parameters(), backend="numpy")
    monkeypatch.setattr(jax_blocks, "BLOCK_BYTES", 1)
    monkeypatch.setattr(jax_blocks, "SMALLEST_BLOCK", 8)
    fast = mg.compile(loss, model.parameters(), backend="jax")
    mean, gradient = fast.value_and_grad(*data)
    assert mean == pytest.approx(expected.value_and_grad(*data)[0], rel=1e-13)
    assert gradient == pytest.approx(expected.value_and_grad(*data)[1], rel=1e-11, abs=1e-14)
    assert fast.jacobian(*data) == pytest.approx(expected.jacobian(*data), rel=1e-12)


def test_a_last_block_is_filled_whatever_the_count(monkeypatch):
    monkeypatch.setattr(jax_blocks, "BLOCK_BYTES", 1)
    monkeypatch.setattr(jax_blocks, "SMALLEST_BLOCK", 4)
    w = Value(2.0)
    fast = mg.compile(lambda x: w * mg.log(x), [w], backend="numpy")
    column = np.linspace(1.0, 2.0, 10)  # three blocks of 4, the last one filled with 0, where the logarithm is −inf
    fast(column)
    blocks = jax_blocks.Blocks(reverse(fast.program))
    with float64_enabled():
        given = jax.numpy.array([2.0]), [jax.numpy.array(column)], [jax.numpy.array(1.0)]
        for count, real in ((None, 10), (10, 10), (20, 10), (5, 5)):
            outputs, (gradient,) = jax.jit(blocks)(*given, count)
            assert gradient.item() == pytest.approx(np.log(column[:real]).sum(), rel=1e-14)
            assert outputs.shape == (1, 10)


def test_the_user_s_configuration_is_left_alone():
    w = Value(0.1)
    fast = mg.compile(lambda x: w * x, [w], backend="jax")
    assert fast([0.1]).dtype == np.float64
    assert fast([0.1])[0] == 0.1 * 0.1
    assert jax.numpy.ones(1).dtype == np.float32
    assert not jax.config.jax_enable_x64
    assert jax.config.jax_default_matmul_precision is None


def test_results_are_the_caller_s_to_keep():
    w = Value(2.0)
    fast = mg.compile(lambda x: w * x, [w], backend="jax")
    values, (_, gradient) = fast([1.0, 2.0]), fast.value_and_grad([1.0, 2.0])
    values += 1.0
    gradient += 1.0
    assert fast([1.0, 2.0]).tolist() == [2.0, 4.0]


def test_options():
    with pytest.raises(ValueError, match="options of backend=\"jax\", got backend='numpy'"):
        mg.compile(lambda x: x, backend="numpy", devices=2)
    with pytest.raises(ValueError, match='options of backend="jax"'):
        mg.compile(lambda x: x, backend="numpy", reproducible=True)
    with pytest.raises(ValueError, match=r"devices=1000, but JAX has \d+ of cpu"):
        mg.compile(lambda x: x, backend="jax", devices=1000)
    with pytest.raises(TypeError, match="devices is a number, or a list"):
        mg.compile(lambda x: x, backend="jax", devices=["cpu"])


ON_DEVICES = """
import jax, numpy as np, microgradlib as mg
from microgradlib import nn
from microgradlib.costs import cross_entropy
from microgradlib.training import fit

model = nn.MLP([5, 8, 4], activation="relu", rng=0)
loss = lambda x, y: cross_entropy(model(x), y)
rng = np.random.default_rng(0)
for batch in (1, 7, 100):
    data = rng.normal(size=(batch, 5)), rng.integers(0, 4, batch)
    mean, gradient = mg.compile(loss, model.parameters(), backend="numpy").value_and_grad(*data)
    bits = set()
    for count in (1, 2, 4, 8):
        fast = mg.compile(loss, model.parameters(), backend="jax", devices=count)
        found = fast.value_and_grad(*data)
        assert abs(found[0] - mean) < 1e-14 and abs(found[1] - gradient).max() < 1e-14
        again = mg.compile(loss, model.parameters(), backend="jax", devices=jax.devices()[:count], reproducible=True)
        value, slopes = again.value_and_grad(*data)
        bits.add((value, slopes.tobytes(), again(*data).tobytes()))
    assert len(bits) == 1, batch
histories = [fit(nn.MLP([5, 8, 4], rng=0), cross_entropy, *data, epochs=2, **kind).loss
             for kind in ({"backend": "numpy"}, {"backend": "jax", "devices": 8})]
assert np.allclose(*histories, rtol=1e-12, atol=0)
print("right")
"""


@pytest.mark.slow
def test_eight_devices():
    root = Path(__file__).parents[4]
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=8", "PYTHONPATH": str(root)}
    run = subprocess.run(
        [sys.executable, "-c", ON_DEVICES],
        env={**os.environ, **flags},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "right\n", run.stderr[-2000:]
