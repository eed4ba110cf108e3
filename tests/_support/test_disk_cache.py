"""Compiled programs are kept on disk and found again; no file is believed that somebody else can have written."""

import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from microgradlib._support import disk_cache as cache

KEY, OTHER = "ab" * 32, "cd" * 32
POSIX = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions of POSIX")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MICROGRADLIB_CACHE_DIR", str(tmp_path / "new"))
    return tmp_path / "new" / "native"


def never():
    raise AssertionError("it is in the cache")


def is_kept(key=KEY):
    """Say whether there is something for a key that is believed."""
    return cache.cached(key, lambda: b"made anew") != b"made anew"


@pytest.fixture
def file(folder):
    """The file of a key with the content b"code"."""
    assert cache.cached(KEY, lambda: b"code") == b"code"
    return folder / f"{KEY}.native"


def test_what_was_made_is_found_again(folder):
    assert cache.folder() == folder
    assert cache.cached(KEY, lambda: b"code") == b"code"
    assert cache.cached(KEY, never) == b"code"
    assert cache.cached(OTHER, lambda: b"") == b""
    assert cache.cached(OTHER, never) == b""
    assert sorted(path.name for path in folder.iterdir()) == [f"{KEY}.native", f"{OTHER}.native"]


def test_no_key_is_made_anew(folder):
    assert [cache.cached(None, lambda k=k: bytes([k])) for k in range(2)] == [b"\0", b"\1"]
    assert not folder.exists()


@pytest.mark.parametrize("setting", ["", "off"])
def test_it_is_off_by_a_setting(setting, monkeypatch):
    monkeypatch.setenv("MICROGRADLIB_CACHE_DIR", setting)
    assert cache.folder() is None
    assert [cache.cached(KEY, lambda k=k: bytes([k])) for k in range(2)] == [b"\0", b"\1"]


