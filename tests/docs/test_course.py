"""The page of the course: every subject has a place, and each place exists."""

import doctest
import re

import pytest

pytest.importorskip("sklearn", reason="the modules of the pages read all public names")
from docwriters import course
from docwriters.course import NOTEBOOKS, headings, notebooks, places

PLACES = places()


def test_the_parts_of_the_course():
    assert len({place.part for place in PLACES}) >= 4
    assert len(PLACES) >= 90


def test_subjects_stand_once_in_each_part():
    subjects = [(place.part, place.subject, place.notebook) for place in PLACES]
    assert len(set(subjects)) == len(subjects)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.subject} ({place.notebook[:2]})")
def test_every_subject_is_taught_under_a_heading_that_exists(place):
    assert place.notebook, f"{place.subject} has no place yet"
    path = NOTEBOOKS / place.notebook
    assert path.exists()
    assert place.heading in headings(path), headings(path)


def test_no_notebook_is_without_a_subject():
    assert {path.name for path in notebooks()} <= {place.notebook for place in PLACES}


def test_addresses_of_headings():
    assert doctest.testmod(course).failed == 0


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_titles_have_their_numbers(path):
    number = int(path.stem[:2])
    assert re.match(rf"{number}\. \w", headings(path)[0])
