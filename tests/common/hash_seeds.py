"""Run a program under several hash seeds: what must not depend on the order of sets is printed alike."""

import os
import subprocess
import sys


def outputs_by_hash_seed(program, *seeds):
    """The set of what the program prints, each time in a Python of its own with one of the hash seeds."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"}
    return {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**environment, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in seeds
    }
