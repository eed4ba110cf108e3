"""Join the page's modules and its style into one ES module, and this and a tape into one HTML file."""

from __future__ import annotations

import html
import posixpath
import re
from functools import cache
from importlib import resources
from typing import Any, Final

from microgradlib.viz.markup import script_json
from microgradlib.viz.stepper.words import WORDS
from microgradlib.viz.theme import DARK, LIGHT

__all__ = ["frame_html", "generated_modules", "module_text", "page_html", "source_modules"]

_IMPORT: Final = re.compile(r'^import \{[^}]*\} from "([\w./]+)";\n', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?!default)", re.MULTILINE)
_COMMENT: Final = re.compile(r"^\s*(//.*|/\*\*(.|\n)*?\*/)\n", re.MULTILINE)
_DEFINED: Final = re.compile(r"^(?:export )?(?:async )?(?:const|let|class|function) ([\w$]+)", re.MULTILINE)

_STYLES: Final = ("base", "controls", "graph", "sentence", "table", "screens")
"""The files of the style in the order in which rules follow one another."""

_PAGE: Final = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title>
<style>html,body{{margin:0;height:100%}}#stepper{{height:100vh;min-height:520px}}</style></head>
<body><div id="stepper"></div>
<script type="application/json" id="tape">{tape}</script>
<script type="module">
{module}
const data = {{ tape: JSON.parse(document.getElementById("tape").textContent), {settings}, page: true }};
const model = {{ get: key => data[key], set() {{}}, save_changes() {{}}, on() {{}}, off() {{}} }};
render({{ el: document.getElementById("stepper"), model }});
</script></body></html>
"""


# A frame of its own origin cannot see the notebook's theme: the notebook tells it, at first and when it changes.
_TELL_THEME: Final = (
    "const f=this,b=document.body,t=()=>f.contentWindow&&f.contentWindow.postMessage({microgradlibTheme:"
    "b.dataset.jpThemeLight==='false'||/vscode-(dark|high-contrast(?!-light))/.test(b.className)?'dark':"
    "b.dataset.jpThemeLight||/vscode-/.test(b.className)?'light':''},'*');"
    "t();new MutationObserver(t).observe(b,{attributes:true})"
)


def frame_html(page: str, *, title: str, height: int) -> str:
    """Return a page in a frame of its own, so that its styles and scripts and those of a notebook stay apart.

    Args:
        page: the text of an HTML file.
        title: what the frame is called for screen readers.
        height: in pixels.

    """
    return (
        f'<iframe srcdoc="{html.escape(page)}" title="{html.escape(title)}" sandbox="allow-scripts allow-downloads" '
        f'onload="{html.escape(_TELL_THEME)}" style="width:100%;height:{height}px;border:0" loading="lazy"></iframe>'
    )


def page_html(tape: dict[str, Any], *, title: str, lang: str, theme: str | None) -> str:
    """Return one HTML file that shows a tape: no network, no kernel, no other file.

    Args:
        tape: what `tape` of this package makes.
        title: the title of the window.
        lang: `"en"` or `"zh"`.
        theme: `"light"`, `"dark"`, or None for what the reader prefers.

    """
    return _PAGE.format(
        lang=html.escape(lang),
        title=html.escape(title),
        tape=script_json(tape),
        module=module_text(),
        settings=f"lang: {script_json(lang)}, theme: {script_json(theme or '')}",
    )


@cache
def module_text() -> str:
    """Return the ES module whose default export has `render({model, el})`.

    The modules of the folder `page` in the order of their imports, without imports, exports and comments: `model` (what
    a frame looks like, without a document), `sentences`, `view` (elements) and `control` (what keys and buttons do).

    Raises:
        ValueError: two modules define one name, an imported module does not exist, or imports form a circle.

    >>> module_text().rstrip().endswith("export default { render };")
    True
    """
    modules = source_modules() | generated_modules()
    taken: dict[str, str] = {}
    parts = []
    for name in _in_order(modules, "stepper.js"):
        for defined in _DEFINED.findall(modules[name]):
            if defined in taken:
                message = f"{defined} is defined in {taken[defined]} and in {name}: joined modules share their names"
                raise ValueError(message)
            taken[defined] = name
        parts.append(_EXPORT.sub("", _COMMENT.sub("", _IMPORT.sub("", modules[name]))).strip())
    return re.sub(r"\n{2,}", "\n", "\n".join(parts)) + "\n"


def source_modules() -> dict[str, str]:
    """Return the modules of the folder `page` and of its rooms by path, such as `model/frames.js`, in order."""
    found: dict[str, str] = {}
    rooms = [("", resources.files(__package__) / "page")]
    for path, room in rooms:
        for entry in sorted(room.iterdir(), key=lambda entry: entry.name):
            if entry.is_dir():
                rooms.append((f"{path}{entry.name}/", entry))
            elif entry.name.endswith(".js"):
                found[path + entry.name] = entry.read_text(encoding="utf-8")
    return found


def generated_modules() -> dict[str, str]:
    """Return the modules that are written from Python's tables: the words, and the style with the theme's colours."""
    words = script_json(WORDS)
    return {
        "words_table.js": f"export const WORDS = {words};\n",
        "style.js": f"export const STYLE = {script_json(_style())};\n",
    }


def _style() -> str:
    folder = resources.files(__package__) / "page" / "style"
    text = "\n".join((folder / f"{name}.css").read_text(encoding="utf-8") for name in _STYLES)
    text = re.sub(r"\s*\n\s*", "\n", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)).strip()
    light, dark = (
        "".join(f"--mg-{role.replace('_', '-')}:{colour};" for role, colour in table.items()) for table in (LIGHT, DARK)
    )
    return f".app{{{light}}}\n.app.dark{{{dark}}}\n{text}"


def _in_order(modules: dict[str, str], last: str) -> list[str]:
    """Return the names of the modules that `last` needs, imported ones first."""
    order: list[str] = []
    open_modules: list[str] = []

    def visit(name: str, wanted_by: str) -> None:
        if name in order:
            return
        if name not in modules or name in open_modules:
            problem = "imports form a circle at" if name in open_modules else "there is no module"
            message = f"{wanted_by}: {problem} {name}"
            raise ValueError(message)
        open_modules.append(name)
        for imported in _IMPORT.findall(modules[name]):
            visit(posixpath.normpath(posixpath.join(posixpath.dirname(name), imported)), name)
        open_modules.remove(name)
        order.append(name)

    visit(last, last)
    return order