def test_the_folder_of_each_system(monkeypatch, tmp_path):
    for name in ("MICROGRADLIB_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    end = Path("microgradlib", "native")
    for system, default in (("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData/Local")):
        monkeypatch.setattr(cache.sys, "platform", system)
        assert cache.folder() == tmp_path / default / end
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache.folder() == tmp_path / "local" / end
    monkeypatch.setattr(cache.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    assert cache.folder() == tmp_path / "caches" / end
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which the standard says to ignore
    assert cache.folder() == tmp_path / ".cache" / end


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def home():
        raise RuntimeError("Could not determine home directory.")

    for name in ("MICROGRADLIB_CACHE_DIR", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", home)
    assert cache.folder() is None


def test_a_flipped_bit_anywhere_is_rejected(file):
    whole = file.read_bytes()
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        file.write_bytes(damaged)
        assert cache._read(file.parent, KEY) is None
    file.write_bytes(whole)
    assert cache._read(file.parent, KEY) == b"code"


def test_other_lengths_are_rejected(file):
    whole = file.read_bytes()
    for damaged in [
        *[whole[:length] for length in range(len(whole))],
        whole + b"\0",
        whole + whole,
        b"\0" * len(whole),
    ]:
        file.write_bytes(damaged)
        assert cache._read(file.parent, KEY) is None


def test_a_damaged_file_is_replaced(file):
    file.write_bytes(b"damaged")
    assert cache.cached(KEY, lambda: b"code") == b"code"
    assert cache.cached(KEY, never) == b"code"


def test_a_file_of_another_key_is_rejected(file):
    os.link(file, file.with_name(f"{OTHER}.native"))
    assert not is_kept(OTHER)


@POSIX
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_rejected_and_replaced(file, mode):
    file.chmod(mode)
    assert cache._read(file.parent, KEY) is None
    assert cache.cached(KEY, lambda: b"code") == b"code"
    assert cache.cached(KEY, never) == b"code"


@POSIX
def test_a_folder_that_others_can_write_is_not_used(file):
    for mode in (0o770, 0o707, 0o1777):
        file.parent.chmod(mode)
        assert not is_kept()
        assert not is_kept(OTHER)  # nothing was written
        assert not is_kept(OTHER)
    file.parent.chmod(0o700)
    assert is_kept()


@POSIX
def test_what_another_user_owns_is_not_used(file, monkeypatch):
    own = os.geteuid()
    monkeypatch.setattr(cache.os, "geteuid", lambda: own + 1)
    assert not is_kept()
    monkeypatch.undo()
    assert file.stat().st_uid == own


@POSIX
def test_files_and_folders_are_private_whatever_the_umask(folder):
    before = os.umask(0)
    try:
        assert cache.cached(KEY, lambda: b"code") == b"code"
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / f"{KEY}.native").stat().st_mode) == 0o600
    assert is_kept()


@POSIX
def test_what_is_no_plain_file_is_not_read(file):
    elsewhere = file.with_name("elsewhere")
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert cache._read(file.parent, KEY) is None
    file.unlink()
    os.mkfifo(file)  # to open it for reading would wait for a writer
    assert cache._read(file.parent, KEY) is None
    file.unlink()
    file.mkdir()
    assert not is_kept()


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("MICROGRADLIB_CACHE_DIR", str(tmp_path / "file"))
    assert cache.cached(KEY, lambda: b"code") == b"code"
    assert not is_kept()


@POSIX
@pytest.mark.skipif(getattr(os, "geteuid", int)() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_read(file):
    file.parent.chmod(0o500)
    try:
        assert is_kept()
        assert not is_kept(OTHER)
        assert not is_kept(OTHER)
    finally:
        file.parent.chmod(0o700)


def test_a_full_disk_is_no_error(folder, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "write_atomic", full)
    assert cache.cached(KEY, lambda: b"code") == b"code"


def test_an_error_of_what_makes_it_is_the_callers(folder):
    with pytest.raises(OSError, match="the compiler's"):
        cache.cached(KEY, lambda: (_ for _ in ()).throw(OSError("the compiler's")))
    assert not folder.exists()


def test_what_was_used_last_longest_ago_goes_first(folder, monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 5 * (cache.HEAD.size + 1000))
    keys = [f"{k:064x}" for k in range(7)]
    for k, key in enumerate(keys[:5]):
        cache.cached(key, lambda: bytes(1000))
        os.utime(folder / f"{key}.native", (0, 1e9 + k))
    (folder / "of another program").write_bytes(bytes(9999))
    os.utime(folder / "of another program", (0, 0))
    assert cache.cached(keys[0], never) == bytes(1000)  # it is now the one that was used last
    for key in keys[5:]:
        cache.cached(key, lambda: bytes(1000))
    assert {path.stem for path in folder.glob("*.native")} == {keys[0], *keys[3:]}
    assert (folder / "of another program").exists()


def test_a_use_is_noted(file):
    os.utime(file, (0, 1e9))
    assert cache.cached(KEY, never) == b"code"
    assert file.stat().st_mtime > 1.5e9


def test_what_is_larger_than_the_whole_cache_is_not_kept(folder, monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 1000)
    assert cache.cached(KEY, lambda: bytes(2000)) == bytes(2000)
    assert list(folder.iterdir()) == []


def test_files_half_written_are_removed_in_their_turn(file, monkeypatch):
    left = file.with_name(f".{OTHER}.native.0123")
    left.write_bytes(bytes(5000))
    os.utime(left, (0, 1e9))
    cache.cached(OTHER, lambda: b"code")
    assert left.exists()
    monkeypatch.setattr(cache, "MOST_BYTES", 5000)
    cache.cached("ef" * 32, lambda: b"code")
    assert not left.exists()
    assert is_kept()


def test_threads_and_processes_at_once(folder):
    code = (
        "from microgradlib._support import disk_cache as cache\n"
        f"for _ in range(30): print(len(set(cache.cached('{KEY}', lambda: bytes(100_000)))))\n"
    )
    others = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    start = threading.Barrier(4)

    def work(_):
        start.wait()
        for _ in range(30):
            if cache.cached(KEY, lambda: bytes(100_000)) != bytes(100_000):
                return False
            (folder / f"{KEY}.native").unlink(missing_ok=True)
        return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
    assert [process.communicate()[0] for process in others] == ["1\n" * 30] * 2
    assert {path.name for path in folder.iterdir()} <= {f"{KEY}.native"}
