"""A refused call changes nothing: every public callable, with one argument of a valid call replaced by a wrong one.

If a call raises, all that was passed to it is what it was before, and so is the state of the process; and the exception
is of a kind that a caller can expect. The wrong calls are drawn at random from all (65,000); `REFUSED_CALLS=all` makes
every one, `REFUSED_CALLS=5000` so many.
"""

import inspect
import os
import random
import traceback
import warnings
from pathlib import Path

import matplotlib.pyplot  # noqa: ICN001, F401  open figures are part of the state
import numpy as np
import pytest
from call_arguments import Call, fast, mlp, optimiser, trained
from public_functions import public_callables
from state_snapshots import changes, global_state, snapshot
from valid_calls import FURTHER, WITHOUT_RECIPE, all_callables
from wrong_arguments import wrong_calls

import microgradlib as mg
from microgradlib import Value, cli, nn, optim, training
from microgradlib.errors import MicrogradError
from microgradlib.ops import TABLE, forget_op

pytestmark = pytest.mark.usefixtures("plot_settings")

EXPECTED = (TypeError, ValueError, OverflowError, NotImplementedError, OSError, ImportError, MicrogradError)
"""What a caller can expect, besides the exceptions of `ALLOWED`."""
COUNT = os.environ.get("REFUSED_CALLS", "300")

LONG = ("jax_loss", "torch", "to_onnx", "to_sympy", "as_function")
"""Parts of the names of callables that import much."""
ALLOWED = {
    "update": ((AttributeError,), "a rule asks `xp`, which the optimiser gives it, for functions"),
    "ops.Op.differentiate": ((AttributeError,), "likewise"),
    "next_state": ((AttributeError, IndexError), "a step of a cell takes what `checked_state` returns"),
    "ops.Op.partial_derivative": ((IndexError,), "a place beyond the inputs, as of a tuple"),
    **{
        f"testing.assert_{name}": ((AssertionError,), "an assertion that does not hold")
        for name in ("derivative_rule", "gradients_close", "same_as_torch")
    },
}
"""Further exceptions that are right, by the name of the callable or its last part, each with the reason."""


def is_long(name):
    return any(part in name for part in LONG)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder to which calls may write, the current one meanwhile."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def is_method(name):
    """Return whether the first argument is the object that the call is about, which stays as it is."""
    entry = public_callables().get(name)
    return entry.kind == "method" if entry else name.startswith(("Optimiser", "Value", "Symbol", "param_groups"))


def every_wrong_call(folder, *, long=False, needs=""):
    """Return the wrong calls as (name, callable, call); without `long`, of callables that import little.

    `needs` is a part of the callables' names: recipes of others, which may import what is not installed, are not run.
    """
    found = []
    for name, (thing, make) in all_callables(folder).items():
        if make is not None and needs in name and (long or not is_long(name)):
            found += [(name, thing, wrong) for wrong in wrong_calls(thing, make, is_method=is_method(name))]
    return found


def is_expected(name, error):
    """Return whether an exception is of a kind that callers expect, or comes from a function of the caller's own."""
    exception, _ = ALLOWED.get(name) or ALLOWED.get(name.rpartition(".")[2]) or ((), "")
    own = Path(traceback.extract_tb(error.__traceback__)[-1].filename).parent.name == "common"
    return own or isinstance(error, (*EXPECTED, *exception))


def faults(name, thing, wrong, folder):
    """Make a wrong call; return what is wrong with how it was refused, and whether it was."""
    args, kwargs = wrong.make()
    before, outside = snapshot(*args, kwargs), global_state(folder)
    ops = set(TABLE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            thing(*args, **kwargs)
    except Exception as error:  # noqa: BLE001  whichever it is, is looked at
        found = [] if is_expected(name, error) else [f"{type(error).__name__}: {error}"]
        found += changes(before, snapshot(*args, kwargs))
        found += changes(outside, global_state(folder))
        return [f"{name}: {wrong}: {type(error).__name__}: {fault}" for fault in found], True
    finally:
        for op in set(TABLE) - ops:
            forget_op(op)
    return [], False


def check(calls, folder):
    """Make the wrong calls; fail with the faults of all of them. At least half must have been refused."""
    refused, found = 0, []
    for name, thing, wrong in calls:
        new, was_refused = faults(name, thing, wrong, folder)
        found += new
        refused += was_refused
    assert not found, "\n".join(found[:50])
    assert refused > len(calls) / 3


def test_every_public_callable_has_a_valid_call(folder):
    callables = all_callables(folder)
    assert [name for name, (_, make) in callables.items() if make is None] == []
    assert set(WITHOUT_RECIPE) <= set(public_callables())
    for name, (thing, make) in callables.items():
        if not is_long(name):
            args, kwargs = make()
            thing(*args, **kwargs)
            if name == "define_op":
                forget_op("cube")


def test_a_sample_of_wrong_calls_changes_nothing(folder):
    calls = every_wrong_call(folder, long=COUNT == "all")
    check(calls if COUNT == "all" else random.Random(16).sample(calls, int(COUNT)), folder)


@pytest.mark.slow
def test_a_larger_sample_of_wrong_calls_changes_nothing(folder):
    calls = every_wrong_call(folder)
    random.Random(17).shuffle(calls)
    check([*{name: (name, *call) for name, *call in calls}.values(), *calls[:500]], folder)  # each callable once


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "needs"), [("torch", "torch"), ("jax", "jax_loss"), ("onnx", "to_onnx"), ("sympy", "to_sympy")]
)
def test_wrong_calls_of_what_needs_a_large_package_change_nothing(module, needs, folder):
    pytest.importorskip(module, reason=f"needs {module}")
    calls = every_wrong_call(folder, long=True, needs=needs)
    check(random.Random(18).sample(calls, 40), folder)


