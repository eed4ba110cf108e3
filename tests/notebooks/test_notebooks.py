"""What every notebook keeps to: its form, its pictures, its exercises; and it runs from top to bottom, in a kernel."""

import ast
import json
import os
import re
from pathlib import Path

import pytest
from notebook_files import CHINESE, ENGLISH, FOLDER, PICTURES, cells, code_of, execute, pictures_of, shown

ALL = [*ENGLISH, *CHINESE]
IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)]+)\)")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#]+)(?:#[^)]*)?\)")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?![\d;])")
ID = re.compile(r"\bmg[0-9a-f]{10}\b")
FIRST = ["try:", "    import microgradlib as mg", "except ModuleNotFoundError:"]


def name_of(path):
    return path.relative_to(FOLDER).with_suffix("").as_posix()


every_notebook = pytest.mark.parametrize("path", ALL, ids=name_of)


def markdown_of(path):
    return [source for source, _ in cells(path, "markdown")]


def test_fourteen_notebooks_stand_in_the_order_of_the_course():
    assert [int(path.name[:2]) for path in ENGLISH] == list(range(1, 15))


@every_notebook
def test_a_notebook_opens_with_its_title_and_the_cell_that_installs(path):
    (title, _), *_ = cells(path)
    assert re.match(rf"# {int(path.name[:2])}\. \S", title)
    first = code_of(path)[0].splitlines()
    assert [line.split("#")[0].rstrip() for line in first[:3]] == FIRST
    assert re.fullmatch(r"""\s+'pip install -q "microgradlib(\[[a-z,]+\])?"'""", first[3])


@every_notebook
def test_a_notebook_shows_committed_pictures_where_outputs_are_stripped(path):
    images = [match for source in markdown_of(path) for match in IMAGE.findall(source)]
    assert images
    for words, target in images:
        assert len(words) >= 8, f"{target} says too little in words"
        assert (path.parent / target).is_file(), target


@every_notebook
def test_links_lead_to_files_that_exist(path):
    for source in markdown_of(path):
        for target in LINK.findall(source):
            assert target.startswith("https://") or (path.parent / target).exists(), target


@every_notebook
def test_a_notebook_ends_with_exercises_whose_solutions_a_cell_checks(path):
    code = cells(path, "code")
    solutions = [(source, metadata) for source, metadata in code if "solution" in metadata.get("tags", [])]
    answers = sorted(re.findall(r"^(answer_\d) = \.\.\.", "\n".join(source for source, _ in code), re.MULTILINE))
    assert len(answers) == len(solutions) >= 2
    for (source, metadata), answer in zip(solutions, answers):
        number = answer[-1]
        assert metadata["jupyter"]["source_hidden"]
        assert f"solution_{number}" in {n.id for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Name)} | {
            n.name for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)
        }
        call = f"check_{number}(solution_{number} if answer_{number} is ... else answer_{number})"
        assert any(call in other for other, _ in code), call


@every_notebook
def test_a_notebook_stands_alone_and_is_clean(path):
    text = path.read_text(encoding="utf-8")
    notebook = json.loads(text)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])
    assert not re.search(r"document 00\d|文档 ?00\d", text)
    for source in code_of(path):
        for node in ast.walk(ast.parse(source)):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert not any(module.split(".")[0] in {"notebooks", "networks", "tests"} for module in modules)


def test_every_picture_is_shown_somewhere():
    pages = [source for path in ALL for source in markdown_of(path)]
    pages += [path.read_text(encoding="utf-8") for path in (FOLDER.parent / "README.md", FOLDER / "zh" / "README.md")]
    used = {Path(target).name for source in pages for _, target in IMAGE.findall(source)}
    assert {path.name for path in PICTURES.iterdir()} == used


def test_chinese_notebooks_show_the_pictures_with_chinese_captions():
    own = {path.name for path in (FOLDER / "zh" / "pictures").iterdir()}
    shown_there = [target for path in CHINESE for source in markdown_of(path) for _, target in IMAGE.findall(source)]
    assert {target for target in shown_there if Path(target).name in own} == {f"pictures/{name}" for name in own}


def same_picture(one, other):
    """Whether two SVG texts show the same: places may differ by two pixels, as curves of rounding errors do."""
    places = [[float(n) for n in NUMBER.findall(ID.sub("", svg))] for svg in (one, other)]
    texts = [NUMBER.sub("0", ID.sub("", svg)) for svg in (one, other)]
    return texts[0] == texts[1] and places[0] == pytest.approx(places[1], abs=2)


@pytest.mark.parametrize(
    ("change", "verdict"), [(("M1 2", "M1.5 2"), True), (("M1 2", "M9 2"), False), ((">w<", ">x<"), False)]
)
def test_pictures_are_compared(change, verdict):
    svg = '<svg id="mg0123456789"><path d="M1 2L3 4"/><text>w</text></svg>'
    assert same_picture(svg, svg.replace("0123456789", "aaaaaaaaaa").replace(*change)) == verdict


def check_run(path, folder):
    """Run a notebook; its pictures are as committed, and there are at least two that are no stored text."""
    notebook = execute(path, folder)
    assert len(shown(notebook)) >= 2
    for name, svg in pictures_of(notebook).items():
        committed = (PICTURES / name).read_text(encoding="utf-8")
        assert same_picture(svg, committed), f"{name} differs: run tests/notebooks/pictures.py"
    return notebook


def test_the_chinese_front_page_lists_every_notebook_by_its_title():
    text = (FOLDER / "zh" / "README.md").read_text(encoding="utf-8")
    for path in CHINESE:
        title = cells(path)[0][0].splitlines()[0].split(". ", 1)[1]
        assert f"[{path.name[:2]} {title}]({path.name})" in text


@pytest.mark.slow
@pytest.mark.parametrize("path", ENGLISH, ids=name_of)
@pytest.mark.filterwarnings("default")  # the kernel machinery's own warnings are not ours to mend
def test_a_notebook_runs_and_its_pictures_are_those_committed(path, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason='needs the extra "notebook"')
    pytest.importorskip("nbclient", reason='needs the extra "notebook"')
    notebook = check_run(path, tmp_path)
    if folder := os.environ.get("MICROGRADLIB_EXECUTED_NOTEBOOKS"):  # the documentation shows them with their outputs
        nbformat.write(notebook, Path(folder) / path.name)


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("source", ["assert 1 + 1 == 3", "'a cell without a picture'", "import microgradlib as mg"])
def test_a_notebook_that_fails_or_shows_nothing_is_refused(source, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason='needs the extra "notebook"')
    nbclient = pytest.importorskip("nbclient", reason='needs the extra "notebook"')
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]), tmp_path / "broken.ipynb")
    with pytest.raises((AssertionError, nbclient.exceptions.CellExecutionError)):
        check_run(tmp_path / "broken.ipynb", tmp_path)
