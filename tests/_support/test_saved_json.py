"""Saved JSON files: exact round trip of floats, and errors for files of other formats."""

import json
import math

import pytest
from hypothesis import given, strategies as st

from microgradlib._support.saved_json import FileFormat, damaged, decode_float, encode_float
from microgradlib.errors import SavedFileError

EXAMPLE = FileFormat("example", version=3)


@given(st.floats())
def test_every_float_is_read_back_exactly(number):
    text = json.dumps(encode_float(number), allow_nan=False)
    assert repr(decode_float(json.loads(text))) == repr(number)


@pytest.mark.parametrize("number", [None, True, "x", "Infinity", "1.0", [1.0], math.inf, math.nan, 10**400])
def test_decode_float_rejects_other_values(number):
    with pytest.raises(ValueError, match="is not a number that a float can hold"):
        decode_float(number)


def test_write_and_read_round_trip(tmp_path):
    path = EXAMPLE.write(tmp_path / "e.json", {"name": "β", "numbers": [0.1, 2]}, by_line=True)
    content = EXAMPLE.read(path)
    assert content.pop("checksums").keys() == {"name", "numbers"}
    assert content == {"format": "example", "version": 3, "name": "β", "numbers": [0.1, 2]}
    assert "β" in path.read_text(encoding="utf-8")


def test_infinite_numbers_must_be_encoded(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        EXAMPLE.write(tmp_path / "e.json", {"numbers": [math.inf]})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a JSON file, or is damaged"),
        ('{"format": "example", "ver', "is not a JSON file, or is damaged"),
        ("[" * 100_000, "is not a JSON file, or is damaged"),
        ('{"format": "example", "version": 3, "a": NaN}', "NaN is not JSON"),
        ('{"format": "example", "version": 3, "a": {"b": 1, "b": 1}}', "'b' occurs twice"),
        ("[1]", 'is not a file that save wrote: it has no "format": "example"'),
        ('{"format": "other", "version": 3}', "is not a file that save wrote"),
        ('{"format": "example"}', "has version None of the format, but this library reads version 3"),
        ('{"format": "example", "version": 4}', "has version 4 of the format"),
        ('{"format": "example", "version": 3.0}', "has version 3.0 of the format"),
    ],
)
def test_files_of_other_formats_raise(tmp_path, text, message):
    path = tmp_path / "e.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SavedFileError, match=message) as caught:
        EXAMPLE.read(path)
    assert str(path) in str(caught.value)


def test_damaged_names_file_and_reason(tmp_path):
    assert str(damaged(tmp_path, "why")) == f"{tmp_path} is damaged: why"