# The law's test must see what it is to see


def assigned(name, new):
    return lambda thing: setattr(thing, name, new)


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (lambda: Value(1.0), assigned("data", 2.0)),
        (lambda: Value(0.0), assigned("data", -0.0)),
        (lambda: Value(1.0), assigned("grad", 0.0)),  # from "not reached" to 0
        (lambda: Value(1.0), assigned("label", "w")),
        (lambda: Value(1.0), assigned("m", 0.5)),
        (lambda: Value(1.0) * 2, lambda node: setattr(node.parents[0], "data", 3.0)),
        (lambda: [Value(1.0)], lambda values: values.reverse() or values.append(1.0)),
        (lambda: [Value(1.0), Value(1.0)], lambda values: values.reverse()),
        (lambda: {"x": 1.0}, lambda numbers: numbers.update(y=2.0)),
        (lambda: {"x": 1.0, "y": 2.0}, lambda numbers: numbers.update(x=numbers.pop("x"))),
        (lambda: {1.0}, lambda numbers: numbers.add(2.0)),
        (lambda: np.ones(2), lambda array: array.__setitem__(0, 2.0)),
        (lambda: np.array([Value(1.0)]), lambda array: setattr(array[0], "data", 2.0)),
        (lambda: random.Random(0), lambda rng: rng.random()),
        (lambda: np.random.default_rng(0), lambda rng: rng.random()),
        (mlp, lambda model: model.eval()),
        (lambda: nn.Sequential(nn.Layer(1, 1, rng=0)), lambda model: model.modules[0].eval()),
        (lambda: nn.Dropout(0.5, rng=0), lambda dropout: dropout([1.0])),
        (lambda: trained()[0], lambda model: model.zero_grad()),
        (lambda: optimiser(optim.Adam), lambda o: o.step()),
        (lambda: optimiser(optim.SGD, momentum=0.9), lambda o: o.buffers["velocity"].__setitem__(0, 9.0)),
        (lambda: optimiser(optim.SGD), assigned("lr", 0.5)),
        (lambda: optimiser(optim.SGD), lambda o: o.param_groups[0].update(weight_decay=0.5)),
        (fast, lambda f: f.set_parameters([5.0, 6.0])),
        (fast, lambda f: f([[1.0, 2.0, 3.0]], [1.0])),  # its program is another
        (training.History, lambda history: history.loss.append(1.0)),
        (lambda: training.EarlyStopping(3), lambda rule: rule.ends(0, 1.0, mlp())),
    ],
)
def test_a_snapshot_shows_every_kind_of_change(make, change):
    thing = make()
    before = snapshot(thing)
    assert changes(before, snapshot(thing)) == []
    change(thing)
    assert changes(before, snapshot(thing)) != []


def entered(block):
    """Enter a block and return it, as it would end with its last reference."""
    block.__enter__()
    return block


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: random.random(),
        lambda folder: np.random.random(),  # noqa: NPY002  the global state is meant
        lambda folder: (folder / "file").write_text("x"),
        lambda folder: entered(mg.no_grad()),
        lambda folder: entered(mg.scope("layer")),
        lambda folder: mg.define_op("cube", lambda xp, x: x**3, [lambda xp, z, x: 3 * x**2], formula="x³"),
        lambda folder: np.seterr(all="raise"),
    ],
)
def test_the_state_of_the_process_shows_every_kind_of_change(change, folder):
    kept = np.geterr()
    before = global_state(folder)
    assert changes(before, global_state(folder)) == []
    held = change(folder)
    after = global_state(folder)
    np.seterr(**kept)
    if "cube" in TABLE:
        forget_op("cube")
    if hasattr(held, "__exit__"):
        held.__exit__(None, None, None)
    assert changes(before, after) != []


def test_a_function_that_changes_its_arguments_and_raises_is_found(folder):
    def careless(values, scale):
        values[0].data = 5.0
        return values[0] * float(scale)

    calls = [
        ("careless", careless, w) for w in wrong_calls(careless, lambda: Call(([Value(1.0)], 2.0), {}), is_method=False)
    ]
    with pytest.raises(AssertionError, match=r"careless: 1 = None: TypeError: 0\.\[0\]\._float"):
        check(calls, folder)


def test_an_exception_from_the_inside_is_found(folder):
    calls = [
        ("inside", lambda x: x.missing, w) for w in wrong_calls(len, lambda: Call((Value(1.0),), {}), is_method=False)
    ]
    with pytest.raises(AssertionError, match="inside: 0 = None: AttributeError"):
        check(calls, folder)


