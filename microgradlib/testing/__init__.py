"""Property tests of derivatives: Hypothesis strategies for inputs and whole graphs, and assertions that compare.

    @given(graphs())
    def test_gradients(graph):
        assert_gradients_close(graph, graph.inputs)

Needs Hypothesis: `pip install "microgradlib[testing]"`.
"""

from microgradlib.errors import MissingExtraError

try:
    import hypothesis as _hypothesis  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    message = 'microgradlib.testing needs Hypothesis, which is not installed: pip install "microgradlib[testing]"'
    raise MissingExtraError(message) from None

from microgradlib.testing.agreement import assert_gradients_close
from microgradlib.testing.expression_graph import ExpressionGraph, Step
from microgradlib.testing.graphs import graphs
from microgradlib.testing.points import floats_for, inputs_for, values
from microgradlib.testing.rules import assert_derivative_rule

__all__ = [
    "ExpressionGraph",
    "Step",
    "assert_derivative_rule",
    "assert_gradients_close",
    "floats_for",
    "graphs",
    "inputs_for",
    "values",
]
