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
        (
            '{"format": "example", "version": 4}',
            "has version 4 of the format, .* a later microgradlib wrote it: update",
        ),
        ('{"format": "example", "version": 0}', "has version 0 of the format, .* there is no such version"),
        ('{"format": "example", "version": 3.0}', "has version 3.0 of the format"),
    ],
)
def test_files_of_other_formats_raise(tmp_path, text, message):
    path = tmp_path / "e.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SavedFileError, match=message) as caught:
        EXAMPLE.read(path)
    assert str(path) in str(caught.value)


SEALED = FileFormat("sealed", version=3, older=(1, 2), sealed=3)
CONTENT = {"numbers": [0.1, -2.5, 1e-300], "names": {"a": 1.0, "β": "inf"}, "text": "x"}


def write_text(path, content, **options):
    path.write_text(json.dumps(content, **options), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: json.dumps(json.loads(text), indent=4),
        lambda text: json.dumps(json.loads(text), sort_keys=True, ensure_ascii=True),
        lambda text: json.dumps(
            json.loads(text, parse_float=lambda x: int(float(x)) if float(x).is_integer() else float(x))
        ),
        lambda text: json.dumps(json.loads(text), indent=1).replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
    ],
)
def test_a_file_written_anew_by_other_programs_is_not_damaged(tmp_path, rewrite):
    path = SEALED.write(tmp_path / "e.json", CONTENT)
    path.write_text(rewrite(path.read_text(encoding="utf-8")), encoding="utf-8", newline="")
    assert SEALED.read(path).items() >= CONTENT.items()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c["numbers"].__setitem__(1, -2.5000000000000004), "'numbers'"),
        (lambda c: c["names"].update(a=2.0), "'names'"),
        (lambda c: c["names"].update({"b": c["names"].pop("a")}), "'names'"),
        (lambda c: c.update(text="y", numbers=[]), "'numbers', 'text'"),
        (lambda c: c.pop("text"), "'text'"),
        (lambda c: c.update(more=1), "'more'"),
        (lambda c: c["checksums"].update(text="0" * 16), "'text'"),
        (lambda c: c["checksums"].update(text=None), "'text'"),
        (lambda c: c["checksums"].pop("text"), "'text'"),
        (lambda c: c["checksums"].update(more="0"), "'more'"),
        (lambda c: c.pop("checksums"), "'numbers', 'names', 'text'"),
        (lambda c: c.update(checksums=[]), "'numbers', 'names', 'text'"),
        (lambda c: c.update(numbers=c["text"], text=c["numbers"]), "'numbers', 'text'"),
        (lambda c: c.update(version=2), "'numbers', 'names', 'text'"),
    ],
)
def test_what_changed_is_named_and_read_only_when_that_is_meant(tmp_path, change, named):
    content = SEALED.with_checksums(json.loads(json.dumps(CONTENT)))
    change(content)
    path = write_text(tmp_path / "e.json", content)
    with pytest.raises(
        SavedFileError, match=f"damaged, or was edited: the checksum of {named} does not fit.*check=False"
    ):
        SEALED.read(path)
    assert SEALED.read(path, check=False) == content
    SEALED.write(path, SEALED.read(path, check=False))
    assert SEALED.read(path)["version"] == 3


def test_files_of_versions_without_checksums_load(tmp_path):
    path = write_text(tmp_path / "e.json", {"format": "sealed", "version": 2, **CONTENT})
    assert SEALED.read(path)["numbers"] == CONTENT["numbers"]


def test_a_file_above_the_limit_is_refused_and_the_limit_can_be_raised(tmp_path, monkeypatch):
    path = SEALED.write(tmp_path / "e.json", {"text": "x" * 5000})
    size = path.stat().st_size
    assert SEALED.read(path, max_bytes=size)["text"] == "x" * 5000
    monkeypatch.setattr(json, "loads", None)
    with pytest.raises(
        SavedFileError, match=rf"e\.json is too large: it has {size:,} bytes, and 5,000 are read at most"
    ):
        SEALED.read(path, max_bytes=5000)


def test_many_small_parts_count_as_more_than_their_bytes(tmp_path):
    path = SEALED.write(tmp_path / "e.json", {"numbers": [[]] * 4000})
    with pytest.raises(
        SavedFileError, match="more than 1,000 lists, objects and texts in it; a higher max_bytes allows"
    ):
        SEALED.read(path, max_bytes=20_000)
    assert len(SEALED.read(path, max_bytes=100_000)["numbers"]) == 4000


@pytest.mark.parametrize(
    ("option", "error"), [({"max_bytes": 0}, ValueError), ({"max_bytes": 1e8}, TypeError), ({"check": 0}, TypeError)]
)
def test_wrong_options(tmp_path, option, error):
    path = SEALED.write(tmp_path / "e.json", CONTENT)
    with pytest.raises(error, match=next(iter(option))):
        SEALED.read(path, **option)


@pytest.mark.parametrize("path", [3, None, b"e.json", ["e.json"]])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(TypeError, match=r"^save takes the path of a file, such as 'model\.json'; got "):
        SEALED.write(path, CONTENT)
    with pytest.raises(TypeError, match=r"^load takes the path of a file, such as 'model\.json'; got "):
        SEALED.read(path)


def test_text_with_half_a_pair_of_surrogates_is_read_back(tmp_path):
    path = SEALED.write(tmp_path / "e.json", {"text": "a\ud800b\udc00\ud800"})
    assert SEALED.read(path)["text"] == "a\ud800b\udc00\ud800"


def test_what_could_not_be_read_back_is_not_written(tmp_path):
    deep = []
    for _ in range(200):
        deep = [deep]
    with pytest.raises(ValueError, match="more than 100 lists or objects stand in one another"):
        SEALED.write(tmp_path / "e.json", {"deep": deep})
    assert list(tmp_path.iterdir()) == []


def test_lines_are_those_of_indented_json(tmp_path):
    content = {"text": "a", "none": {}, "names": {"a": 1.0, 'b, "c': 2}, "numbers": [1, 2]}
    text = SEALED.write(tmp_path / "e.json", content, by_line=True).read_text(encoding="utf-8")
    expected = json.dumps(SEALED.with_checksums(content), indent=2) + "\n"
    assert text == expected.replace("[\n    1,\n    2\n  ]", "[1, 2]")


def test_an_empty_file_and_one_of_zeros_are_damaged(tmp_path):
    for content in (b"", b"\x00" * 3_000_000, b"\xff" * 10):
        path = tmp_path / "e.json"
        path.write_bytes(content)
        with pytest.raises(SavedFileError, match="is not a JSON file, or is damaged") as caught:
            SEALED.read(path)
        assert len(str(caught.value)) < 400


def test_damaged_names_file_and_reason(tmp_path):
    assert str(damaged(tmp_path, "why")) == f"{tmp_path} is damaged: why"
