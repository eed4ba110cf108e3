"""What can go wrong, one class each."""

from __future__ import annotations

from typing import Any

__all__ = [
    "AnomalyError",
    "DivergedError",
    "DrawingError",
    "ExpressionError",
    "GradcheckError",
    "GraphTooLargeError",
    "LabelError",
    "MicrogradError",
    "MissingExtraError",
    "SavedFileError",
    "SymbolHasNoValueError",
    "TracingError",
]


class MicrogradError(Exception):
    """The base of the library's own errors: catch it to catch them all."""


class AnomalyError(MicrogradError, FloatingPointError):
    """Under `detect_anomaly()`, a value or a gradient became nan or infinite."""


class DivergedError(MicrogradError, FloatingPointError):
    """In training, the loss or its gradient became nan or infinite; `history` is what was recorded until then."""

    def __init__(self, message: str, history: Any = None) -> None:
        super().__init__(message)
        self.history = history


class GradcheckError(MicrogradError, AssertionError):
    """A derivative disagrees with its numeric check; `report` is the whole `GradcheckReport`, the message its text."""

    def __init__(self, report: Any) -> None:
        super().__init__(report)
        self.report = report


class SymbolHasNoValueError(MicrogradError, TypeError):
    """A number or a truth value was asked of a `Symbol`, which has none yet."""


class GraphTooLargeError(MicrogradError, ValueError):
    """A graph has more nodes than was allowed."""


class LabelError(MicrogradError, ValueError):
    """A label that a cost cannot take: no class of the model, no distribution, nan. The message names the example."""


class DrawingError(MicrogradError, RuntimeError):
    """A renderer was there but could not draw."""


class MissingExtraError(MicrogradError, ImportError):
    """An optional dependency is not installed; the message names the extra to install."""


class TracingError(MicrogradError, ValueError):
    """A function cannot be compiled: it does not do the same each time it is called."""


class SavedFileError(MicrogradError, ValueError):
    """A file is not what `save` wrote: damaged, of another format or a later version. Nothing was changed."""


class ExpressionError(MicrogradError, ValueError):
    """A typed expression is not one the parser takes; the message has a caret under the fault."""
