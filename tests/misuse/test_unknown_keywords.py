"""Every public callable with options refuses an argument that it has not, and says which it has, the nearest first."""

import inspect

import pytest
from call_arguments import Call
from public_functions import options_of, public_callables
from valid_calls import all_callables

import microgradlib as mg
from microgradlib._support.calling import in_plain_words
from microgradlib.ops import Op

pytestmark = pytest.mark.usefixtures("plot_settings")

PYTHONS_WORDS = {
    "sum": "an op, which a program calls for each node",
    "dot": "likewise",
    "Value.elu": "likewise",
    "Value.leaky_relu": "likewise",
    "Symbol.elu": "likewise",
    "Symbol.leaky_relu": "likewise",
    "optim.Adam.update": "a rule, which the optimiser calls",
    "optim.RMSprop.update": "likewise",
    "optim.SGD.update": "likewise",
    "nn.Cell.checked_state": "a check, which cells call at each step",
    "nn.LSTMCell.checked_state": "likewise",
    "compiler.Program.of": "what is compiled is made by it, with fields of its data",
    "compiler.Compiled": "made by `compile`, which refuses them",
    "optim.Optimiser": "takes the settings that a subclass has",
    "ops.Op": "made by `define_op`, which refuses them",
}
"""Callables with options that are left to Python's words, each with the reason."""


def with_options(folder):
    """Return {name: (callable, maker of a valid call)} of the callables that have an option: one with a default."""
    found = {}
    for name, (thing, make) in all_callables(folder).items():
        is_class = inspect.isclass(thing)
        if isinstance(thing, Op) or name in PYTHONS_WORDS or (is_class and issubclass(thing, Exception)):
            continue
        parameters = inspect.signature(thing).parameters.values()
        if any(p.default is not p.empty or "KEYWORD_ONLY" in p.kind.name for p in parameters):
            found[name] = thing, make
    return found


def by_keyword(thing):
    """Return the names of the arguments that may be given by keyword."""
    parameters = inspect.signature(thing).parameters
    return [name for name, *_ in options_of(thing) if name not in parameters or "KEYWORD" in parameters[name].kind.name]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder to which calls may write, the current one meanwhile."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def arguments_of(name, thing, make):
    """Return the arguments of a call that fits, of callables for large packages without what a recipe imports."""
    if any(part in name for part in ("jax_loss", "torch", "to_onnx", "to_sympy")):
        parameters = inspect.signature(thing).parameters.values()
        return [None] * sum(p.default is p.empty and "POSITIONAL" in p.kind.name for p in parameters), {}
    return make()


def fault(name, thing, make):
    """Return what is wrong with how a callable refuses an argument whose name is a letter too long, "" if nothing."""
    args, kwargs = arguments_of(name, thing, make)
    kind = type(args[0]).__name__ if args else ""
    names = {kind, name.split(" ")[0].rpartition(".")[2], getattr(thing, "__name__", "")}
    option = by_keyword(thing)[-1]
    given = f"{option}_"
    try:
        thing(*args, **kwargs, **{given: 1})
    except TypeError as error:
        words = str(error)
    else:
        return f"{name} takes {given}"
    start, _, known = words.partition(f" has no argument {given!r}; did you mean {option!r}? known: ")
    is_named = start.removeprefix("a call of ") in names
    return "" if is_named and set(by_keyword(thing)) <= set(known.split(", ")) else f"{name}: {words}"


def test_an_argument_that_is_not_known_is_named_with_those_that_are(folder):
    found = [fault(name, *entry) for name, entry in with_options(folder).items()]
    assert len(found) >= 150
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.parametrize("name", PYTHONS_WORDS)
def test_what_is_left_to_pythons_words_has_options(name):
    parameters = inspect.signature(public_callables()[name].thing).parameters.values()
    assert any(p.default is not p.empty or p.kind.name == "VAR_KEYWORD" for p in parameters)


def test_a_callable_that_takes_an_argument_or_has_pythons_words_is_found():
    def takes_all(x, scale=1, **rest):
        return x, scale, rest

    def plain(x, scale=1):
        return x, scale

    def make():
        return Call((1.0,), {})

    assert fault("takes_all", takes_all, make) == "takes_all takes scale_"
    assert "unexpected keyword" in fault("plain", plain, make)
    assert fault("plain", in_plain_words(plain), make) == ""


@pytest.mark.parametrize(
    ("thing", "first"),
    [
        (mg.grad, "f"),
        (mg.draw, "thing"),
        (mg.nn.Neuron, "nin"),
        (mg.training.History, "loss"),
        (mg.nn.Module.train, "self"),
    ],
)
def test_signatures_and_docstrings_stay(thing, first):
    assert next(iter(inspect.signature(thing).parameters)) == first
    assert len(thing.__doc__) > 50


def test_pythons_own_error_is_not_shown_beside_it():
    with pytest.raises(TypeError, match="grad has no argument 'argnum'; did you mean 'argnums'") as caught:
        mg.grad(abs, argnum=0)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"retain_graph": True}, "'retain_graph': the graph is kept: leave it out; known: seed"),
        ({"gradient": 1.0}, "'gradient'; did you mean 'seed'?"),
        ({"sed": 1.0}, "'sed'; did you mean 'seed'?"),
    ],
)
def test_backward_has_no_other_argument_than_seed(options, words):
    with pytest.raises(TypeError) as caught:
        mg.Value(1.0).backward(**options)
    assert words in str(caught.value)


def test_a_wrong_keyword_in_a_function_of_the_users_is_its_own():
    def wrong(x):
        return mg.std([x, x], correct=1)

    def wrong_inside(x):
        return wrong(x, scale=2)

    with pytest.raises(TypeError, match="std has no argument 'correct'; did you mean 'correction'"):
        mg.numeric_gradient(wrong, [1.0])
    with pytest.raises(TypeError, match="unexpected keyword argument 'scale'"):
        mg.numeric_gradient(wrong_inside, [1.0])
