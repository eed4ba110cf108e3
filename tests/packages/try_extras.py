"""Install each extra from the wheel into an environment of its own, and use it: `python tests/packages/try_extras.py`.

Names of extras limit the list, `--oldest` takes the oldest versions that pyproject.toml admits, `--python` another
interpreter; what follows `--` is given to the installer, uv, which must be there (`pip install uv`). Extras that only
gather others and tools (`all`, `course`, `engines`, `dev` …) must install, and are used as the extras that they gather.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from email.parser import Parser
from pathlib import Path
from textwrap import dedent

REPOSITORY = Path(__file__).parents[2]

PROGRAMS = {
    "": "assert mg.draw(y).svg.startswith('<svg'); assert mg.grad(lambda x: x * x)(3.0) == 6.0",
    "compile": "assert list(mg.compile(lambda x: w * x, [w]).value_and_grad([2.0, 4.0])[1]) == [3.0]",
    "data": "assert len(mg.data.digits()) > 1000",
    "jax": "assert list(mg.compile(lambda x: w * x, [w], backend='jax').value_and_grad([2.0, 4.0])[1]) == [3.0]",
    "native": "assert list(mg.compile(lambda x: w * x, [w], backend='native').value_and_grad([2.0, 4.0])[1]) == [3.0]",
    "notebook": "import anywidget, nbformat; assert 'text/html' in mg.explain(y)._repr_mimebundle_()",
    "onnx": """
        import onnx
        fast = mg.compile(lambda x: w * x, [w])
        fast([2.0, 4.0])
        assert onnx.load(mg.interop.to_onnx(fast, "line.onnx")).graph.node
    """,
    "plot": "assert mg.plot_activations(['tanh'])",
    "progress": """
        model = mg.nn.MLP(2, [2, 1], rng=0)
        mg.fit(model, mg.costs.squared_error, [[0.0, 1.0]], [1.0], epochs=2, progress=True)
    """,
    "scipy": "mg.optim.minimize(lambda: (w - 3) ** 2, [w]); assert abs(w.data - 3) < 1e-6",
    "sympy": "import sympy; assert mg.to_sympy(y).has(sympy.tanh)",
    "testing": "from microgradlib.testing import assert_gradients_close; assert_gradients_close(mg.tanh, [0.5])",
    "torch": """
        import torch
        numbers = torch.tensor([0.5], requires_grad=True)
        mg.interop.torch_loss(mg.compile(lambda x: w * x, [w]))(numbers, [2.0, 4.0]).backward()
        assert numbers.grad.tolist() == [3.0]
    """,
    "viz": "assert mg.draw(y, engine='dot').svg.lstrip().startswith('<'); mg.draw(y).to_graphviz()",
}
"""What a user of each extra does first; "" stands for the library without an extra."""

START = "import microgradlib as mg; w = mg.Value(0.5, 'w'); y = mg.tanh(w * 2)\n"


def metadata(wheel: Path) -> Parser:
    """Return the headers of a wheel: `get_all("Provides-Extra")` names its extras."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def gathered(extra: str, headers: Parser) -> set[str]:
    """Return the extras whose programs must run where `extra` is installed: itself, and those that it gathers."""
    found = {extra}
    for requirement in headers.get_all("Requires-Dist", []):
        wanted, _, condition = requirement.partition(";")
        if f"extra == '{extra}'" in condition and (names := re.match(r"microgradlib\[(.*?)\]", wanted)):
            found |= {name for part in names[1].split(",") for name in gathered(part.strip(), headers)}
    return found & PROGRAMS.keys()


def attempt(wheel: Path, extra: str, programs: set[str], options: argparse.Namespace) -> str:
    """Install one extra and run its programs; return what went wrong, or ""."""
    uv = [sys.executable, "-m", "uv"]
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder, "venv", "Scripts" if os.name == "nt" else "bin", "python")
        oldest = ["--resolution", "lowest-direct"] if options.oldest else []
        wanted = f"microgradlib[{extra}] @ {wheel.as_uri()}" if extra else str(wheel)
        commands = [
            [*uv, "venv", "-q", "--python", options.python, str(python.parents[1])],
            [*uv, "pip", "install", "-q", "--python", str(python), *oldest, wanted, *options.installer],
            *[[str(python), "-W", "error", "-c", START + dedent(PROGRAMS[name])] for name in sorted(programs)],
        ]
        for command in commands:
            run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if run.returncode:
                return f"{command[-1]}\n{run.stderr}"
    return ""


def main() -> int:
    """Try the extras, print a line for each, and return how many failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("extras", nargs="*", help="all, if none is named")
    parser.add_argument("--oldest", action="store_true", help="the oldest versions that pyproject.toml admits")
    parser.add_argument("--python", default=sys.executable)
    arguments = sys.argv[1:]
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    options = parser.parse_args(arguments[:cut])
    options.installer = arguments[cut + 1 :]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "uv", "build", "-q", "--wheel", "-o", folder, REPOSITORY], check=True)
        [wheel] = Path(folder).glob("*.whl")
        headers = metadata(wheel)
        for extra in options.extras or ["", *headers.get_all("Provides-Extra", [])]:
            start = time.monotonic()
            fault = attempt(wheel, extra, gathered(extra, headers) | {""}, options)
            failed += bool(fault)
            print(
                f"{extra or '(none)':12} {'FAILED' if fault else 'works'} {time.monotonic() - start:6.0f} s", flush=True
            )
            print(fault, end="", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
