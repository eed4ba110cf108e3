"""plot_activations: every hidden unit's activation function with its derivative."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import returned
from microgradlib._support.checks import real_number
from microgradlib._support.number import number_at
from microgradlib._support.shown import shown
from microgradlib.core.autodiff import grad_table
from microgradlib.core.value import Value
from microgradlib.nn import ACTIVATIONS
from microgradlib.nn.activation import activation_function, activation_name
from microgradlib.plots.axes import axes_of, caption_text, closing_on_error, grid_of_axes, numpy_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["plot_activations"]

_POINTS = 241
_COLOURS = {"f": "#0072b2", "f′": "#d55e00"}


@closing_on_error
def plot_activations(
    activations: Sequence[str | Callable[[Any], Any]] | str | Callable[[Any], Any] | None = None,
    *,
    reach: float = 4.0,
    ax: Any = None,
) -> Any:
    """Plot activation functions f(z), each with its derivative f′(z), and return the Axes, one for each function.

    The derivatives are those that backpropagation uses, at kinks too; a jump is left open.

    Args:
        activations: names or functions of one net input; one of them; by default all of `nn.ACTIVATIONS`, each once.
        reach: z goes from −reach to reach.
        ax: matplotlib Axes for a single function; None makes a new figure.

    Raises:
        MissingExtraError: matplotlib is not installed.
        TypeError: an activation is neither a name nor a function.
        ValueError: an unknown name, a `reach` that is not greater than 0, or `ax` with several functions.

    >>> [axes.get_title() for axes in plot_activations(["relu", "tanh"])]
    ['relu', 'tanh']
    """
    single = activations is not None and (isinstance(activations, str) or callable(activations))
    if not single and not isinstance(activations, (list, tuple, type(None))):
        message = (
            f"plot_activations takes names or functions of one number, or a list of them, got {shown(activations)}"
        )
        raise TypeError(message)
    chosen: list[Any] = [activations] if single else _distinct() if activations is None else list(activations)  # type: ignore[arg-type]
    functions = [activation_function(f) for f in chosen]
    limit = real_number(reach, "reach", gt=0, example=4.0)
    if not functions:
        raise ValueError('plot_activations got no activation: name some, as in ["relu", "tanh"], or none for all')
    if ax is not None and len(functions) > 1:
        message = f"ax holds one activation, got {len(functions)}: leave ax out for several, name one for ax"
        raise ValueError(message)
    if single or ax is not None:
        axes = [axes_of(ax, "plot_activations")]
    else:
        axes = grid_of_axes(len(functions), "plot_activations", columns=min(4, len(functions)), size=(2.6, 2.2))
    for one, name, f in zip(axes, map(activation_name, chosen), functions, strict=True):
        _draw(one, name, f, limit)
    axes[0].legend(fontsize="small")
    return axes[0] if single else axes


def _distinct() -> list[str]:
    """Return the names of the table, without further names of the same function."""
    names: dict[Any, str] = {}
    for name, f in ACTIVATIONS.items():
        names.setdefault(getattr(f, "name", None) or name, name)
    return list(dict.fromkeys(name for name in names.values() if name != "identity"))


def _draw(ax: Any, name: str, f: Callable[[Any], Any], reach: float) -> None:
    np = numpy_for("plot_activations")
    zs = np.linspace(-reach, reach, _POINTS)
    values, slopes = np.array([_value_and_slope(f, z) for z in zs.tolist()]).T
    spacing = zs[1] - zs[0]
    for label, numbers in (("f", values), ("f′", slopes)):
        jumps = np.flatnonzero(np.abs(np.diff(numbers)) > 0.1 + 3 * spacing) + 1
        line = {"color": _COLOURS[label], "linestyle": "-" if label == "f" else "--", "linewidth": 1.6}
        ax.plot(np.insert(zs, jumps, np.nan), np.insert(numbers, jumps, np.nan), label=label, **line)
    ax.axhline(0, color="grey", linewidth=0.5)
    ax.axvline(0, color="grey", linewidth=0.5)
    low, high = np.nanmin([values, slopes]), np.nanmax([values, slopes])
    low, high = max(low, -reach), min(high, reach)
    margin = 0.1 * (high - low + 0.1)
    ax.set(title=caption_text(name), xlim=(-reach, reach), ylim=(low - margin, high + margin))


def _value_and_slope(f: Callable[[Any], Any], z: float) -> tuple[float, float]:
    x = Value(z)
    y = f(x)
    if not isinstance(y, Value):
        return returned(f, [y], number_at)[0], math.nan
    return y.data, grad_table(y).get(x, 0.0)
