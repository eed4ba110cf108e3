"""Files of version 1 of the format: they give the numbers that the library which wrote them computed."""

import json
from pathlib import Path

import numpy as np
import pytest

from microgradlib.compiler import load_program
from microgradlib.errors import SavedFileError

FILES = sorted(Path(__file__).with_name("version_1").glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_values_and_gradients(path):
    expected = json.loads(path.read_text(encoding="utf-8"))["test"]
    rows, gradient = load_program(path).rows_and_grad(*expected["data"])
    assert rows == pytest.approx(np.array(expected["rows"]), rel=1e-13)
    assert gradient == pytest.approx(np.array(expected["gradient"]), rel=1e-13, abs=1e-15)


def test_there_are_files_with_dots_and_biases_of_each_kind():
    kinds = {
        (i["kind"], len(i["operands"]))
        for path in FILES
        for i in json.loads(path.read_text(encoding="utf-8"))["instructions"]
        if i["op"] == "dot"
    }
    assert kinds == {("product", 2), ("product", 3), ("reduce", 2), ("reduce", 3), ("segments", 3)}


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["instructions"].pop(0),
        lambda c: c["instructions"].reverse(),
        lambda c: c["instructions"][0].update(start=c["instructions"][0]["start"] + 1),
        lambda c: c["instructions"][0].update(kind="matmul"),
        lambda c: c["instructions"][0].update(size=0),
        lambda c: c["instructions"][0].update(size=10**12),
        lambda c: c["instructions"][0].update(size=-1),
        lambda c: c["instructions"][0].update(bank=5),
        lambda c: c["instructions"][0].update(rows=1.0),
        lambda c: c["instructions"][0]["operands"].pop(0),
        lambda c: c["instructions"][0].pop("bank"),
        lambda c: c["instructions"][-1]["operands"][0].__setitem__(1, 500),
        lambda c: c["constants"].append(1.0),
        lambda c: c["sizes"].pop(),
        lambda c: c["ones"].append(0),
    ],
)
@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_damaged_files(tmp_path, path, change):
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    damaged = tmp_path / "damaged.json"
    damaged.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(SavedFileError, match="damaged"):
        load_program(damaged)
