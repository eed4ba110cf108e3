"""Render DOT text by Graphviz: the program `dot`, else the libraries that come with pygraphviz."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from typing import Final

from microgradlib.errors import DrawingError, MissingExtraError

TIME_LIMIT: Final = 60.0
"""Seconds Graphviz may take unless the caller says otherwise."""

_INSTALL: Final = 'pip install "microgradlib[viz]"'
_OWN: Final = 'drawings by engine="own" and files ending in .svg or .dot need nothing installed'

# A process of its own: it can be stopped after the time limit, and Fontconfig's remarks stay out of the notebook.
_BY_LIBRARY: Final = """\
import sys
import pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
graph.graph_attr["dpi"] = sys.argv[2]
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""


def render(source: str, form: str, *, seconds: float = TIME_LIMIT) -> bytes:
    """Return the picture of DOT text, as a file's bytes.

    Args:
        source: DOT text.
        form: `"svg"`, `"png"` or `"pdf"`, or any other format this Graphviz knows.
        seconds: time limit.

    Raises:
        MissingExtraError: there is neither a `dot` that starts nor pygraphviz.
        DrawingError: Graphviz refused the text, crashed, or took too long.

    """
    complaints = []
    for command in _commands(form):
        try:
            done = subprocess.run(
                command, input=source.encode("utf-8", "replace"), capture_output=True, timeout=seconds, check=False
            )
        except subprocess.TimeoutExpired as error:
            message = (
                f"Graphviz took longer than {seconds:g} seconds and was stopped; draw a smaller graph, or use "
                'engine="own", which is faster'
            )
            raise DrawingError(message) from error
        except OSError as error:  # found but broken, not permitted, or no processes at all, as in a browser
            complaints.append(f"{command[0]} did not start ({error})")
            continue
        if done.returncode == 0 and done.stdout:
            return done.stdout
        complaints.append(_complaint(command[0], done))
    if not complaints:
        message = f"this picture ({form}) needs Graphviz, which is not installed: {_INSTALL}; {_OWN}"
        raise MissingExtraError(message)
    message = f"Graphviz could not draw: {'; '.join(complaints)}. If it is broken, {_INSTALL} brings one; {_OWN}"
    raise DrawingError(message)


def _commands(form: str) -> list[list[str]]:
    dots = "144" if form == "png" else "72"  # per inch: 144 keeps small type sharp, 72 makes a point a pixel
    program = shutil.which("dot")
    commands = [[program, f"-T{form}", f"-Gdpi={dots}"]] if program else []
    if importlib.util.find_spec("pygraphviz") is not None and sys.executable:
        commands.append([sys.executable, "-c", _BY_LIBRARY, form, dots])
    return commands


def _complaint(program: str, done: subprocess.CompletedProcess[bytes]) -> str:
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    last = next((line for line in reversed(said) if line.strip()), "nothing")
    return f"{program} ended with status {done.returncode} and said: {last[:300]}"
