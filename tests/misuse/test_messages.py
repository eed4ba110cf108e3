"""Each wrong use gets the exception and the words of the table; no message is long, internal, or without advice."""

import builtins
import json
import math
import random
import re
from pathlib import Path

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Symbol, Value, costs, data, interop, metrics, nn, numeric, optim, regularisers, testing, viz
from microgradlib.ops import TABLE, forget_op


def uses_in(text):
    """Return (code, class of the exception, parts of the message) for each use of the table."""
    found, code = [], []
    for line in text.split("\n")[2:]:
        if line.startswith("→ "):
            kind, _, words = line[2:].partition(": ")
            found.append(("\n".join(code), kind, words.split(" … ")))
            code = []
        elif line.strip() and not line.startswith("#"):
            code.append(line)
    return found


WRONG_USES = uses_in(Path(__file__).with_name("wrong_uses.txt").read_text(encoding="utf-8"))
PACKAGE = str(Path(mg.__file__).parent)
LONGEST = 600
INTERNAL = {
    "a name of Python's for what has no value": r"NoneType",
    "a place of the package": r"microgradlib\.\w+\.\w+|<locals>",
    "a private name": r"(?<![\w.'\"/])_[a-z]\w*",
    "a parameter of the package's own": r"'p\d'",
}
"""What no message says."""
PYTHONS = (
    r"object is not (iterable|subscriptable|callable)|unsupported operand|indices must be|values to unpack|unhashable|"
    r"has no len\(\)|must be real number|^.(?!Value|Symbol)\w+. object has no attribute '\w+'$|positional argument|"
    r"not supported between|cannot unpack|object cannot be interpreted"
)
"""What Python says to the line that made the mistake, and nobody says of a line of the package."""


def names(folder):
    """Return what the code of a wrong use may name, new for each."""
    x, y, s = Value(3.0, label="x"), Value(4.0, label="y"), Symbol("s")
    model, classifier = nn.MLP([2, 3, 1], rng=0), nn.MLP([2, 3, 2], rng=0)
    return {
        **vars(mg), "mg": mg, "np": np, "math": math, "json": json, "random": random, "Path": Path,
        "costs": costs, "data": data, "interop": interop, "metrics": metrics, "nn": nn, "numeric": numeric,
        "optim": optim, "regularisers": regularisers, "testing": testing, "viz": viz,
        "Value": Value, "Symbol": Symbol, "x": x, "y": y, "s": s, "t": Symbol("t"), "f": square,
        "model": model, "classifier": classifier, "layer": nn.Layer(2, 3, rng=0), "cost": costs.squared_error,
        "X": [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], "Y": [0.0, 1.0, 1.0, 0.0], "folder": folder,
        "builtins": builtins, "gradcheck": mg.gradcheck, "numeric_gradient": mg.numeric_gradient, "fit": mg.fit,
        "compile": mg.compile,
    }  # fmt: skip


def square(v):
    return v * v


def raised_by(code, folder):
    """Return the exception that the code raises; ops that it has defined before are forgotten."""
    known = set(TABLE)
    try:
        exec(builtins.compile(code, "<wrong use>", "exec"), names(folder))  # noqa: S102  source of this test
    except Exception as error:  # noqa: BLE001  whichever: it is what is tested
        return error
    finally:
        for op in set(TABLE) - known:
            forget_op(op)
    return None


def faults_of(error):
    """Return what is wrong with the message of an exception."""
    message = str(error)
    found = [what for what, pattern in INTERNAL.items() if re.search(pattern, message)]
    if len(message) > LONGEST:
        found.append(f"{len(message)} characters")
    if not message.strip():
        found.append("no words")
    if is_within_the_package(error) and re.search(PYTHONS, message):
        found.append("words of Python about a line of the package")
    return found


def is_within_the_package(error):
    """Return whether the last line that ran is one of the package's, not of the user's code, and raised on its own."""
    traceback = error.__traceback__
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    return traceback.tb_frame.f_code.co_filename.startswith(PACKAGE)


@pytest.mark.parametrize("use", WRONG_USES, ids=lambda use: use[0][:60])
def test_a_wrong_use_gets_its_words(use, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, kind, words = use
    error = raised_by(code, tmp_path)
    assert type(error).__name__ == kind, f"{error!r}"
    missing = [word for word in words if word not in str(error)]
    assert not missing, f"{missing} not in: {error}"
    assert not faults_of(error), f"{faults_of(error)}: {error}"


def test_the_table_is_long_and_says_each_use_once():
    codes = [use[0] for use in WRONG_USES]
    assert len(codes) == len(set(codes)) >= 250
    assert all(words and all(words) for _, _, words in WRONG_USES)


def test_faults_of_messages_are_found():
    def within(body):
        try:
            exec(builtins.compile(body, PACKAGE + "/made_up.py", "exec"), {})  # noqa: S102  source of this test
        except Exception as error:  # noqa: BLE001
            return faults_of(error)
        return None

    assert within("list(1.0)") == ["words of Python about a line of the package"]
    assert within("raise TypeError('got NoneType')") == ["a name of Python's for what has no value"]
    assert within("raise TypeError('in microgradlib.core.value')") == ["a place of the package"]
    assert within("raise TypeError('_numbers() takes 1')") == ["a private name"]
    assert within("raise TypeError('x' * 601)") == ["601 characters"]
    assert within("raise TypeError()") == ["no words"]
    assert within("raise TypeError('expected a number, got 3')") == []


class Unwritable:
    """An object whose text cannot be had."""

    def __repr__(self):
        raise RuntimeError("no text")


def nested(depth):
    """Return an empty list in a list in a list …"""
    result = []
    for _ in range(depth):
        result = [result]
    return result


HUGE = {
    "a long text": "x" * 100_000,
    "a long list of texts": ["x"] * 100_000,
    "a long dict": dict.fromkeys(map(str, range(100_000)), "x"),
    "a deep list": nested(20_000),
    "a large array of texts": np.full((300, 300), "x"),
    "an object without a text": Unwritable(),
}
TAKERS = {
    "Value": Value,
    "the operand of +": lambda thing: Value(1.0) + thing,
    "data": lambda thing: setattr(Value(1.0), "data", thing),
    "tanh": mg.tanh,
    "maximum": mg.maximum,
    "dot": lambda thing: mg.dot([1.0], thing),
    "softmax": mg.softmax,
    "grad": lambda thing: mg.grad(thing)(1.0),
    "the argument of grad": lambda thing: mg.grad(square)(thing),
    "argnums": lambda thing: mg.grad(square, argnums=thing)(1.0),
    "jvp": lambda thing: mg.jvp(square, thing, 1.0),
    "hvp": lambda thing: mg.hvp(square, 1.0, thing),
    "gradcheck": lambda thing: mg.gradcheck(square, thing),
    "numeric_gradient": lambda thing: mg.numeric_gradient(square, thing),
    "evaluate": lambda thing: mg.evaluate(Symbol("s"), thing),
    "gradients": lambda thing: mg.gradients(Value(1.0), thing),
    "grad_table": mg.grad_table,
    "tangent_table": lambda thing: mg.tangent_table(Value(1.0), thing),
    "MLP": nn.MLP,
    "an activation": lambda thing: nn.MLP([2, 3, 1], activation=thing),
    "the input of a network": lambda thing: nn.MLP([2, 3, 1], rng=0)(thing),
    "a state": lambda thing: nn.MLP([2, 3, 1], rng=0).load_state_dict(thing),
    "parameters": optim.SGD,
    "a rate": lambda thing: optim.SGD([Value(1.0)], thing),
    "squared_error": lambda thing: costs.squared_error(thing, 1.0),
    "a label": lambda thing: costs.cross_entropy([0.0, 1.0], thing),
    "logits": lambda thing: costs.cross_entropy(thing, 0),
    "a reduction": lambda thing: costs.squared_error([1.0], [1.0], reduction=thing),
    "accuracy": lambda thing: metrics.accuracy(thing, 1),
    "inputs of fit": lambda thing: mg.fit(nn.MLP([2, 1], rng=0), costs.squared_error, thing, thing, epochs=1),
    "an optimizer": lambda thing: mg.fit(nn.MLP([2, 1]), costs.squared_error, [[0, 1]], [0], optimizer=thing, epochs=1),
    "compile": lambda thing: mg.compile(square, thing),
    "a batch": lambda thing: mg.compile(square)(thing),
    "a backend": lambda thing: mg.compile(square, backend=thing),
    "define_op": lambda thing: mg.define_op(thing, square, [square], formula="x"),
    "draw": mg.draw,
    "a theme": lambda thing: mg.draw(Value(1.0), theme=thing),
    "to_text": mg.to_text,
    "split": data.split,
    "moons": data.moons,
    "a path": lambda thing: mg.save(nn.MLP([2, 1]), thing),
    "sample": lambda thing: mg.sample(thing, 0),
}


@pytest.mark.parametrize("huge", HUGE)
@pytest.mark.parametrize("taker", TAKERS)
def test_no_message_quotes_all_of_what_is_large(taker, huge, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Exception) as caught:  # noqa: PT011  whichever: the message is tested
        TAKERS[taker](HUGE[huge])
    assert not isinstance(caught.value, (RecursionError, MemoryError, AssertionError, AttributeError)), caught.value
    assert len(str(caught.value)) <= LONGEST


@pytest.mark.parametrize("make", [Symbol, mg.scope])
def test_no_message_quotes_all_of_a_long_name_of_blanks(make):
    with pytest.raises((TypeError, ValueError), match="needs a name") as caught:
        make(" " * 100_000)
    assert len(str(caught.value)) <= LONGEST


@pytest.mark.parametrize(
    "command", ["", "drawing", "draw", "draw x+", "draw x y=1", "draw x x=a", "demo moon", "source x=1"]
)
def test_a_wrong_command_line_is_one_line_and_exit_code_2(command, capsys):
    from microgradlib.cli import main  # noqa: PLC0415  its import takes long

    assert main(command.split()) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert any(line.startswith("microgradlib") for line in lines)
    assert sum(map(len, lines)) <= LONGEST
    assert not any("Traceback" in line for line in lines)
