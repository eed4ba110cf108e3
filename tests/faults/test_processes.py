"""Several processes that compile to native code at once, in one folder of kept code: empty, damaged, full, read-only,
and with processes that are killed. Each gets the numbers that it gets without a folder.

`MICROGRADLIB_PROCESSES=4 pytest -m slow tests/faults/test_processes.py` tries all, with so many processes at once.
"""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("llvmlite", reason="native code is made by llvmlite")
pytestmark = pytest.mark.slow

PROCESSES = int(os.environ.get("MICROGRADLIB_PROCESSES", "2"))
by_hand = pytest.mark.skipif(PROCESSES < 4, reason="takes half a minute: by hand, with MICROGRADLIB_PROCESSES=4")
DAMAGES = ["a bit", *[pytest.param(each, marks=by_hand) for each in ("cut", "empty", "another's", "not a file")]]
WORK = """
import sys
from hashlib import sha256
from microgradlib import Value, compile, tanh
from microgradlib._support import disk_cache

disk_cache.MOST_BYTES = int(sys.argv[2])
order = [(int(sys.argv[1]) + k) % 3 for k in range(3)]
found = {}
for power in order:  # all processes compile the same programs, in different orders
    w = [Value(0.5), Value(-0.25)]
    fast = compile(lambda x: tanh(w[0] * x + w[1]) ** (power + 2), w, backend="native")
    mean, gradient = fast.value_and_grad([0.1, 0.2, -0.3])
    found[power] = repr(mean).encode() + gradient.tobytes()
print(sha256(b"".join([found[power] for power in sorted(found)])).hexdigest(), flush=True)
"""


def start(folder, k=0, most=256 << 20):
    given = os.environ | {"MICROGRADLIB_CACHE_DIR": str(folder)}
    command = [sys.executable, "-c", WORK, str(k), str(most)]
    return subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def results(processes):
    """Return the different results of processes, with what they wrote to standard error if they failed."""
    ends = [(process.communicate(timeout=120), process.returncode) for process in processes]
    return {out.strip() if not code else f"exit code {code}: {error}" for (out, error), code in ends}


@pytest.fixture(scope="module")
def expected():
    [found] = results([start("off")])
    assert len(found) == 64, found
    return {found}


def kept(folder):
    """Return the names of the files: of the three programs, and of the functions that all native programs share."""
    return sorted(path.name for path in (folder / "native").iterdir())


def test_an_empty_folder(tmp_path, expected):
    assert results([start(tmp_path, k) for k in range(PROCESSES)]) == expected
    names = kept(tmp_path)
    assert len(names) == 4
    assert all(name.endswith(".native") for name in names)
    before = [(tmp_path / "native" / name).read_bytes() for name in names]
    assert results([start(tmp_path, k) for k in range(PROCESSES)]) == expected
    assert [(tmp_path / "native" / name).read_bytes() for name in names] == before


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files(damage, tmp_path, expected):
    assert results([start(tmp_path)]) == expected
    files = [tmp_path / "native" / name for name in kept(tmp_path)]
    contents, rng = [file.read_bytes() for file in files], random.Random(0)
    for file, content, other in zip(files, contents, [*contents[1:], contents[0]]):
        place = rng.randrange(len(content))
        damaged = content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]
        if damage == "not a file":
            file.unlink()
            file.mkdir()
        else:
            file.write_bytes({"cut": content[:place], "a bit": damaged, "empty": b"", "another's": other}[damage])
    assert results([start(tmp_path, k) for k in range(2)]) == expected
    if damage != "not a file":
        assert [file.read_bytes()[:8] for file in files] == [b"mgnative"] * 4  # made anew


@by_hand
def test_a_full_folder(tmp_path, expected):
    """There is room for one program at most: each process removes what the others have just written."""
    assert results([start(tmp_path, k, most=20_000) for k in range(PROCESSES)]) == expected
    sizes = [path.stat().st_size for path in (tmp_path / "native").iterdir()]
    assert sum(sizes) <= 20_000 + max(sizes, default=0)


@by_hand
def test_a_folder_that_cannot_be_written(tmp_path, expected):
    (tmp_path / "native").mkdir(mode=0o500)
    assert results([start(tmp_path, k) for k in range(2)]) == expected
    (tmp_path / "native").chmod(0o700)
    (tmp_path / "a file").touch()
    assert results([start(tmp_path / "a file")]) == expected


@by_hand
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9")
def test_processes_that_are_killed(tmp_path, expected):
    """Whenever they are, the others and those that come later get their numbers, and no draft stays."""
    rng = random.Random(1)
    began = time.monotonic()
    assert results([start("off")]) == expected
    takes = time.monotonic() - began
    for _ in range(max(2, PROCESSES // 2)):
        processes = [start(tmp_path, k) for k in range(PROCESSES)]
        for process in processes[1:]:
            time.sleep(rng.uniform(0.2, 0.6) * takes)
            process.kill()
        for process in processes[1:]:
            process.communicate()
        assert results(processes[:1]) == expected
    for name in kept(tmp_path)[:1] if (tmp_path / "native").exists() else ():
        (tmp_path / "native" / name).unlink()  # so that one more is saved
    assert results([start(tmp_path)]) == expected
    assert [name for name in kept(tmp_path) if not name.endswith(".native")] == []
