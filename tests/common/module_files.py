"""Import files outside any package: the notebooks' scripts and the programs of the benchmarks."""

import importlib.util
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]


@cache
def load_module(folder, name):
    """Return the file `name`.py of a folder of the repository as a module, the same one each time."""
    spec = importlib.util.spec_from_file_location(f"{folder.replace('/', '.')}.{name}", ROOT / folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses resolve annotations there
    spec.loader.exec_module(module)
    return module
