"""Write the pictures of the README from its own first example: the drawing as SVG, the stepper as a screenshot.

python tests/viz/readme_pictures.py
"""

import hashlib
import re
import struct
import sys
import tempfile
import zlib
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "common")]  # as a script it stands alone

from notebook_files import PICTURES, as_ascii  # noqa: E402

SIZE = (1180, 680)
STEPS = 8
"""How many steps the stepper has gone: into the backward pass, to a factor of the product."""
KEY = b"Source"


def example():
    """What the README's first example defines."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    first = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    lines = [line[4:] for line in first.splitlines() if line.startswith((">>> ", "... "))]
    namespace = {}
    exec("\n".join(line for line in lines if ".save(" not in line), namespace)  # noqa: S102  our own README
    return namespace


def drawing(names):
    """The SVG of `draw(y)`."""
    return eval("draw(y).svg", names)  # noqa: S307  so that y has its own name


def stepper(names):
    """The explanation that `explain(y)` is."""
    return eval("explain(y)", names)  # noqa: S307


def digest(explanation):
    """A number for the page, so that a screenshot can say which page it shows."""
    return hashlib.sha256(explanation.html.encode()).hexdigest()


def chunks_of(png):
    """The chunks of a PNG file, as (kind, data)."""
    place, found = 8, []
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        found.append((png[place + 4 : place + 8], png[place + 8 : place + 8 + length]))
        place += 12 + length
    return found


def source_of(png):
    """The text that `with_source` wrote into a PNG file."""
    return next(
        data.split(b"\0")[1].decode() for kind, data in chunks_of(png) if kind == b"tEXt" and data.startswith(KEY)
    )


def with_source(png, text):
    """The PNG file with a text chunk after its header."""
    data = KEY + b"\0" + text.encode()
    chunk = struct.pack(">I", len(data)) + b"tEXt" + data + struct.pack(">I", zlib.crc32(b"tEXt" + data))
    return png[:33] + chunk + png[33:]


def screenshot(explanation):
    """A PNG of the stepper in Chromium, after some steps."""
    from browser import browser  # noqa: PLC0415  tests import this file without a browser

    with (
        tempfile.TemporaryDirectory() as folder,
        browser(f"{folder}/profile", width=SIZE[0], height=SIZE[1]) as context,
    ):
        page = context.new_page()
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto(explanation.save(f"{folder}/page.html").as_uri())
        page.wait_for_function("document.getElementById('stepper').stepper")
        page.locator("#stepper").focus()
        for _ in range(STEPS):
            page.keyboard.press("ArrowRight")
        return with_source(page.screenshot(), digest(explanation))


if __name__ == "__main__":
    names = example()
    (PICTURES / "neuron.svg").write_text(as_ascii(drawing(names)), encoding="utf-8")
    (PICTURES / "stepper.png").write_bytes(screenshot(stepper(names)))
