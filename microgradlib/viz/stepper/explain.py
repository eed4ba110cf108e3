"""`explain(output)`: the stepper, which shows a graph and its gradients one edge of the chain rule at a time."""

from __future__ import annotations

import html
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from microgradlib._support.checks import positive, real_number, whole_number
from microgradlib._support.files import write_atomic
from microgradlib._support.lookup import lookup
from microgradlib.core.symbol import Symbol
from microgradlib.core.value import Value
from microgradlib.viz.capture import capture
from microgradlib.viz.stepper.contracted import closed_at
from microgradlib.viz.stepper.sentences import sentences
from microgradlib.viz.stepper.subject import Subject
from microgradlib.viz.stepper.training import build_loss
from microgradlib.viz.stepper.words import LANGUAGES, Language

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Container, Iterable, Mapping

    from microgradlib._support.checks import WholeNumber
    from microgradlib.nn import Module

__all__ = ["Explanation", "explain"]

Theme = Literal["light", "dark"]
Bug = Literal["assign", "stale", "order"]
Mode = Literal["reverse", "forward"]

HEIGHT: Final = 760
"""Pixels of the page in a notebook."""

_LINES: Final = 30
"""So many lines are shown where only text can be."""


class Explanation:
    """The stepper of one graph: `mg.explain` makes it. A notebook displays it; `save` writes one HTML file.

    `html` is a page that needs no network and no kernel, `tape` the data that it shows, `frames` the steps of the pass
    that it begins with, `lines` these steps in words, with their numbers, and `text` all of it for a terminal.
    """

    def __init__(self, subject: Subject, options: Mapping[str, Any]) -> None:
        self._subject = subject
        self._options = dict(options)

    @cached_property
    def tape(self) -> dict[str, Any]:
        """Everything that the page shows, as JSON has it."""
        options = self._options
        tape = self._subject.tape(options["collapse"])
        keys = ("title", "lang", "theme", "bug", "mode")
        return {**tape, **{key: options[key] for key in keys}, "live": False}

    @property
    def level(self) -> dict[str, Any]:
        """The level of detail that is shown first."""
        level: dict[str, Any] = self.tape["levels"][self.tape["start"]]
        return level

    @property
    def _pass(self) -> str:
        return "training" if "training" in self.level and self._options["mode"] == "reverse" else self._options["mode"]

    @property
    def frames(self) -> list[dict[str, Any]]:
        """The steps of the first pass: what happens at each, without numbers."""
        frames: list[dict[str, Any]] = self.level["passes"][self._pass]
        return frames

    @property
    def lines(self) -> list[str]:
        """The steps of the first pass in words, with their numbers."""
        return sentences(self.level, self._pass, self._options["lang"])

    @property
    def text(self) -> str:
        """The steps for a terminal."""
        return "\n".join([repr(self), *[f"  {line}" for line in self.lines]])

    @cached_property
    def html(self) -> str:
        """One self-contained page."""
        from microgradlib.viz.stepper.page_build import page_html

        options = self._options
        page: str = page_html(self.tape, title=options["title"], lang=options["lang"], theme=options["theme"])
        return page

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file, which opens from disk without network, and return the path.

        Raises:
            ValueError: the suffix is not .html or .htm.
            OSError: the file cannot be written.

        """
        target = Path(path)
        if target.suffix.lower() not in {".html", ".htm"}:
            message = f"cannot save {target.name!r}: the stepper is a page, so write a name that ends in .html"
            raise ValueError(message)
        write_atomic(target, self.html.encode())
        return target

    def __repr__(self) -> str:
        level, title = self.level, self._options["title"]
        steps = len(self.frames) - 1
        return f"<Explanation{f' of {title}' if title else ''}: {len(level['nodes'])} nodes, {steps} steps>"

    @property
    def _short_text(self) -> str:
        lines = self.text.splitlines()
        if len(lines) <= _LINES:
            return "\n".join(lines)
        return "\n".join([*lines[:_LINES], f"  … {len(lines) - _LINES} more: print(explanation.text)"])

    def _iframe(self) -> str:
        """Return the page in a frame of its own, so that its styles and scripts and the notebook's stay apart."""
        page = html.escape(self.html, quote=True)
        title = html.escape(self._options["title"] or "backpropagation, step by step", quote=True)
        return (
            f'<iframe srcdoc="{page}" title="{title}" sandbox="allow-scripts allow-downloads" '
            f'style="width:100%;height:{self._options["height"]}px;border:0" loading="lazy"></iframe>'
        )

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, Any]:
        forms: dict[str, Any] = {"text/html": self._iframe(), "text/plain": self._short_text}
        return {
            form: data
            for form, data in forms.items()
            if (not include or form in include) and (not exclude or form not in exclude)
        }


