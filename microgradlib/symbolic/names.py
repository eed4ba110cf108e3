"""Names of nodes in formulas: labels made unique, generated names, labels as LaTeX."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from microgradlib._support.printable import one_line
from microgradlib.errors import SymbolHasNoValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from microgradlib.core.node import Node

__all__ = [
    "constant", "fresh_names", "guarded_expression", "label_of", "latex_name", "leaf_names",
    "unique_names",
]  # fmt: skip

GREEK = frozenset({
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
    "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda",
    "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
})  # fmt: skip
SIGNS = GREEK | {"ell", "hbar", "nabla", "partial", "varepsilon", "varphi", "vartheta"}
ARGUMENTS = dict.fromkeys((
    "hat", "bar", "tilde", "dot", "vec", "sqrt", "mathrm", "mathbf", "mathit", "mathcal", "mathbb", "mathsf",
    "boldsymbol",
), 1) | dict.fromkeys(("frac", "dfrac", "tfrac"), 2)  # fmt: skip
"""How many arguments in braces follow a command that is read in labels."""
LONGEST_FORMULA = 200
"""Longer labels are no formulas."""
_COMMAND = r"\\[A-Za-z]+(?![A-Za-z])"
_INNER = rf"(?:[^{{}}$&#%~\\^_]|{_COMMAND})+"
_SCRIPT = rf"(?:\{{{_INNER}\}}|\({_INNER}\)|{_COMMAND}|[^\W_]+)"
_FORMULA = re.compile(
    rf"(?:[^\W\d_]|\\(?P<command>[A-Za-z]+))(?P<arguments>(?:\{{{_INNER}\}})*)"
    rf"(?:(?:_{_SCRIPT})?(?:'+|\^{_SCRIPT})?|\^{_SCRIPT}_{_SCRIPT})"
)
"""One symbol with its arguments, at most one subscript, and a superscript or primes."""
ESCAPES = {"\\": r"\backslash{}", "~": r"\sim{}", "^": r"\hat{}"} | {
    character: "\\" + character for character in "{}$&#%_"
}


def label_of(node: Node) -> str:
    r"""Return the label of a node as formulas and drawings show it: one printable line, "" if there is none.

    A label that was set to something else, such as a number, is shown as `str` writes it.

    >>> from microgradlib import Value
    >>> x = Value(2.0, label="two\nlines")
    >>> label_of(x)
    'two lines'
    >>> x.label = 0
    >>> label_of(x), label_of(Value(2.0))
    ('0', '')
    """
    label: Any = node.label
    return "" if label is None or label == "" else one_line(str(label)).strip()


def constant(node: Node) -> float | None:
    """Return the number of a leaf that is a constant: a Value without a label; None for any other node.

    >>> from microgradlib import Value
    >>> constant(Value(2.0)), constant(Value(2.0, label="x"))
    (2.0, None)
    """
    if node.op is not None or label_of(node):
        return None
    try:
        return node.data
    except SymbolHasNoValueError:
        return None


def guarded_expression(node: Node) -> Node | None:
    """Return e of a domain guard, `where(c, e, nan)` or `where(c, nan, e)`; None for any other node."""
    if node.op is None or node.op.name != "where":
        return None
    _, x, y = node.parents
    for expression, other in ((x, y), (y, x)):
        if _is_undefined(other):
            return expression
    return None


def _is_undefined(node: Node, depth: int = 6) -> bool:
    """Return whether a node is nan whatever the inputs: the constant, exp(nan · x), or a product with one of them."""
    if node.op is None:
        number = constant(node)
        return number is not None and math.isnan(number)
    if node.op.name not in {"exp", "mul", "neg"} or depth == 0:
        return False
    return any(_is_undefined(x, depth - 1) for x in node.parents)


def unique_names(nodes: Iterable[Node], known: Mapping[Node, str] | None = None) -> dict[Node, str]:
    """Return a unique name for each node: its name in `known`, by default its label.

    Further nodes of the same name get _2, _3, … added.

    >>> from microgradlib import Symbol
    >>> list(unique_names([Symbol("x"), Symbol("x"), Symbol("y")]).values())
    ['x', 'x_2', 'y']
    """
    labels = {node: known[node] if known is not None else label_of(node) for node in nodes}
    taken = set(labels.values())
    uses: Counter[str] = Counter()
    names: dict[Node, str] = {}
    for node, label in labels.items():
        uses[label] += 1
        name = label
        while uses[label] > 1 and (name := f"{label}_{uses[label]}") in taken:
            uses[label] += 1
        names[node] = name
    return names


def leaf_names(order: Iterable[Node]) -> dict[Node, str]:
    """Return a name for each labelled leaf of `order`.

    >>> from microgradlib import Symbol, Value
    >>> list(leaf_names([Symbol("x"), Value(2.0)]).values())
    ['x']
    """
    return unique_names(node for node in order if node.op is None and label_of(node))


def fresh_names(prefix: str, taken: Iterable[str]) -> Iterator[str]:
    """Yield prefix1, prefix2, …, except the names in `taken`.

    >>> names = fresh_names("t", ["t2"])
    >>> next(names), next(names)
    ('t1', 't3')
    """
    used = set(taken)
    number = 0
    while True:
        number += 1
        if f"{prefix}{number}" not in used:
            yield f"{prefix}{number}"


def _latex_word(word: str) -> str:
    if word in GREEK:
        return "\\" + word
    if len(word) == 1 and word.isalnum():
        return word
    if word.isdigit():
        return word
    return r"\mathrm{" + "".join(ESCAPES.get(character, character) for character in word).replace(" ", r"\ ") + "}"


def _written_formula(label: str) -> str:
    """Return a label that is written as LaTeX, or in the short form x_1^(2), as a formula in braces; "" for others."""
    text = label[1:-1] if len(label) > 2 and label[0] == label[-1] == "$" else label
    match = _FORMULA.fullmatch(text) if len(text) <= LONGEST_FORMULA else None
    if not match or (text == label and not re.search(r"[\\^']", text)):
        return ""
    command, inner = match["command"], text[match.end("command") :] if match["command"] else text
    count = match["arguments"].count("{")
    if (command and command not in SIGNS and command not in ARGUMENTS) or count != ARGUMENTS.get(command or "", 0):
        return ""
    if not SIGNS.issuperset(re.findall(r"\\([A-Za-z]+)", inner)):
        return ""
    return "{" + re.sub(r"([_^])(\([^()]*\)|\\?[^\W_]+)", r"\1{\2}", text) + "}"


def latex_name(label: str) -> str:
    r"""Return a label as LaTeX: digits and what follows _ become a subscript, names of Greek letters their letter.

    One symbol that is written as LaTeX, such as `\hat{y}` or `$x_1^{(2)}$`, stays so, without the dollar signs.

    >>> print(latex_name("w1"), latex_name("alpha_12"), latex_name("loss"), latex_name("50% off"))
    w_{1} \alpha_{12} \mathrm{loss} \mathrm{50\%\ off}
    >>> print(latex_name(r"$\theta$"), latex_name(r"\hat{y}_2"), latex_name("x_1^(2)"), latex_name("$5"))
    {\theta} {\hat{y}_{2}} {x_{1}^{(2)}} \mathrm{\$5}
    """
    if formula := _written_formula(label):
        return formula
    match = re.fullmatch(r"([^\W\d_]+)_?(\d+(?:_\d+)*)|([^\W\d_]+)_([^\W_]+)", label)
    if match is None:
        return _latex_word(label)
    stem, subscript = match[1] or match[3], match[2] or match[4]
    return f"{_latex_word(stem)}_{{{subscript.replace('_', ',') if match[2] else _latex_word(subscript)}}}"
