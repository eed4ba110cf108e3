"""One mutant's trial: tests run on it in a forked process, in which the package is imported with the fault."""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path

import pytest
from mutants import mutated

MEMORY = 8 << 30
"""Bytes that a trial may take: a mutant may never stop adding to a list."""


class Importer(importlib.abc.MetaPathFinder):
    """Finds the module of one file, and gives it the code of a mutant."""

    def __init__(self, root, mutant):
        parts = Path(mutant.file).with_suffix("").parts
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.path = root / mutant.file
        self.number = mutant.number

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(
            name, self.path, loader=_Loader(name, str(self.path), self.number)
        )


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name, path, number):
        super().__init__(name, path)
        self.number = number

    def get_code(self, fullname):
        return compile(mutated(Path(self.path).read_text(encoding="utf-8"), self.number), self.path, "exec")


class Selected:
    """A plugin of pytest: runs the named tests, or whole files of them, in this order, and keeps the first failure."""

    def __init__(self, names, importers):
        self.importers = importers
        self.rank = {name: rank for rank, name in enumerate(names)}
        self.failed = None
        self.passed = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self):
        sys.meta_path[:0] = self.importers  # before pytest's own, which takes the files whose doctests it runs

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        chosen = [item for item in items if self._rank(item) is not None]
        items[:] = sorted(chosen, key=self._rank)

    def _rank(self, item):
        names = (item.nodeid, item.nodeid.partition("[")[0], item.nodeid.partition("::")[0])
        return next((self.rank[name] for name in names if name in self.rank), None)

    def pytest_runtest_logreport(self, report):
        if report.failed and self.failed is None:
            self.failed = report.nodeid
        self.passed += report.when == "call" and report.passed


def try_mutant(root, mutant, names, *, cpu_seconds, settings=()):
    """Run the named tests on a mutant until one fails: the status, the test that failed, how many passed, CPU seconds.

    The status is "killed" by a failed test or import, "timeout" where the CPU seconds were not enough, "crashed", or
    "survived". With `mutant` None, the package is as it is.
    """
    reader, writer = os.pipe()
    start = _children_seconds()
    child = os.fork()
    if not child:
        try:
            _confine(int(cpu_seconds))
            os.write(writer, json.dumps(_run(root, mutant, names, settings)).encode())
        finally:
            os._exit(0)  # without the parent's clean-up
    os.close(writer)
    report = _read(reader, 20 * cpu_seconds)
    if report is None:  # it waits for something, or is starved
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    seconds = round(_children_seconds() - start, 2)
    if report:
        return {**json.loads(report), "seconds": seconds}
    by_time = report is None or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL})
    return {"status": "timeout" if by_time else "crashed", "test": None, "passed": 0, "seconds": seconds}


def _children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _read(reader, seconds):
    """Return what comes from a pipe until its end, or None if that takes longer than so many seconds."""
    content = b""
    end = time.monotonic() + seconds
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], max(0, end - time.monotonic()))[0]:
            piece = pipe.read(65536)
            if not piece:
                return content
            content += piece
    return None


def _confine(cpu_seconds):
    """Limit the child's time and memory, and give it no terminal."""
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)


def _run(root, mutant, names, settings):
    """Run the tests in the child process; return the report."""
    os.chdir(root)
    sys.path.insert(0, str(root))
    importers = [] if mutant is None else [Importer(root, mutant)]
    sys.meta_path[:0] = importers
    selected = Selected(names, importers)
    files = list(dict.fromkeys(name.partition("::")[0] for name in names))
    arguments = ["-q", "-x", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", *settings, *files]
    try:
        if os.environ.pop("HYPOTHESIS_NO_PLUGINS", ""):  # now a plugin may import the package, with its fault
            importlib.import_module("hypothesis.entry_points").run()
        code = pytest.main(arguments, plugins=[selected])
    except BaseException as error:  # noqa: BLE001  whatever ends pytest itself is the mutant's doing
        code = repr(error)
    is_alive = code == 0 or (code == 5 and not selected.failed)
    status = "survived" if is_alive else "killed"
    for importer in importers:
        if not isinstance(getattr(sys.modules.get(importer.name), "__loader__", None), _Loader | None):
            status = "without its fault"  # something else imported the module
    return {"status": status, "test": selected.failed, "passed": selected.passed, "end": str(code)[:200]}
