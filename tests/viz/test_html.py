"""Pictures in HTML: what is shown with and without styles and scripts, and what opens."""

from __future__ import annotations

import base64
import json
import re
import zlib

from microgradlib.viz.html import State, page_part, svg_document, whole_page

SVG = "http://www.w3.org/2000/svg"


def states(count: int) -> list[State]:
    moves: list[dict[str, int]] = [{"s1": (k + 1) % count} if count > 1 else {} for k in range(count)]
    return [
        State(100 + k, 50, f'<path fill="var(--mg-grad)" d="M{k} 0"/>', f"state <{k}>", "words", moves[k])
        for k in range(count)
    ]


def test_a_file_has_its_natural_size_and_a_page_the_pages() -> None:
    [state] = states(1)
    file, page = svg_document(state, name="g"), svg_document(state, name="g", fluid=True)
    assert 'width="100" height="50" viewBox="0 0 100 50"' in file
    assert "style" not in file
    assert 'width="100%"' in page
    assert "height:auto" in page


def test_what_has_buttons_is_no_image_for_screen_readers() -> None:
    assert 'role="img"' in svg_document(states(1)[0], name="g")
    assert 'role="group"' in svg_document(states(2)[0], name="g")


def test_very_long_descriptions_are_cut() -> None:
    assert len(svg_document(State(1, 1, "", "t", "x" * 10**6), name="g")) < 10_000


def test_the_style_shows_the_drawing_and_hides_the_image() -> None:
    part = page_part(states(1), "<svg/>", name="g")
    assert 'style="display:none;max-width:100px"' in part
    assert "#g .mg-state:not([hidden]){display:block!important}" in part
    assert "#g>img{display:none!important}" in part
    image = re.search(r'<img src="data:image/svg\+xml;base64,([^"]*)" alt="state &lt;0&gt;"', part)
    assert image
    assert base64.b64decode(image[1]) == b"<svg/>"
    assert "script" not in part


def test_other_states_are_packed_and_reached_by_moves() -> None:
    part = page_part(states(3), "<svg/>", name="g")
    assert part.count('class="mg-state"') == 1
    packed = re.search(r'packed="([^"]*)"', part)
    moves = re.search(r"moves=(\[.*?\]),titles", part)
    titles = re.search(r"titles=(\[.*?\]),packed", part)
    assert packed
    assert moves
    assert titles
    others = zlib.decompress(base64.b64decode(packed[1])).decode().split("\x00")
    assert len(others) == 2
    assert all(other.startswith('<div class="mg-state"') for other in others)
    assert json.loads(moves[1]) == [{"s1": 1}, {"s1": 2}, {"s1": 0}]
    assert json.loads(titles[1])[1] == "state <1>"


def test_no_title_ends_the_script() -> None:
    hostile = [State(1, 1, "", "</script><script>alert(1)", "", {"s1": 1 - k}) for k in range(2)]
    part = page_part(hostile, "<svg/>", name="g")
    assert part.count("<script>") == part.count("</script>") == 1


def test_a_page_of_its_own_escapes_its_title() -> None:
    page = whole_page("<p>", title="</title><script>")
    assert "<title>&lt;/title&gt;&lt;script&gt;</title>" in page
    assert page.startswith("<!DOCTYPE html>")
