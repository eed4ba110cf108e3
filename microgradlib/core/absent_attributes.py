"""Attributes that nodes have not, though other libraries' numbers have."""

from __future__ import annotations

from typing import Any

from microgradlib._support.absent import Absent, lacking
from microgradlib._support.other_names import ADVICE_ON_NODES
from microgradlib.core.own_attributes import OWN_NAMES

__all__ = ["ABSENT", "add_absent_attributes"]

ABSENT: set[str] = set()
"""The names of all of them; `dir(node)` does not list these."""


class AbsentOfNode(Absent):
    """As `Absent`, of nodes, which have slots: a program's own attributes are declared."""

    def __set__(self, node: Any, content: Any) -> None:
        if not hasattr(node, "__dict__"):
            message = (
                f"{type(node).__name__!r} object has no attribute {self.name!r} to be set: declare it first, by "
                f"microgradlib.engine.declare_attributes({self.name!r})"
            )
            raise AttributeError(message)
        super().__set__(node, content)


def add_absent_attributes(cls: type) -> None:
    """State them on a class of nodes."""
    lacking({name: text for name, text in ADVICE_ON_NODES.items() if name not in OWN_NAMES}, AbsentOfNode)(cls)
    ABSENT.update(name for name, content in vars(cls).items() if isinstance(content, AbsentOfNode))