def explain(
    output: Value | Module,
    loss: Callable[[Any, Any], Any] | None = None,
    x: Any = None,
    y: Any = None,
    *,
    lang: Language = "en",
    theme: Theme | None = None,
    mode: Mode = "reverse",
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

    `explain(model, loss, x, y)` steps through one step of gradient descent: forward, backward, the update
    w ← w − η · w.grad of every parameter, and the loss before and after.

    Args:
        output: the Value to explain, or a model, followed by its loss, inputs and target.
        loss: the cost of one example, (output, target) → a Value, as for `fit`.
        x: the inputs of the model, one example.
        y: its target.
        lang: the language of the captions, "en" or "zh".
        theme: "light", "dark", or None for that of the page around it.
        mode: what to begin with, "reverse" or "forward".
        bug: a wrong program to compare with at first: "assign" (`=` for `+=`), "stale" (a forgotten `zero_grad`) or
            "order" (a wrong order of the nodes).
        collapse: what is closed to one node at first: "neuron", "layer", "example", or a depth of nested scopes, 0 for
            nothing. By default nothing is, unless the graph is large. Only parts with one output can be closed.
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
    for word, kind, words in ((theme, "theme", Theme), (mode, "mode", Mode), (bug, "bug", Bug)):
        if word is not None:
            lookup(word, dict.fromkeys(get_args(words)), kind)
    seed, lr, height = real_number(seed, "seed"), positive(lr, "lr", example=0.1), whole_number(height, "height", 300)
    rate = None
    if loss is not None or x is not None or y is not None or callable(output):
        output, model, rate = _training_step(output, loss, x, y), output, lr
    if not isinstance(output, Value):
        raise TypeError(_not_a_value(output))
    captured = capture(output, model=model, names=names, targets=targets)
    subject = Subject.of(captured, seed=seed, rate=rate, checked=check)
    if collapse is not None:
        closed_at(subject.groups, collapse)
    options = {"lang": lang, "theme": theme, "mode": mode, "bug": bug, "collapse": collapse, "height": height}
    explanation = Explanation(subject, {**options, "title": subject.title() if title is None else str(title)})
    _ = explanation.tape  # errors are raised here, not when a notebook displays it; later changes of Values do not show
    return explanation


def _training_step(model: Any, loss: Any, x: Any, y: Any) -> Value:
    if not callable(model) or not callable(loss) or x is None or y is None:
        message = (
            "a training step needs a model, a loss, inputs and a target, as in explain(model, squared_error, [1.0, 2], "
            f"0.5); got explain({type(model).__name__}, {type(loss).__name__}, {x!r:.40}, {y!r:.40})"
        )
        raise TypeError(message)
    return build_loss(model, loss, x, y)


def _not_a_value(output: Any) -> str:
    if isinstance(output, Symbol):
        return f"explain shows numbers, and {output!r} has none: evaluate(output, {{symbol: Value(2.0)}}) gives a Value"
    if isinstance(output, (list, tuple)):
        return f"explain takes one Value, got a {type(output).__name__} of {len(output)}: explain one, or their sum"
    return f"explain takes a Value, or a model with loss, x and y; got {output!r}"
