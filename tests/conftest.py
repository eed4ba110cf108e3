"""What all tests share: Hypothesis under CI, and what makes a run of the whole suite fast."""

import gc
import os

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

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
