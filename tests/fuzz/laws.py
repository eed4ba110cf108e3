"""What must hold for a written text whatever the user's labels are: SVG, HTML, DOT, Python. Each check raises."""

import ast
import re
import symtable
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

__all__ = ["BrokenLawError", "check_html", "check_plain", "check_python", "check_svg"]

UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028\u2029\u202a-\u202e\u2066-\u2069]")
ACTIVE = frozenset({"script", "foreignObject", "iframe", "object", "embed", "image", "a", "use", "set", "animate"})
ADDRESSES = frozenset({"href", "src", "srcset", "action", "formaction", "data", "srcdoc", "xlink:href", "poster"})


class BrokenLawError(AssertionError):
    """A text that was written breaks a law, or is not what was asked for."""


def require(holds, *facts):
    """Raise `BrokenLawError` with the facts, shortened, unless something holds."""
    if not holds:
        raise BrokenLawError(" ".join([fact if len(fact) < 300 else f"{fact[:300]}…" for fact in map(str, facts)]))


def check_plain(text):
    """Require a text that a terminal or a document can hold: no control characters, no reversed writing."""
    found = UNPRINTABLE.search(text)
    require(found is None, "unprintable", found and ascii(found[0]), "in", found and ascii(text[: found.end()][-80:]))
    text.encode()


def check_svg(text, elements=ACTIVE):
    """Require well-formed XML without scripts, event handlers or references to anything outside."""
    check_plain(text)
    try:
        root = ET.fromstring(text)  # noqa: S314  written by the library
    except ET.ParseError as error:
        message = f"the SVG is not well-formed: {error}"
        raise BrokenLawError(message) from error
    for part in root.iter():
        name = part.tag.rpartition("}")[2]
        require(part.tag.startswith("{http://www.w3.org/2000/svg}"), "an element of another namespace", part.tag)
        require(name not in elements, "an active element", name)
        for key, content in part.attrib.items():
            require(not key.lower().startswith("on"), "an event handler", key, content)
            require(key.rpartition("}")[2] not in ADDRESSES, "a reference", key, content)
            require("url(" not in content or content.startswith("url(#"), "a reference", key, content)
    return root


class _Reader(HTMLParser):
    """Reads HTML as a browser does, and requires of each element and attribute that the library writes it."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.scripts, self.inside, self.elements = [], None, []

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        if tag in {"script", "style"}:
            self.inside = tag
            if tag == "script":
                self.scripts.append((dict(attrs), []))
        for key, content in attrs:
            is_ours = tag == "iframe" and key == "onload" and "microgradlibTheme" in (content or "")
            require(not key.startswith("on") or is_ours, "an event handler", tag, key, content)
            if key in ADDRESSES:
                local = (content or "").startswith(("data:image/svg+xml;base64,", "#"))
                require(local or (tag, key) == ("iframe", "srcdoc"), "a reference", tag, key, content)

    def handle_endtag(self, tag):
        self.inside = None if tag == self.inside else self.inside

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts[-1][1].append(data)

    def handle_comment(self, data):
        require(False, "a comment in HTML:", data)


def check_html(text, scripts=()):
    """Require HTML whose scripts are those allowed, by their patterns, and no handlers or references; return them."""
    check_plain(text)
    reader = _Reader()
    reader.feed(text)
    reader.close()
    found = [(attributes, "".join(parts)) for attributes, parts in reader.scripts]
    require(len(found) == len(scripts), len(found), "scripts, expected", len(scripts))
    for (_, script), pattern in zip(found, scripts):
        require(re.search(pattern, script) and "</script" not in script.lower(), "another script", script)
        require("<!--" not in script, "a comment opens in a script", script)
    return [script for _, script in found]


def check_python(text, modules, name, builtins):
    """Require Python that compiles, imports these modules alone, and reads no other names than its own and builtins."""
    text.encode()
    try:
        tree = ast.parse(text)
        table = symtable.symtable(text, "written", "exec")
    except (SyntaxError, ValueError) as error:
        message = f"no Python: {error}"
        raise BrokenLawError(message) from error
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    require(imported <= set(modules), "imports", imported)
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.Assign, ast.Expr)
    for statement in tree.body:
        require(isinstance(statement, allowed), "a statement of another kind", ast.unparse(statement))
        if isinstance(statement, ast.Expr):
            require(isinstance(statement.value, ast.Constant), "an expression that is run", ast.unparse(statement))
    top = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    require(name in top | {function.get_name() for function in table.get_children()}, "no function", name)
    for function in _functions(table):
        loose = {symbol.get_name() for symbol in function.get_symbols() if symbol.is_global()} - top - set(builtins)
        require(not loose, "names from nowhere", loose, "in", function.get_name())


def _functions(table):
    for child in table.get_children():
        yield child
        yield from _functions(child)
