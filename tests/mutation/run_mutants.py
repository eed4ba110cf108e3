"""Try a seeded sample of mutants of the package on its tests; a run that was stopped goes on where it was.

    python tests/mutation/run_mutants.py FOLDER [--seconds 3000] [--again] [--report]

FOLDER, outside the repository, holds what record_tests.py wrote. Each mutant runs those tests that run its lines, the
quickest first, until one fails; each result is a line of FOLDER/results.jsonl. `--again` tries the survivors that
equivalents.json does not explain once more, with tests of six times as many seconds, and `--also` with files of tests
that are newer than the record. `--check` runs the tests that killed on the package as it is. `--report` shows the score
and the survivors that equivalents.json does not explain.
"""

import argparse
import importlib
import json
import os
import sys
import time
from operator import attrgetter
from pathlib import Path

from mutants import sample
from trial import try_mutant

ROOT = Path(__file__).parents[2]
FOLDERS = ("core", "ops", "derivatives", "numeric", "compiler", "compiler/planning", "compiler/vectorize")
WITHOUT_CODE = {"microgradlib/ops/accuracy.py"}
"""Files of measured numbers, which scripts write."""
EQUIVALENTS = Path(__file__).with_name("equivalents.json")
WARM = (
    "hypothesis",
    "hypothesis.extra.numpy",
    "numpy",
    "numpy.testing",
    "scipy.optimize",
    "scipy.sparse.linalg",
    "scipy.special",
    "sympy",
    "mpmath",
)
"""Imported once, before all trials; none of them imports the package."""

ALIVE = {"survived", "untested"}
PYTEST = ("-m", "not benchmark", "--hypothesis-profile=mutants", "-W", "ignore::pytest.PytestAssertRewriteWarning")


def sampled_files(root):
    """Return the files of the package from which mutants are drawn."""
    paths = (path for folder in FOLDERS for path in sorted((root / "microgradlib" / folder).glob("*.py")))
    return [file for file in (path.relative_to(root).as_posix() for path in paths) if file not in WITHOUT_CODE]


class Tests:
    """The recorded tests: which of them run given lines, and in how many seconds."""

    def __init__(self, folder, root):
        self.root = root
        self.seconds = {}
        for path in sorted(folder.glob("*seconds*.jsonl")):
            for line in path.read_text(encoding="utf-8").splitlines():
                name, seconds, passed = json.loads(line)
                if passed:
                    self.seconds[name] = seconds
                else:
                    self.seconds.pop(name, None)
        import coverage  # noqa: PLC0415  the other functions need none

        self.data = coverage.CoverageData(str(folder / "coverage"))
        self.data.read()
        self.file, self.contexts = None, {}

    def of(self, mutant, budget):
        """Return the tests that run a mutant's lines, the most promising first, of no more seconds than the budget.

        Lines that run at import have no tests: those of the whole file are taken. Tests in the file's own room come
        first among those that are equally quick.
        """
        if mutant.file != self.file:
            path = str(self.root / mutant.file)
            self.file, self.contexts = mutant.file, self.data.contexts_by_lineno(path)
        found = self._known(range(mutant.lines[0], mutant.lines[1] + 1)) or self._known(self.contexts)
        room = "tests/" + "/".join(Path(mutant.file).parts[1:-1])
        stem = Path(mutant.file).stem

        def rank(name):
            nearness = 0.1 if stem in name else 0.3 if name.startswith(room) else 1.0
            return ((self.seconds[name] + 0.01) * nearness, name)

        chosen, spent = [], 0.0
        for name in sorted(found, key=rank):
            if spent + self.seconds[name] <= budget:
                chosen.append(name)
                spent += self.seconds[name]
        return chosen, spent

    def _known(self, lines):
        return {name for line in lines for name in self.contexts.get(line, ()) if name in self.seconds}


def identity(mutant):
    """Return what tells a mutant from all others, whatever else has changed in its file."""
    get = mutant.get if isinstance(mutant, dict) else lambda name: getattr(mutant, name)
    return (get("file"), get("function"), get("before"), get("after"))


