"""plot_loss_surface: the loss over two of its parameters, with the path of a training run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import returned
from microgradlib._support.checks import WholeNumber, boolean, real_number, whole_number
from microgradlib._support.display import names as names_in
from microgradlib._support.number import number_at
from microgradlib._support.optional import import_optional
from microgradlib._support.shown import shown
from microgradlib.compiler import compile as compiled
from microgradlib.core.graph import descendants, topological_sort
from microgradlib.core.modes import no_grad
from microgradlib.core.node import Node
from microgradlib.core.value import Value
from microgradlib.plots.axes import axes_of, caption_text, closing_on_error, is_dark, numpy_for
from microgradlib.plots.evaluation import Evaluator
from microgradlib.viz.captions import Language, captions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["plot_loss_surface"]

_LEVELS = 24
_RESOLUTION, _EAGER_RESOLUTION = 61, 31
"""Points along each axis, where nothing else is asked for: compiled, and one point after another."""


@closing_on_error
def plot_loss_surface(
    loss: Value | Callable[[], Any],
    w1: Value,
    w2: Value,
    *,
    path: Sequence[Sequence[float]] | None = None,
    span: float | None = None,
    resolution: WholeNumber | None = None,
    log: bool = False,
    lang: Language = "en",
    ax: Any = None,
) -> Any:
    """Plot the loss over the numbers of two parameters as contour lines, and a path among them; return the Axes.

    All other parameters keep their numbers, so it is a section of the loss. The numbers of w1 and w2 are the same
    after the call as before.

    Args:
        loss: the output of a graph, whose ops are computed again at each point (a branch of Python's own, such as an
            `if` on a number, is as it was when the graph was built); or a function without arguments that computes the
            loss from the present numbers of w1 and w2.
        w1: the leaf Value of the horizontal axis.
        w2: the leaf Value of the vertical axis.
        path: the points (w1, w2) of a training run, in order; its last point is marked by a star.
        span: how far the plot reaches from its centre, in both directions; by default so far that the path fits with a
            margin, or 2 + |w| without a path.
        resolution: the number of grid points along each axis, at least 2; by default 61, or 31 where the loss cannot be
            compiled.
        log: lines at equal steps of log loss, for a loss that is greater than 0 everywhere.
        lang: the language of the captions, "en" or "zh".
        ax: matplotlib Axes; None makes a new figure.

    Raises:
        MissingExtraError: matplotlib is not installed.
        TypeError: `loss` is neither a Value nor a function, or w1 or w2 is no leaf Value.
        ValueError: a Value as loss does not depend on w1 or w2, w1 is w2, or an entry of `path` is no pair of finite
            numbers; or an unknown language.

    >>> w, b = Value(0.5, label="w"), Value(0.0, label="b")
    >>> axes = plot_loss_surface((2 * w + b - 3) ** 2, w, b, path=[(0.0, 0.0), (0.9, 0.4)], resolution=9)
    >>> axes.get_xlabel(), axes.get_ylabel(), w.data
    ('w', 'b', 0.5)
    """
    np = numpy_for("plot_loss_surface")
    _check_parameters(loss, w1, w2)
    say, log = captions(lang), boolean(log, "log")
    points = _path(path)
    surface = _Surface(loss, w1, w2)
    if resolution is None:
        resolution = _RESOLUTION if surface.is_fast else _EAGER_RESOLUTION
    resolution = whole_number(resolution, "resolution", 2, example=_RESOLUTION)
    if span is not None:
        span = real_number(span, "span", gt=0, example=2)
    xs, ys = (np.linspace(*_limits(w.data, points[:, i], span), resolution) for i, w in enumerate((w1, w2)))
    grid = np.array([(x, y) for y in ys for x in xs])
    values = surface(grid).reshape(resolution, resolution)
    levels = _levels(values, log=log)
    axes = axes_of(ax, "plot_loss_surface")
    _draw(axes, (xs, ys, values), levels, say("loss"), log=log)
    if len(points):
        ink = "white" if is_dark(axes) else "black"
        axes.plot(points[:, 0], points[:, 1], color=ink, linewidth=1.4, marker="o", markersize=3, label=say("path"))
        axes.plot(*points[-1], marker="*", markersize=13, color="#d55e00", markeredgecolor=ink, linestyle="none")
    names = [caption_text(surface.names.get(w, name)) for w, name in ((w1, "w1"), (w2, "w2"))]
    axes.set(xlabel=names[0], ylabel=names[1], xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
    return axes


def _check_parameters(loss: Any, w1: Any, w2: Any) -> None:
    for name, w in (("w1", w1), ("w2", w2)):
        if not isinstance(w, Value) or w.parents:
            message = f"{name} must be a leaf Value, such as a parameter of the model, got {shown(w)}"
            raise TypeError(message)
    if w1 is w2:
        raise ValueError("w1 and w2 are the same Value: choose two parameters, one for each axis")
    if isinstance(loss, Value):
        below = set(topological_sort(loss))
        for name, w in (("w1", w1), ("w2", w2)):
            if w not in below:
                label = shown(w.label) if w.label else "without a label"
                message = f"the loss does not depend on {name} ({label}); choose another one"
                raise ValueError(message)
    elif isinstance(loss, Node) or not callable(loss):
        message = f"loss must be a Value or a function without arguments that computes it, got {shown(loss)}"
        raise TypeError(message)


def _path(path: Sequence[Sequence[float]] | None) -> Any:
    np = numpy_for("plot_loss_surface")
    try:
        points = np.array([[float(x) for x in point] for point in ([] if path is None else path)], dtype=float)
        points = points.reshape(0, 2) if not points.size else points
        fits = points.ndim == 2 and points.shape[1] == 2
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ValueError("path must be a list of pairs (w1, w2), as in path.append((w1.data, w2.data)) after each step")
    if not np.isfinite(points).all():
        message = f"path has inf or nan, first at step {int(np.isfinite(points).all(axis=1).argmin())}: leave these out"
        raise ValueError(message)
    return points


def _limits(centre: float, path: Any, span: float | None) -> tuple[float, float]:
    if not len(path):
        reach = 2 + abs(centre) if span is None else span
        return centre - reach, centre + reach
    low, high = float(path.min()), float(path.max())
    middle, reach = (low + high) / 2, max(0.65 * (high - low), 0.25) if span is None else span
    return middle - reach, middle + reach


class _Surface:
    """The loss at many pairs of numbers (w1, w2): compiled where that is possible, else one pair after another.

    A function is compiled by the graph that it builds, if tracing finds that no branch of Python's own depends on
    numbers. `is_fast`: whether a compiled program runs.
    """

    def __init__(self, loss: Value | Callable[[], Any], w1: Value, w2: Value) -> None:
        graph = loss if isinstance(loss, Value) else _graph_of(loss)
        self.loss, self.parameters = loss, (w1, w2)
        self.evaluate = None if graph is None else Evaluator(_rebuilding(graph, w1, w2))
        if self.evaluate is not None:
            self.evaluate([[w1.data, w2.data]])
        self.is_fast = self.evaluate is not None and self.evaluate.is_fast
        self.names = names_in(topological_sort(*([w1, w2] if graph is None else [graph, w1, w2])))

    def __call__(self, grid: Any) -> Any:
        """Return an array with the loss of each row of `grid`."""
        np = numpy_for("plot_loss_surface")
        if self.evaluate is not None and (self.is_fast or isinstance(self.loss, Value)):
            return self.evaluate(grid)[:, 0]
        loss: Any = self.loss
        values = []
        with _restored(*self.parameters), no_grad():
            for row in grid.tolist():
                for w, number in zip(self.parameters, row, strict=True):
                    w.data = number
                values += returned(loss, [loss()], number_at)
        return np.array(values)


def _graph_of(loss: Callable[[], Any]) -> Value | None:
    """Return the graph that a function builds, if it is the same for all numbers of the parameters; else None."""
    graph = loss()
    if not isinstance(graph, Value):
        return None
    leaves = [node for node in topological_sort(graph) if node.op is None]
    try:
        compiled(lambda x: loss() + 0 * x, leaves)([0.0])
    except Exception:  # noqa: BLE001  whatever the compiler refuses, the eager engine may do
        return None
    return graph


def _rebuilding(loss: Value, w1: Value, w2: Value) -> Callable[[Any], Any]:
    """Return the function of a row (w1, w2) that applies again the ops of a graph that depend on them."""
    order = topological_sort(loss)
    numbers = {node: node.data for node in order}
    moved = descendants(order, [w1, w2])
    ops = [node for node in order if node in moved and node.op is not None]

    def rebuilt(row: Any) -> Any:
        new: dict[Any, Any] = {w1: row[0], w2: row[1]}
        for node in ops:
            op: Any = node.op
            new[node] = op(*[new.get(parent, numbers[parent]) for parent in node.parents])
        return new.get(loss, numbers[loss])

    return rebuilt


@contextmanager
def _restored(*parameters: Value) -> Iterator[None]:
    """Give the parameters their present numbers again at the end of the block, however it ends."""
    numbers = [w.data for w in parameters]
    try:
        yield
    finally:
        for w, number in zip(parameters, numbers, strict=True):
            w.data = number


def _levels(values: Any, *, log: bool) -> Any:
    """Return the levels of the contour lines, from the lowest to the highest finite number.

    Raises `ValueError` without a finite number, and with `log` for one that is not greater than 0.
    """
    np = numpy_for("plot_loss_surface")
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise ValueError("the loss is inf or nan at every point of the plot: choose another span")
    low, high = float(finite.min()), float(finite.max())
    if log and low <= 0:
        message = f"log=True needs a loss greater than 0 everywhere, the lowest here is {low:g}"
        raise ValueError(message)
    if high <= low:
        high = low + 1.0
    # Levels at equal steps of the square root above the minimum: dense in the valley, where training ends.
    return np.geomspace(low, high, _LEVELS) if log else low + (high - low) * np.linspace(0, 1, _LEVELS) ** 2


def _draw(ax: Any, surface: tuple[Any, Any, Any], levels: Any, label: str, *, log: bool) -> None:
    np, (xs, ys, values), (low, high) = numpy_for("plot_loss_surface"), surface, (levels[0], levels[-1])
    norm = import_optional("matplotlib.colors", "plot_loss_surface").PowerNorm(0.5, vmin=low, vmax=high)
    if log:
        norm = import_optional("matplotlib.colors", "plot_loss_surface").LogNorm(vmin=low, vmax=high)
    filled = ax.contourf(xs, ys, np.ma.masked_invalid(values), levels=levels, cmap="viridis", norm=norm, extend="max")
    ax.contour(xs, ys, np.ma.masked_invalid(values), levels=levels, colors="white", linewidths=0.4, alpha=0.6)
    ax.figure.colorbar(filled, ax=ax, label=label, format="%.3g")
