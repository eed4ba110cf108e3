"""What was once saved loads for ever: the files here are of all versions of all formats, and are never changed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from saved_samples import GRADIENTS, NUMBERS, ROWS, Model, model, optimisers, parameters_of, program

from microgradlib import Value, gradients
from microgradlib._support.pytree import flatten
from microgradlib._support.saved_json import FileFormat
from microgradlib.compiler import load_program, saving as programs
from microgradlib.nn import load, save, saving as parameters

FOLDER = Path(__file__).parent
OLDEST = {"parameters": 1, "program": 2}
"""Programs of version 1 are in tests/compiler/version_1."""


@pytest.mark.parametrize(("name", "format_"), [("parameters", parameters.FORMAT), ("program", programs.FORMAT)])
def test_there_is_a_file_of_each_version(name, format_: FileFormat):
    files = sorted(FOLDER.glob(f"{name}_*.json"))
    versions = [json.loads(path.read_text(encoding="utf-8"))["version"] for path in files]
    assert [path.stem for path in files] == [f"{name}_{version}" for version in versions]
    assert versions == [v for v in (*sorted(format_.older), format_.version) if v >= OLDEST[name]]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("parameters_*.json")), ids=lambda path: path.stem)
def test_models(path):
    loaded = Model()
    assert load(loaded, path) == ([], [])
    assert list(map(repr, loaded.state_dict().values())) == list(map(repr, NUMBERS))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("program_*.json")), ids=lambda path: path.stem)
def test_programs(path):
    loaded, fast = load_program(path), program()
    results = np.reshape(flatten(loaded(ROWS)), (3, len(ROWS))).T
    for row, numbers, slopes in zip(ROWS, results, loaded.jacobian(ROWS), strict=True):
        inputs = list(map(Value, row))
        outputs = flatten(fast.__wrapped__(inputs))
        assert numbers == pytest.approx([y.data for y in outputs], rel=1e-13)
        for y, slope in zip(outputs, slopes, strict=True):
            assert slope == pytest.approx([g.data for g in gradients(y, inputs)], rel=1e-13, abs=1e-15)


@pytest.mark.parametrize("name", optimisers())
def test_optimisers_continue_exactly(name):
    whole, loaded = optimisers()[name], optimisers()[name]
    for gradient in GRADIENTS:
        whole.step(gradient)
    before = optimisers()[name]
    for gradient in GRADIENTS[:3]:
        before.step(gradient)
    for parameter, other in zip(parameters_of(loaded), parameters_of(before)):
        parameter.data = other.data
    loaded.load_state_dict(json.loads((FOLDER / f"optimiser_{name}.json").read_text(encoding="utf-8")))
    for gradient in GRADIENTS[3:]:
        loaded.step(gradient)
    for one, other in ((loaded.state_dict(), whole.state_dict()), (parameters_of(loaded), parameters_of(whole))):
        numbers, expected = ([getattr(x, "data", x) for x in flatten(state)] for state in (one, other))
        assert numbers == [x if isinstance(x, str) else pytest.approx(x, rel=1e-12) for x in expected]


def test_files_of_the_present_version_are_written_as_they_are_here(tmp_path):
    for name, write in (("parameters", lambda path: save(model(), path)), ("program", program().save)):
        here = FOLDER / f"{name}_{(parameters if name == 'parameters' else programs).FORMAT.version}.json"
        content, expected = (
            json.loads(path.read_text(encoding="utf-8")) for path in (write(tmp_path / here.name), here)
        )
        assert content.keys() == expected.keys()
        assert content["checksums"].keys() == expected["checksums"].keys()


def test_a_checksum_is_that_of_the_file_and_not_of_this_library_alone(tmp_path):
    path = Path(shutil.copy(FOLDER / "parameters_2.json", tmp_path))
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("0.3333333333333333", "0.3333333333333334"), encoding="utf-8")
    with pytest.raises(ValueError, match="the checksum of 'parameters' does not fit"):
        load(Model(), path)
    assert load(Model(), path, check=False) == ([], [])
