"""Drafts of dead processes are removed; those of living ones, and what belongs to others, stay."""

import os
import subprocess
import sys
import time

import pytest

from microgradlib._support import drafts
from microgradlib._support.drafts import draft_for, hold, open_draft, remove_dead_drafts
from microgradlib._support.files import write_atomic

LOCKS = pytest.mark.skipif(not drafts.HAS_LOCKS, reason="locks of POSIX")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def age(path):
    long_ago = time.time() - 2 * drafts.OLD
    os.utime(path, (long_ago, long_ago))


@LOCKS
def test_a_draft_that_nobody_holds_is_removed_by_the_next_save(tmp_path):
    draft_for(tmp_path / "a.json").write_bytes(b"half")
    write_atomic(tmp_path / "b.json", b"whole")
    assert names(tmp_path) == ["b.json"]


@LOCKS
def test_a_draft_that_is_held_stays_however_old_it_is(tmp_path):
    draft = draft_for(tmp_path / "a.json")
    with open_draft(draft, 0o600) as file:
        assert hold(file, draft)
        age(draft)
        remove_dead_drafts(tmp_path)
        assert names(tmp_path) == [draft.name]
    remove_dead_drafts(tmp_path)
    assert names(tmp_path) == []


@LOCKS
def test_a_draft_of_another_process_stays_until_that_is_killed(tmp_path):
    draft = draft_for(tmp_path / "a.json")
    code = (
        "import sys, time; from pathlib import Path; from microgradlib._support.drafts import hold, open_draft\n"
        "draft = Path(sys.argv[1]); file = open_draft(draft, 0o600); hold(file, draft); print(flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(draft)], stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            remove_dead_drafts(tmp_path)
            assert names(tmp_path) == [draft.name]
        finally:
            process.kill()
            process.wait()
    remove_dead_drafts(tmp_path)
    assert names(tmp_path) == []


@LOCKS
def test_a_draft_taken_for_dead_before_it_was_held_is_made_again(tmp_path, monkeypatch):
    held = []

    def hold_later(file, draft):
        if not held:
            remove_dead_drafts(tmp_path)  # as another process does at this moment
        held.append(draft)
        return hold(file, draft)

    monkeypatch.setattr("microgradlib._support.files.hold", hold_later)
    write_atomic(tmp_path / "a.json", b"new")
    assert (len(set(held)), names(tmp_path)) == (2, ["a.json"])
    assert (tmp_path / "a.json").read_bytes() == b"new"


@pytest.mark.parametrize("locks", [False, "failing"])
def test_without_locks_only_old_drafts_are_removed(tmp_path, monkeypatch, locks):
    if locks:
        fcntl = pytest.importorskip("fcntl", reason="locks of POSIX")

        def fail(*arguments):
            raise OSError("no locks on this file system")

        monkeypatch.setattr(fcntl, "flock", fail)
    else:
        monkeypatch.setattr(drafts, "HAS_LOCKS", False)
    old, young = draft_for(tmp_path / "a.json"), draft_for(tmp_path / "a.json")
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    age(old)
    write_atomic(tmp_path / "a.json", b"new")
    assert names(tmp_path) == sorted([young.name, "a.json"])


@pytest.mark.parametrize(
    "name",
    [".a.json.0123abcd", ".microgradlib-0123.draft", ".microgradlib-0123456789abcdef.draft~", "a.draft", ".draft"],
)
def test_files_of_other_names_stay(tmp_path, name):
    (tmp_path / name).write_bytes(b"a stranger's")
    age(tmp_path / name)
    write_atomic(tmp_path / "b.json", b"")
    assert (tmp_path / name).read_bytes() == b"a stranger's"


@LOCKS
@pytest.mark.parametrize("kind", ["folder", "fifo", "link"])
def test_what_is_no_regular_file_stays_and_is_no_error(tmp_path, kind):
    draft, target = draft_for(tmp_path / "a.json"), tmp_path / "target"
    if kind == "folder":
        draft.mkdir()
    elif kind == "fifo":
        os.mkfifo(draft)
    else:
        target.write_bytes(b"a stranger's")
        draft.symlink_to(target)
    write_atomic(tmp_path / "b.json", b"")
    assert draft.name in names(tmp_path)
    assert kind != "link" or target.read_bytes() == b"a stranger's"
