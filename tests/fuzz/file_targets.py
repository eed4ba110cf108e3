"""Targets that read files: any bytes, and valid files with some entries changed, are refused or loaded and run."""

import copy
import functools
import json
import tempfile
from pathlib import Path

import numpy as np
import saved_samples
from byte_stream import Stream
from laws import check_plain, require

import microgradlib as mg
from microgradlib.compiler import compile as compiled, load_program
from microgradlib.errors import SavedFileError
from microgradlib.nn import GRU, MLP, Layer, load, save

__all__ = ["changed", "model_file", "native_program", "optimiser_state", "program_file", "run_program"]

LONGEST_MESSAGE = 2_000
OLDER = Path(__file__).parents[1] / "saved_files"
"""Files of all versions that were ever written."""
NUMBERS = (
    0,
    1,
    -1,
    2,
    3,
    7,
    60,
    255,
    2**31,
    2**63,
    -(2**63),
    10**20,
    10**400,
    0.5,
    1e308,
    True,
    None,
    "nan",
    "inf",
    "x",
)
TEXTS = ("elementwise", "reduce", "segment_reduce", "matmul", "sum", "dot", "add", "mul", "pow", "tanh", "identity",
         "maximum", "cross_entropy", "where", "detach", "logsumexp", "softmax", "float32", "run")  # fmt: skip


def changed(stream, content):
    """Return parsed JSON with some entries changed: replaced, removed, doubled, swapped, nested."""
    content = copy.deepcopy(content)
    for _ in range(1 + stream.whole(3)):
        place, key = _place(stream, content)
        if place is None:
            break
        kind = stream.whole(8)
        if kind < 3:
            place[key] = stream.whole(16) if stream.flag() else stream.choice((*NUMBERS, stream.whole(256) - 8))
        elif kind == 3:
            place[key] = stream.choice(TEXTS) if stream.flag() else stream.text()
        elif kind == 4:
            del place[key]
        elif kind == 5 and isinstance(place, list):
            place.insert(key, copy.deepcopy(place[key]))
        elif kind == 6 and isinstance(place, list):
            other = stream.whole(len(place))
            place[key], place[other] = place[other], place[key]
        else:
            place[key] = [place[key]] if stream.flag() else {"x": place[key]}
    return content


def _place(stream, content):
    """Return a container inside some JSON, and a key of it."""
    place, key = None, None
    while isinstance(content, (dict, list)) and content and (place is None or stream.whole(8)):
        keys = [*content] if isinstance(content, dict) else range(len(content))
        place, key = content, keys[(stream.whole(256) * 256 + stream.whole(256)) % len(keys)]
        content = content[key]
    return place, key


def _written(stream, folder, contents):
    """Write a changed file, sometimes as bytes with a few of them other ones, or any bytes; return its path."""
    path = Path(folder, "file.json")
    kind = stream.whole(4)
    if kind == 0:
        path.write_bytes(stream.take(10**6))
        return path
    raw = json.dumps(changed(stream, stream.choice(contents)) if kind > 1 else stream.choice(contents)).encode()
    if kind == 1:
        for _ in range(1 + stream.whole(3)):
            at = int.from_bytes(stream.take(3), "big") % len(raw)
            raw = raw[:at] + stream.take(stream.whole(4)) + raw[at + stream.whole(3) :]
    path.write_bytes(raw)
    return path


def _refused(error):
    message = str(error)
    require(len(message) < LONGEST_MESSAGE, "a message of", len(message), "characters:", message)
    check_plain(message.replace("\n", " "))


@functools.cache
def _models():
    models: list[mg.nn.Module] = [MLP([2, 3, 1], rng=0), GRU(2, 2, rng=0), saved_samples.model()]
    with tempfile.TemporaryDirectory() as folder:
        contents = [[json.loads(save(model, Path(folder, "m.json")).read_text("utf-8"))] for model in models]
    contents[2] = [json.loads(path.read_text("utf-8")) for path in sorted(OLDER.glob("parameters_*.json"))]
    return models, contents


def model_file(data):
    """A file of parameters is loaded, or refused, and then the model is as it was."""
    stream = Stream(data)
    models, contents = _models()
    which, strict = stream.whole(3), stream.flag()
    before = models[which].state_dict()
    with tempfile.TemporaryDirectory() as folder:
        path = _written(stream, folder, contents[which])
        try:
            load(models[which], path, strict=strict, check=False)
        except (SavedFileError, ValueError) as error:
            _refused(error)
            require(repr(models[which].state_dict()) == repr(before), "a refused file changed the model")
    require(all(type(x) is float for x in models[which].state_dict().values()), "a parameter is no float")
    models[which].load_state_dict(before)


def optimiser_state(data):
    """A state of an optimiser from JSON is taken, or refused with the documented errors, and a step is possible."""
    stream, weights = Stream(data), [mg.Value(0.5), mg.Value(-1.0)]
    optimiser = stream.choice((mg.optim.Adam, mg.optim.SGD, mg.optim.RMSprop))(weights, 0.1)
    for weight in weights:
        weight.grad = 0.25
    optimiser.step()
    state = optimiser.state_dict()
    before = repr(state)
    try:
        optimiser.load_state_dict(changed(stream, json.loads(json.dumps(state))))
    except (ValueError, TypeError, OverflowError) as error:
        _refused(error)
        require(repr(optimiser.state_dict()) == before, "a refused state changed the optimiser")
    optimiser.step()


@functools.cache
def programs():
    """Return the contents of valid files of programs, of all kinds of instructions."""
    model, gru, out = MLP([2, 3, 1], rng=0), GRU(2, 2, rng=0), Layer(2, 3, "linear", rng=0)
    square = np.array([[0.5, -1.0], [2.0, 0.25], [1.0, 1.0]])
    rows = np.arange(12.0).reshape(2, 3, 2) / 8
    losses = [
        (lambda x, y: (model(x) - y) ** 2 + mg.logsumexp(x), model.parameters(), square, np.array([0.0, 1.0, 2.0])),
        (lambda xs: [mg.costs.cross_entropy(out(h), 1) for h in gru(xs)[0]],
         [*gru.parameters(), *out.parameters()], rows),
        (lambda x, z: [mg.softmax([*mg.softmax(x), z, z]), {"a": mg.maximum(*x, z), "b": mg.clip(z**2.5, 0, 1)}], [],
         square, np.array([0.5, 1.0, -1.0])),
        (lambda x: mg.sum([mg.dot(row, other) * 0.5 for row in x for other in x]), [], rows),
    ]  # fmt: skip
    contents = []
    with tempfile.TemporaryDirectory() as folder:
        for loss, parameters, *arguments in losses:
            fast = compiled(loss, parameters, backend="numpy")
            fast(*arguments)
            contents.append(json.loads(fast.save(Path(folder, "p.json")).read_text("utf-8")))
    return contents + [json.loads(path.read_text("utf-8")) for path in sorted(OLDER.glob("program_*.json"))]


def program_file(data, backend="numpy"):
    """A file of a program is refused, or gives a program that prints, is translated and runs."""
    stream = Stream(data)
    with tempfile.TemporaryDirectory() as folder:
        path = _written(stream, folder, programs())
        try:
            program = load_program(path, backend=backend, check=False)
        except SavedFileError as error:
            _refused(error)
            return
    run_program(program)


def native_program(data):
    """The same by native code, which must not read or write outside of its arrays: that would end the process."""
    program_file(data, backend="native")


def run_program(program):
    """Run a loaded program on two examples, forward and backward, and write it in every way."""
    rng = np.random.default_rng(0)
    arguments = [rng.normal(size=(2, *shape)) for shape in program.shapes]
    if not arguments:
        return
    with np.errstate(all="ignore"):
        values = program(*arguments)
        gradient = program.values_and_grad(*arguments)[1]
    require(values is not None and gradient is not None, "no values")
    check_plain(str(program.program).replace("\n", " "))
    for framework in ("numpy", "torch", "jax"):
        compile(program.program.to_source(framework), "written", "exec")
