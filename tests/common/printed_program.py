"""An interpreter for printed programs: the operators and comments of the text, evaluated on arrays."""

import itertools
import re

import numpy as np

from microgradlib.ops import TABLE
from microgradlib.ops.slopes import SLOPE_OF

HOLE = re.compile(r"\[ *,|, *[],)]|\( *[,)]|= *#|[-+*/@=] +(?:[+*/@)]|#)|\bv10\b")
"""Where a printed formula lacks an operand, or has the name that is to be replaced."""

OPERATORS = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.divide, "pow": np.power, "lt": np.less,
    "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
}  # fmt: skip
SLOPES = ("maximum", "minimum", "norm", "prod", "neg_log_softmax", "cross_entropy", "var", "std")
"""Reductions whose slopes the text writes as f'(x)."""


class Numbers:
    """A vector or matrix with the operators of the printed text; `.T` of a vector is a row.

    `.flat` is in row-major order for parameters and arguments (`by_rows`), in column-major order for results.
    """

    def __init__(self, array, *, row=False, by_rows=False):
        self.array, self.row, self.by_rows = np.atleast_1d(np.asarray(array, float)), row, by_rows

    def reshape(self, *lengths):
        return Numbers(self.array.reshape(lengths), by_rows=True)

    @property
    def flat(self):
        return Numbers(self.array.ravel("C" if self.by_rows else "F"))

    @property
    def T(self):  # noqa: N802  as printed
        return Numbers(self.array, row=not self.row) if self.array.ndim == 1 else Numbers(self.array.T)

    def __getitem__(self, index):
        return Numbers(self.array[index], by_rows=self.by_rows)

    def __neg__(self):
        return Numbers(-self.array, row=self.row)

    def __matmul__(self, other):
        a, b = self.array, other.array
        if a.ndim == b.ndim == 1 and other.row:
            return Numbers(np.outer(a, b))
        if a.ndim == b.ndim == 1 and 1 in {a.size, b.size}:
            return Numbers(a * b)
        return Numbers(a @ b)


def as_numbers(x):
    return x if isinstance(x, Numbers) else Numbers(x)


def broadcast(*xs):
    """Return the arrays of the operands, with each vector as a column if another operand is a matrix or a row."""
    both = [as_numbers(z) for z in xs]
    if all(z.array.ndim == 1 and not z.row for z in both):
        return [z.array for z in both]
    return [z.array if z.array.ndim == 2 or z.row or z.array.size == 1 else z.array[:, None] for z in both]


def combined(function, *xs):
    """Return function(*xs), element by element; of rows and single numbers, a row."""
    result = np.asarray(function(*broadcast(*xs)))
    return Numbers(result, row=result.ndim == 1 and any(isinstance(x, Numbers) and x.row for x in xs))


for operator, function in OPERATORS.items():
    setattr(Numbers, f"__{operator}__", lambda x, y, f=function: combined(f, x, y))
    setattr(Numbers, f"__r{operator}__", lambda x, y, f=function: combined(f, y, x))


class Concatenation:
    """The value of `[a, b]`: a concatenation, for which a matrix beside vectors is flattened column by column."""

    def __getitem__(self, parts):
        parts = parts if isinstance(parts, tuple) else (parts,)
        arrays = [np.atleast_1d(part.array if isinstance(part, Numbers) else part) for part in parts]
        mixed = len({array.ndim for array in arrays}) > 1
        return Numbers(np.concatenate([array.ravel("F") for array in arrays] if mixed else arrays))


def elementwise(op, index=None):
    """Return the op on arrays, or its derivative by operand `index`; omitted settings have their defaults."""

    def rule(*xs):
        one = op.bind(*op.defaults) if op.setting_count and len(xs) < op.arity else op
        return one.compute(*xs) if index is None else one.local_derivatives(one.compute(*xs), *xs)[index]

    rule_of_arrays = np.errstate(all="ignore")(np.vectorize(rule, otypes=[float]))
    return lambda *xs: combined(rule_of_arrays, *xs)


def reduction(function):
    """Return a reduction of all numbers, along `axis`, or of each group of `per` numbers."""

    def reduced(x, axis=None, per=None):
        x = as_numbers(x)
        by_columns = x.array.T if x.array.ndim == 2 else x.array
        return Numbers(function(by_columns.reshape(-1, per), 1) if per else function(x.array, axis))

    return reduced


