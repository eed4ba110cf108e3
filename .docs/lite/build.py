"""Build the site on which the notebooks run in a browser, without any installation: JupyterLite with Pyodide.

python .docs/lite/build.py FOLDER             Pyodide, NumPy and matplotlib are fetched by the reader's browser
python .docs/lite/build.py FOLDER --offline   Pyodide and what the kernel needs lie in the site; no NumPy, no matplotlib

The wheel of this checkout is part of the site: the first cell of each notebook, `%pip install microgradlib`, finds it
there. Needs the extra `docs`; with --offline also npm, which fetches Pyodide.
"""
# ruff: noqa: INP001

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYODIDE = "314.0.6"
"""The version that jupyterlite-pyodide-kernel 0.8 runs; Python 3.14."""
KERNEL_NEEDS = ("ipython", "jedi", "micropip")
"""What the kernel loads at its start, from Pyodide's own list; all of it is pure Python."""
NOT_IN_THE_LIST = ("comm",)
"""What the kernel asks the package index for."""


def run(*command: str | Path, folder: Path = ROOT) -> None:
    """Run a command, and show what it said if it fails."""
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}")


def pip(*arguments: str | Path) -> None:
    """Run pip of this interpreter."""
    run(sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments)


def closure(packages: dict[str, dict[str, object]], names: tuple[str, ...]) -> list[str]:
    """Return the packages of the list that these need, themselves included."""
    found: list[str] = []
    waiting = list(names)
    while waiting:
        name = waiting.pop().replace("_", "-")
        if name in packages and name not in found:
            found.append(name)
            waiting += packages[name]["depends"]  # type: ignore[misc]
    return sorted(found)


def local_pyodide(folder: Path) -> Path:
    """Put Pyodide, and the wheels that the kernel needs, into one folder; return it.

    npm's package has the runtime and the list of packages, but not the packages. The wheels come from the package
    index at the listed versions; as they were built anew there, the list's names and checksums are set to theirs.
    """
    run("npm", "install", "--no-fund", "--no-audit", "--prefix", folder, f"pyodide@{PYODIDE}", folder=folder)
    pyodide = folder / "node_modules" / "pyodide"
    listing = pyodide / "pyodide-lock.json"
    lock = json.loads(listing.read_text(encoding="utf-8"))
    packages = lock["packages"]
    needed = closure(packages, KERNEL_NEEDS)
    wanted = [f"{name}=={packages[name]['version']}" for name in needed]
    pip("download", "-q", "--no-deps", "--only-binary=:all:", "--python-version", "3.14", "-d", pyodide, *wanted)
    wheels = {wheel.name.split("-")[0].replace("_", "-").lower(): wheel for wheel in pyodide.glob("*.whl")}
    for name in needed:
        wheel = wheels[name.lower()]
        packages[name].update(file_name=wheel.name, sha256=hashlib.sha256(wheel.read_bytes()).hexdigest())
    listing.write_text(json.dumps(lock), encoding="utf-8")
    return pyodide


def build(output: Path, *, offline: bool) -> None:
    """Build the site into a folder, whose former content goes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheels = folder / "wheels"
        pip("wheel", "-q", "--no-deps", "-w", wheels, ROOT)
        contents = folder / "contents"
        shutil.copytree(ROOT / "notebooks", contents, ignore=shutil.ignore_patterns(".*", "__pycache__"))
        options: list[str | Path] = []
        if offline:
            pip("download", "-q", "--no-deps", "-d", wheels, *NOT_IN_THE_LIST)
            place = folder / "lite" / "static"
            place.mkdir(parents=True)
            shutil.copytree(local_pyodide(folder), place / "pyodide")
            settings = {"pyodideUrl": "./static/pyodide/pyodide.mjs"}
            config = {
                "exposeAppInBrowser": True,  # for tests
                "litePluginSettings": {"@jupyterlite/pyodide-kernel-extension:kernel": settings},
            }
            (folder / "lite" / "jupyter-lite.json").write_text(
                json.dumps({"jupyter-lite-schema-version": 0, "jupyter-config-data": config}), encoding="utf-8"
            )
        for wheel in sorted(wheels.glob("*.whl")):
            options += ["--piplite-wheels", wheel]
        lite = folder / "lite"
        lite.mkdir(exist_ok=True)
        shutil.rmtree(output, ignore_errors=True)
        command = [sys.executable, "-m", "jupyter", "lite", "build", "--force", "--contents", contents]
        run(*command, "--output-dir", output.resolve(), *options, folder=lite)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="the folder of the site")
    parser.add_argument("--offline", action="store_true", help="put Pyodide into the site")
    arguments = parser.parse_args()
    build(arguments.output, offline=arguments.offline)
