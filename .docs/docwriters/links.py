"""Links: public names in code become links to the reference; links to files of the repository lead to where it is."""

from __future__ import annotations

import builtins
import os
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform
from sphinx.transforms.post_transforms import SphinxPostTransform

from docwriters.public_names import every_name

__all__ = ["REPOSITORY", "setup"]

REPOSITORY = "MICROGRADLIB_REPOSITORY"
"""The environment variable with the address of the repository's files, such as https://host/owner/name/blob/main."""
ROOT = Path(__file__).parents[2]
ORDINARY = {
    "add", "chain", "constant", "grad", "linear", "load", "mean", "name", "names", "sample", "save", "scale", "score",
    "shift", "show", "sign", "split", "square", "std", "step", "sub", "values", "var",
}  # fmt: skip
"""Names that code uses for other things too: they become links only after `mg.` or their package."""


def targets() -> dict[str, str]:
    """Return the path of each name in the forms in which text may write it."""
    found: dict[str, str] = {}
    for path, name in every_name().items():
        short = path.removeprefix("microgradlib.")
        for form in (path, short, f"mg.{short}", *([name.other.removeprefix("microgradlib.")] if name.other else [])):
            found.setdefault(form, path)
        if not hasattr(builtins, name.name) and name.name not in ORDINARY:
            found.setdefault(name.name, path)
    for form in [form for form in found if form in ORDINARY or hasattr(builtins, form)]:
        del found[form]
    return found


def place_in_repository(path: Path) -> str:
    """Return where a file stands in the repository; a copy for the pages of notebooks is one of `notebooks/`.

    >>> place_in_repository(ROOT / ".docs" / "notebooks" / "networks" / "xor.py")
    'notebooks/networks/xor.py'
    """
    place = path.relative_to(ROOT).as_posix()
    return place.removeprefix(".docs/") if place.startswith(".docs/notebooks/") else place


class NamesInCode(SphinxTransform):
    """Make links of the code spans that are public names."""

    default_priority = 400
    known: dict[str, str] | None = None

    def apply(self, **_: Any) -> None:
        """Replace the code spans of one document."""
        if NamesInCode.known is None:
            NamesInCode.known = targets()
        for node in list(self.document.findall(nodes.literal)):
            path = NamesInCode.known.get(node.astext())
            if path is None or isinstance(node.parent, (nodes.reference, addnodes.pending_xref, nodes.title)):
                continue
            link = addnodes.pending_xref(
                "", refdomain="py", reftype="obj", reftarget=path, refexplicit=True, refwarn=True,
                refdoc=self.env.docname,
            )  # fmt: skip
            node.replace_self(link)
            link += node


class CodeWithoutEmptyEnds(SphinxTransform):
    """Leave out the empty last lines of code, which doctests need before the end of a block."""

    default_priority = 400

    def apply(self, **_: Any) -> None:
        """Shorten the code of one document."""
        for node in list(self.document.findall(nodes.literal_block)):
            text = node.astext().rstrip()
            node.rawsource = text
            node.children = []
            node.append(nodes.Text(text))


class RepositoryLinks(SphinxPostTransform):
    """Point the links to files of the repository at its address, where one is set."""

    default_priority = 5

    def run(self, **_: Any) -> None:
        """Change the links of one document."""
        address = os.environ.get(REPOSITORY, "").rstrip("/")
        for node in list(self.document.findall(addnodes.download_reference)):
            target = (Path(self.env.doc2path(self.env.docname)).parent / node["reftarget"]).resolve()
            if not address or not target.is_relative_to(ROOT):
                continue
            link = nodes.reference("", "", *node.children, internal=False)
            link["refuri"] = f"{address}/{place_in_repository(target)}"
            node.replace_self(link)


def setup(app: Any) -> dict[str, bool]:
    """Register the transforms with Sphinx."""
    app.add_transform(NamesInCode)
    app.add_transform(CodeWithoutEmptyEnds)
    app.add_post_transform(RepositoryLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
