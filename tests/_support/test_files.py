"""Files are written whole or not at all, and only where a regular file is or can be; they are read up to a limit."""

import errno
import os
import socket
import stat
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from microgradlib._support import files
from microgradlib._support.drafts import draft_for
from microgradlib._support.files import file_path, read_limited, save_as, write_atomic

POSIX = pytest.mark.skipif(os.name != "posix", reason="devices, pipes and permissions of POSIX")
AS_USER = pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="all is permitted to root")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("path", [3, None, b"graph.svg", ["graph.svg"], True])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(TypeError, match=r"^save takes the path of a file, such as 'graph\.svg'; got "):
        save_as(path, {".svg": lambda: b""})


def test_the_suffix_says_the_format_in_either_case(tmp_path):
    formats = {".svg": lambda: b"svg", ".html": lambda: b"html"}
    assert save_as(tmp_path / "a.SVG", formats).read_bytes() == b"svg"
    assert save_as(str(tmp_path / "a.html"), formats).read_bytes() == b"html"
    for name in ("a.png", "a", ".svg"):
        with pytest.raises(ValueError, match=r"is not one of \.svg, \.html"):
            save_as(tmp_path / name, formats)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.SVG", "a.html"]


@pytest.mark.parametrize(
    "function", [lambda path: save_as(path, {".svg": bytes}), lambda path: file_path(path, "load", "")]
)
def test_a_null_character_is_refused(function):
    with pytest.raises(ValueError, match="no path has a null character in it"):
        function("a\0.svg")


@POSIX
def test_half_a_pair_of_surrogates_is_refused():
    with pytest.raises(ValueError, match=r"no path has '\\ud800'$"):
        file_path("a\ud800.svg", "save", "a.svg")
    assert file_path("a\udcff.svg", "save", "a.svg") == Path(
        "a\udcff.svg"
    )  # a byte that is no UTF-8, as os.listdir gives


# Where nothing is written


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(IsADirectoryError, match=r"a\.svg': it is a folder; choose another name$"):
        write_atomic(tmp_path / "a.svg", b"")
    assert names(tmp_path) == ["a.svg"]


@POSIX
@pytest.mark.parametrize("kind", ["device", "fifo", "socket", "link to a device", "link to a fifo"])
def test_what_is_no_regular_file_is_not_replaced(tmp_path, kind):
    path = tmp_path / "a.svg"
    other = tmp_path / "other"
    server = socket.socket(socket.AF_UNIX)
    try:
        if kind == "device":
            path = Path(os.devnull)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "socket":
            server.bind(str(path))
        else:
            os.mkfifo(other)
            path.symlink_to(os.devnull if kind == "link to a device" else other)
        before, listed = path.lstat(), names(tmp_path)
        with pytest.raises(
            OSError, match="it is a device, a pipe or a socket, not a regular file; choose another name"
        ):
            write_atomic(path, b"new")
        assert (path.lstat().st_mode, path.lstat().st_ino) == (before.st_mode, before.st_ino)
        assert names(tmp_path) == listed
    finally:
        server.close()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="open files as paths")
def test_an_open_file_of_a_process_is_not_replaced_under_it(tmp_path):
    with (tmp_path / "a.svg").open("wb") as file:
        with pytest.raises(OSError, match="not a regular file"):
            write_atomic(Path(f"/dev/fd/{file.fileno()}"), b"new")
        assert os.fstat(file.fileno()).st_nlink == 1


@POSIX
@pytest.mark.parametrize(
    ("folder", "is_refused"),
    [("/dev", True), ("/dev/fd", True), ("/proc/7/fd", True), ("/developers/ann", False), ("/home/dev", False)],
)
def test_links_of_the_system_are_told_by_their_folder(tmp_path, monkeypatch, folder, is_refused):
    link = tmp_path / "a.json"
    link.symlink_to("b.json")
    monkeypatch.setattr(files.os.path, "realpath", lambda path: folder)
    assert files._is_of_the_system(link) is is_refused


@POSIX
def test_a_link_to_itself_is_an_error_and_stays(tmp_path):
    path = tmp_path / "a.json"
    path.symlink_to("b.json")
    (tmp_path / "b.json").symlink_to("a.json")
    with pytest.raises(OSError, match=r"a\.json") as caught:
        write_atomic(path, b"new")
    assert caught.value.errno == errno.ELOOP
    assert names(tmp_path) == ["a.json", "b.json"]
    assert path.is_symlink()


@AS_USER
def test_a_write_protected_file_is_not_replaced(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="it is write-protected; choose another name, or make it writable"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"


def test_write_protection_is_asked_of_the_system(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="it is write-protected"):
        write_atomic(path, b"new")
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["a.json"])
    write_atomic(path, b"cache", private=True)
    assert path.read_bytes() == b"cache"


@pytest.mark.parametrize("parent", ["none", "file"])
def test_without_a_folder_nothing_is_made(tmp_path, parent):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=f"there is no folder '.*{parent}'; make it first"):
        write_atomic(tmp_path / parent / "a.json", b"")
    assert names(tmp_path) == ["file"]


