"""Every option of every public callable, found by its annotation, refuses what it cannot mean, and says which it is.

Options are switches (`bool`), counts (`int`), numbers (`float`) and words (`Literal`); None only where the annotation
has it.
"""

import inspect
import re
import warnings
from pathlib import Path

import pytest
from call_arguments import Call
from public_functions import options_of
from valid_calls import all_callables

import microgradlib as mg

PYTHONS = r"object is not|unsupported operand|NoneType|has no attribute|not supported between|unexpected keyword"
"""What Python says, and no message of the package's."""
pytestmark = pytest.mark.usefixtures("plot_settings")

PACKAGE = Path(mg.__file__).parent
WORDS = set(re.findall(r"^\s*(\w+)(?:: TypeAlias)? = Literal\[", "\n".join(
    path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))
), re.MULTILINE)) | {"Collapse", "Literal"}  # fmt: skip
"""The names of the types that are a choice of words."""
LONG = ("jax_loss", "torch", "to_onnx", "to_sympy")
"""Parts of the names of callables that import much."""
WRONG = {
    "switch": ["no", "False", "", 2, 0.0, [], {}, object()],
    "count": [True, 2.5, float("nan"), "3", [], 1j, object(), -3],
    "number": ["3", [1.0], {}, 1j, b"1", float("nan"), object()],
    "word": ["nothing", "", ["x"], object(), 2.5],
    "function": [3, "x", [], object()],
    "path": [3, [], {}, object()],
    "generator": ["a", 1.5, [], object()],
}
"""What is wrong for each kind of argument."""
UNNAMED = {"function", "path", "generator"}
"""Kinds of arguments that messages need not call by name: "compile takes a function of one example, got 3"."""
SIGNED = {"argnums", "ignore_index"}
"""Counts below 0 mean something: positions from the end, and a label that is none."""
ANY_NUMBER = {
    "backward", "grad_table", "clip", "elu", "leaky_relu", "ends", "complex_step_derivative", "numeric_derivative",
}  # fmt: skip
"""Last parts of the names of callables that compute with a number, which nan is too."""
CALLED = {"lang": "language"}
"""What messages call an option, where it is not the option's name."""
NOT_CHECKED = {
    "History": "a result, which fit makes",
    "NumericDerivative": "a result, which the numeric methods make",
    "GradcheckReport": "a result, which gradcheck makes",
    "update": "a rule, which the optimiser calls with what it has checked",
    "partial_derivative": "a rule, which the transforms call",
    "local_derivatives": "a rule, which nodes are made by",
    "decision_of": "asks whether a cost classifies, which anything else does not",
    "formula_holds": "compares numbers of a node, which nan is too",
    "__call__": "of a schedule: the optimiser counts the steps",
}
"""Last parts of the names of callables whose arguments are not looked at, each with the reason."""


def kind_of(annotation):
    """Return the kind of an option, and whether it may be None; the kind is None for other arguments."""
    text = re.sub(r"typing\.|collections\.abc\.|<class '|'>", "", str(annotation))
    while "[" in text:
        text = re.sub(r"\[[^\[\]]*\]", "", text)
    parts = set(text.split(" | "))
    kinds = {
        "switch": {"bool"}, "count": {"int", "WholeNumber", "SupportsIndex"}, "number": {"float"}, "word": WORDS,
        "function": {"Callable"}, "path": {"str", "os.PathLike"}, "generator": {"Rng", "int", "random.Random"},
    }  # fmt: skip
    rest = parts - {"None"}
    for kind, names in kinds.items():
        if rest and rest <= names and rest != {"str"}:
            return kind, "None" in parts
    return None, False


def trained(kind):
    """Return a function that makes an estimator and trains it, as scikit-learn's check their settings then."""

    def train(*args, **settings):
        return kind(*args, **{"epochs": 1, "random_state": 0, **settings}).fit([[0.0], [1.0], [2.0]], [0, 1, 0])

    train.__signature__ = inspect.signature(kind)
    return train


