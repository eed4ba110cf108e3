"""ONNX: compiled functions as files for onnxruntime and Netron, graphs of matrix products and the op table's ops."""

from __future__ import annotations

import os
from pathlib import Path

from microgradlib._support.files import file_path, write_atomic
from microgradlib._support.shown import shown
from microgradlib.compiler.batched import Batched
from microgradlib.interop.onnx.program import model_of

__all__ = ["model_of", "to_onnx"]


def to_onnx(fast: Batched, path: str | os.PathLike[str]) -> Path:
    """Write the program of the last call, and the parameters' numbers, to an ONNX file; return its path.

    The inputs are the arguments of `fast` by name, with an axis `batch` of any length first, in its precision. The
    result is `output`, as `fast` returns it for a batch; where that is no single array, `output_0`, `output_1` …, an
    array for each of its parts that is one. Parameters are initialisers, with the names and axes that
    `print(fast.program)` shows. Names keep letters, digits, dots and underscores; all else becomes an underscore.

    Products of matrices, sums, activations and softmax are ONNX's own nodes, where runtimes have them in both
    precisions and compute what the op table says. Every other op is a function of the model, named for the op and
    written by its rule: Netron shows it as one node, which opens. There is no backward pass, and labels are not
    checked.

        fast = compile(model, model.parameters())
        fast(X)
        session = onnxruntime.InferenceSession(to_onnx(fast, "model.onnx"))
        session.run(None, {"x": X})

    Raises `MissingExtraError` without the package onnx, `TypeError` for what is not compiled, or has a user's op whose
    rule asks `if`, `ValueError` before the first call, `NotImplementedError` for polygamma of an order that is not a
    fixed number, and `OSError` where the file cannot be written.
    """
    if not isinstance(fast, Batched):
        message = f"give a compiled function, as compile(model, model.parameters()) returns it, got {shown(fast)}"  # type: ignore[unreachable]
        raise TypeError(message)
    target, ready = file_path(path, "to_onnx", "model.onnx"), fast._latest()
    model = model_of(ready.engine.program, fast._parameters.numbers(ready.captured, fast.dtype))
    write_atomic(target, model.SerializeToString())
    return target
