"""The base class of drawings and charts: display in notebooks and saving to files."""

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
    """A picture with an SVG form and a text form. Jupyter displays it; `save` writes it to a file."""

    __slots__ = ()

    @property
    @abstractmethod
    def svg(self) -> str:
        """The picture as SVG text."""

    @property
    @abstractmethod
    def text(self) -> str:
        """The picture in words, for terminals, screen readers and untrusted notebooks."""

    def _encoders(self) -> Mapping[str, Callable[[], bytes]]:
        """Return the supported suffixes, each with a function that returns the bytes of a file in that format."""
        return {".svg": self.svg.encode}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file, in the format of the suffix, and return the path.

        The file is replaced atomically: after an error, an old file is unchanged.

        Raises:
            ValueError: the suffix is not one of the supported formats.
            MissingExtraError, DrawingError: the format needs Graphviz, see `Drawing`.
            OSError: the file cannot be written.

        """
        target = Path(path)
        encoders = self._encoders()
        encode = encoders.get(target.suffix.lower())
        if encode is None:
            known = ", ".join(encoders)
            message = f"cannot save {target.name!r}: the suffix {target.suffix!r} is not one of {known}"
            raise ValueError(message)
        write_atomic(target, encode())
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
