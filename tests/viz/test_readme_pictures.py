"""The README's pictures are what its first example draws, and PyPI finds them."""

import re
from urllib.parse import urlparse

import pytest
from module_files import load_module
from notebook_files import PICTURES, ROOT, as_ascii

made = load_module("tests/viz", "readme_pictures")


@pytest.fixture(scope="module")
def names():
    return made.example()


def test_the_drawing_is_the_one_committed(names):
    assert as_ascii(made.drawing(names)) == (PICTURES / "neuron.svg").read_text(encoding="utf-8")


def test_the_screenshot_shows_the_stepper_as_it_is(names):
    png = (PICTURES / "stepper.png").read_bytes()
    assert made.source_of(png) == made.digest(made.stepper(names)), "run tests/viz/readme_pictures.py"
    assert made.source_of(made.with_source(png, "another page")) == "another page"


def test_every_link_is_a_whole_address_on_pypi():
    tomllib = pytest.importorskip("tomllib", reason="the standard library has it from Python 3.11 on")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for rule in project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len(targets) > 15
    assert all(urlparse(target).scheme == "https" and ".." not in target for target in targets)
    assert {urlparse(t).netloc for t in targets if t.endswith((".svg", ".png"))} == {"raw.githubusercontent.com"}


def test_relative_links_lead_to_files_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https:)([^)#]+)\)", text):
        assert (ROOT / target).exists(), target
    assert len(text.splitlines()) <= 120
