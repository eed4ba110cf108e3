"""Valid calls of data sets, compiled programs, other libraries, drawings, and what extenders and testers use."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from call_arguments import (
    LABELS,
    NUMBERS,
    POINTS,
    Call,
    c,
    dataset,
    estimator,
    fast,
    graph,
    history,
    leaves,
    mlp,
    over,
    random_graph,
    rng,
    square_op,
    squared,
    trained,
    v,
)

import microgradlib as mg
from microgradlib import data, interop
from microgradlib.ops import TABLE
from microgradlib.viz import line_chart

__all__ = ["OF_PROGRAMS"]

OF_PROGRAMS: dict[str, Callable[[], Call]] = {
    # data
    "data.Alphabet": lambda: c("abc"),
    "data.Alphabet.decode": lambda: c(data.Alphabet("abc"), [0, 1]),
    "data.Alphabet.encode": lambda: c(data.Alphabet("abc"), "ab"),
    "data.Alphabet.of": lambda: c(["ab", "c"]),
    "data.Dataset": lambda: c(((0.0,), (1.0,)), (0, 1), ("x",), ("a", "b")),
    "data.Dataset.show": lambda: c(dataset()),
    "data.RegressionDataset": lambda: c(((0.0,), (1.0,)), (0.5, 1.0), ("x",)),
    "data.RegressionDataset.show": lambda: c(data.sine(10)),
    "data.as_image": lambda: c([0.5, 1.0, 2.0, 3.0], 2),
    "data.augmented": lambda: c(dataset(), data.gaussian_noise(0.1), 1, rng()),
    "data.blobs": lambda: c(12, 0.1, rng()),
    "data.chain": lambda: c(data.gaussian_noise(0.1), data.mirror(2)),
    "data.circles": lambda: c(12, 0.1, rng()),
    "data.gaussian_noise": lambda: c(0.1),
    "data.mirror": lambda: c(2),
    "data.moons": lambda: c(12, 0.1, rng()),
    "data.mu_law": c,
    "data.rotate": lambda: c(10.0, 4),
    "data.scale": lambda: c(1.2, 4),
    "data.shift": lambda: c(1, 4),
    "data.sine": lambda: c(12, 0.1, rng()),
    "data.spirals": lambda: c(12, 0.1, rng()),
    "data.split": lambda: c(dataset(), 0.25, rng()),
    "data.standardise": lambda: c(dataset(), dataset()),
    "data.yin_yang": lambda: c(12, 0.1, rng()),
    "metrics.accuracy": lambda: c([0, 1, 1], [0, 1, 0]),
    "metrics.confusion_matrix": lambda: c([0, 1, 1], [0, 1, 0]),
    # compiler
    "compile": over(lambda: v(2.0), lambda w: c(functools.partial(squared, w), [w], backend="numpy")),
    "compiler.Compiled": over(lambda: v(2.0), lambda w: c(functools.partial(squared, w), [w], float, "numpy")),
    **{
        f"compiler.Compiled.{name}": lambda: c(fast(), [*POINTS], [*NUMBERS])
        for name in (
            "__call__",
            "hessian",
            "jacobian",
            "lower",
            "rows",
            "rows_and_grad",
            "stages",
            "value_and_grad",
            "values_and_grad",
        )
    },
    "compiler.Compiled.hvp": lambda: c(fast(), [*POINTS], [*NUMBERS], vector=[1.0, 0.5]),
    "compiler.Compiled.set_parameters": lambda: c(fast(), np.array([1.0, 2.0])),
    "compiler.Compiled.as_function": lambda: c(fast(), "jax"),
    "compiler.Compiled.show": lambda: c(fast()),
    "compiler.Program.draw": lambda: c(fast().program),
    "compiler.Program.of": lambda: c(fast().program),
    "compiler.Program.show": lambda: c(fast().program),
    "compiler.Program.to_source": lambda: c(fast().program, "numpy"),
    "compiler.columns_of": lambda: c(([*POINTS], [*NUMBERS]), float),
    # interop
    "interop.MicrogradClassifier": c,
    "interop.MicrogradRegressor": c,
    "interop.MicrogradClassifier.fit": lambda: c(estimator(interop.MicrogradClassifier, fitted=False), POINTS, LABELS),
    "interop.MicrogradRegressor.fit": lambda: c(estimator(interop.MicrogradRegressor, fitted=False), POINTS, NUMBERS),
    **{
        f"interop.MicrogradClassifier.{name}": lambda: c(estimator(interop.MicrogradClassifier), POINTS)
        for name in ("decision_function", "predict", "predict_proba")
    },
    "interop.MicrogradRegressor.predict": lambda: c(estimator(interop.MicrogradRegressor), POINTS),
    "interop.jax_loss": lambda: c(fast()),
    "interop.torch_loss": lambda: c(fast()),
    "krylov.hessian_operator": over(lambda: graph(), lambda output: c(output, leaves(output))),
    "krylov.hessian_products": over(lambda: graph(), lambda output: c(output, leaves(output))),
    # drawings and plots
    "draw": lambda: c(graph()),
    "explain": lambda: c(graph()),
    "plot_activations": lambda: c(["tanh"]),
    "plot_decision_boundary": lambda: c(mlp(), data.moons(8, rng=0), resolution=3),
    "plot_derivative_error": lambda: c(lambda x: x * x, 1.0),
    "plot_gradient_flow": lambda: c(trained()[0]),
    "plot_history": lambda: c(history()),
    "plot_loss_surface": over(lambda: v(1.0, 2.0), lambda w: c(lambda: w[0] * w[0] + w[1] * w[1], *w, resolution=3)),
    "viz.Chart": lambda: c(line_chart({"loss": [1.0, 2.0]})._canvas),
    "viz.Drawing": lambda: c(mg.draw(graph())._content),
    "viz.Drawing.to_graphviz": lambda: c(mg.draw(graph())),
    "viz.line_chart": lambda: c({"loss": [1.0, 2.0]}),
    # for extenders and testers
    "ops.Op": lambda: c(
        name="cube", symbol="cube", value=lambda xp, x: x**3, derivatives=(lambda xp, z, x: 3 * x**2,), formula="x³"
    ),
    "ops.Op.__call__": lambda: c(square_op(), v(1.0)),
    "ops.Op.bind": lambda: c(TABLE["elu"], 2.0),
    "ops.Op.compute": lambda: c(square_op(), 3.0),
    "ops.Op.differentiate": lambda: c(square_op(), np, 9.0, 3.0),
    "ops.Op.local_derivatives": lambda: c(square_op(), 9.0, 3.0),
    "ops.Op.partial_derivative": lambda: c(square_op(), 0, 9.0, 3.0),
    "ops.Op.record": lambda: c(square_op(), [3.0]),
    "testing.ExpressionGraph": over(lambda: random_graph(), lambda g: c(g.names, g.steps, g.output, g.inputs)),
    "testing.ExpressionGraph.__call__": lambda: c(random_graph(), 1.0, 2.0),
    "testing.Step": lambda: c("a", TABLE["mul"], ("x", "y")),
    "testing.assert_derivative_rule": lambda: c(square_op(), 3.0),
    "testing.assert_gradients_close": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "testing.assert_same_as_torch": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "testing.floats_for": lambda: c(square_op()),
    "testing.graphs": c,
    "testing.inputs_for": lambda: c(square_op()),
    "testing.values": c,
}
"""Makers of valid calls, by the names of the callables."""
