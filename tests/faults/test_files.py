"""Saving where it cannot end well: killed, in a crowd, on a full disk, where no regular file is. Nothing is torn."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import file_faults
import pytest

import microgradlib as mg
from microgradlib import Value
from microgradlib.cli import main
from microgradlib.compiler import compile as compiled
from microgradlib.nn import MLP, save

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks, devices and pipes of POSIX")

KILLS = int(os.environ.get("MICROGRADLIB_KILLS", "40"))
SECONDS = float(os.environ.get("MICROGRADLIB_SECONDS", "0.8"))


def counted(name, folder, count):
    """Run a part of `file_faults` in a process of its own."""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, file_faults.__file__, name, str(folder), str(count)]
    run = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_a_kill_leaves_the_old_file_or_the_new_one_and_the_next_save_cleans_up(tmp_path):
    counts = counted("kills", tmp_path, KILLS)
    assert sum(counts["held"]) == KILLS
    assert sum([count > 0 for count in counts["held"]]) > 1  # not always the same
    assert counts["left"] == 0
    assert counts["drafts"] > 0  # some were killed while they wrote


def test_processes_that_save_and_load_the_same_file(tmp_path):
    counts = counted("crowd", tmp_path, SECONDS)
    assert counts["codes"] == [0] * 8
    assert counts["files"] == 1


def test_a_full_disk_leaves_the_old_file_and_no_draft(tmp_path):
    counts = counted("full", tmp_path, 0)
    assert len(counts["errors"]) == 2
    assert all(f"{name}.json'" in error for name, error in zip(("old", "new"), counts["errors"]))
    assert (counts["held"], counts["files"]) == (1, ["new.json", "old.json"])


def test_folders_and_files_that_may_not_be_written():
    folder = Path(tempfile.mkdtemp(prefix="microgradlib-faults"))
    try:
        counts = counted("protected", folder, 0)
    finally:
        shutil.rmtree(folder)
    assert [sorted(errors) for errors in counts["errors"]] == [["0", "1", "2"]] * 3
    assert all(error.startswith("PermissionError: ") for errors in counts["errors"] for error in errors.values())
    assert (counts["held"], counts["files"]) == ([0, 0], ["old.json", "inner", "mine.json"])


def test_a_folder_that_vanishes_meanwhile(tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setattr(os, "fsync", lambda number: shutil.rmtree(folder))
    with pytest.raises(FileNotFoundError, match=r"model\.json"):
        save(MLP([2, 1], rng=0), folder / "model.json")
    assert list(tmp_path.iterdir()) == []


def _fast():
    w = Value(3.0)
    fast = compiled(lambda x: w * x, [w])
    fast([1.0])
    return fast


def _onnx(path):
    pytest.importorskip("onnx", reason="an extra")
    onnx = importlib.import_module("microgradlib.interop.onnx")
    return onnx.to_onnx(_fast(), path)


def _by_command(*words):
    """Call the command line; its errors as exceptions."""

    def saved(path):
        if main([*words, "--out", str(path)]):
            raise OSError("see standard error")

    return saved


def _y():
    x = Value(2.0, label="x")
    y = x * x
    y.backward()
    return y


SAVERS = {
    "model": (".json", lambda path: save(MLP([2, 1], rng=0), path)),
    "program": (".json", lambda path: _fast().save(path)),
    "svg": (".svg", lambda path: mg.draw(_y()).save(path)),
    "html": (".html", lambda path: mg.draw(_y()).save(path)),
    "stepper": (".html", lambda path: mg.explain(_y()).save(path)),
    "drawn program": (".svg", lambda path: _fast().program.draw().save(path)),
    "onnx": (".onnx", _onnx),
    "draw": (".svg", _by_command("draw", "x*x", "x=2")),
    "source": (".py", _by_command("source", "x*x")),
}
"""All that writes files, each with a suffix that it takes."""


@pytest.mark.parametrize("name", SAVERS)
def test_all_that_writes_files_writes_regular_ones_alone(tmp_path, name):
    suffix, saver = SAVERS[name]
    device, pipe, itself = (tmp_path / f"{kind}{suffix}" for kind in ("device", "pipe", "itself"))
    device.symlink_to(os.devnull)
    os.mkfifo(pipe)
    itself.symlink_to(itself.name)
    before = {path.name: path.lstat().st_ino for path in tmp_path.iterdir()}
    for path in (device, pipe, itself):
        with pytest.raises(OSError, match=r"regular file|symbolic links|standard error"):
            saver(path)
    assert {path.name: path.lstat().st_ino for path in tmp_path.iterdir()} == before
    link, target = tmp_path / f"link{suffix}", tmp_path / f"target{suffix}"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target.name)
    saver(link)
    assert link.is_symlink()
    assert target.read_bytes() != b"old"
    assert target.stat().st_mode & 0o777 == 0o640
    assert len(list(tmp_path.iterdir())) == 5
