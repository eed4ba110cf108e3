"""The mutants of a module: its syntax tree with one small fault each, which good tests notice.

The faults: comparisons and arithmetic operators swapped; numbers one larger or smaller, True and False swapped (default
arguments too); `and` for `or`; `not` and minus signs removed; conditions always true or always false; None returned;
statements removed; `break` for `continue`; indices shifted and ends of slices dropped; caught exceptions raised again.
Texts, annotations, decorators, `__all__`, imports for type checkers, what `raise` raises, and `sample`, the intervals
from which tests of an op draw inputs, stay as they are.
"""

import ast
import copy
import random
from dataclasses import dataclass

SWAPPED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.MatMult: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
    ast.BitXor: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
UNTOUCHED = {"annotation", "returns", "decorator_list", "bases", "keywords", "exc", "cause", "type"}
"""Fields of classes, functions, `raise` and `except` that are left alone: types, decorators, messages."""
WITHOUT_FAULTS_IN_ARGUMENTS = {"warn", "cast", "TypeVar", "ParamSpec", "TypedDict", "NamedTuple", "undefined"}
"""Functions whose arguments are texts and types; the inputs on which nan depends, whichever expression they are in."""


@dataclass(frozen=True)
class Mutant:
    """One fault: its file and number there, the text before and after, and the lines whose execution can show it."""

    file: str
    number: int
    function: str
    line: int
    lines: tuple[int, int]
    fault: str
    before: str
    after: str


@dataclass
class _Site:
    """A node in a field of its parent, and the node that replaces it."""

    owner: ast.AST
    field: str
    index: int | None
    node: ast.AST
    new: ast.AST
    fault: str
    function: str
    lines: tuple[int, int]

    def put(self, node):
        if self.index is None:
            setattr(self.owner, self.field, node)
        else:
            getattr(self.owner, self.field)[self.index] = node


def mutants(root, file):
    """Return all mutants of a file, in the order of its text."""
    found = []
    for number, site in enumerate(_sites(ast.parse((root / file).read_text(encoding="utf-8")), "", (1, 1))):
        # A number alone tells nothing: it is shown within what contains it.
        shown = site.owner if isinstance(site.node, ast.Constant) else None
        before = ast.unparse(shown or site.node)
        site.put(site.new)
        after = ast.unparse(shown or site.new)
        site.put(site.node)
        found.append(Mutant(file, number, site.function, site.node.lineno, site.lines, site.fault, before, after))
    return found


def sample(root, files, seed, number):
    """Return so many mutants of the files, the same ones for the same seed."""
    everything = [mutant for file in files for mutant in mutants(root, file)]
    return random.Random(seed).sample(everything, min(number, len(everything)))


def mutated(text, number):
    """Return the syntax tree of a module's text with its mutant of this number."""
    tree = ast.parse(text)
    site = next(site for index, site in enumerate(_sites(tree, "", (1, 1))) if index == number)
    site.put(ast.copy_location(site.new, site.node))
    return ast.fix_missing_locations(tree)


def _sites(parent, function, lines):
    """Yield the faults below a node: each with the name of its function and the lines of its innermost statement."""
    for field, index, node in _children(parent):
        inner_lines = _lines(node) if isinstance(node, ast.stmt | ast.ExceptHandler) else lines
        is_condition = field in {"test", "ifs"} and not isinstance(node, ast.Constant)
        for fixed in (True, False) if is_condition else ():
            yield _Site(parent, field, index, node, ast.Constant(fixed), "condition", function, inner_lines)
        for fault, new in _faults(node, inside=function != ""):
            yield _Site(parent, field, index, node, new, fault, function, inner_lines)
        is_definition = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        yield from _sites(node, f"{function}.{node.name}".lstrip(".") if is_definition else function, inner_lines)


def _children(parent):
    """Yield the nodes directly below that may be mutated, with their field and their index in it."""
    if isinstance(parent, ast.Call) and _name(parent.func) in WITHOUT_FAULTS_IN_ARGUMENTS:
        return
    if isinstance(parent, ast.If) and "TYPE_CHECKING" in ast.unparse(parent.test):
        return
    if isinstance(parent, ast.FunctionDef) and any(
        _name(decorator) == "overload" for decorator in parent.decorator_list
    ):
        return
    if isinstance(parent, ast.Assign) and _name(parent.targets[0]) == "__all__":
        return
    if (isinstance(parent, ast.keyword) and parent.arg == "sample") or (
        isinstance(parent, ast.AnnAssign) and _name(parent.target) == "sample"
    ):
        return
    keeps_keywords = isinstance(parent, ast.Call)
    for field, value in ast.iter_fields(parent):
        if field in UNTOUCHED and not (field == "keywords" and keeps_keywords):
            continue
        if isinstance(value, ast.AST):
            yield field, None, value
        elif isinstance(value, list):
            yield from ((field, index, node) for index, node in enumerate(value) if isinstance(node, ast.AST))


def _name(node):
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _lines(statement):
    """Return the lines of a statement: of a compound one those of its head, of a function all."""
    last = statement.end_lineno
    body = getattr(statement, "body", None)
    if body and not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ExceptHandler):
        last = max(statement.lineno, body[0].lineno - 1)
    return statement.lineno, last


def _with(node, **fields):
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _faults(node, *, inside):
    """Yield the names of a node's faults and the nodes that replace it; `inside`: of a function or class."""
    match node:
        case ast.Compare():
            for index, operator in enumerate(node.ops):
                swapped = [*node.ops[:index], SWAPPED[type(operator)](), *node.ops[index + 1 :]]
                yield "comparison", _with(node, ops=swapped)
        case ast.BinOp() | ast.BoolOp():
            yield "operator", _with(node, op=SWAPPED[type(node.op)]())
        case ast.Constant(value=bool()):
            yield "constant", ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            others = (node.value + 1, node.value - 1)
            yield from (("constant", ast.Constant(other)) for other in others if other != node.value)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield "sign", node.operand
        case ast.Slice():
            ends = [end for end in ("lower", "upper") if getattr(node, end) is not None]
            yield from (("slice", _with(node, **{end: None})) for end in ends)
        case ast.Subscript(slice=ast.Name() | ast.BinOp()) if inside:
            yield "index", _with(node, slice=ast.BinOp(node.slice, ast.Add(), ast.Constant(1)))
        case ast.ExceptHandler() if not isinstance(node.body[0], ast.Raise):
            yield "except", _with(node, body=[ast.Raise(None, None)])
        case ast.stmt():
            yield from _faults_of_statement(node)


def _faults_of_statement(node):
    """Yield the faults of a statement: it is removed, or its result, its operator or its way out is another."""
    match node:
        case ast.AugAssign():
            yield "operator", _with(node, op=SWAPPED[type(node.op)]())
            yield "removed", ast.Pass()
        case ast.Return(value=None | ast.Constant(value=None)):
            return
        case ast.Return():
            yield "return", ast.Return(ast.Constant(None))
        case ast.Break():
            yield "loop", ast.Continue()
        case ast.Continue():
            yield "loop", ast.Break()
        case (
            ast.Raise()
            | ast.Delete()
            | ast.Expr(value=ast.Call())
            | ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_])
            | ast.AnnAssign(target=ast.Attribute() | ast.Subscript(), value=ast.expr())
        ):
            yield "removed", ast.Pass()
