"""What helps to look at a compiled function: lower, stages, its repr, `detect_anomaly`, messages for ragged rows."""

import inspect

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value, compile as compiled, nn
from microgradlib.compiler import compiled as module
from microgradlib.errors import AnomalyError

W = Value(2.0, label="w")


def line_of(function):
    return inspect.getsourcelines(function)[1]


def test_lower_compiles_and_does_not_run():
    fast = compiled(lambda x, y: mg.log(W * x) - y, [W])
    with mg.detect_anomaly():
        program = fast.lower([-1.0], [0.0])  # nothing is computed: no anomaly
    assert fast.program is program
    assert len(program.instructions) == 3
    assert fast.lower([1.0, 2.0], [0.0, 0.0]) is program  # the same rows


def test_what_is_wrapped_and_how_it_presents_itself():
    def my_loss(x):
        return W * x

    fast = compiled(my_loss, [W], dtype=np.float32)
    assert fast.__wrapped__ is my_loss
    assert inspect.unwrap(fast) is my_loss
    assert repr(fast) == "<compiled my_loss: 1 parameter, float32, not called yet>"
    fast([1.0])
    assert repr(fast) == "<compiled my_loss: 1 parameter, float32, 1 instruction for examples of 1 number>"
    assert "reference engine" in repr(compiled(my_loss, [W], backend="reference"))


def test_stages_show_every_pass():
    fast = compiled(lambda x: (W * x[0] + W * x[1] + 0.0).tanh(), [W])
    with pytest.raises(ValueError, match="nothing has been compiled yet"):
        fast.stages()
    stages = fast.stages([[1.0, 2.0]])
    assert [title.split(":")[0] for title in str(stages).split("# ")[1:]] == [
        "trace", "canonicalize", "vectorize", "reverse", "plan",
    ]  # fmt: skip
    assert len(stages.canonical.nodes) < len(stages.trace.nodes)
    assert stages.program.instructions == fast.program.instructions
    assert stages.joint.instructions[: stages.joint.forward] == stages.program.instructions
    assert stages.plan.program.outputs == stages.joint.outputs


def test_the_programs_of_the_latest_shapes_are_kept(monkeypatch):
    monkeypatch.setattr(module, "SHAPES_KEPT", 2)
    traced = []

    def function(x):
        traced.append(len(x))
        return W * mg.sum(x)

    fast = compiled(function, [W])
    for width in (1, 2, 1, 3, 1, 2):
        assert fast([[1.0] * width]).tolist() == [2.0 * width]
    assert traced == [1, 1, 2, 2, 3, 3, 2, 2]  # each is traced twice; 2 was dropped for 3, as 1 was used since


def test_an_anomaly_names_the_example_and_the_line():
    def loss(x):
        return mg.log(W * x) + x

    fast = compiled(loss, [W])
    here = f"{line_of(loss) + 1}, in loss"
    fast([-1.0])
    with mg.detect_anomaly():
        assert fast([1.0]).tolist() == [np.log(2.0) + 1.0]
        for call in (fast, fast.value_and_grad, fast.rows, fast.rows_and_grad, fast.values_and_grad, fast.jacobian):
            with pytest.raises(AnomalyError, match=f"example 2: log gave nan from an input = -2.0 at .*{here}"):
                call([1.0, 2.0, -1.0])


def test_an_anomaly_of_a_derivative():
    v = Value(0.0, label="v")
    fast = compiled(lambda x: mg.sqrt(v * x), [v])
    with mg.detect_anomaly():
        assert fast([0.0, 1.0]).tolist() == [0.0, 0.0]
        for call in (fast.value_and_grad, fast.jacobian, fast.hessian):
            with pytest.raises(AnomalyError, match=r"example 0: the gradient of a result of .* is inf"):
                call([0.0, 1.0])


def test_an_anomaly_at_other_parameters_than_the_values_have():
    v = Value(1.0)
    fast = compiled(lambda x: 1 / (v - x), [v])
    array = np.array([5.0])
    fast.set_parameters(array)
    with mg.detect_anomaly():
        fast([1.0])
        with pytest.raises(AnomalyError, match="example 1: / gave inf"):
            fast([1.0, 5.0])
    assert (v.data, v.grad) == (1.0, 0.0)


def test_an_anomaly_of_a_sum_over_the_batch():
    v = Value(1.0)
    fast = compiled(lambda x: v * x, [v])
    with mg.detect_anomaly(), pytest.raises(AnomalyError, match="is nan or inf"):
        fast.value_and_grad([1.7e308, 1.7e308])


def test_an_anomaly_of_a_loaded_program(tmp_path):
    fast = compiled(lambda x: mg.log(x))
    fast([1.0])
    loaded = mg.compiler.load_program(fast.save(tmp_path / "p.json"))
    with mg.detect_anomaly(), pytest.raises(AnomalyError, match="the value of example 1 is nan or inf"):
        loaded([1.0, -1.0])


def test_ragged_rows_are_told_what_to_do():
    fast = compiled(lambda x: mg.sum(x))
    with pytest.raises(ValueError, match=r"argument 0 .* differ in length, 1, 2, 4\. Pad them .* or call the function"):
        fast([[1.0], [1.0, 2.0], [1.0, 2.0, 3.0, 4.0]])
    with pytest.raises(ValueError, match=r"length, 1, 2, 3, …, 9"):
        fast([[1.0] * n for n in range(1, 10)])
    with pytest.raises(ValueError, match=r"argument 1 .* differ in length"):
        compiled(lambda x, y: x)([1.0, 2.0], [[[1.0], [2.0, 3.0]], [[1.0], [2.0, 3.0]]])


def test_modules_are_called_as_functions():
    model = nn.MLP([2, 2], rng=0)
    assert "<compiled MLP: 6 parameters" in repr(compiled(model, model.parameters()))
