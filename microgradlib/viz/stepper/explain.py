"""`explain(output)`: the stepper, which shows a graph and its gradients one edge of the chain rule at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import boolean, positive, real_number, whole_number
from microgradlib._support.lookup import lookup
from microgradlib._support.printable import one_line
from microgradlib._support.shown import shown
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value
from microgradlib.viz.captions import LANGUAGES, Language
from microgradlib.viz.snapshots.arguments import check_names, checked_targets
from microgradlib.viz.snapshots.bindings import is_module
from microgradlib.viz.snapshots.capture import capture
from microgradlib.viz.stepper.explanation import HEIGHT, Explanation, Settings
from microgradlib.viz.stepper.tapes.contracted import closed_at
from microgradlib.viz.stepper.tapes.subject import Subject
from microgradlib.viz.stepper.tapes.training import build_loss
from microgradlib.viz.stepper.title import formula_of
from microgradlib.viz.theme import Theme, check_theme

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from microgradlib._support.checks import WholeNumber
    from microgradlib.nn import Module

__all__ = ["explain"]

Bug = Literal["assign", "stale", "order"]
Mode = Literal["training", "reverse", "forward"]


@in_plain_words
def explain(
    output: Value | Module,
    loss: Callable[[Any, Any], Any] | None = None,
    x: Any = None,
    y: Any = None,
    *,
    lang: Language = "en",
    theme: Theme | None = None,
    mode: Mode | None = None,
    bug: Bug | None = None,
    collapse: str | int | None = None,
    names: Mapping[str, Any] | None = None,
    model: Any = None,
    targets: Iterable[Any] = (),
    title: str | None = None,
    lr: float = 0.1,
    seed: float = 1.0,
    check: bool = True,
    height: WholeNumber = HEIGHT,
) -> Explanation:
    r"""Step through the forward and the backward pass of `output`, one edge of its graph at a time.

    The page has the graph and its `grad_table` side by side. Forward, each value appears with its arithmetic; backward,
    each term of the chain rule

        w.grad += t.grad · ∂t/∂w

    with its numbers, the arrow lit, and the row that it fills (*Deep Learning*, Algorithm 6.2). It goes back as well,
    has a slider on every input, a numeric derivative beside every gradient, a mode in which the next term is to be
    predicted, forward mode beside reverse mode, and wrong programs beside the right one.

    If a leaf has been given another number since the graph was built, the graph is computed anew with it.

    `explain(model, loss, x, y)` steps through one step of gradient descent: forward, backward, the update
    w ← w − η · w.grad of every parameter, and the loss before and after.

    Args:
        output: the Value to explain, or a model, followed by its loss, inputs and target.
        loss: the cost of one example, (output, target) → a Value, as for `fit`.
        x: the inputs of the model, one example.
        y: its target.
        lang: the language of the captions, "en" or "zh".
        theme: "light", "dark", or None for that of the page around it.
        mode: what to begin with, "reverse", "forward" or, for a model, "training", which is its default.
        bug: a wrong program to compare with at first: "assign" (`=` for `+=`), "stale" (a forgotten `zero_grad`) or
            "order" (a wrong order of the nodes).
        collapse: what is closed to one node at first: "neuron", "layer", "step" or "example", or so many of the
            innermost levels of scopes, 0 for none; by default as little as can be for a drawing that can be read. Only
            parts with one output can be closed.
        names: further names of Values, as `locals()` has them.
        model: modules whose parameters are named by their paths.
        targets: the Values that are targets of a cost; no gradient is asked for them.
        title: a heading; by default the formula, if it is short.
        lr: the learning rate η of a training step.
        seed: the gradient of the output.
        check: compute numeric derivatives; in large graphs those of the first inputs, the page computes others.
        height: the height in a notebook, in pixels.

    Raises:
        TypeError: `output` is not a Value, or an argument of a training step is missing.
        ValueError: an unknown word, or a number out of range.
        GraphTooLargeError: the graph is too large to be stepped, even with its parts closed.

    >>> from microgradlib import Value, explain
    >>> w, x = Value(0.5, label="w"), Value(3.0, label="x")
    >>> explanation = explain(w * x)
    >>> explanation
    <Explanation of w · x: 3 nodes, 5 steps>
    >>> print(*explanation.lines[1:4], sep="\n")
    u1 = w · x = 0.5 · 3 = 1.5
    u1.grad = 1
    w.grad += u1.grad · ∂u1/∂w = 1 · 3 → 0 + 3 = 3 (∂u1/∂w = x)
    """
    lookup(lang, dict.fromkeys(LANGUAGES), "language")
    check_theme(theme)
    for word, kind, words in ((mode, "mode", Mode), (bug, "bug", Bug)):
        if word is not None:
            lookup(word, dict.fromkeys(get_args(words)), kind)
    seed, lr, height = real_number(seed, "seed"), positive(lr, "lr", example=0.1), whole_number(height, "height", 300)
    check = boolean(check, "check")
    check_names(model, names)
    meant = checked_targets(targets)
    rate = None
    if loss is not None or x is not None or y is not None or callable(output):
        output, model, rate = _training_step(output, loss, x, y), output, lr
        names = {"L": output, **(names or {})}
        title = f"L = {_called(loss)}({type(model).__name__}(x), y)" if title is None else title
    mode = mode or ("reverse" if rate is None else "training")
    if mode == "training" and rate is None:
        raise ValueError(_NO_TRAINING)
    if not isinstance(output, Value):
        raise TypeError(_not_a_value(output))
    captured = capture(output, model=model, names=names, targets=meant)
    subject = Subject.of(captured, seed=seed, rate=rate, checked=check)
    if collapse is not None:
        closed_at(subject.groups, collapse)
    heading = one_line(str(title)) if title is not None else formula_of(subject.groups, subject.live)
    explanation = Explanation(subject, Settings(heading, lang, theme, mode, bug, collapse, height))
    _ = explanation.tape  # errors are raised here, not when a notebook displays it; later changes of Values do not show
    return explanation


def _called(loss: Any) -> str:
    """Return the name of a loss, that of a function of Python's or of an object."""
    name: str = getattr(loss, "__name__", type(loss).__name__)
    return "loss" if name == "<lambda>" else name


_NO_TRAINING: Final = 'mode="training" needs a model: write explain(model, loss, x, y)'


def _training_step(model: Any, loss: Any, x: Any, y: Any) -> Value:
    if not is_module(model) or not callable(loss) or x is None or y is None:
        message = (
            "a training step needs a model, a loss, inputs and a target, as in explain(model, squared_error, [1.0, 2], "
            f"0.5); got explain({shown(model)}, {shown(loss)}, {shown(x)}, {shown(y)})"
        )
        raise TypeError(message)
    return build_loss(model, loss, x, y)


def _not_a_value(output: Any) -> str:
    if isinstance(output, Symbol):
        given = shown(output)
        return f"explain shows numbers, and {given} has none: evaluate(output, {{symbol: Value(2.0)}}) gives a Value"
    if isinstance(output, (list, tuple)):
        return f"explain takes one Value, got a {type(output).__name__} of {len(output)}: explain one, or their sum"
    return f"explain takes a Value, or a model with loss, x and y; got {shown(output)}"