def test_a_name_that_is_too_long_is_an_error_of_the_system_which_is_shortened(tmp_path):
    path = tmp_path / ("a" * 100_000)
    for call in (lambda: write_atomic(path, b""), lambda: read_limited(path, 100)):
        with pytest.raises(OSError, match="…") as caught:
            call()
        assert caught.value.errno in {errno.ENAMETOOLONG, errno.ENOENT, errno.EINVAL}
        assert len(str(caught.value)) < 400
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("model.json", False), ("console.json", False), ("com10.json", False), ("nul2", False), (".hidden", False),
        ("größe π.json", False), ("nul", True), ("NUL.json", True), ("aux .tar.gz", True), ("com1", True),
        ("LPT9.svg", True), ("COM²", True), ("conin$", True), ("a:b.json", True), ("a?.svg", True), ('a"', True),
        ("a.", True), ("a ", True), ("a\n.svg", True),
    ],
)  # fmt: skip
def test_names_that_windows_does_not_have(name, refused):
    assert bool(files.NOT_ON_WINDOWS.fullmatch(name)) is refused


# What is written


@POSIX
def test_links_are_followed_and_kept(tmp_path):
    (tmp_path / "folder").mkdir()
    link, target = tmp_path / "link.json", tmp_path / "folder" / "model.json"
    link.symlink_to("between.json")
    (tmp_path / "between.json").symlink_to(Path("folder", "model.json"))
    for content in (b"one", b"two"):  # the target is missing, then there
        write_atomic(link, content)
        assert target.read_bytes() == content
        assert link.is_symlink()
        assert (tmp_path / "between.json").is_symlink()
    assert names(target.parent) == ["model.json"]


@POSIX
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_permissions_of_the_old_file_are_kept(tmp_path, mode):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomic(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", mode)


@POSIX
def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "a.json", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o640


@POSIX
def test_a_secret_is_never_in_a_draft_that_others_can_read(tmp_path, monkeypatch):
    path, seen = tmp_path / "a.json", []
    path.write_bytes(b"old")
    path.chmod(0o600)
    monkeypatch.setattr(os, "fsync", lambda number: seen.append(stat.S_IMODE(os.fstat(number).st_mode)))
    write_atomic(path, b"secret")
    assert seen == [0o600]


@pytest.mark.parametrize("name", ["名" * 83, "a" * 250, "🙂" * 62])
@pytest.mark.skipif(sys.getfilesystemencoding() != "utf-8", reason="names in ASCII, as in the locale C")
def test_names_as_long_as_the_system_allows(tmp_path, name):
    for content in (b"one", b"two"):
        write_atomic(tmp_path / name, content)
        assert (tmp_path / name).read_bytes() == content
    assert names(tmp_path) == [name]


def test_a_file_that_is_open_elsewhere_is_awaited_where_that_hinders(tmp_path, monkeypatch):
    failures, replace = [PermissionError(errno.EACCES, "in use"), PermissionError(errno.EACCES, "in use")], Path.replace

    def replace_later(self, target):
        if failures:
            raise failures.pop()
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replace_later)
    monkeypatch.setattr(files, "PATIENCE", 60.0)
    write_atomic(tmp_path / "a.json", b"new")
    assert ((tmp_path / "a.json").read_bytes(), names(tmp_path)) == (b"new", ["a.json"])


@pytest.mark.parametrize(("module", "name"), [("os", "fsync"), ("Path", "replace"), ("Path", "chmod")])
def test_an_error_of_the_system_names_the_file_and_leaves_no_draft(tmp_path, monkeypatch, module, name):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device", str(draft_for(path)))

    monkeypatch.setattr(os if module == "os" else Path, name, fail)
    with pytest.raises(OSError, match=r"No space left on device: '.*a\.json'$"):
        write_atomic(path, b"new")
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["a.json"])


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP])
def test_a_file_system_that_cannot_be_awaited_is_none_the_less_written(tmp_path, monkeypatch, number):
    def fail(file):
        raise OSError(number, "not here")

    monkeypatch.setattr(os, "fsync", fail)
    write_atomic(tmp_path / "a.json", b"new")
    assert ((tmp_path / "a.json").read_bytes(), names(tmp_path)) == (b"new", ["a.json"])


def test_an_interrupt_leaves_no_draft(tmp_path, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(tmp_path / "a.json", b"new")
    assert names(tmp_path) == []


# What is read


def test_files_are_read_up_to_the_limit(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 100)
    assert read_limited(path, 100) == b"x" * 100
    with pytest.raises(ValueError, match=r"^it has 100 bytes, and 98 are read at most; .* higher max_bytes$"):
        read_limited(path, 98)


@POSIX
def test_a_large_file_is_not_read_at_all(tmp_path):
    path = tmp_path / "a"
    path.touch()
    os.truncate(path, 10**12)  # a hole: it takes no space
    with pytest.raises(ValueError, match="it has 1,000,000,000,000 bytes"):
        read_limited(path, 10**8)


@POSIX
def test_devices_without_an_end_stop_at_the_limit():
    with pytest.raises(ValueError, match="it is larger, and 3,000,000 are read at most"):
        read_limited(Path("/dev/zero"), 3_000_000)
    assert len(read_limited(Path("/dev/zero"), 3_000_000, begins=b"{[")) == files.CHUNK


@POSIX
@pytest.mark.parametrize(("size", "fits"), [(0, True), (200_000, True), (200_001, False), (900_000, False)])
def test_pipes_are_read_up_to_the_limit(tmp_path, size, fits):
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write():
        with suppress(BrokenPipeError):
            path.write_bytes(b"x" * size)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        if fits:
            assert read_limited(path, 200_000) == b"x" * size
        else:
            with pytest.raises(ValueError, match="it is larger"):
                read_limited(path, 200_000)
    finally:
        writer.join()
