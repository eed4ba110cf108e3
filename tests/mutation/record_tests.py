"""Record which tests run which lines, and how long they take: python tests/mutation/record_tests.py FOLDER [PYTEST'S].

Runs pytest in one process under coverage, each test as a context of its data, which go to FOLDER/coverage; the tests'
names, seconds and whether they passed go to FOLDER/seconds.jsonl. A second run of other tests adds to both.
"""

import json
import os
import sys
import time
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).parents[2]


class Recorder:
    """A plugin of pytest: switches coverage's context at each test, and writes a line of JSON about it."""

    def __init__(self, measured, file):
        self.measured = measured
        self.file = file
        self.unsuccessful = set()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item):
        self.measured.switch_context(item.nodeid)
        start = time.process_time()
        try:
            return (yield)
        finally:
            seconds = round(time.process_time() - start, 4)
            self.file.write(json.dumps([item.nodeid, seconds, item.nodeid not in self.unsuccessful]) + "\n")
            self.measured.switch_context("")

    def pytest_runtest_logreport(self, report):
        if report.outcome != "passed":
            self.unsuccessful.add(report.nodeid)


def main():
    folder = Path(sys.argv[1])
    os.environ["CI"] = "1"  # the same examples of Hypothesis each time
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    measured = coverage.Coverage(data_file=str(folder / "coverage"), source=["microgradlib"], config_file=False)
    measured.load()
    with (folder / "seconds.jsonl").open("a", encoding="utf-8") as file:
        measured.start()
        try:
            pytest.main(["-q", "-n0", "-p", "no:cacheprovider", *sys.argv[2:]], plugins=[Recorder(measured, file)])
        finally:
            measured.stop()
            measured.save()


if __name__ == "__main__":
    main()
