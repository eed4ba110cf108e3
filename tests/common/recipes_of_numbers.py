"""Valid calls of functions of numbers and graphs: values, derivatives, formulas, checks, costs."""

from __future__ import annotations

from collections.abc import Callable

from call_arguments import ROW, Call, c, cost, graph, leaves, mlp, over, report, rng, square_op, v

from microgradlib import Symbol, Value, costs, numeric, regularisers

__all__ = ["OF_NUMBERS"]

OF_NUMBERS: dict[str, Callable[[], Call]] = {
    # values and graphs
    "Symbol": lambda: c("x"),
    "Value": lambda: c(2.0, label="x"),
    "Value.backward": lambda: c(graph()),
    "Value.constant": lambda: c(1.0),
    "Symbol.constant": lambda: c(1.0),
    "evaluate": over(lambda: Symbol("x"), lambda x: c(x * 2.0, {x: 1.0})),
    "grad_table": lambda: c(graph()),
    "gradients": over(lambda: graph(), lambda output: c(output, leaves(output))),
    "tangent_table": over(lambda: graph(), lambda output: c(output, dict.fromkeys(leaves(output), 1.0))),
    "topological_sort": lambda: c(graph()),
    "kinks": lambda: c(graph()),
    "no_grad": c,
    "detect_anomaly": c,
    "scope": lambda: c("layer", formula="x"),
    "name": lambda: c({"x": Value(1.0)}),
    "define_op": lambda: c("cube", lambda xp, x: x**3, [lambda xp, z, x: 3 * x**2], formula="x³"),
    "engine.declare_attributes": lambda: c("temperature"),
    # derivatives
    "grad": lambda: c(lambda x: x * x),
    "value_and_grad": lambda: c(lambda x: x * x),
    "elementwise_grad": lambda: c(lambda x: x * x),
    "jacobian": lambda: c(lambda x: [x[0] * x[1], x[0]]),
    "hessian": lambda: c(lambda x: x[0] * x[1]),
    "hvp": lambda: c(lambda x: x[0] * x[1], [1.0, 2.0], [1.0, 0.0]),
    "jvp": lambda: c(lambda x: x * x, (3.0,), (1.0,)),
    "vjp": lambda: c(lambda x: x * x, 3.0),
    # lists
    "sum": lambda: c(v(1.0, 2.0)),
    "dot": lambda: c(v(1.0, 2.0), [3.0, 4.0], v(1.0)),
    "linear": lambda: c([v(1.0, 2.0), v(3.0, 4.0)], [3.0, 4.0], v(1.0, 2.0)),
    "matvec": lambda: c([v(1.0, 2.0), v(3.0, 4.0)], [3.0, 4.0]),
    "dist": lambda: c(v(1.0, 2.0), [3.0, 4.0]),
    "std": lambda: c(v(1.0, 2.0)),
    "var": lambda: c(v(1.0, 2.0)),
    "maximum": lambda: c(v(1.0), 2.0),
    "minimum": lambda: c(v(1.0), 2.0),
    "sample": lambda: c([0.25, 0.75], rng()),
    "sample_from_logits": lambda: c([0.25, 0.75], rng()),
    # symbolic
    "simplify": lambda: c(graph()),
    "to_text": lambda: c(graph()),
    "to_latex": lambda: c(graph()),
    "to_sympy": lambda: c(graph()),
    "explain_gradient": over(lambda: graph(), lambda output: c(output, leaves(output)[0])),
    "symbolic.show": lambda: c(graph()),
    "symbolic.formula_holds": lambda: c(square_op(), 0, [3.0], 9.0, 6.0),
    "symbolic.local_derivative_formula": lambda: c(square_op(), 0, ["x"], "z"),
    "symbolic.value_formula": lambda: c(square_op(), ["x"]),
    # numeric
    "gradcheck": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "numeric_gradient": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "numeric.complex_step_derivative": lambda: c(lambda x: x * x, 1.0),
    "numeric.numeric_derivative": lambda: c(lambda x: x * x, 1.0),
    "numeric.numeric_derivatives": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "numeric.taylor_slope": lambda: c(lambda x, y: x * y, [1.0, 2.0]),
    "numeric.GradcheckReport": over(lambda: report(), lambda r: c(r.point, r.value, r.checks, r.second, r.taylor)),
    "numeric.GradcheckReport.headline": lambda: c(report()),
    "numeric.GradcheckReport.notes": lambda: c(report()),
    "numeric.GradcheckReport.rows": lambda: c(report(), 3),
    "numeric.GradcheckReport.show": lambda: c(report()),
    "numeric.NumericDerivative": lambda: c(2.0, 1e-9, 1e-3),
    "numeric.NumericDerivative.show": lambda: c(numeric.numeric_derivative(lambda x: x * x, 1.0)),
    # costs
    "costs.absolute_error": cost(lambda: v(0.5, 1.0), lambda: [1.0, 2.0]),
    "costs.squared_error": cost(lambda: v(0.5, 1.0), lambda: [1.0, 2.0]),
    "costs.smooth_l1": cost(lambda: v(0.5, 1.0), lambda: [1.0, 2.0]),
    "costs.huber": cost(lambda: v(0.5, 1.0), lambda: [1.0, 2.0]),
    "costs.poisson_nll": cost(lambda: v(0.5, 1.0), lambda: [1.0, 2.0]),
    "costs.hinge": cost(lambda: v(0.5), lambda: 1),
    "costs.binary_cross_entropy": cost(lambda: v(0.5), lambda: 1),
    "costs.binary_cross_entropy_with_logits": cost(lambda: v(0.5), lambda: 1),
    "costs.cross_entropy": cost(lambda: v(0.5, 1.0, 2.0), lambda: 1),
    "costs.cross_entropy_from_probabilities": cost(lambda: v(0.5, 0.25, 0.25), lambda: 1),
    "costs.nll": cost(lambda: v(-0.5, -1.0, -2.0), lambda: 1),
    "costs.kl_div": cost(lambda: v(-0.5, -1.0), lambda: [0.5, 0.5]),
    "costs.gaussian_nll": cost(lambda: (v(0.5), v(1.0)), lambda: 1.0),
    "costs.multivariate_gaussian_nll": cost(
        lambda: (v(0.5, 1.0), costs.cholesky_factor(v(0.0, 0.5, 0.0))), lambda: [1.0, 2.0]
    ),
    "costs.cholesky_factor": lambda: c(v(0.0, 0.5, 0.0)),
    "costs.decision_of": lambda: c(costs.cross_entropy),
    "costs.nll_of": lambda: c(lambda output, target: -((output - target) ** 2)),
    "costs.scale_gradient": lambda: c(v(1.0), 2.0),
    # regularisers
    "regularisers.L1": lambda: c(0.1),
    "regularisers.L2": lambda: c(0.1),
    "regularisers.L1.__call__": lambda: c(regularisers.L1(0.1), mlp()),
    "regularisers.L2.__call__": lambda: c(regularisers.L2(0.1), mlp()),
    "regularisers.TangentPropagation": lambda: c([1.0, 0.0]),
    "regularisers.TangentPropagation.__call__": lambda: c(regularisers.TangentPropagation([1.0, 0.0]), mlp(), ROW),
    "regularisers.l1_norm": lambda: c(v(1.0, 2.0), 0.1),
    "regularisers.l2_norm": lambda: c(v(1.0, 2.0), 0.1),
}
"""Makers of valid calls, by the names of the callables."""
