"""Words: every sentence in both languages, with the same places to fill."""

import re

import pytest

from microgradlib.viz.captions import LANGUAGES
from microgradlib.viz.stepper.words import WORDS, say


def places(template):
    return set(re.findall(r"\{(\w+)", template))


def test_both_languages_have_all_sentences():
    assert WORDS["en"].keys() == WORDS["zh"].keys()


def test_sentences_have_the_same_places():
    assert [key for key in WORDS["en"] if places(WORDS["en"][key]) != places(WORDS["zh"][key])] == []


def test_every_sentence_can_be_filled():
    for lang in LANGUAGES:
        for key, template in WORDS[lang].items():
            text = say(lang, key, **dict.fromkeys(places(template), 2))
            assert text
            assert "{" not in text


def test_a_missing_part_is_an_error():
    with pytest.raises(KeyError, match="n"):
        say("en", "waits", node="x")