def latest(path):
    """Return the last result of each mutant in a file of results."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {(row["file"], row["number"]): row for row in map(json.loads, lines)}


def prepare():
    """Import what tests import, once; make Hypothesis repeatable and quick: the same examples, no smaller failures."""
    os.environ.update(CI="1", HYPOTHESIS_NO_PLUGINS="1", OPENBLAS_NUM_THREADS="1")  # a plugin imports the package
    for name in WARM:
        importlib.import_module(name)
    if "microgradlib" in sys.modules:
        raise RuntimeError("something imported the package before its mutants")
    from hypothesis import HealthCheck, Phase, settings  # noqa: PLC0415  once its plugins are turned off

    phases = [Phase.explicit, Phase.generate]
    checks = [HealthCheck.too_slow]
    settings.register_profile("mutants", derandomize=True, deadline=None, suppress_health_check=checks, phases=phases)


def explanations():
    """Return the identities of the mutants that change nothing which can be seen."""
    return {identity(entry) for entry in json.loads(EQUIVALENTS.read_text(encoding="utf-8"))}


def run(chosen, tests, results, options):
    """Try the mutants without a result, or those alive with `again`, for so many seconds; append the results."""
    end = time.monotonic() + options.seconds
    done, explained = latest(results), explanations()
    budget = 60.0 if options.again else 10.0
    for mutant in sorted(chosen, key=attrgetter("file")):  # the lines of a file are looked up once
        earlier = done.get((mutant.file, mutant.number))
        is_wanted = not earlier or (options.again and earlier["status"] in ALIVE and identity(mutant) not in explained)
        if time.monotonic() > end or not is_wanted:
            continue
        names, spent = tests.of(mutant, budget)
        names += options.also
        outcome = {"status": "untested", "test": None, "passed": 0, "seconds": 0.0}
        if names:
            outcome = try_mutant(ROOT, mutant, names, cpu_seconds=20 + 3 * spent, settings=PYTEST)
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**vars(mutant), **outcome, "tests": len(names)}) + "\n")


def check(results, folder):
    """Run the tests that killed on the package as it is: one that fails there too proves nothing, and is left out."""
    rows = list(latest(results).values())
    names = sorted({row["test"] for row in rows if row["test"]})
    while (outcome := try_mutant(ROOT, None, names, cpu_seconds=3600, settings=PYTEST))["status"] == "killed":
        unsound = outcome["test"]
        if unsound is None:
            raise RuntimeError(outcome["end"])
        print(f"fails on the package as it is: {unsound}")
        names.remove(unsound)
        with (folder / "seconds.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps([unsound, 0.0, False]) + "\n")
        with results.open("a", encoding="utf-8") as file:
            lines = [{**row, "status": "untested"} for row in rows if row["test"] == unsound]
            file.writelines(json.dumps(row) + "\n" for row in lines)


def report(rows, explained):
    """Return the score in words, and a line for each survivor without an explanation."""
    survivors = [row for row in rows if row["status"] in ALIVE]
    gaps = [row for row in survivors if identity(row) not in explained]
    counted = len(rows) - (len(survivors) - len(gaps))
    killed = len(rows) - len(survivors)
    shares = f"{killed} killed, {len(survivors) - len(gaps)} equivalent, {len(gaps)} alive"
    lines = [f"{len(rows)} mutants: {shares}: {killed / max(counted, 1):.1%} of those that are not equivalent"]
    lines += [
        f"{row['file']}:{row['line']} {row['function']} ({row['status']}, {row['passed']} tests)\n"
        f"    {row['before'][:200]!r}\n    {row['after'][:200]!r}"
        for row in gaps
    ]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--number", type=int, default=600)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--also", nargs="+", default=[])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--report", action="store_true")
    options = parser.parse_args()
    chosen = sample(ROOT, sampled_files(ROOT), options.seed, options.number)
    results = options.folder / "results.jsonl"
    if not options.report:
        prepare()
    if options.check:
        check(results, options.folder)
    elif not options.report:
        run(chosen, Tests(options.folder, ROOT), results, options)
    done = latest(results)
    print(report([row for mutant in chosen if (row := done.get((mutant.file, mutant.number)))], explanations()))


if __name__ == "__main__":
    main()
