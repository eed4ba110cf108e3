"""Property tests of derivatives: Hypothesis strategies for inputs and whole graphs, and assertions.

Reverse, forward, symbolic and numeric differentiation compared over random graphs, without Hypothesis's limit of 0.2 s
for each, which a large graph on a busy machine may exceed:

>>> from hypothesis import given, settings
>>> @settings(deadline=None)
... @given(graphs())
... def test_gradients(graph):
...     assert_gradients_close(graph, graph.inputs)
>>> test_gradients()

The derivative of an op that you define, tested at random inputs:

>>> from microgradlib.ops import define_op, forget_op
>>> swish = define_op(
...     "swish",
...     value=lambda xp, x: x * xp.sigmoid(x),
...     derivatives=[lambda xp, z, x: xp.sigmoid(x) + z * xp.sigmoid(-x)],
...     formula="x σ(x), derivative σ(x) + x σ(x) σ(−x)",
... )
>>> @settings(deadline=None)
... @given(inputs_for(swish))
... def test_swish(inputs):
...     assert_derivative_rule(swish, *inputs)
>>> test_swish()
>>> forget_op("swish")

`assert_same_as_torch(f, xs)` compares value and gradient with PyTorch's (extra `torch`).

Needs Hypothesis: `pip install "microgradlib[testing]"`.
"""

# ruff: noqa: E402  A missing Hypothesis must raise MissingExtraError before the modules below import it.
from microgradlib._support.optional import import_optional

import_optional("hypothesis", "microgradlib.testing")

from microgradlib.testing.agreement import assert_gradients_close
from microgradlib.testing.expression_graph import ExpressionGraph, Step
from microgradlib.testing.graphs import graphs
from microgradlib.testing.peer_torch import assert_same_as_torch
from microgradlib.testing.points import floats_for, inputs_for, values
from microgradlib.testing.rules import assert_derivative_rule

__all__ = [
    "ExpressionGraph",
    "Step",
    "assert_derivative_rule",
    "assert_gradients_close",
    "assert_same_as_torch",
    "floats_for",
    "graphs",
    "inputs_for",
    "values",
]
