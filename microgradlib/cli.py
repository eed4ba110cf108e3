"""The command line: `microgradlib demo`, `microgradlib draw` and `microgradlib source`."""

from __future__ import annotations

import argparse
import io
import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import microgradlib
from microgradlib._support.files import write_atomic
from microgradlib._support.printable import one_line, shorten
from microgradlib.compiler import compile, load_program  # noqa: A004  the library's own
from microgradlib.compiler.program import Program
from microgradlib.core.value import Value
from microgradlib.demo import PROBLEMS, show
from microgradlib.errors import MicrogradError
from microgradlib.symbolic.parser import build, variables_in
from microgradlib.viz import draw

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

__all__ = ["main"]

LONGEST_LINE = 2000
"""Longer lines of an error message are printed without their middle."""

USAGE_ERROR, INTERRUPTED, PIPE_CLOSED = 2, 130, 141
"""Exit codes: argparse's for wrong arguments, and the shell's (128 + signal number) for Ctrl-C and a closed pipe."""


class _UsageError(Exception):
    """The arguments are invalid; `main` prints the message to standard error."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 2 for wrong use, 130 after Ctrl-C, 141 for a closed pipe.

    `arguments` are those after the program's name; by default those of `sys.argv`.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    _prepare_output()
    try:
        return _run(words)
    except BrokenPipeError:
        return _discard_output()
    except (_UsageError, MicrogradError, OSError) as error:
        _complain(str(error))
        return USAGE_ERROR
    except KeyboardInterrupt:
        print("\nmicrogradlib: interrupted", file=sys.stderr)
        return INTERRUPTED


def _complain(message: str) -> None:
    """Print an error message, which may quote any text of the user's, to standard error."""
    lines = [shorten(one_line(line), LONGEST_LINE) for line in f"microgradlib: {message}".split("\n")]
    print("\n".join(lines), file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    """A parser whose messages are printed as all others."""

    def error(self, message: str) -> NoReturn:
        """Print a line of usage and the message, and exit."""
        self.print_usage(sys.stderr)
        _complain(f"error: {message}")
        self.exit(USAGE_ERROR)


def _run(words: list[str]) -> int:
    code = 0
    try:
        options = _parser().parse_args(_protect_leading_minus(words))
        options.run(options)
    except SystemExit as request:  # raised by argparse after --help, --version or a wrong argument
        code = request.code if isinstance(request.code, int) else USAGE_ERROR
    sys.stdout.flush()  # here, where main catches the error of a closed pipe
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="microgradlib",
        description="Scalar automatic differentiation: run a demo, draw or translate an expression.",
    )
    parser.add_argument("--version", action="version", version=f"microgradlib {microgradlib.__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="{demo,draw,source}")

    demo = commands.add_parser("demo", help="train a small network, check its gradients, draw it")
    demo.add_argument("problem", nargs="?", choices=list(PROBLEMS), default="iris", help="data set (default: iris)")
    demo.add_argument(
        "--out", type=Path, default=Path(), metavar="DIR", help="folder for the two drawings (default: this one)"
    )
    demo.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the random numbers (default: 0)")
    demo.add_argument(
        "--epochs", type=_positive_integer, metavar="N", help="number of epochs (default: that of the problem)"
    )
    demo.set_defaults(run=_demo)

    drawing = commands.add_parser(
        "draw",
        help="draw a typed expression with its gradients",
        epilog='example: microgradlib draw "tanh(w*x + b)" w=0.5 x=2 b=-1 -o neuron.svg',
    )
    drawing.add_argument("expression", help='such as "tanh(w*x + b)"')
    drawing.add_argument("numbers", nargs="*", metavar="NAME=NUMBER", help="a number for each name, such as w=0.5")
    drawing.add_argument(
        "-o", "--out", type=Path, default=Path("expression.svg"), metavar="FILE",
        help="file to write; the suffix (.svg, .html, .png, .pdf, .dot) selects the format (default: expression.svg)",
    )  # fmt: skip
    drawing.add_argument("--engine", choices=["own", "dot"], default="own", help="layout: our own, or Graphviz's (dot)")
    drawing.add_argument(
        "--theme", choices=["light", "dark"], help="colours (default: light; .html as the reader's page)"
    )
    drawing.add_argument(
        "--direction", choices=["right", "down"], help="of arrows (default: the one that reads better)"
    )
    drawing.set_defaults(run=_draw)

    source = commands.add_parser(
        "source", help="print a typed expression, or a saved program, as PyTorch, JAX or NumPy code",
        epilog='examples: microgradlib source "tanh(w*x + b)" w=0.5 b=-1; microgradlib source line.json -f jax',
    )  # fmt: skip
    source.add_argument("expression", help='such as "tanh(w*x + b)", or a file, .json, that a compiled function saved')
    source.add_argument("numbers", nargs="*", metavar="NAME=NUMBER", help="the parameters; other names are arguments")
    frameworks = ["torch", "jax", "numpy"]
    source.add_argument("-f", "--framework", choices=frameworks, default="torch", help="(default: torch)")
    source.add_argument("--name", default="forward", help="what the function is called (default: forward)")
    source.add_argument("-o", "--out", type=Path, metavar="FILE", help="file to write (default: standard output)")
    source.set_defaults(run=_source)
    return parser


def _protect_leading_minus(words: list[str]) -> list[str]:
    # argparse takes an expression such as "-x**2" for an option, unless it begins with a space.
    if words[:1] not in (["draw"], ["source"]):
        return words
    return [f" {word}" if word[:1] == "-" and word[1:2] not in {"", "-", "o", "h", "f"} else word for word in words]


def _positive_integer(word: str) -> int:
    if not word.isdecimal() or len(word) > 18 or int(word) < 1:
        message = f"{shorten(word, 20)!r} is not a whole number of 1 or more"
        raise argparse.ArgumentTypeError(message)
    return int(word)


def _demo(options: argparse.Namespace) -> None:
    with _writing_to(options.out):
        options.out.mkdir(parents=True, exist_ok=True)
        show(options.problem, out=options.out, seed=options.seed, epochs=options.epochs)


def _draw(options: argparse.Namespace) -> None:
    text = options.expression.strip()
    variables = _variables(options.numbers)
    used = variables_in(text)
    output = build(text, variables)
    _check_used(text, variables, used)
    output = output if isinstance(output, Value) else Value(float(output))
    output.backward()
    try:
        drawing = draw(output, engine=options.engine, theme=options.theme, direction=options.direction)
        with _writing_to(options.out):
            saved = drawing.save(options.out)
    except ValueError as error:  # an unknown suffix
        raise _UsageError(str(error)) from error
    print(f"{text} = {output.data:.6g}")
    for name, variable in variables.items():
        print(f"  d/d{name} = {variable.grad:.6g}  at {name} = {variable.data:g}")
    print(f"wrote {saved}")


def _source(options: argparse.Namespace) -> None:
    text = options.expression.strip()
    program = _saved(text, options.numbers) if text.endswith(".json") else _compiled(text, options.numbers)
    try:
        source = program.to_source(options.framework, name=options.name)
    except ValueError as error:  # a name that is taken
        raise _UsageError(str(error)) from error
    if options.out is None:
        print(source, end="")
        return
    with _writing_to(options.out):
        write_atomic(options.out, source.encode())
    print(f"wrote {options.out}")


def _saved(path: str, numbers: Sequence[str]) -> Program:
    if numbers:
        message = f"{path} is a program with numbers of its own; leave {numbers[0]} out"
        raise _UsageError(message)
    return load_program(path).program


def _compiled(text: str, numbers: Sequence[str]) -> Program:
    """Return the program of an expression, whose names without a number are its arguments."""
    parameters = _variables(numbers)
    used = variables_in(text)
    _check_used(text, parameters, used)
    arguments = [name for name in used if name not in parameters]
    if not arguments:
        message = f"{text!r} has no argument: leave out the number of a name, as of x in tanh(w*x + b) with w=0.5 b=-1"
        raise _UsageError(message)

    def function(*values: Any) -> Any:
        return build(text, {**parameters, **dict(zip(arguments, values))})

    program = compile(function, parameters.values()).lower(*[[0.0]] * len(arguments))
    return Program.of(program, arguments=tuple([(name, ()) for name in arguments]))


def _check_used(text: str, variables: Mapping[str, Value], used: Container[str]) -> None:
    unused = [name for name in variables if name not in used]
    if unused:
        message = f"{text!r} does not use {', '.join(unused)}; leave {unused[0]}=... out, or check its spelling"
        raise _UsageError(message)


def _variables(pairs: Sequence[str]) -> dict[str, Value]:
    variables: dict[str, Value] = {}
    for pair in pairs:
        name, _, number = (text.strip() for text in pair.partition("="))
        if not (name.isidentifier() and number):
            message = f"{pair.strip()!r} is not NAME=NUMBER; write it as in w=0.5"
            raise _UsageError(message)
        if name in variables:
            message = f"{name} is given twice; give each name one number"
            raise _UsageError(message)
        try:
            variables[name] = Value(float(number), label=name)
        except ValueError:
            message = f"in {pair!r}, {number!r} is not a number; write it as in {name}=0.5"
            raise _UsageError(message) from None
    return variables


@contextmanager
def _writing_to(path: Path) -> Iterator[None]:
    """Turn an `OSError` of the block into a `_UsageError` that names `path` and the reason."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        reason = error.strerror or str(error).removeprefix(f"cannot write {str(path)!r}: ")
        message = f"cannot write to {path}: {reason}; choose another path with --out"
        raise _UsageError(message) from error


def _prepare_output() -> None:
    if sys.stdout is None:  # closed by the caller
        sys.stdout = io.StringIO()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names such as β, on a terminal that cannot encode them


def _discard_output() -> int:
    # Python flushes standard output again at exit; redirected to the null device, that cannot fail.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED
