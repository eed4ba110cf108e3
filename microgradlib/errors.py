"""The exceptions that the library defines."""

from __future__ import annotations

from typing import Any

__all__ = [
    "AnomalyError",
    "ChangedDataError",
    "DivergedError",
    "DrawingError",
    "ExpressionError",
    "GradcheckError",
    "GraphTooLargeError",
    "LabelError",
    "LostDerivativeWarning",
    "MicrogradError",
    "MissingExtraError",
    "MissingRuleError",
    "SavedFileError",
    "SymbolHasNoValueError",
    "TracingError",
]


class MicrogradError(Exception):
    """The base class of the library's own errors."""


class AnomalyError(MicrogradError, FloatingPointError):
    """Under `detect_anomaly()`, a value or a gradient became nan or infinite."""


class ChangedDataError(MicrogradError, RuntimeError):
    """A number was assigned to a Value after others had been computed from it, and these are to be differentiated."""


class DivergedError(MicrogradError, FloatingPointError):
    """In training, the loss or its gradient became nan or infinite; `history` holds the epochs completed before."""

    def __init__(self, message: str, history: Any = None) -> None:
        super().__init__(message)
        self.history = history


class GradcheckError(MicrogradError, AssertionError):
    """A derivative disagrees with its numeric check; `report` is the whole `GradcheckReport`, the message its text."""

    def __init__(self, report: Any) -> None:
        super().__init__(report)
        self.report = report


class SymbolHasNoValueError(MicrogradError, TypeError):
    """A `Symbol`, which has no data, was used as a number or as a truth value."""


class GraphTooLargeError(MicrogradError, ValueError):
    """A graph has more nodes than the limit allows."""


class LabelError(MicrogradError, ValueError):
    """A target label is nan, or neither a class of the model nor a distribution; the message names the example."""


class LostDerivativeWarning(UserWarning):
    """In a function that is being differentiated, a number was taken out of a Value: a constant, of derivative 0."""


class DrawingError(MicrogradError, RuntimeError):
    """An installed renderer failed to draw."""


class MissingExtraError(MicrogradError, ImportError):
    """An optional dependency is not installed; the message names the extra to install."""


class MissingRuleError(MicrogradError, TypeError):
    """A node that a program made by hand, with numbers instead of a rule, was asked for what only a rule can give."""


class TracingError(MicrogradError, ValueError):
    """A function cannot be compiled: it does not perform the same operations at every call."""


class SavedFileError(MicrogradError, ValueError):
    """A file is damaged, of another format, or of a later version than `save` writes; loading it changed nothing."""


class ExpressionError(MicrogradError, ValueError):
    """A typed expression cannot be parsed; the message marks the place with a caret."""
