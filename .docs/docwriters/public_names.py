"""The public names of the library, by page of the reference: read from the packages, so that none can be forgotten."""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from functools import cache
from typing import Any

import microgradlib
from microgradlib.ops import PUBLIC

__all__ = ["PAGES", "Name", "Page", "every_name", "pages"]


@dataclass(frozen=True)
class Name:
    """A public name: where users find it, and what it is."""

    module: str
    """The module to import it from, for a name at the top the package itself."""
    name: str
    thing: Any
    other: str = ""
    """A second place of the same thing: `microgradlib.training.fit` is `microgradlib.fit`."""

    @property
    def path(self) -> str:
        """The dotted path, `microgradlib.nn.MLP`."""
        return f"{self.module}.{self.name}"


@dataclass(frozen=True)
class Page:
    """A page of the reference."""

    file: str
    title: str
    about: str
    names: tuple[Name, ...]
    again: tuple[Name, ...] = ()
    """Names that stand here too, and are described on another page."""


TOP = {
    "values": ("Values, graphs and derivative tables", "`Value` and `Symbol`, and what is computed from their graphs."),
    "derivatives": ("Derivatives of functions", "Functions of functions, with JAX's names and signatures."),
    "functions": (
        "Elementary functions",
        (
            "The ops of one, two or three numbers. Each takes floats, Values, Symbols and NumPy arrays, and is a "
            "method of `Value` too: `x.tanh()`. [All ops](../ops.md) has their derivatives and conventions."
        ),
    ),
    "lists": (
        "Functions of lists",
        "Sums, products, softmax and statistics: a single node each, however long the list.",
    ),
}
"""The pages of what is at the top of the package: file, title, what it is about."""

PAGES = (
    "nn", "costs", "regularisers", "optim", "training", "data", "metrics", "numeric", "testing", "symbolic", "krylov",
    "compiler", "interop", "viz", "plots", "ops", "engine", "errors",
)  # fmt: skip
"""The subpackages, in the order in which the reference lists them."""

_ROOMS = {"derivatives": "derivatives", "list_functions": "lists", "matrix_products": "lists", "softmax": "lists",
          "statistics": "lists"}  # fmt: skip


def _page_at_the_top(name: str, thing: Any) -> str:
    if name in PUBLIC:
        return "functions"
    room = getattr(thing, "__module__", "").split(".")
    return next((_ROOMS[part] for part in room if part in _ROOMS), "values")


def pages() -> list[Page]:
    """Return the pages of the reference, each with its names."""
    lazy = {name: f"microgradlib.{room.partition('.')[0]}" for name, room in microgradlib._SUBMODULE_OF.items()}
    at_the_top = sorted(
        {name for name in dir(microgradlib) if name[0] != "_"} - set(microgradlib._SUBMODULES), key=_key
    )
    top: dict[str, list[Name]] = {page: [] for page in TOP}
    below: dict[str, dict[str, Name]] = {f"microgradlib.{page}": {} for page in PAGES}
    for page, found in below.items():
        module = importlib.import_module(page)
        shown = getattr(module, "__all__", None) or [n for n in dir(module) if n[0] != "_"]
        for name in sorted(shown, key=_key):
            found[name] = Name(page, name, getattr(module, name))
    for name in at_the_top:
        thing = getattr(microgradlib, name)
        home = below.get(lazy.get(name, ""))
        if home is None:
            top[_page_at_the_top(name, thing)].append(Name("microgradlib", name, thing))
        else:
            home[name] = Name("microgradlib", name, thing, f"{lazy[name]}.{name}")
    written = [Page(page, *TOP[page], tuple(names)) for page, names in top.items()]
    for page, found in below.items():
        module = importlib.import_module(page)
        names = [found[name] for name in sorted(found, key=_key) if not inspect.ismodule(found[name].thing)]
        known = {id(name.thing): name for page in written[: len(TOP)] for name in page.names}
        again = tuple(known[id(name.thing)] for name in names if id(name.thing) in known)
        new = tuple(name for name in names if id(name.thing) not in known)
        written.append(Page(page.rpartition(".")[2], page, inspect.getdoc(module) or "", new, again))
    return written


@cache
def every_name() -> dict[str, Name]:
    """Return all public names by their paths."""
    return {name.path: name for page in pages() for name in page.names}


def _key(name: str) -> tuple[bool, bool, str]:
    """Sort classes before functions before constants, as their cases tell."""
    return name.isupper() and len(name) > 4, not name[0].isupper(), name.lower()
