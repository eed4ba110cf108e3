"""The pages: their code runs, and what they link to in the repository exists."""

import ast
import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / ".docs"
GENERATED = {"course.md", "ops.md"}
PAGES = sorted(
    path
    for path in [*DOCS.glob("*.md"), *DOCS.glob("howto/*.md"), *DOCS.glob("lite/*.md")]
    if path.name not in GENERATED
)
LINK = re.compile(r"(?<!!)\[(?P<text>(?:\\.|[^\]])+)\]\((?P<target>[^)\s]+)\)")
FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL | doctest.NORMALIZE_WHITESPACE


def by_name(path):
    return str(path.relative_to(DOCS))


def links(path):
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return [(match["text"], match["target"]) for match in LINK.finditer(text)]


def test_there_are_pages():
    assert {"index.md", "how_it_works.md", "benchmarks.md", "howto/compile.md"} <= set(map(by_name, PAGES))


@pytest.mark.parametrize("path", PAGES, ids=by_name)
def test_code_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(str(path), module_relative=False, optionflags=FLAGS, encoding="utf-8")
    assert found.failed == 0


@pytest.mark.parametrize("path", PAGES, ids=by_name)
def test_every_prompt_stands_in_a_block_of_its_own_kind(path):
    text = path.read_text(encoding="utf-8")
    outside = re.sub(r"```pycon\n.*?```", "", text, flags=re.DOTALL)
    assert ">>>" not in outside


@pytest.mark.parametrize("path", PAGES, ids=by_name)
def test_links_lead_somewhere(path):
    for text, target in links(path):
        file, _, heading = target.partition("#")
        if target.startswith("https://"):
            assert re.fullmatch(r"https://[\w.-]+(/[\w./-]*)?", target), target
        elif not (path.parent / file).resolve().is_relative_to(DOCS):
            assert (path.parent / file).resolve().exists(), f"{text}: {target}"
        elif file:
            written = Path(file).name in GENERATED or Path(file).parts[-2:-1] in {("reference",), ("notebooks",)}
            assert written or (path.parent / file).exists(), f"{text}: {target}"
        if heading and (path.parent / file).exists() and Path(file).name not in GENERATED:
            assert heading in anchors(path.parent / file), f"{text}: {target}"


def anchors(path):
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=by_name)
def test_links_to_source_name_the_file_they_lead_to(path):
    for text, target in links(path):
        if "microgradlib/" in target and target.endswith(".py"):
            assert target.endswith("microgradlib/" + text.replace("\\", "")), (text, target)


NAMED = re.compile(r"`(?P<name>\w+)(?:\(\))?`(?:,)? in\s+\[(?P<file>[\w/.\\]+)\]\(")


def test_names_are_where_the_page_says():
    text = (DOCS / "how_it_works.md").read_text(encoding="utf-8")
    named = [(match["name"], match["file"].replace("\\", "")) for match in NAMED.finditer(text)]
    assert len(named) >= 6
    for name, file in named:
        assert name in defined(ROOT / "microgradlib" / file), (name, file)


def defined(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def test_benchmarks_name_programs_that_exist():
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    programs = set(re.findall(r"python (tests/benchmarks/\w+\.py)", text))
    assert len(programs) >= 6
    assert all((ROOT / program).exists() for program in programs)


def test_no_reader_is_sent_to_documents_that_nobody_has():
    for path in PAGES:
        assert not re.search(r"document 00\d|\blecture 8\b|SOURCE\.md", path.read_text(encoding="utf-8")), path
