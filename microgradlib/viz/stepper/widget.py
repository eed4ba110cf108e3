"""The stepper as a live widget: the same page, whose sliders are answered by Python's own Values (extra `notebook`)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from microgradlib._support.interrupts import import_whole
from microgradlib._support.optional import import_optional
from microgradlib.errors import MissingRuleError
from microgradlib.viz.stepper.page_build import module_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from microgradlib.viz.stepper.tapes.subject import Level, Subject

__all__ = ["TWIN", "make_widget"]


TWIN: Final = "data-mg-twin"
"""The attribute by which a widget finds the page that stands below it for the time when it is not alive."""

_EXPORT: Final = "export default { render };"

_HIDING: Final = f"""
function hideTwin(model) {{
  const hide = () => {{
    const twins = document.querySelectorAll(`[{TWIN}="${{model.get("twin")}}"]`);
    for (const twin of twins) twin.style.display = "none";
  }};
  hide();
  const watch = new MutationObserver(hide); // it may come later, and again when its cell is scrolled into view
  watch.observe(document.body, {{ childList: true, subtree: true }});
  return () => watch.disconnect();
}}
export default {{
  render(context) {{
    const ends = [hideTwin(context.model), render(context)];
    return () => ends.forEach(end => end());
  }},
}};
"""


def widget_module() -> str:
    """Return the page's ES module, which hides the page below while the widget is alive.

    >>> "export default { render };" in widget_module(), widget_module().count("export default")
    (False, 1)
    """
    return module_text().replace(_EXPORT, _HIDING)


class Answers:
    """What the kernel answers a page: tapes of one graph, at other numbers and with other scopes closed."""

    def __init__(self, subject: Subject, tape: dict[str, Any], shown: list[Level]) -> None:
        self._subject, self._tape, self._shown = subject, tape, shown
        self._start: int = tape["start"]
        self._leaves: dict[str, Any] = {}

    def moved(self, leaves: Mapping[str, Any]) -> dict[str, Any]:
        """Return the tape with other numbers of some leaves, named by their indices in the graph."""
        self._leaves = dict(leaves)
        return self._answer()

    def closed(self, keys: Sequence[str]) -> dict[str, Any]:
        """Return the tape with a level that closes these scopes, which is shown first."""
        self._shown, self._start = self._subject.with_closed(self._shown, keys)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        numbers = {int(leaf): float(number) for leaf, number in self._leaves.items()}
        subject = replace(self._subject.at(numbers), checked=False) if numbers else self._subject
        return {**self._tape, **subject.tape(self._shown, self._start), "leaves": self._leaves}


@cache
def _widget_class() -> Any:
    """Return the class of the widget; anywidget is imported when the first one is made."""
    anywidget = import_optional("anywidget", "the live stepper")
    traitlets = import_whole("traitlets")  # anywidget is made of it

    class Stepper(anywidget.AnyWidget):  # type: ignore[misc,name-defined]  # of a package without types
        """The stepper in a notebook. The page sets `leaves` and `closed`; a new `tape` is the answer."""

        _esm = widget_module()
        tape = traitlets.Dict().tag(sync=True)
        leaves = traitlets.Dict().tag(sync=True)
        closed = traitlets.List().tag(sync=True)
        score = traitlets.Dict().tag(sync=True)
        lang = traitlets.Unicode().tag(sync=True)
        theme = traitlets.Unicode().tag(sync=True)
        live = traitlets.Bool().tag(sync=True)
        height = traitlets.Int().tag(sync=True)
        twin = traitlets.Unicode().tag(sync=True)

        def __init__(self, answers: Answers, tape: dict[str, Any], height: int) -> None:
            self._answers = answers
            settings = {"lang": tape["lang"], "theme": tape["theme"] or "", "live": tape["live"], "height": height}
            super().__init__(tape=tape, twin=f"mg-{secrets.token_hex(8)}", **settings)
            self.observe(lambda change: self._show(self._answers.moved(change["new"])), "leaves")
            self.observe(lambda change: self._show(self._answers.closed(change["new"])), "closed")

        def _show(self, tape: dict[str, Any]) -> None:
            self.tape = tape

    return Stepper


def make_widget(subject: Subject, tape: dict[str, Any], shown: list[Level], height: int) -> Any:
    """Return a live widget that shows a tape of these levels; it has no kernel's answers if a node was made by hand.

    Raises:
        MissingExtraError: anywidget is not installed.

    """
    try:
        subject.at({})
        live = True
    except MissingRuleError:
        live = False
    tape = {**tape, "live": live}
    return _widget_class()(Answers(subject, tape, shown), tape, height)
