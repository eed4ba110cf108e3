"""The build of the page: one module, one file, the same bytes, nothing from outside, no label that breaks out."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from microgradlib import Value, explain
from microgradlib.viz.stepper import page_build
from microgradlib.viz.stepper.page_build import generated_modules, module_text, page_html, source_modules
from microgradlib.viz.stepper.words import WORDS
from microgradlib.viz.theme import THEMES


def test_the_page_is_small_enough():
    page = page_html({"levels": []}, title="", lang="en", theme=None)
    assert len(page.encode()) < 200_000


def test_one_module_without_imports_and_with_one_export():
    text = module_text()
    assert not re.search(r"^\s*import\b", text, re.MULTILINE)
    assert re.findall(r"^export .*", text, re.MULTILINE) == ["export default { render };"]


def test_every_module_is_joined_once():
    names = set(source_modules()) | set(generated_modules())
    modules = source_modules() | generated_modules()
    order = page_build._in_order(modules, "stepper.js")
    assert sorted(order) == sorted(names)


ROOMS = ["", "model", "sentences", "view", "control"]
"""Each room imports from itself and from those before it; what is written from tables stands at the bottom."""


def test_rooms_of_the_page_import_down():
    for name, text in source_modules().items():
        if name == "stepper.js":
            continue
        room, _, _ = name.rpartition("/")
        for imported in re.findall(r'from "([^"]+)"', text):
            other = imported.split("/")[1] if imported.count("/") == 2 else "" if imported.startswith("..") else room
            assert ROOMS.index(other) <= ROOMS.index(room), (name, imported)


def test_nothing_is_fetched_from_outside():
    links = re.findall(r"https?://[^\s\"'<>)]+", page_html({"levels": []}, title="", lang="en", theme=None))
    assert set(links) <= {"http://www.w3.org/2000/svg"}  # a name, not an address that is opened


FAMILIES = ("by_", "level_", "bug_", "ask_", "mistake_")
"""Keys of these beginnings are put together from a setting."""


def test_every_word_is_used():
    python = [path.read_text() for path in Path(page_build.__file__).parent.rglob("*.py") if path.name != "words.py"]
    used = "\n".join([*source_modules().values(), *python])
    whole = {key for key in WORDS["en"] if not key.startswith(FAMILIES)} - {"assign_why", "stale_why", "order_why"}
    assert [key for key in sorted(whole) if not re.search(rf"[\"'`]{key}[\"'`]|\b{key}:", used)] == []


HOSTILE = "</script><script>alert(1)</script><!-- \"quotes\" & 'more' ]]>"


def test_labels_cannot_leave_the_script():
    page = explain(Value(1.0, label=HOSTILE) * 2.0, title=HOSTILE).html
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "<!--" not in page
    [tape] = re.findall(r'<script type="application/json" id="tape">(.*?)</script>', page, re.DOTALL)
    assert HOSTILE in [node["full"] for node in json.loads(tape)["levels"][0]["nodes"]]


def test_same_tape_same_bytes():
    tape = explain(Value(1.0, label="x") * 2.0).tape
    pages = {page_html(tape, title="t", lang="en", theme=None) for _ in range(3)}
    assert len(pages) == 1


@pytest.mark.parametrize(
    ("modules", "problem"),
    [
        ({"a.js": 'import { b } from "./b.js";\n'}, "there is no module b.js"),
        ({"a.js": 'import { b } from "./b.js";\n', "b.js": 'import { a } from "./a.js";\n'}, "circle at a.js"),
    ],
)
def test_wrong_imports_are_refused(modules, problem):
    with pytest.raises(ValueError, match=problem):
        page_build._in_order(modules, "a.js")


def test_two_modules_with_one_name_are_refused(monkeypatch):
    monkeypatch.setattr(
        page_build, "source_modules",
        lambda: {"stepper.js": 'import { f } from "./f.js";\nconst f = 1;\n', "f.js": "export const f = 2;\n"},
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"f is defined in f\.js and in stepper\.js"):
        module_text.__wrapped__()


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear))


def mixed(colour, paper, share):
    """CSS's color-mix(in srgb, colour share, paper)."""
    pairs = [(int(colour[k : k + 2], 16), int(paper[k : k + 2], 16)) for k in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_the_three_colours_are_read_on_page_panel_and_their_own_tints(theme):
    colours, share = THEMES[theme], {"light": 0.11, "dark": 0.19}[theme]
    assert f"--tint: {share:.0%}" in generated_modules()["style.js"]
    for role in ("grad", "local", "term"):
        for ground in (colours["paper"], colours["frame0"], mixed(colours[role], colours["paper"], share)):
            assert contrast(colours[role], ground) >= 4.5
    for role in ("ink", "muted", "stale"):
        assert contrast(colours[role], colours["frame0"]) >= 4.5
    for role in ("line", "zero", "op_edge"):
        assert contrast(colours[role], colours["frame0"]) >= 3
