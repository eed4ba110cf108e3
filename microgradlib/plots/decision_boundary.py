"""plot_decision_boundary: what a model decides, over the plane of its inputs, with the examples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from microgradlib._support.checks import WholeNumber, real_number, whole_number
from microgradlib._support.optional import import_optional
from microgradlib._support.shown import shown
from microgradlib.plots.axes import CLASS_COLOURS, DIVERGING, axes_of, closing_on_error, is_dark, numpy_for
from microgradlib.plots.evaluation import Evaluator
from microgradlib.plots.examples import Points, points_of
from microgradlib.viz.captions import Language, captions

__all__ = ["draw_boundary", "plot_decision_boundary", "sensible_threshold"]

MARKERS: Final = "osD^vPX*"
_MOST_POINTS: Final = 2_000
_EAGER_RESOLUTION: Final = 40
"""The largest resolution for models that cannot be compiled: 1,600 calls of them."""


@closing_on_error
def plot_decision_boundary(
    model: Any,
    data: Any,
    *,
    threshold: float | None = None,
    resolution: WholeNumber = 150,
    lang: Language = "en",
    ax: Any = None,
) -> Any:
    """Plot what the model computes over the plane of its two inputs, and the examples; return the Axes.

    One output: its value as colour, and the line where it is `threshold`. Several outputs: the class of the largest,
    paler where the difference to the second is small against the others. Targets that are numbers: the output as a
    surface of colours, the examples coloured by their targets. For a model of one input it is the curve of the output
    (for a Gaussian output, with mean and precision, a band of ±2σ).

    Args:
        model: a Module, a compiled function of rows, or any function of one row (x₁, x₂); a Module is evaluated in
            evaluation mode and is not changed.
        data: a data set or the pair (inputs, targets) of lists or arrays; inputs have one or two numbers.
        threshold: where one output changes the decision: by default 0.5 if all outputs at the examples are within
            [0, 1] and no target is negative, as with probabilities, else 0.
        resolution: the number of grid points along each axis, at least 2.
        lang: the language of the captions, "en" or "zh".
        ax: matplotlib Axes; None makes a new figure.

    Raises:
        MissingExtraError: matplotlib is not installed.
        TypeError, ValueError: the data are of another form, or have more than two inputs; or an unknown language.

    >>> from microgradlib.data import xor
    >>> from microgradlib.nn import MLP
    >>> axes = plot_decision_boundary(MLP([2, 4, 1], rng=0), xor(), resolution=20)
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('a', 'b')
    """
    say = captions(lang)
    if not callable(model):
        message = f"plot_decision_boundary takes a Module or a function of one row of inputs, got {shown(model)}"
        raise TypeError(message)
    points = points_of(data, "plot_decision_boundary")
    resolution = whole_number(resolution, "resolution", 2, example=150)
    if threshold is not None:
        threshold = real_number(threshold, "threshold", example=0.5)
    if points.inputs.shape[1] > 2:
        message = (
            f"plot_decision_boundary draws models of one or two inputs, these data have {points.inputs.shape[1]}: "
            "choose two of them, as in [(row[0], row[1]) for row in data.inputs], and train a model on these"
        )
        raise ValueError(message)
    evaluate = Evaluator(model)
    at_points = evaluate(points.inputs)
    if threshold is None:
        threshold = sensible_threshold(at_points, points)
    axes = axes_of(ax, "plot_decision_boundary")
    resolution = resolution if evaluate.is_fast else _EAGER_RESOLUTION
    draw_boundary(axes, evaluate, points, threshold, resolution, say=say)
    return axes


def sensible_threshold(outputs: Any, points: Points) -> float:
    """Return the threshold of one output: 0.5 for outputs that look like probabilities, else 0."""
    if (outputs >= 0).all() and (outputs <= 1).all() and (points.targets >= 0).all():
        return 0.5
    return 0.0


def draw_boundary(
    ax: Any, evaluate: Evaluator, points: Points, threshold: float, resolution: int, *, say: Callable[..., str]
) -> None:
    """Draw outputs and examples into `ax`, which is assumed to be empty, with captions as `say` has them."""
    if points.inputs.shape[1] == 1:
        _draw_curve(ax, evaluate, points, threshold, resolution, say=say)
        return
    np = numpy_for("plot_decision_boundary")
    low, high = points.inputs.min(0), points.inputs.max(0)
    margin = np.where(high > low, 0.12 * (high - low), 0.5)
    xs, ys = (np.linspace(low[i] - margin[i], high[i] + margin[i], resolution) for i in range(2))
    grid_x, grid_y = np.meshgrid(xs, ys)
    outputs = evaluate(np.column_stack([grid_x.ravel(), grid_y.ravel()]))
    shape = grid_x.shape
    if outputs.shape[1] > 1 and points.is_classification:
        _draw_classes(ax, xs, ys, outputs.reshape(*shape, -1))
    else:
        _draw_score(ax, xs, ys, outputs[:, 0].reshape(shape), points=points, threshold=threshold, say=say)
    _draw_points(ax, points, points.inputs[:, 1])
    names = points.feature_names or ("x₁", "x₂")
    ax.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]), xlabel=names[0], ylabel=names[1])


def _draw_score(
    ax: Any, xs: Any, ys: Any, score: Any, *, points: Points, threshold: float, say: Callable[..., str]
) -> None:
    np, colors = (import_optional(name, "plot_decision_boundary") for name in ("numpy", "matplotlib.colors"))
    finite = score[np.isfinite(score)]
    if not points.is_classification:
        values = np.concatenate([finite, points.targets])
        norm = colors.Normalize(values.min(), values.max())
        image = ax.pcolormesh(xs, ys, score, cmap="viridis", norm=norm, shading="nearest", rasterized=True)
        ax.figure.colorbar(image, ax=ax, label=say("output"))
        return
    reach = float(np.abs(finite - threshold).max()) if finite.size else 1.0
    low, high = (colors.to_rgb(CLASS_COLOURS[i]) for i in range(2))
    paper = (0.08, 0.1, 0.13) if is_dark(ax) else (1.0, 1.0, 1.0)
    cmap = colors.LinearSegmentedColormap.from_list("sides", [_mixed(low, paper), paper, _mixed(high, paper)])
    norm = colors.Normalize(threshold - (reach or 1.0), threshold + (reach or 1.0))
    ax.pcolormesh(xs, ys, score, cmap=cmap, norm=norm, shading="nearest", rasterized=True)
    if finite.size and finite.min() < threshold < finite.max():
        ink = "white" if is_dark(ax) else "black"
        ax.contour(xs, ys, score, levels=[threshold], colors=[ink], linewidths=1.5)


def _mixed(colour: tuple[float, ...], paper: tuple[float, ...], share: float = 0.55) -> tuple[float, ...]:
    return tuple([share * c + (1 - share) * p for c, p in zip(colour, paper, strict=True)])


def _draw_classes(ax: Any, xs: Any, ys: Any, outputs: Any) -> None:
    np, colors = (import_optional(name, "plot_decision_boundary") for name in ("numpy", "matplotlib.colors"))
    decision = outputs.argmax(2)
    ordered = np.sort(outputs, 2)
    lead = ordered[..., -1] - ordered[..., -2]
    strength = 0.15 + 0.4 * np.clip(lead / (np.nanquantile(lead, 0.9) or 1.0), 0.0, 1.0)
    palette = np.array([colors.to_rgb(CLASS_COLOURS[k % len(CLASS_COLOURS)]) for k in range(outputs.shape[2])])
    picture = np.concatenate([palette[decision], np.nan_to_num(strength)[..., None]], 2)
    half_x, half_y = (xs[1] - xs[0]) / 2, (ys[1] - ys[0]) / 2
    extent = (xs[0] - half_x, xs[-1] + half_x, ys[0] - half_y, ys[-1] + half_y)
    ax.imshow(picture, origin="lower", extent=extent, aspect="auto", interpolation="nearest")
    ink = "white" if is_dark(ax) else "black"
    for k in range(outputs.shape[2]):
        mine = (decision == k).astype(float)
        if 0 < mine.sum() < mine.size:
            ax.contour(xs, ys, mine, levels=[0.5], colors=[ink], linewidths=1.0)


def _draw_points(ax: Any, points: Points, heights: Any) -> None:
    np = numpy_for("plot_decision_boundary")
    chosen = np.linspace(0, len(heights) - 1, min(len(heights), _MOST_POINTS)).astype(int)
    x, y, targets = points.inputs[chosen, 0], heights[chosen], points.targets[chosen]
    edge = "black" if is_dark(ax) else "white"
    if not points.is_classification:
        collection = ax.collections[0] if ax.collections else None
        scale = {"cmap": collection.cmap, "norm": collection.norm} if collection is not None else {"cmap": DIVERGING}
        ax.scatter(x, y, c=targets, s=28, edgecolors="black", linewidths=0.7, **scale)
        return
    labels = sorted(set(points.targets.tolist()))
    for place, label in enumerate(labels):
        mine = targets == label
        k = int(label) if points.class_names else place
        name = points.class_names[k] if points.class_names else f"{label:g}"
        colour = CLASS_COLOURS[k % len(CLASS_COLOURS)]
        marker = MARKERS[k % len(MARKERS)]
        ax.scatter(x[mine], y[mine], s=28, color=colour, marker=marker, edgecolors=edge, linewidths=0.7, label=name)
    if 1 < len(labels) <= 8:
        ax.legend(loc="best", fontsize="small", framealpha=0.85)


def _draw_curve(
    ax: Any, evaluate: Evaluator, points: Points, threshold: float, resolution: int, *, say: Callable[..., str]
) -> None:
    np = numpy_for("plot_decision_boundary")
    low, high = points.inputs.min(), points.inputs.max()
    margin = 0.12 * (high - low) or 0.5
    xs = np.linspace(low - margin, high + margin, max(resolution, 100))
    outputs = evaluate(xs[:, None])
    ink = "white" if is_dark(ax) else "black"
    gaussian = getattr(getattr(evaluate.function, "layers", [None])[-1], "precision", None) is not None
    if gaussian and outputs.shape[1] == 2:
        spread = 2 / np.sqrt(outputs[:, 1])
        band = (outputs[:, 0] - spread, outputs[:, 0] + spread)
        ax.fill_between(xs, *band, color=CLASS_COLOURS[0], alpha=0.2, label="±2σ")
        outputs = outputs[:, :1]
    for k in range(outputs.shape[1]):
        ax.plot(
            xs,
            outputs[:, k],
            label=say("output {k}", k=k) if outputs.shape[1] > 1 else say("output"),
            color=CLASS_COLOURS[k % 8],
        )
    if points.is_classification:
        if outputs.shape[1] == 1:
            ax.axhline(threshold, color=ink, linewidth=0.8, linestyle=":")
        _draw_points(ax, points, points.targets)
    else:
        ax.scatter(points.inputs[:, 0], points.targets, s=18, color=ink, alpha=0.6, linewidths=0, label=say("examples"))
    ax.set(xlim=(xs[0], xs[-1]), xlabel=(points.feature_names or ("x",))[0], ylabel=say("output"))
    ax.legend(fontsize="small")
