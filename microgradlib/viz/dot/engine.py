"""Render DOT text with Graphviz: with the program `dot`, or else with the Graphviz libraries of pygraphviz."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from typing import TYPE_CHECKING, Final

from microgradlib._support.optional import install_command, missing_extra
from microgradlib.errors import DrawingError

if TYPE_CHECKING:
    import subprocess

TIME_LIMIT: Final = 60.0
"""Default limit on the time that Graphviz may take, in seconds."""

_SIGNS: Final = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF"}
_START: Final = 4096
"""What files of a format have near their start, and how far: a broken program may write something else."""

_WITHOUT_GRAPHVIZ: Final = 'engine="own" and saving as .svg or .dot work without it'

# Runs in a separate process, which can be stopped at the time limit and keeps Fontconfig's warnings to itself.
_PYGRAPHVIZ_PROGRAM: Final = """\
import sys
import pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
graph.graph_attr["dpi"] = sys.argv[2]
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""


def render(source: str, file_format: str, *, seconds: float = TIME_LIMIT) -> bytes:
    """Return the picture of DOT text as the bytes of a file.

    Args:
        source: DOT text.
        file_format: `"svg"`, `"png"` or `"pdf"`, or any other format of the installed Graphviz.
        seconds: time limit.

    Raises:
        MissingExtraError: neither `dot` nor pygraphviz is installed.
        DrawingError: Graphviz did not start, rejected the text, crashed, or took too long.

    """
    import subprocess  # noqa: PLC0415  only these drawings run a process

    failures = []
    for command in _commands(file_format):
        try:
            process = subprocess.run(  # noqa: S603  our own text is the only input
                command, input=source.encode("utf-8", "replace"), capture_output=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired as error:
            message = (
                f"Graphviz took longer than {seconds:g} seconds and was stopped; draw a smaller graph, or use "
                'engine="own", which is faster'
            )
            raise DrawingError(message) from error
        except OSError as error:  # a broken or forbidden program, or a platform without processes, such as a browser
            failures.append(f"{command[0]} did not start ({error})")
            continue
        if process.returncode == 0 and process.stdout and _SIGNS.get(file_format, b"") in process.stdout[:_START]:
            return process.stdout
        failures.append(_failure(command[0], process, file_format))
    if not failures:
        raise missing_extra("pygraphviz", f"a picture in the format {file_format}", _WITHOUT_GRAPHVIZ)
    message = (
        f"Graphviz failed to draw: {'; '.join(failures)}. If the installation is broken, use another: "
        f"{install_command('pygraphviz')}; {_WITHOUT_GRAPHVIZ}"
    )
    raise DrawingError(message)


def _commands(file_format: str) -> list[list[str]]:
    dpi = "144" if file_format == "png" else "72"  # 144 keeps small text sharp in bitmaps; at 72, a point is a pixel
    program = shutil.which("dot")
    commands = [[program, f"-T{file_format}", f"-Gdpi={dpi}"]] if program else []
    if importlib.util.find_spec("pygraphviz") is not None and sys.executable:
        commands.append([sys.executable, "-c", _PYGRAPHVIZ_PROGRAM, file_format, dpi])
    return commands


def _failure(program: str, process: subprocess.CompletedProcess[bytes], file_format: str) -> str:
    lines = process.stderr.decode("utf-8", "replace").strip().splitlines()
    last = next((line for line in reversed(lines) if line.strip()), f"no {file_format}")
    return f"{program} exited with status {process.returncode}: {last[:300]}"
