"""The command line: output, files, errors, exit codes."""

import math
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import microgradlib
from microgradlib.cli import main

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(microgradlib.__file__).parents[1]), "PYTHONIOENCODING": "utf-8"}
COMMAND = [sys.executable, "-m", "microgradlib"]


def error_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def words_in(path: Path) -> str:
    return " ".join(ET.parse(path).getroot().itertext())  # noqa: S314 - our own file


def test_draw_prints_value_and_gradients_and_draws_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "neuron.svg"
    assert main(["draw", "tanh(w*x + b)", "w=0.5", "x=2", "b=-0.8", "-o", str(target)]) == 0
    slope = 1 - math.tanh(0.2) ** 2
    assert capsys.readouterr().out.splitlines() == [
        f"tanh(w*x + b) = {math.tanh(0.2):.6g}",
        f"  d/dw = {2 * slope:.6g}  at w = 0.5",
        f"  d/dx = {0.5 * slope:.6g}  at x = 2",
        f"  d/db = {slope:.6g}  at b = -0.8",
        f"wrote {target}",
    ]
    words = words_in(target)
    assert "tanh" in words
    assert f"{2 * slope:.4g}" in words


def test_draw_writes_expression_svg_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["draw", "x*x", "x=3"]) == 0
    assert "wrote expression.svg" in capsys.readouterr().out
    assert "data" in words_in(tmp_path / "expression.svg")


def test_the_suffix_selects_the_format(tmp_path: Path) -> None:
    assert main(["draw", "x*x", "x=3", "-o", str(tmp_path / "g.dot")]) == 0
    assert (tmp_path / "g.dot").read_text(encoding="utf-8").lstrip().startswith("digraph")


@pytest.mark.parametrize(
    ("text", "value", "slope"), [("-x**2", -9.0, -6.0), ("-(x)", -3.0, -1.0), ("-1/x", -1 / 3, 1 / 9)]
)
def test_an_expression_may_start_with_a_minus(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, value: float, slope: float
) -> None:
    assert main(["draw", text, "x=3", "-o", str(tmp_path / "g.svg")]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [f"{text} = {value:.6g}", f"  d/dx = {slope:.6g}  at x = 3"]


def test_an_expression_without_names_is_a_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "2*pi", "-o", str(tmp_path / "g.svg")]) == 0
    assert capsys.readouterr().out.startswith(f"2*pi = {2 * math.pi:.6g}\n")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["x*x", "x=3", "y=1"], "does not use y"),
        (["x*x", "x=3", "x=4"], "x is given twice"),
        (["x*x", "x"], "'x' is not NAME=NUMBER"),
        (["x*x", "=3"], "'=3' is not NAME=NUMBER"),
        (["x*x", "2x=3"], "'2x=3' is not NAME=NUMBER"),
        (["x*x", "x="], "'x=' is not NAME=NUMBER"),
        (["x*x", "x=three"], "'three' is not a number"),
        (["x*x", "x=3", "-o", "g.jpg"], "suffix '.jpg'"),
    ],
)
def test_draw_errors_are_one_line(
    words: list[str],
    complaint: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    said = error_of(capsys, "draw", *words)
    assert complaint in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_draw_marks_the_error_in_an_expression(capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of(capsys, "draw", "x + tnah(x)", "x=1").splitlines()[:4] == [
        "microgradlib: unknown function 'tnah'",
        "    x + tnah(x)",
        "        ^^^^",
        "Did you mean tanh?",
    ]
    assert "no number is given for 'b'" in error_of(capsys, "draw", "w*x + b", "w=1", "x=2")


def test_an_unwritable_path_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "missing" / "g.svg"
    said = error_of(capsys, "draw", "x", "x=1", "-o", str(place))
    assert said.count("\n") == 1
    assert f"cannot write to {place}" in said
    (tmp_path / "file").write_text("")
    assert "cannot write to" in error_of(capsys, "demo", "xor", "--out", str(tmp_path / "file"))


def test_demo_trains_reports_and_makes_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new" / "folder"
    assert main(["demo", "xor", "--out", str(folder), "--epochs", "300", "--seed", "2"]) == 0
    said = capsys.readouterr().out
    assert "accuracy: 4 of 4" in said
    assert "gradient check" in said
    for name in ("xor-neuron.svg", "xor-training.svg"):
        assert f"wrote {folder / name}" in said
        assert words_in(folder / name)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["paint"],
        ["demo", "mnist"],
        ["demo", "--epochs", "0"],
        ["demo", "--seed", "x"],
        ["draw"],
        ["draw", "x", "--engine", "x"],
    ],
)
def test_wrong_arguments_print_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "usage: microgradlib" in error_of(capsys, *words)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"microgradlib {microgradlib.__version__}\n"


def test_it_runs_as_a_module() -> None:
    done = subprocess.run([*COMMAND, "--version"], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("microgradlib ")
    assert done.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals and pipes")
@pytest.mark.parametrize("words", [["--help"], ["draw", "x*x", "x=3"], ["demo", "xor"]])
def test_a_closed_pipe_prints_no_traceback(words: list[str], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [*COMMAND, *words]
    try:
        done = subprocess.run(
            command, env=ENVIRONMENT, cwd=tmp_path, text=True, check=False, stdout=writing, stderr=subprocess.PIPE
        )
    finally:
        os.close(writing)
    assert done.stderr == ""
    # Some versions of argparse drop a help text that cannot be written, and call that success.
    assert done.returncode in ({0, 141} if words == ["--help"] else {141})


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals and pipes")
def test_ctrl_c_ends_quietly_with_130(tmp_path: Path) -> None:
    words = ["-u", *COMMAND[1:], "demo", "iris", "--epochs", "100000", "--out", str(tmp_path)]
    with subprocess.Popen(
        [COMMAND[0], *words], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()  # training has begun
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=20)
    assert running.returncode == 130
    assert said == "\nmicrogradlib: interrupted\n"


def test_letters_outside_the_output_encoding_are_escaped(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "draw", "β*2", "β=1", "-o", str(tmp_path / "g.svg")],
        env={**ENVIRONMENT, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(r"\u03b2*2 = 2")


@pytest.mark.parametrize(
    "words",
    [
        ["draw", "x" * 3000, "y=1"],
        ["draw", "x", "\x1b[2J\u202e\ud800\x00" * 4000],
        ["draw", "x", "x=" + "9" * 4000 + "y"],
        ["source", "tanh(x)", "--name", "a\x1b b" * 5000],
        ["demo", "--seed", "9" * 100_000],
        ["demo", "--epochs", "9" * 100_000],
        ["\x1b[2J" * 9000],
    ],
    ids=range(7),
)
def test_no_message_is_long_or_holds_what_a_terminal_obeys(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = error_of(capsys, *words)
    assert len(said) < 4000
    assert said.replace("\n", "").isprintable()
    assert "_positive_integer" not in said
