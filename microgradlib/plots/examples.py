"""Examples to plot: the inputs and targets of a data set, a pair of lists or arrays, or nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

from microgradlib._support.shown import shown
from microgradlib.plots.axes import caption_text, numpy_for

__all__ = ["Points", "points_of"]


class Points(NamedTuple):
    """Inputs as an array (n, d), targets as an array (n,), the names of the features and of the classes if known."""

    inputs: Any
    targets: Any
    feature_names: tuple[str, ...] = ()
    class_names: tuple[str, ...] = ()
    is_classification: bool = True


def points_of(data: Any, function: str) -> Points:
    """Return `data`, a data set or a pair (inputs, targets), as arrays.

    Whole-number targets are classes if they are at most 20 different ones; else the targets are numbers to predict.

    Raises:
        TypeError: it is neither.
        ValueError: inputs and targets differ in number, are not finite, or there are none.

    >>> points_of(([[0.0, 1.0], [1.0, 0.0]], [0, 1]), "plot").inputs.shape
    (2, 2)
    """
    np = numpy_for(function)
    if isinstance(data, tuple) and len(data) == 2 and not hasattr(data, "inputs"):
        inputs, targets = data
    elif hasattr(data, "inputs") and hasattr(data, "targets"):
        inputs, targets = data.inputs, data.targets
    else:
        message = f"{function} takes a data set or a pair (inputs, targets), got {shown(data)}"
        raise TypeError(message)
    try:
        x, y = np.array(inputs, dtype=float), np.array(targets, dtype=float)
    except (TypeError, ValueError) as error:
        message = f"{function} takes inputs and targets that are numbers, all rows of one length ({error})"
        raise TypeError(message) from None
    x = x[:, None] if x.ndim == 1 else x
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y.argmax(1) if y.ndim == 2 and y.size else y
    if x.ndim != 2 or y.ndim != 1 or len(x) != len(y) or not len(x):
        message = (
            f"{function} takes one target for each row of inputs, at least one, "
            f"got inputs of shape {x.shape} and targets of shape {y.shape}"
        )
        raise ValueError(message)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        message = f"{function} takes finite inputs and targets; remove the examples with inf or nan"
        raise ValueError(message)
    classes = tuple(map(caption_text, getattr(data, "class_names", ())))
    is_whole = bool((y == np.round(y)).all()) and len(np.unique(y)) <= 20
    is_classification = bool(classes) or (is_whole and not hasattr(data, "target_name"))
    return Points(x, y, tuple(map(caption_text, getattr(data, "feature_names", ()))), classes, is_classification)
