"""Damaged files: each is an error that says so and changes nothing, or reads exactly as the whole one does.

`MICROGRADLIB_DAMAGES` is how many damages of a kind are tried; by hand, all of them: 1000000.
"""

import json
import os
import random

import numpy as np
import pytest

import microgradlib as mg
from microgradlib import Value
from microgradlib.compiler import compile as compiled, load_program
from microgradlib.errors import SavedFileError
from microgradlib.nn import MLP, load, save

DAMAGES = int(os.environ.get("MICROGRADLIB_DAMAGES", "50"))
ROWS = np.linspace(-1.0, 1.0, 6).reshape(3, 2)


def model(seed=0):
    return MLP([2, 2, 1], activation="tanh", rng=seed)


class SavedModel:
    def __init__(self, path):
        self.path, self.other = save(model(), path), model(1)
        self.untouched = self.other.state_dict()

    def read(self, **options):
        """Return what is loaded, to be compared; nothing has changed after an error."""
        self.other.load_state_dict(self.untouched)
        try:
            load(self.other, self.path, **options)
        except SavedFileError:
            assert self.other.state_dict() == self.untouched
            raise
        return list(map(repr, self.other.state_dict().items()))


class SavedProgram:
    def __init__(self, path):
        network = model()
        fast = compiled(lambda x: [network(x) ** 2.5, mg.logsumexp(x) * Value(3.0)], network.parameters())
        fast(ROWS)
        self.path = fast.save(path)

    def read(self, **options):
        loaded = load_program(self.path, backend="numpy", **options)
        numbers = [value.data for value in (*loaded._parameters.listed, *loaded._latest().captured)]
        return repr([loaded.program.listing(), loaded.program.constants, loaded.dtype, loaded.shapes, numbers])


@pytest.fixture(params=[SavedModel, SavedProgram])
def saved(request, tmp_path):
    return request.param(tmp_path / "saved.json")


def damages(kind, content):
    """Yield damaged contents of a file, some of all there are, the same in each run."""
    rng = random.Random(0)
    bits = range(8 * len(content))
    if kind == "a flipped bit":
        for bit in rng.sample(bits, min(DAMAGES, len(bits))):
            flipped = bytearray(content)
            flipped[bit // 8] ^= 1 << bit % 8
            yield bytes(flipped)
    elif kind == "cut off":
        for end in rng.sample(range(len(content) - 1), min(DAMAGES, len(content) - 1)):
            yield content[:end]
    elif kind == "a block of zeros":
        for _ in range(DAMAGES // 4):
            start = rng.randrange(len(content))
            end = min(len(content), start + rng.choice([1, 16, 512]))
            yield content[:start] + bytes(end - start) + content[end:]
    elif kind == "another digit":
        places = [i for i, byte in enumerate(content) if byte in b"0123456789"]
        for place in rng.sample(places, min(DAMAGES, len(places))):
            digit = rng.choice([d for d in b"0123456789" if d != content[place]])
            yield content[:place] + bytes([digit]) + content[place + 1 :]
    elif kind == "a piece twice":
        for _ in range(DAMAGES // 4):
            start, end = sorted(rng.sample(range(len(content)), 2))
            yield content[:end] + content[start:]
    else:
        for more in (b"\n{}", b"x", b"\x00", content, b"]", b"}", b",", b"\xff"):
            yield content + more


KINDS = ["a flipped bit", "cut off", "a block of zeros", "another digit", "a piece twice", "more behind it"]


@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_found(saved, kind):
    whole, content = saved.read(), saved.path.read_bytes()
    messages, harmless = [], 0
    for damaged in damages(kind, content):
        saved.path.write_bytes(damaged)
        try:
            assert saved.read() == whole  # a digit beyond the precision of a float, a capital E
            harmless += 1
        except SavedFileError as error:
            messages.append(str(error))
    assert harmless <= 0.05 * len(messages)
    assert max(map(len, messages)) < 600


@pytest.mark.parametrize("kind", ["a flipped bit", "another digit"])
def test_without_checksums_some_of_it_is_not_found(saved, kind):
    """The checksums are what finds it."""
    whole, missed = saved.read(), 0
    for damaged in damages(kind, saved.path.read_bytes()):
        saved.path.write_bytes(damaged)
        try:
            missed += saved.read(check=False) != whole
        except (SavedFileError, ValueError):  # another name of a parameter is the state of another model
            continue
    assert missed > 0


HOSTILE = {
    "nested": "[" * 100_000,
    "nested objects": '{"a":' * 100_000,
    "a number of a million digits": "1" * 1_000_000,
    "a float of a million digits": "0." + "1" * 1_000_000,
    "a size that lies": 10**12,
    "a negative size": -1,
    "a size beyond all memory": 10**400,
    "infinite": "1e999",
    "nan": "NaN",
    "true": True,
    "text": "3",
    "a list": [3],
    "an object": {"a": 3},
    "null": None,
    "a fraction": 1.5,
    "half a pair of surrogates": "\ud800",
}


def places(thing, path=()):
    """The paths of all parts of nested lists and objects, one of each kind."""
    yield path
    for key, child in (
        thing.items() if isinstance(thing, dict) else list(enumerate(thing))[:2] if isinstance(thing, list) else ()
    ):
        yield from places(child, (*path, key))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_parts_anywhere(saved, name):
    """Without checksums, so that each part meets what reads it."""
    content, part = json.loads(saved.path.read_text(encoding="utf-8")), HOSTILE[name]
    messages, others = [], []
    verbatim = isinstance(part, str) and name not in {"text", "half a pair of surrogates"}
    paths = [path for path in places(content) if path and path[0] != "checksums"]
    for path in random.Random(0).sample(paths, min(len(paths), max(8, DAMAGES // 20))):
        changed = json.loads(json.dumps(content))
        place = changed
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = "HERE" if verbatim else part
        text = json.dumps(changed)
        saved.path.write_text(text.replace('"HERE"', part) if verbatim else text, encoding="utf-8")
        try:
            saved.read(check=False)
        except SavedFileError as error:
            messages.append(str(error))
        except ValueError as error:  # names that are another model's
            messages.append(str(error))
            others.append(str(error))
    assert max(map(len, messages), default=0) < 600
    assert all("does not fit this MLP" in message for message in others)
