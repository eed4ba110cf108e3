"""Pages of the reference: each public name with its signature, its docstring and, of a class, its members."""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from sphinx.util.inspect import stringify_signature

from docwriters.docstrings import markdown, summary
from docwriters.files import write_if_new
from docwriters.public_names import Name, Page, every_name, pages
from microgradlib.ops import PUBLIC, Op

__all__ = ["write_reference"]


def write_reference(folder: Path) -> None:
    """Write the pages into a folder."""
    folder.mkdir(exist_ok=True)
    found = pages()
    documented = {name.thing for name in every_name().values() if inspect.isclass(name.thing)}
    for path in folder.glob("*.md"):
        if path.stem not in {"index", *[page.file for page in found]}:
            path.unlink()
    for page in found:
        write_if_new(folder / f"{page.file}.md", _page(page, documented))
    write_if_new(folder / "index.md", _index(found))


def _index(found: list[Page]) -> str:
    lines = ["# Reference", "", "`mg` stands for `microgradlib`, as in `import microgradlib as mg`.", ""]
    for page in found:
        words = summary(page.about)
        links = ", ".join(f"{{py:obj}}`{name.name} <{name.path}>`" for name in page.names)
        lines += [f"## [{page.title}]({page.file}.md)", "", words, "", links, ""]
    files = "\n".join(page.file for page in found)
    return "\n".join([*lines, f"```{{toctree}}\n:hidden:\n{files}\n```", ""])


def _page(page: Page, documented: set[Any]) -> str:
    head = [f"# {page.title}", ""]
    head.append(page.about if page.title[0].isupper() else markdown(page.about))
    parts = ["\n".join(head)]
    if page.again:
        others = ", ".join(f"{{py:obj}}`{name.path}`" for name in page.again)
        parts.append(f"Also here: {others}.")
    for name in page.names:
        parts.append(f"## {name.name}" if len(page.names) <= 60 else "")
        parts.append(_entry(name, documented))
    return "\n\n".join(filter(None, parts)) + "\n"


def _entry(name: Name, documented: set[Any]) -> str:
    thing = name.thing
    options = [f":module: {name.module}", *([f":canonical: {name.other}"] if name.other else [])]
    if inspect.isclass(thing):
        bases = [base for base in thing.__mro__[1:-1] if base in documented]
        inherits = f"Inherits from {', '.join(f'{{py:obj}}`{_path(b)}`' for b in bases)}.\n\n" if bases else ""
        members = "\n\n".join(_members(thing, documented))
        body = f"{inherits}{markdown(inspect.getdoc(thing) or '')}\n\n{members}".rstrip()
        kind = "exception" if issubclass(thing, BaseException) else "class"
        return _directive(kind, f"{name.name}{_signature(thing)}", options, body, colons=6)
    if callable(thing):
        if isinstance(thing, Op) and thing.name != name.name:
            options.append(":no-index-entry:")
        return _directive(
            "function", f"{name.name}{_signature(thing)}", options, markdown(thing.__doc__ or ""), colons=6
        )
    return _directive("data", name.name, options, markdown(_comment(name)), colons=6)


def _path(cls: type) -> str:
    return next(path for path, name in every_name().items() if name.thing is cls)


def _directive(kind: str, head: str, options: list[str], body: str, *, colons: int) -> str:
    fence = ":" * colons
    return "\n".join([f"{fence}{{py:{kind}}} {head}", *options, "", body, fence])


def _signature(thing: Any) -> str:
    """Return the signature in parentheses; of a builtin exception's, nothing."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    parameters = [
        p.replace(default=_Written(p.default)) if p.default is not p.empty else p for p in signature.parameters.values()
    ]
    returns = signature.return_annotation if not inspect.isclass(thing) else signature.empty
    written = stringify_signature(
        signature.replace(parameters=parameters, return_annotation=returns), unqualified_typehints=True
    )
    return written.replace("\\", "\\\\") if inspect.isclass(thing) or callable(thing) else ""


class _Written:
    """A default as source writes it: the name of a class or function, not its address."""

    def __init__(self, default: Any) -> None:
        self.text = getattr(default, "__name__", None) if callable(default) else repr(default)
        if self.text is None or " at 0x" in self.text:
            self.text = "…"

    def __repr__(self) -> str:
        return self.text


def _members(cls: type, documented: set[Any]) -> Iterator[str]:
    """Yield the public members that the class, or a base that has no entry of its own, defines."""
    seen: set[str] = set()
    for base in cls.__mro__:
        if base is not cls and (base in documented or not base.__module__.startswith("microgradlib")):
            continue
        comments = dict(_comments(base))
        for name, member in vars(base).items():
            if (name[0] == "_" and name != "__call__") or name in seen or (base is not cls and name in PUBLIC):
                continue
            seen.add(name)
            text = _member(name, member, comments.get(name, ""))
            if text:
                yield text
        for name, text in comments.items():
            if name[0] != "_" and name not in seen:
                seen.add(name)
                yield _directive("attribute", name, [], markdown(text), colons=4)


def _member(name: str, member: Any, comment: str) -> str:
    if isinstance(member, property) or hasattr(member, "__set_name__"):
        text = getattr(member, "__doc__", None)
        return _directive("property", name, [], markdown(text), colons=4) if text else ""
    options = [f":{kind.__name__}:" for kind in (classmethod, staticmethod) if isinstance(member, kind)]
    function = getattr(member, "__func__", member)
    if inspect.isfunction(function):
        if not function.__doc__:
            return ""
        signature = inspect.signature(function)
        if "staticmethod" not in "".join(options):
            signature = signature.replace(parameters=list(signature.parameters.values())[1:])
        head = f"{name}{_signature(_Callable(signature))}"
        return _directive("method", head, options, markdown(function.__doc__), colons=4)
    return _directive("attribute", name, [], markdown(comment), colons=4) if comment else ""


class _Callable:
    """What has a signature, and is no class."""

    def __init__(self, signature: inspect.Signature) -> None:
        self.__signature__ = signature

    def __call__(self) -> None:
        """Do nothing."""


def _comments(thing: Any) -> Iterator[tuple[str, str]]:
    """Yield the names that a class or module assigns with a string below that says what they are."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError):
        return
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) and inspect.isclass(thing) else tree.body
    for before, after in pairwise(body):
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and isinstance(after.value.value, str):
            targets = [before.target] if isinstance(before, ast.AnnAssign) else getattr(before, "targets", [])
            for target in targets:
                if isinstance(target, ast.Name):
                    yield target.id, after.value.value


def _comment(name: Name) -> str:
    """Return what stands below the assignment of a constant, in whichever module of the package assigns it."""
    for path in sorted(sys.modules):
        if path == name.module or path.startswith(f"{name.module}."):
            found = dict(_comments(sys.modules[path]))
            if name.name in found:
                return found[name.name]
    return type(name.thing).__doc__ or ""