def test_further_callables_are_not_public_by_their_own_name():
    assert set(FURTHER).isdisjoint(public_callables())
    assert all(inspect.isroutine(thing) or callable(thing) for thing, _ in FURTHER.values())


# Refusals in the midst of a call


@pytest.mark.parametrize("rate", [lambda t: "fast", lambda t: None, lambda t: -1.0, lambda: 0.1, lambda t: [0.1]])
@pytest.mark.parametrize("kind", [optim.Adam, optim.SGD, optim.RMSprop, optim.Adagrad])
def test_a_schedule_that_fails_changes_no_parameter(kind, rate):
    o = optimiser(kind)
    o.lr = rate
    before = snapshot(o)
    with pytest.raises((TypeError, ValueError)):
        o.step()
    assert changes(before, snapshot(o)) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda o: o.param_groups[0].update(lr=0.5, betas="x"),
        lambda o: o.param_groups[0].update({"lr": 0.5, "colour": 1}),
        lambda o: setattr(o, "eps", "x"),
        lambda o: setattr(o, "betas", None),
        lambda o: setattr(o, "maximize", 1),
        lambda o: setattr(o, "lr", -1),
    ],
)
def test_a_refused_setting_is_not_kept(change):
    o = optimiser(optim.Adam)
    before = snapshot(o)
    with pytest.raises((TypeError, ValueError)):
        change(o)
    assert changes(before, snapshot(o)) == []


def test_settings_can_be_assigned_in_several_ways():
    o = optimiser(optim.Adam)
    o.eps = 1e-6
    o.param_groups[0].update(lr=0.5, betas=(0.5, 0.5))
    assert (o.eps, o.lr, o.betas) == (1e-6, 0.5, (0.5, 0.5))


@pytest.mark.parametrize(
    "make", [nn.Neuron, nn.Embedding, nn.RBF, nn.LSTM, nn.GRU, nn.RNN, nn.Gate, nn.Layer, nn.Maxout, nn.GaussianOutput]
)
def test_an_initialiser_that_returns_nothing_leaves_the_generator_where_it_was(make):
    rng = random.Random(0)
    sizes = (2,) if make is nn.Neuron else (2, 1)
    before = snapshot(rng)
    with pytest.raises(TypeError, match="expected a real number, got None"):
        make(*sizes, rng=rng, init=lambda rng, nin, nout: rng.seed(rng.random()))
    assert changes(before, snapshot(rng)) == []


@pytest.mark.parametrize("mode", [None, "yes", 2.5])
def test_a_wrong_mode_is_refused(mode):
    model = mlp().eval()
    with pytest.raises(TypeError, match="mode must be True or False"):
        model.train(mode)
    assert not model.training


def test_a_refused_batch_leaves_the_program_of_the_last_call():
    model = nn.Layer(2, 3, "linear", rng=0)
    function = mg.compile(lambda x, y: mg.costs.cross_entropy(model(x[:2]), y), model.parameters(), backend="numpy")
    function([[1.0, 2.0]], [1])
    before = snapshot(function)
    with pytest.raises(mg.errors.LabelError):
        function([[1.0, 2.0, 3.0]], [7])
    with pytest.raises(ValueError, match="there are 9 parameters"):
        function.hvp([[1.0, 2.0, 3.0]], [1], vector=[1.0])
    assert changes(before, snapshot(function)) == []
    function([[1.0, 2.0, 3.0]], [2])
    assert changes(before, snapshot(function)) != []


@pytest.mark.parametrize("reject", [lambda x, rng: rng.random() or x[:1], lambda x, rng: [rng.random(), None]])
def test_an_augmentation_that_fails_leaves_the_generator_where_it_was(reject):
    rng = random.Random(0)
    before = snapshot(rng)
    with pytest.raises((TypeError, ValueError)):
        mg.data.augmented(mg.data.xor(), reject, rng=rng)
    for wrong in ([1.0, 2.0, 3.0], [1.0, None], 1.0, "ab"):
        with pytest.raises((TypeError, ValueError)):
            mg.data.shift(1, 2)(wrong, rng)
    assert changes(before, snapshot(rng)) == []


def test_an_attention_cache_loses_what_a_failed_call_added():
    attention = nn.CausalSelfAttention(2, rng=0)
    cache = []
    attention([[1.0, 2.0]], cache)
    cache[0] = (["a", "b"], cache[0][1])
    before = snapshot(cache)
    with pytest.raises((TypeError, ValueError)):
        attention([[1.0, 2.0]], cache)
    assert changes(before, snapshot(cache)) == []


@pytest.mark.parametrize("arguments", [["draw"], ["nothing"], ["--nothing"], ["demo", "nothing"], ["draw", "x +"]])
def test_a_refused_command_changes_nothing(arguments, folder, capsys):
    before = global_state(folder)
    try:
        status = cli.main(arguments)
    except SystemExit as end:
        status = end.code
    assert status
    assert changes(before, global_state(folder)) == []
