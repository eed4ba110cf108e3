"""Results that show themselves in cells: gradient tables, Values, models, reports, histories, data sets.

`render` finds the writer of a thing by the name of its class, so that rooms above this one can have writers here too.
"""

from __future__ import annotations

from typing import Final

from microgradlib._support.interrupts import import_whole

__all__ = ["render"]

WRITERS: Final = {
    "microgradlib.core.tables.NodeTable": "node_tables.gradient_table",
    "microgradlib.core.tables.TangentTable": "node_tables.tangents_table",
    "microgradlib.core.value.Value": "nodes.value",
    "microgradlib.core.symbol.Symbol": "nodes.symbol",
    "microgradlib.core.kinks.Kinks": "nodes.kinks_table",
    "microgradlib.nn.module.Module": "reports.model",
    "microgradlib.nn.module.NamedParameters": "reports.parameters",
    "microgradlib.nn.summary.Summary": "reports.summary",
    "microgradlib.numeric.report.GradcheckReport": "reports.gradient_check",
    "microgradlib.numeric.extrapolation.NumericDerivative": "reports.numeric_derivative",
    "microgradlib.numeric.taylor.TaylorRemainder": "reports.taylor_remainder",
    "microgradlib.data.dataset.Dataset": "reports.data_set",
    "microgradlib.data.dataset.RegressionDataset": "reports.data_set",
    "microgradlib.compiler.program.Program": "programs.program",
    "microgradlib.compiler.batched.Batched": "programs.compiled",
    "microgradlib.training.history.History": "programs.history",
}
"""The function that writes each class: writer(thing, rows) returns an object with the attributes `html` and `text`."""


def render(form: str, thing: object, rows: int | None) -> str | None:
    """Return a thing in the form "html", "latex" or "text"; None if it has no such form."""
    for kind in type(thing).__mro__:
        writer = WRITERS.get(f"{kind.__module__}.{kind.__qualname__}")
        if writer:
            module, _, function = writer.rpartition(".")
            written = getattr(import_whole(f"{__name__}.{module}"), function)(thing, rows)
            result: str | None = getattr(written, form, None)
            return result
    return None
