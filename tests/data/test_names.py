"""makemore's names, and the alphabet that encodes them as tokens."""

import hashlib
import random
from importlib import resources

import pytest
from hypothesis import given, strategies as st

from microgradlib.data import Alphabet, names

texts = st.lists(st.text(min_size=1), min_size=1)


def test_the_names_are_those_of_makemore():
    """The digest of the file as makemore has it, without a line break at the end."""
    digest = hashlib.sha256("\n".join(names()).encode()).hexdigest()
    assert digest == "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"


def test_the_file_is_shipped_as_it_is():
    text = resources.files("microgradlib.data").joinpath("names.txt").read_text(encoding="utf-8")
    assert text == "\n".join(names())


def test_names_are_lower_case_and_counted():
    everyone = names()
    assert len(repr(everyone)) < 100
    assert repr(everyone[:2]) == "('emma', 'olivia')"
    assert isinstance(everyone, tuple)
    assert (len(everyone), len(set(everyone))) == (32_033, 29_494)
    assert (everyone[0], everyone[-1]) == ("emma", "zzyzx")
    assert set("".join(everyone)) == set("abcdefghijklmnopqrstuvwxyz")
    assert (min(map(len, everyone)), max(map(len, everyone))) == (2, 15)


def test_the_alphabet_of_the_names_numbers_them_as_microgpt_does():
    alphabet = Alphabet.of(names())
    assert (len(alphabet), alphabet.boundary) == (27, 26)
    assert alphabet.encode("emma") == [26, 4, 12, 12, 0, 26]
    assert alphabet.decode([26, 4, 12, 12, 0, 26]) == "emma"
    assert all(alphabet.decode(alphabet.encode(name)) == name for name in names())


@given(texts, st.randoms())
def test_encode_and_decode_round_trip(several: list[str], rng: random.Random):
    alphabet = Alphabet.of(several)
    assert list(alphabet.characters) == sorted(set("".join(several)))
    for text in several:
        first, *inner, last = alphabet.encode(text)
        assert first == last == alphabet.boundary == len(alphabet) - 1
        assert [alphabet.characters[token] for token in inner] == list(text)
        assert alphabet.decode([first, *inner, last]) == alphabet.decode(inner) == text
    shuffled = [*several]
    rng.shuffle(shuffled)
    assert Alphabet.of(shuffled) == alphabet
    assert hash(Alphabet.of(shuffled)) == hash(alphabet)


def test_the_empty_text_is_two_boundaries():
    assert Alphabet("ab").encode("") == [2, 2]
    assert Alphabet("ab").decode([]) == ""


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Alphabet(""), "at least one"),
        (lambda: Alphabet("ba"), "must be sorted"),
        (lambda: Alphabet("aab"), "each once"),
        (lambda: Alphabet.of([]), "no character"),
        (lambda: Alphabet.of(["", ""]), "no character"),
        (lambda: Alphabet("abc").encode("abé?"), "the character 'é' is not in the alphabet 'abc'"),
        (lambda: Alphabet("abc").encode(["abc"]), "the character 'abc' is not in the alphabet"),
        (lambda: Alphabet("abc").decode([0, 4]), "4 is not a token of this alphabet; give whole numbers from 0 to 3"),
        (lambda: Alphabet("abc").decode([-1]), "-1 is not a token"),
    ],
)
def test_invalid_input_raises_with_a_remedy(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize("make", [lambda: Alphabet("abc").encode(3), lambda: Alphabet.of(["ab", 3])])
def test_encoding_a_number_raises(make):
    with pytest.raises(TypeError, match=r"texts? must be (a string|strings), got 3"):
        make()


def test_an_alphabet_cannot_be_changed():
    with pytest.raises(AttributeError):
        Alphabet("abc").characters = "abcd"
