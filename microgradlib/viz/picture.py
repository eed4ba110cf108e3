"""What all pictures share: they show themselves in notebooks and save themselves to files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Final

from microgradlib._support.files import write_atomic

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Container, Mapping

_TEXT: Final = "text/plain"
_SVG: Final = "image/svg+xml"


class Picture(ABC):
    """Something with an SVG form and a text form, that can be saved by a file name's suffix."""

    __slots__ = ()

    @property
    @abstractmethod
    def svg(self) -> str:
        """The picture as SVG text."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The picture in words, for terminals, screen readers and untrusted notebooks."""

    def _makers(self) -> Mapping[str, Callable[[], bytes]]:
        """Say how to make a file's bytes, for each suffix that can be saved."""
        return {".svg": self.svg.encode}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file; its suffix says in which form. Returns the path.

        The file appears whole or not at all.

        Raises:
            ValueError: a suffix that is not among the known ones.
            OSError: the file cannot be written.

        """
        target = Path(path)
        makers = self._makers()
        make = makers.get(target.suffix.lower())
        if make is None:
            known = ", ".join(makers)
            message = f"cannot save {target.name!r}: the suffix {target.suffix!r} is not one of {known}"
            raise ValueError(message)
        write_atomic(target, make())
        return target

    def _repr_svg_(self) -> str:
        return self.svg

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        forms = {_SVG: self.svg, _TEXT: self.text}
        return {
            form: data
            for form, data in forms.items()
            if (not include or form in include) and (not exclude or form not in exclude)
        }