def every_option(folder):
    """Return (name of the callable, callable, maker of a valid call, option, position, kind, may be None)."""
    found = []
    for name, (thing, make) in all_callables(folder).items():
        if set(name.split(".")) & NOT_CHECKED.keys() or any(part in name for part in LONG):
            continue
        try:
            options = list(options_of(thing))
        except ValueError:  # a class of exceptions
            continue
        called = trained(thing) if name.startswith("interop.Micrograd") and inspect.isclass(thing) else thing
        for option, annotation, position in options:
            kind, optional = kind_of(annotation)
            if kind:
                found.append((name, called, make, option, position, kind, optional))
    return found


def wrong_for(name, option, kind, optional):
    given = [*WRONG[kind], *([] if optional else [None])]
    if option in SIGNED:
        given.remove(-3)
    if option == "verbose":  # scikit-learn's take numbers too
        given.remove(2)
    if kind == "number" and name.rpartition(".")[2] in ANY_NUMBER:
        given = [thing for thing in given if thing == thing]  # noqa: PLR0124  without nan
    return given


def calling(make, option, position, given):
    """Return the arguments of the valid call with one option replaced."""
    args, kwargs = make()
    if position is not None and position < len(args):
        return Call((*args[:position], given, *args[position + 1 :]), kwargs)
    return Call(args, {**kwargs, option: given})


def faults(folder):
    """Return what is wrong with how the wrong arguments of each option were refused."""
    found = []
    for name, thing, make, option, position, kind, optional in every_option(folder):
        for given in wrong_for(name, option, kind, optional):
            args, kwargs = calling(make, option, position, given)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    thing(*args, **kwargs)
            except (TypeError, ValueError) as error:
                words, called = str(error), CALLED.get(option, option)
                is_named = kind in UNNAMED or re.search(rf"\b{called}\b|expected a real number", words)
                if not is_named or len(words) > 300 or re.search(PYTHONS, words):
                    found.append(f"{name}({option}={given!r}): {words}")
            else:
                found.append(f"{name}({option}={given!r}) is taken")
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder to which calls may write, the current one meanwhile."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_option_refuses_wrong_arguments(folder):
    found = faults(folder)
    assert not found, "\n".join(found)


def test_options_of_each_kind_are_found(folder):
    found = {(name, option): kind for name, _, _, option, _, kind, _ in every_option(folder)}
    kinds = list(found.values())
    least = {"switch": 50, "count": 90, "number": 70, "word": 20, "function": 15, "path": 6, "generator": 8}
    assert {kind: kinds.count(kind) >= number for kind, number in least.items()} == dict.fromkeys(WRONG, True)
    expected = {
        ("explain", "check"): "switch", ("nn.Layer", "nonlin"): "switch", ("fit", "epochs"): "count",
        ("to_text", "digits"): "count", ("nn.Dropout", "p"): "number", ("draw", "theme"): "word",
        ("plot_history", "scale"): "word", ("nn.LSTM", "bias"): "switch", ("nn.Conv2d", "bias"): "switch",
    }  # fmt: skip
    assert {place: found.get(place) for place in expected} == expected


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        ("bool", ("switch", False)),
        ("int | None", ("count", True)),
        ("<class 'float'>", ("number", False)),
        ("Literal['auto', 'log', 'linear']", ("word", False)),
        ("Theme | None", ("word", True)),
        ("bool | Literal['auto']", (None, False)),
        ("str", (None, False)),
        ("str | os.PathLike[str]", ("path", False)),
        ("Callable[[Any, int | None], Any] | None", ("function", True)),
        ("Rng | None", ("generator", True)),
    ],
)
def test_the_kind_of_an_option_is_read_from_its_annotation(annotation, kind):
    assert kind_of(annotation) == kind


def test_an_option_that_takes_anything_is_found(monkeypatch, folder):
    def careless(log: "bool" = False) -> bool:
        return bool(log)

    def silent(log: "bool" = False) -> None:
        if not isinstance(log, bool):
            raise TypeError("wrong")

    recipes = {"careless": (careless, lambda: Call((), {})), "silent": (silent, lambda: Call((), {}))}
    monkeypatch.setitem(globals(), "all_callables", lambda _: recipes)
    found = faults(folder)
    assert {"careless(log='no') is taken", "silent(log='no'): wrong"} <= set(found)
