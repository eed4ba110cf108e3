"""What all tests share: Hypothesis under CI, and what makes a run of the whole suite fast.

The folders mirror the package: microgradlib/nn/mlp.py is tested by tests/nn/test_mlp*.py. Beside them, `common` holds
modules that several tests import (the eager oracle, edge cases), `peers` what other libraries computed and the scripts
that recorded it, `notebooks` the tests of the notebooks' scripts, `types` what type checkers make of code that uses the
package, `benchmarks` timings, run by hand.
"""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

from microgradlib.ops import define_op, forget_op

# No time limits for single examples: on a busy machine they fail tests of which nothing is wrong.
settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")

collect_ignore_glob = ["peers/record_*.py"]  # they need the peers; the tests need only what they wrote


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Let a plain `pytest` use every core, as `-n auto` does, where pytest-xdist is installed.

    A run of chosen files or names, a debugger, output shown as it comes (-s) and an -n of the user's own stay as they
    are: each process collects the whole suite first, which takes longer than most single files.
    """
    option = config.option
    in_worker = hasattr(config, "workerinput")
    chosen = config.args_source is not config.ArgsSource.TESTPATHS or option.keyword
    given = getattr(option, "numprocesses", 0) is not None  # 0 stands for a pytest without pytest-xdist
    interactive = option.usepdb or option.trace or option.capture == "no" or option.collectonly
    if not (in_worker or chosen or given or interactive):
        option.numprocesses, option.dist = "auto", "worksteal"


def pytest_collection_finish(session):
    """Keep what collecting made out of the cyclic garbage collector's sight: it takes an eighth of the suite's time."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def temporary_op():
    """`define_op`, for ops that are forgotten when the test ends."""
    names = []

    def define(name, *rules, **properties):
        op = define_op(name, *rules, **properties)
        names.append(name)
        return op

    yield define
    for name in names:
        forget_op(name)