def log_sum(array, axis):
    return np.log(np.exp(array).sum(axis))


def first_of_softmax(array, axis):
    return log_sum(array, axis) - np.take(array, 0, axis)


def cross_entropy(*operands, axis=None, per=None):
    """Return the sum of weights times −ln softmax; weights and logits may stand in one list."""

    def of_rows(array):
        return [TABLE["cross_entropy"].compute(*row) for row in array]

    operands = [as_numbers(x) for x in operands]
    arrays = [x.array if axis is None else x.array.T for x in operands]
    if axis is None:
        arrays = [array.ravel("F").reshape(-1, per or array.size) for array in arrays]
    found = of_rows(np.hstack(arrays))
    return Numbers(np.array(found if axis is not None or per else found[0]))


def softmax(x, axis=None, per=None):
    x = as_numbers(x)
    powers = np.exp(x.array.reshape(-1, per) if per else x.array)
    probabilities = powers / powers.sum(1 if per else axis, keepdims=True)
    return Numbers(probabilities.ravel() if per else probabilities)


def namespace():
    ops = [op for op in TABLE.values() if op.arity]
    names = {op.symbol: elementwise(op) for op in ops if op.symbol.isidentifier()}
    for index, mark in enumerate(["slope", "slope2", "slope3"]):
        names |= {f"{mark}_{op.symbol}": elementwise(op, index) for op in ops if index < op.arity}
    reductions = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod, "logsumexp": log_sum,
                  "neg_log_softmax": first_of_softmax, "var": np.var, "std": np.std}  # fmt: skip
    reductions["norm"] = np.linalg.norm
    names |= {name: reduction(function) for name, function in reductions.items()}
    names |= {f"slope_{TABLE[name].symbol}": slopes_of(TABLE[name]) for name in SLOPES}
    names |= {f"slope_{name}": elementwise(TABLE[name], 0) for name in SLOPE_OF}
    return {**names, "softmax": softmax, "cross_entropy": cross_entropy, "dot": dot, "after": Concatenation()}


def dot(x, y, axis=None):
    """Return the sum of the products of all entries, or of each column with axis=0."""
    if axis is None:
        return Numbers(x.array.ravel("F") @ y.array.ravel("F"))
    return Numbers((x.array * y.array).sum(axis))


def slopes_of(op):
    return lambda x: Numbers(op.local_derivatives(op.compute(*x.array), *x.array))


