"""Processes that save and load the same file, are killed at drawn moments or meet a full disk; run as a script.

    python file_faults.py kills FOLDER TIMES        kill a process that saves in a loop, so many times
    python file_faults.py crowd FOLDER SECONDS      let 4 processes save and 4 load the same file
    python file_faults.py full FOLDER 0             save where no file may be larger than 10 kB
    python file_faults.py protected FOLDER 0        save as a user who may write neither the folder nor the file

Prints one line of JSON: what was counted. It is a process of its own, without threads, as it forks.
"""

import json
import os
import random
import resource
import signal
import sys
import time
from pathlib import Path

from microgradlib._support import drafts
from microgradlib.nn import MLP, save
from microgradlib.nn.saving import FORMAT

MODELS = [MLP([3, width, 1], rng=seed) for seed, width in enumerate((4, 4, 60))]
"""Two of a size, and one of another: files of about 1 kB and of 20 kB."""


def state(path):
    """Return which model a file holds; raise if it is none of them, whole."""
    numbers = FORMAT.read(path)["parameters"]
    return [model.state_dict() for model in MODELS].index(numbers)


def forked(work):
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        work()
        code = 0
    finally:
        os._exit(code)


def names(folder):
    return sorted([path.name for path in folder.iterdir()])


def drafts_in(folder):
    return [path for path in folder.iterdir() if drafts.NAME.fullmatch(path.name)]


def kills(folder, times):
    path, rng, counts = folder / "model.json", random.Random(0), {"held": [0, 0, 0], "drafts": 0, "left": 0}
    save(MODELS[0], path)

    def work():
        while True:
            for model in MODELS:
                save(model, path)

    for _ in range(times):
        process = forked(work)
        time.sleep(rng.uniform(0.0, 0.03))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        counts["held"][state(path)] += 1
        counts["drafts"] += len(drafts_in(folder))
        if rng.random() < 0.5:  # the next save cleans up, be it here or in the next process
            save(MODELS[0], path)
            counts["left"] += len(drafts_in(folder))
    return counts


def crowd(folder, seconds):
    path, end = folder / "model.json", time.monotonic() + seconds
    save(MODELS[0], path)

    def saving(model):
        while time.monotonic() < end:
            save(model, path)

    def loading():
        while time.monotonic() < end:
            state(path)

    processes = [forked(lambda i=i: saving(MODELS[i % 3])) for i in range(4)] + [forked(loading) for _ in range(4)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
    return {"codes": codes, "held": state(path), "files": len(list(folder.iterdir()))}


def errors_of(folder, name):
    errors = {number: error_of(model, folder / name) for number, model in enumerate(MODELS)}
    return {number: error for number, error in errors.items() if error}


def error_of(model, path):
    try:
        save(model, path)
    except OSError as error:
        return f"{type(error).__name__}: {error}"


def full(folder, _):
    save(MODELS[0], folder / "old.json")
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    errors = [*errors_of(folder, "old.json").values(), *errors_of(folder, "new.json").values()]
    return {"errors": errors, "held": state(folder / "old.json"), "files": names(folder)}


def protected(folder, _):
    inner = folder / "inner"
    inner.mkdir()
    save(MODELS[0], inner / "old.json")
    save(MODELS[0], folder / "mine.json")
    (folder / "mine.json").chmod(0o444)
    inner.chmod(0o555)
    for path in (folder, *folder.parents):  # where root works for the tests, folders are closed to others
        if path.owner() == "root" and path.name.startswith("microgradlib-faults"):
            path.chmod(0o777)
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    errors = [errors_of(inner, "old.json"), errors_of(inner, "new.json"), errors_of(folder, "mine.json")]
    held = [state(inner / "old.json"), state(folder / "mine.json")]
    return {"errors": errors, "held": held, "files": names(inner) + names(folder)}


if __name__ == "__main__":
    name, folder, count = sys.argv[1:]
    counted = {"kills": kills, "crowd": crowd, "full": full, "protected": protected}[name](
        Path(folder), float(count) if "." in count else int(count)
    )
    print(json.dumps(counted))
