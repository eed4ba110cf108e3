"""Interop: compiled functions inside PyTorch, JAX, scikit-learn and ONNX; each part needs an extra.

| name | gives | extra |
|---|---|---|
| `torch_loss(fast)` | a function of tensors that PyTorch differentiates | torch |
| `jax_loss(fast)` | a function of arrays that JAX differentiates | jax |
| `MicrogradClassifier`, `MicrogradRegressor` | networks as scikit-learn's estimators | data |
| `to_onnx(fast, path)` | a file of the model, for onnxruntime and Netron | onnx |

They are imported at their first use, and with them the other library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from microgradlib._support.interrupts import import_whole
from microgradlib._support.lookup import missing_names

if TYPE_CHECKING:
    from microgradlib.interop.jax import jax_loss
    from microgradlib.interop.onnx import to_onnx
    from microgradlib.interop.sklearn import MicrogradClassifier, MicrogradRegressor
    from microgradlib.interop.torch import torch_loss

__all__ = ["MicrogradClassifier", "MicrogradRegressor", "jax_loss", "to_onnx", "torch_loss"]

_MODULES = {
    "MicrogradClassifier": "sklearn", "MicrogradRegressor": "sklearn", "jax_loss": "jax", "to_onnx": "onnx",
    "torch_loss": "torch",
}  # fmt: skip

if not TYPE_CHECKING:  # type checkers then refuse names that do not exist

    def __getattr__(name: str) -> object:
        if name in _MODULES.values():
            return import_whole(f"{__name__}.{name}")
        if name in _MODULES:
            attribute = globals()[name] = getattr(import_whole(f"{__name__}.{_MODULES[name]}"), name)
            return attribute
        return missing_names(__name__, __all__)(name)


def __dir__() -> list[str]:
    dunders = [name for name in globals() if name.startswith("__")]
    return sorted({*__all__, *_MODULES.values(), *dunders})