class Run:
    """Runs a printed program for one example, given its arrays of parameters; `gradients` has theirs."""

    def __init__(self, text, families, arguments):
        self.names = {**namespace(), **{name: Numbers(x, by_rows=True) for name, x in arguments.items()}}
        self.names["P"] = {name: Numbers(array, by_rows=True) for name, array in families.items()}
        self.stacks, self.formulas = {}, {}
        for line in text.splitlines():
            code, _, comment = line.partition("  # ")
            if code.startswith("#"):
                self.define_net_inputs(code)
            elif code:
                target, operator, formula = re.fullmatch(
                    r"(.+?) (\+?=) (.+?) *", code.replace("return", "J =")
                ).groups()
                if "{" in formula:
                    self.stack(target, formula, matrix="×" in comment)
                elif target.startswith(("g_", "∇", "[")):
                    self.assign(target, operator, self.value(formula))
                else:
                    self.names[target], self.formulas[target] = self.value(formula), formula
                    self.names[f"g_{target}"] = Numbers(np.zeros_like(self.names[target].array))

    def define_net_inputs(self, comment):
        """Handle `a1, a2 are what relu takes in the lines of h1, h2`: rerun these lines and record relu's arguments."""
        match = re.fullmatch(r"# (.+) (?:is|are) what (\w+) takes in the lines? of (.+)", comment)
        if match:
            taken = {**self.names, match[2]: lambda x: seen.append(x) or self.names[match[2]](x)}
            for name, line in zip(match[1].split(", "), match[3].split(", ")):
                seen = []
                eval(self.python(self.formulas[line]), taken)  # noqa: S307
                self.names[name] = seen[0]

    @property
    def families(self):
        return self.names["P"]

    def stack(self, name, formula, *, matrix):
        """Stack the parameters in braces: with `;` vertically, with `,` horizontally."""
        choices = [re.split("[,;] ", part.strip("{}")) for part in re.findall(r"\{[^}]*\}|[^{}]+", formula)]
        members = ["".join(parts) for parts in itertools.product(*choices)]
        width = len(members) // (1 + formula.count(";"))
        parts = [self.families[member].array for member in members]
        if matrix:
            parts = [np.hstack(parts[i : i + width]) for i in range(0, len(parts), width)]
        self.names[name] = Numbers(np.concatenate(parts) if matrix else np.concatenate([p.ravel() for p in parts]))
        self.names[f"g_{name}"] = Numbers(np.zeros_like(self.names[name].array))
        self.stacks[name] = members, width, matrix

    def python(self, text):
        """Rewrite a formula as Python: paths of parameters, lists, derivatives, and axes of reductions."""
        for name in sorted(self.families, key=len, reverse=True):
            text = re.sub(rf'(?<![\w."]){re.escape(name)}(?!\w|\.(?!T\b|flat\b|reshape\b))', f'P["{name}"]', text)
        text = re.sub(r"(?<![\w\])P])\[", "after[", text)
        text = text.replace(", each column)", ", axis=0)").replace(", each row)", ", axis=1)")
        text = re.sub(r", (\d+) each\)", r", per=\1)", text).replace("'₁", "'")
        text = re.sub(r"(\w+)''\(", r"slope_\1_slope(", text)
        return re.sub(r"(\w+)'([₂₃]?)\(", lambda m: f"slope{'₂₃'.find(m[2]) + 2 if m[2] else ''}_{m[1]}(", text)

    def value(self, formula):
        result = eval(self.python(formula), self.names)  # noqa: S307  our own text
        return as_numbers(result)

    def assign(self, target, operator, value):
        array = value.array
        by_rows, transposed = target.startswith("∇") or ".reshape(" in target, target.endswith(").T")
        target = re.sub(r"\.flat|\.reshape\([^)]*\)|(?<=\))\.T", "", target)
        targets = re.findall(r"∇[\w.]+(?:\[[^\]]*\])?|\b_\b|g_\w+(?:\[[^\]]*\])?", target)
        if len(targets) == 1 and targets[0].startswith("g_") and targets[0] not in self.names and "[" not in target:
            self.names[targets[0]] = Numbers(np.array(array))  # a net input without a line of its own
            return
        views = [None if t == "_" else self.view(t) for t in targets]
        if len(views) == 1 and array.ndim == 1 and views[0].ndim == 2 and views[0].size != array.size:
            array = np.broadcast_to(array if value.row else array[:, None], views[0].shape)
        known = sum(view.size for view in views if view is not None)
        array = np.resize(array, known + targets.count("_")) if array.size == 1 else array
        hidden = (array.size - known) // max(targets.count("_"), 1)
        flat = array.ravel("C" if by_rows and not transposed else "F")
        for view in views:
            part, flat = np.split(flat, [hidden if view is None else view.size])
            if view is not None:
                shaped = part.reshape(view.shape, order="C" if by_rows else "F")
                view[...] = shaped + (view if operator == "+=" else 0.0)

    def view(self, target):
        name, _, index = target.replace("∇", "g_").partition("[")
        if name not in self.names:
            self.names[name] = Numbers(np.zeros_like(self.families[name[2:]].array))
        array = self.names[name].array
        if not index:
            return array
        parts = eval(f"s[{index}", {"s": np.s_})  # noqa: S307
        parts = parts if isinstance(parts, tuple) else (parts,)
        return array[tuple([slice(i, i + 1) if isinstance(i, int) else i for i in parts])]

    @property
    def gradients(self):
        result = {name: self.view(f"∇{name}").copy() for name in self.families}
        for stack, (members, width, matrix) in self.stacks.items():
            given, top = self.view(f"∇{stack}"), 0
            for i in range(0, len(members), width):
                left = 0
                for member in members[i : i + width]:
                    part = result[member]
                    if matrix:
                        part += given[top : top + len(part), left : left + part.shape[1]]
                        left += part.shape[1]
                    else:
                        part += given[top : top + part.size].reshape(part.shape)
                        top += part.size
                top += len(part) if matrix else 0
        return result
