"""The reference: no public name is missing, and docstrings keep every word and doctest."""

import doctest
import html
import importlib
import inspect
import re

import pytest

pytest.importorskip("sklearn", reason="interop's estimators are scikit-learn's")
from docwriters import docstrings
from docwriters.public_names import PAGES, every_name, pages

import microgradlib as mg

NAMES = every_name()


def public_names():
    """Yield every public name with its thing, found without the modules that write the reference."""
    for name in dir(mg):
        thing = getattr(mg, name)
        if name[0] != "_" and not inspect.ismodule(thing):
            yield f"microgradlib.{name}", thing
        elif name[0] != "_":
            for below in getattr(thing, "__all__", [n for n in dir(thing) if n[0] != "_"]):
                if not inspect.ismodule(getattr(thing, below)):
                    yield f"{thing.__name__}.{below}", getattr(thing, below)


def test_no_public_name_is_missing():
    entries = {path: name.thing for path, name in NAMES.items()}
    others = {name.other for name in NAMES.values()}
    again = {f"microgradlib.{page.file}.{name.name}" for page in pages() for name in page.again}
    missing = [path for path, thing in public_names() if entries.get(path) is not thing and path not in others | again]
    assert not missing


def test_every_subpackage_has_a_page():
    subpackages = {name for name in dir(mg) if name[0] != "_" and inspect.ismodule(getattr(mg, name))}
    assert set(PAGES) == subpackages


def test_a_name_has_one_entry():
    things = [(id(name.thing), path) for path, name in NAMES.items() if not isinstance(name.thing, (int, float, str))]
    paths = {}
    for thing, path in things:
        paths.setdefault(thing, []).append(path)
    twice = [sorted(found) for found in paths.values() if len(found) > 1]
    assert all(alias(found) for found in twice), twice


def alias(paths):
    """Return whether the paths are names of the top for the same op: `logistic` is `sigmoid`."""
    return all(path.count(".") == 1 for path in paths)


def test_converter():
    assert doctest.testmod(docstrings, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


@pytest.mark.parametrize("path", sorted(NAMES))
def test_docstrings_keep_their_words_and_doctests(path):
    markdown_it = pytest.importorskip("markdown_it", reason="the parser of the pages")
    text = inspect.getdoc(NAMES[path].thing) or ""
    rendered = markdown_it.MarkdownIt().enable("table").render(docstrings.markdown(text))
    shown = html.unescape(re.sub(r"<[^>]+>", " ", rendered))
    assert words(shown) == words(text)


def words(text):
    text = re.sub(r"\*(?=[A-Z])([^*`\n]{3,60}?)(?<=\w)\*", r"\1", text)  # titles of books
    text = re.sub(r"^(\s*)([A-Z][a-z]+):$", r"\1\2", text, flags=re.MULTILINE)  # headings of sections
    text = re.sub(r"^\s*- ", "", text, flags=re.MULTILINE)
    return "".join(text.replace("`", "").split()).replace("-", "")


def test_pages_have_every_member_of_a_class():
    pytest.importorskip("sphinx", reason='needs the extra "docs"')
    reference = importlib.import_module("docwriters.reference")
    documented = {name.thing for name in NAMES.values() if inspect.isclass(name.thing)}
    [page] = [page for page in pages() if page.file == "nn"]
    written = reference._page(page, documented)
    for member in ("named_parameters", "load_state_dict", "zero_grad", "summary", "training", "not_weights"):
        assert re.search(rf"\{{py:\w+\}} {member}\b", written), member
    assert " at 0x" not in "".join(reference._page(page, documented) for page in pages())
