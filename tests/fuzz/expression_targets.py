"""Targets that read typed expressions: the parser, the command line, and formulas written and read again."""

import contextlib
import io
import math
import tempfile
from pathlib import Path

from byte_stream import Stream, decoded
from laws import check_plain, require

from microgradlib import Symbol, Value, cli, grad_table, gradients, simplify, to_latex, to_text, topological_sort
from microgradlib.core.value import as_node
from microgradlib.errors import ExpressionError, GraphTooLargeError
from microgradlib.ops import TABLE
from microgradlib.symbolic.parser import build, variables_in
from microgradlib.symbolic.parser.functions import argument_counts, find, known

__all__ = ["command_line", "expression", "formula"]

LONGEST_MESSAGE = 4_000
NAMES = ("x", "y", "w1", "β", "ſ", "e_1")
CALLS = [name for name in known() if find(name) is not None and name != "detach"]
WORDS = (
    *NAMES, *CALLS, "pi", "e", "+", "-", "*", "/", "**", "<", "<=", ">", ">=", "(", ")", ",", " ", "\n", "\f", "1",
    "0.5", "1e400", "9", ".5", "00", "1_0", "0x1F", "1j", "//", "==", "^", "²", "×", "√", "lambda", "if", "else", ":=",
    "[", "]", "{", "}", "'", '"', "'''", "#", "\\", "\x00", "ｘ", "__import__", "x.y", "=", "!", "@", ";", ":",
    "print", "True",
)  # fmt: skip


def written(stream):
    """Return an expression of words in any order, or any characters."""
    if stream.whole(3) == 0:
        return decoded(stream.data[stream.position :])
    words = []
    while not stream.is_empty:
        words.append(stream.choice(WORDS) * (2_000 if stream.whole(200) == 199 else 1))
    return "".join(words)


def expression(data):
    """Any text gives a number, a graph or an ExpressionError that is short and printable, by numbers as by nodes."""
    text = written(Stream(data))
    numbers = dict(zip(NAMES, (0.5, -1.25, 3.0, 0.0, math.inf, 1e-300)))
    leaves = {name: Value(number) for name, number in numbers.items()}
    results = [_built(text, kind) for kind in (numbers, leaves, {name: Symbol(name) for name in NAMES})]
    with contextlib.suppress(ExpressionError):
        require(all(name.isidentifier() for name in variables_in(text)), "a variable that is no name")
    number, output, symbol = results
    require((number is None) == (output is None) == (symbol is None), "refused for one kind of variables:", text)
    if isinstance(output, Value):
        require(_same(float(number), output.data), number, "is not", output.data, "of", text)
        grad_table(output)
        read_again(output, leaves)


def _built(text, variables):
    """Return what a text gives, None where it is refused."""
    try:
        return build(text, variables)
    except ExpressionError as error:
        _check_message(str(error))
        return None


def _check_message(message):
    require(len(message) < LONGEST_MESSAGE, "a message of", len(message), "characters:", message)
    check_plain(message)


def _same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-300)


def read_again(output, leaves, *, exactly=True):
    """Require that the formula of a graph is read as the same function: its value and derivatives.

    The value exactly where the graph has the ops of an expression. Formulas of derivatives are written in the form of
    the book, and computed in one that keeps more digits: these may differ by the rounding of their largest part.
    """
    try:
        text = to_text(output, name_above=10**9)
        check_plain(to_latex(output))
    except GraphTooLargeError:
        return
    if len(text) > 2_000 or any(word in text for word in ("inf", "nan", "detach", "#", "_2")):
        return
    if any(node.op and node.op.name == "pow_slope" and not node.parents[1].data for node in topological_sort(output)):
        return  # y x^(y−1) is 0 at y = 0 by its rule, and 0 · 0^(−1) in the form of the book
    fresh = {name: Value(leaf.data) for name, leaf in leaves.items()}
    again = as_node(build(text, fresh))
    table, other = grad_table(output), grad_table(again)
    allowed = 0.0 if exactly else 1e-6 * max(abs(node.data) for node in (*table, *other))
    _agree(text, output.data, again.data, allowed)
    for name, leaf in leaves.items():
        slack = (1e-12 if exactly else 1e-6) * max(map(abs, (*table.values(), *other.values(), allowed)))
        _agree(f"the derivative of {text} by {name}", table.get(leaf, 0.0), other.get(fresh[name], 0.0), slack)


def _agree(what, ours, theirs, allowed):
    is_loose = allowed > 1e3 or not math.isfinite(allowed)
    require(is_loose or _same(ours, theirs) or abs(ours - theirs) <= allowed, what, "is", theirs, "not", ours)


def formula(data):
    """A random graph, its derivative and what `simplify` makes of it are written as formulas that mean the same."""
    stream = Stream(data)
    leaves = {name: Value(0.3 + stream.whole(200) / 80, label=name) for name in ("x", "y", "z")}
    nodes = [*leaves.values()]
    while not stream.is_empty and len(nodes) < 12:
        op = find(stream.choice(CALLS))
        fewest, most = argument_counts(op)
        count = fewest + stream.whole(min((most or fewest + 3) - fewest, 3) + 1)
        last = (op.arity or 9) - op.setting_count
        given = [stream.choice(nodes) if i < last else stream.choice((0.5, 2.0, 1.0, 3.0)) for i in range(count)]
        nodes.append(op(*given) if stream.whole(3) else TABLE["add" if stream.flag() else "mul"](given[0], nodes[-1]))
    output = nodes[-1]
    if output.op is None or not math.isfinite(output.data):
        return
    read_again(output, leaves)
    for slope in gradients(output, [*leaves.values()]):
        read_again(slope, leaves, exactly=False)
        read_again(simplify(slope), leaves, exactly=False)


def command_line(data):
    """Any words end with a code of the documented ones and no traceback; nothing is written but what is asked for."""
    stream = Stream(data)
    words = [stream.choice(("draw", "source"))]
    for _ in range(1 + stream.whole(5)):
        kind = stream.whole(6)
        words.append(
            stream.text() if kind == 0 else written(Stream(stream.take(stream.whole(40)))) if kind == 1
            else f"{stream.choice(NAMES)}={stream.choice(('0.5', '1e400', 'nan', '9' * 5_000, '1_0', '0x1', '', '٣'))}"
            if kind < 4 else stream.choice(("tanh(w1*x + y)", "x", "--engine=own", "--direction=down",
            "--framework=jax", "--name=f", "--name=" + stream.text(),
            "--seed=" + "9" * 5_000, "--", "-x", "--theme=dark")),
        )  # fmt: skip
    out, err = io.StringIO(), io.StringIO()
    words = [word for word in words if word[:2] != "-o" and word[:3] != "--o" and not word.endswith(".json")]
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main([*words[:1], f"-o{folder}/picture.svg", *words[1:]])
        found = [path.name for path in Path(folder).iterdir()]
    require(code in (0, 2), "the exit code is", code)
    require(found in ([], ["picture.svg"]), "files", found)
    require("Traceback" not in err.getvalue(), err.getvalue())
    require(len(err.getvalue()) < LONGEST_MESSAGE, "a message of", len(err.getvalue()), "characters:", err.getvalue())
    if code:
        check_plain(err.getvalue())
