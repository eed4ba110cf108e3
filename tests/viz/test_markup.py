"""Markup: what is kept of the texts that pass."""

from microgradlib.viz.markup import _escaped, escape


def test_long_texts_are_not_kept() -> None:
    before = _escaped.cache_info().currsize
    assert escape("<" * 2000) == "&lt;" * 2000
    assert _escaped.cache_info().currsize == before
    assert escape("<" * 200) == "&lt;" * 200
