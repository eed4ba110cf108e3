"""Configuration of all tests: Hypothesis profiles, parallel runs, and a fixture for temporary ops.

The folders mirror the package: microgradlib/nn/mlp.py is tested by tests/nn/test_mlp*.py. In addition, `common` holds
modules that several tests import (the eager oracle, edge cases); `peers` results of other libraries and the scripts
that recorded them; `notebooks` tests of the notebooks' scripts; `types` tests of the package's type annotations;
`benchmarks` timings that are run by hand. What concerns all rooms has folders too: `misuse` wrong calls, `faults`
Ctrl-C, threads, kills and damaged files, `large` deep and wide graphs, `fuzz` text from strangers and programs beside
those of PyTorch and JAX, `mutation` whether the tests notice faults, `packages` the wheel and its extras.
"""

import gc
import os
import signal
import sys
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import just

from microgradlib.ops import define_op, forget_op

# No time limits for single examples: on a busy machine they would fail correct tests.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

os.environ.setdefault("MPLBACKEND", "Agg")  # plots are drawn without a window
os.environ.setdefault("MICROGRADLIB_CACHE_DIR", "off")  # a run neither reads nor writes native code of the user's
os.environ.setdefault("MICROGRADLIB_BACKEND", "numpy")  # what "auto" is; tests of other engines name them

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so does a shell start what runs in its background
    signal.signal(signal.SIGINT, signal.default_int_handler)

collect_ignore_glob = [  # programs, of which the tests of their folders need results or functions: no doctests there
    "peers/record_*.py", "fuzz/differential.py", "fuzz/module_peers.py", "fuzz/peer_functions.py", "mutation/r*.py",
    "mutation/trial.py",
]  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Run a plain `pytest` on every core, as with `-n auto`, if pytest-xdist is installed.

    Runs of selected files or names are not changed, since each process collects the whole suite first, which takes
    longer than most single files; nor are runs with a debugger, with -s, or with an explicit -n.
    """
    option = config.option
    in_worker = hasattr(config, "workerinput")
    selected = config.args_source is not config.ArgsSource.TESTPATHS or option.keyword
    explicit = getattr(option, "numprocesses", 0) is not None  # 0 without pytest-xdist
    interactive = option.usepdb or option.trace or option.capture == "no" or option.collectonly
    if not (in_worker or selected or explicit or interactive):
        option.numprocesses, option.dist = "auto", "worksteal"


def pytest_collection_finish(session):
    """Exclude objects made by collection from cyclic garbage collection, which took an eighth of the suite's time.

    Before that, Hypothesis makes the random numbers that it keeps: it looks who refers to them, and would see nobody.
    """
    settings(max_examples=1, derandomize=True, database=None)(given(just(0))(lambda zero: None))()
    gc.collect()
    getattr(gc, "freeze", gc.collect)()  # PyPy has none


@pytest.fixture
def temporary_op():
    """Return a `define_op` whose ops are removed from the table when the test ends."""
    names = []

    def define(name, *rules, **properties):
        op = define_op(name, *rules, **properties)
        names.append(name)
        return op

    yield define
    for name in names:
        forget_op(name)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.fixture
def plot_settings():
    """Settings of matplotlib that are as before after the test: what calls every public function sets them too."""
    matplotlib = sys.modules.get("matplotlib") or pytest.importorskip("matplotlib")
    with matplotlib.rc_context():
        yield


@pytest.fixture
def keyboard():
    """Let Ctrl-C be what it is in a session: Python's own handler, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals come to the main thread, and this is another one")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def restless():
    """Let threads take turns far more often than usual, so that they meet in the middle of things."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)
