"""Runs the text that `to_source` writes, in its framework, beside the compiled function."""

import importlib

import numpy as np
import pytest

MODULES = {"numpy": "numpy", "jax": "jax.numpy", "torch": "torch"}


def load(text):
    """Return what the text defines, after importing nothing but its framework and math."""
    names = {"__name__": "emitted"}
    exec(compile(text, "<emitted>", "exec"), names)  # noqa: S102  our own text
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= {"numpy", "jax", "torch", "math"}
    return names


def array_of(framework):
    """Return the function that makes an array of float64, and skip the test where the framework is not there."""
    module = pytest.importorskip(MODULES[framework], reason=f"{framework} is not installed")
    if framework == "jax":
        importlib.import_module("jax").config.update("jax_enable_x64", True)
    return (lambda x: module.tensor(x, dtype=module.float64)) if framework == "torch" else module.array


def numbers_of(fast):
    """Return the numbers of a compiled function's parameters, each once, and of captured Values."""
    return np.array([value.data for value in (*fast._parameters.distinct, *fast._latest().captured)])


def results(fast, framework, *data, name="forward"):
    """Return what the text of the compiled function's program returns for data."""
    array = array_of(framework)
    fast(*data)  # which compiles it for rows of their shapes
    names = load(fast.program.to_source(framework, name=name))
    parameters = [names["named"](array(numbers_of(fast)))] if "named" in names else []
    function = importlib.import_module("jax").jit(names[name]) if framework == "jax" else names[name]
    return function(*parameters, *map(array, data))


def gradient(fast, framework, *data):
    """Return the gradient of the mean by the flat numbers, by the framework's own autodiff."""
    array, names = array_of(framework), load(fast.program.to_source(framework))
    numbers, data = array(numbers_of(fast)), [array(x) for x in data]
    if framework == "jax":
        jax = importlib.import_module("jax")
        found = jax.jit(jax.grad(lambda flat: names["forward"](names["named"](flat), *data).mean()))(numbers)
        return np.asarray(found)
    numbers.requires_grad_()
    names["forward"](names["named"](numbers), *data).mean().backward()
    return numbers.grad.numpy()
