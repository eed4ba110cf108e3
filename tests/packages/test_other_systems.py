"""What other systems than Linux lack: the library works without it.

In a process of its own, before the package is imported, the modules and functions are taken away that Windows has not,
or those that macOS has not; the system's name is theirs then. `mypy --platform win32` finds uses of them too.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

LACKING = {
    "win32": {
        "modules": "curses fcntl grp posix pty pwd readline resource syslog termios tty",
        "os": (
            "chown chroot confstr ctermid fchdir fchmod fchown fork forkpty fpathconf fstatvfs getegid geteuid getgid "
            "getgrouplist getgroups getloadavg getpgid getpgrp getpriority getresuid getsid getuid initgroups killpg "
            "lchown lockf major makedev memfd_create minor mkfifo mknod nice openpty pathconf pipe2 posix_fadvise "
            "posix_fallocate posix_spawn pread preadv pwrite pwritev readv register_at_fork sched_getaffinity "
            "sched_getparam sched_setaffinity sched_yield sendfile setegid seteuid setgid setgroups setpgid "
            "setpriority setsid setuid splice statvfs sync sysconf tcgetpgrp tcsetpgrp ttyname uname wait wait3 wait4 "
            "waitid writev "
            "O_ASYNC O_CLOEXEC O_DIRECT O_DIRECTORY O_DSYNC O_NOATIME O_NOCTTY O_NOFOLLOW O_NONBLOCK O_PATH O_SYNC"
        ),
        "signal": (
            "SIGALRM SIGBUS SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 SIGWINCH "
            "SIGXCPU alarm getitimer pause pthread_kill pthread_sigmask setitimer siginterrupt sigpending sigwait"
        ),
        "time": "pthread_getcpuclockid tzset clock_gettime clock_settime",
    },
    "darwin": {
        "modules": "spwd",
        "os": (
            "getresuid memfd_create pipe2 posix_fadvise posix_fallocate sched_getaffinity sched_getparam "
            "sched_setaffinity splice O_DIRECT O_NOATIME O_PATH"
        ),
        "signal": "sigtimedwait sigwaitinfo",
        "time": "",
    },
}
"""Names that Python's library has on Linux, and not on the other system."""

PROGRAM = """
import contextlib, ctypes, os, signal, subprocess, sys, tempfile, time  # these find out where they are at once
for module in ("matplotlib.pyplot", "llvmlite.binding", "numpy", "sklearn", "sympy"):
    with contextlib.suppress(ImportError):
        __import__(module)
for name in LACKING["modules"].split():
    sys.modules[name] = None
for module in (os, signal, time):
    for name in LACKING[module.__name__].split():
        vars(module).pop(name, None)
sys.platform = SYSTEM

import importlib, pkgutil
from pathlib import Path
import microgradlib as mg
from microgradlib.cli import main
from microgradlib.compiler import load_program
from microgradlib.errors import MissingExtraError

for module in pkgutil.walk_packages(mg.__path__, "microgradlib."):
    if not module.name.endswith("__main__"):
        with contextlib.suppress(MissingExtraError):
            importlib.import_module(module.name)

model, other = mg.nn.MLP(2, [3, 1], rng=0), mg.nn.MLP(2, [3, 1], rng=1)
mg.fit(model, mg.costs.squared_error, [[0.0, 1.0], [1.0, 0.0]], [1.0, 0.0], epochs=3)
Path(".microgradlib-0123456789abcdef.draft").write_bytes(b"")
os.utime(".microgradlib-0123456789abcdef.draft", (0, 0))
for _ in range(2):  # the second time in the old files' places
    mg.save(model, "model.json")
    mg.draw(model([1.0, 2.0])).save("graph.svg")
    mg.explain(model([1.0, 2.0])).save("lesson.html")
    assert main(["draw", "tanh(β*x)", "β=0.5", "x=2", "-o", "neuron.svg"]) == 0
assert sorted(os.listdir()) == ["graph.svg", "lesson.html", "model.json", "neuron.svg"], os.listdir()
mg.load(other, "model.json")
assert [p.data for p in other.parameters()] == [p.data for p in model.parameters()]

w = mg.Value(0.5)
fast = mg.compile(lambda x: mg.sin(w * x) + mg.erf(x), [w], backend="numpy")
total, gradient = fast.value_and_grad([2.0, 4.0])
fast.save("program.json")
assert list(load_program("program.json")([2.0, 4.0])) == list(fast([2.0, 4.0]))
with contextlib.suppress(MissingExtraError):
    for _ in range(2):  # the second time from the cache
        native = mg.compile(lambda x: mg.sin(w * x) + mg.erf(x), [w], backend="native")
        found, slope = native.value_and_grad([2.0, 4.0])
        assert abs(found - total) < 1e-12 > abs(slope[0] - gradient[0])
    assert [*Path(os.environ["MICROGRADLIB_CACHE_DIR"]).rglob("*.native")]
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="takes away what Linux has")
@pytest.mark.parametrize("system", LACKING)
def test_it_works_without_what_the_system_lacks(tmp_path, system):
    pytest.importorskip("numpy", reason="programs are NumPy's")
    folder = tmp_path / "work"
    folder.mkdir()
    own = {"MICROGRADLIB_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(REPOSITORY), "PYTHONUTF8": "1"}
    environment = {**os.environ, **own}
    program = f"SYSTEM, LACKING = {system!r}, {LACKING[system]!r}\n{PROGRAM}"
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
