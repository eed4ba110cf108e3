"""Fixtures of the tests of ONNX models: a compiled function is written, run by onnxruntime and compared."""

import numpy as np
import pytest

from microgradlib.compiler import compile as compiled
from microgradlib.interop import to_onnx

ROOM = {np.float64: 1e-12, np.float32: 3e-5}


@pytest.fixture
def exported(tmp_path):
    """Return a function that writes a compiled function to a file, and runs it: its outputs, and the model."""

    onnx = pytest.importorskip("onnx", reason="to_onnx needs the package onnx")
    onnxruntime = pytest.importorskip("onnxruntime", reason="models are run by onnxruntime")

    def run(fast, *columns):
        path = to_onnx(fast, tmp_path / "model.onnx")
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        given = {x.name: np.asarray(column, fast.dtype) for x, column in zip(session.get_inputs(), columns)}
        return session.run(None, given), onnx.load(path)

    return run


@pytest.fixture
def check(exported):
    """Return a function that holds a model to the compiled function, for its batch and for another batch size."""

    def compare(function, parameters, *columns, dtype=np.float64):
        columns = [np.asarray(column, float) for column in columns]
        fast = compiled(function, parameters, dtype=dtype, backend="numpy")
        expected = fast(*columns)
        outputs, model = exported(fast, *columns)
        if isinstance(expected, np.ndarray):
            assert [y.shape for y in outputs] == [expected.shape]
        assert {y.dtype for y in outputs} == {np.dtype(dtype)}
        got, wanted = np.concatenate([y.reshape(len(y), -1) for y in outputs], 1), fast.rows(*columns)
        assert got.shape == wanted.shape
        assert np.abs(got - wanted).max() <= ROOM[dtype] * max(1.0, np.abs(wanted).max())
        single = exported(fast, *[column[-1:] for column in columns])[0]
        assert all(np.abs(s - y[-1:]).max() <= 1e-4 for s, y in zip(single, outputs))
        return model

    return compare
