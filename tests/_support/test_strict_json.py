"""Strict JSON: what is refused, and that it is refused before it costs anything; all else is as `json` reads it."""

import json

import pytest
from hypothesis import given, settings, strategies as st

from microgradlib._support import strict_json
from microgradlib._support.strict_json import MOST_DIGITS, MOST_NESTED, check_depth, parse_json

TEXTS = st.text(alphabet=st.sampled_from('[]{}"\\ ,:é\n\ud800a0'), max_size=6)
PARTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=12,
)


def depth(part):
    if not isinstance(part, (list, dict)):
        return 0
    return 1 + max(map(depth, part.values() if isinstance(part, dict) else part), default=0)


@settings(derandomize=True, max_examples=50)
@given(part=PARTS, escaped=st.booleans(), indent=st.sampled_from([None, 1]))
def test_json_is_read_as_json_reads_it(part, escaped, indent):
    text = json.dumps(part, ensure_ascii=escaped, indent=indent)
    assert parse_json(text.encode("utf-8", "backslashreplace")) == part


@settings(derandomize=True, max_examples=150)
@given(part=PARTS, escaped=st.booleans(), most=st.integers(0, 5))
def test_the_depth_is_that_of_lists_and_objects_whatever_stands_in_texts(part, escaped, most):
    encoded = json.dumps(part, ensure_ascii=escaped).encode("utf-8", "backslashreplace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(strict_json, "MOST_NESTED", most)
        if depth(part) <= most:
            check_depth(encoded)
        else:
            with pytest.raises(ValueError, match=f"more than {most} lists or objects stand in one another"):
                check_depth(encoded)


def nested(levels):
    return b"[" * levels + b"]" * levels


def test_limits_are_where_they_are_said_to_be():
    assert depth(parse_json(nested(MOST_NESTED))) == MOST_NESTED
    with pytest.raises(ValueError, match="stand in one another"):
        parse_json(nested(MOST_NESTED + 1))
    assert parse_json(b"9" * MOST_DIGITS) == 10**MOST_DIGITS - 1
    for number in (
        b"9" * (MOST_DIGITS + 1),
        b"-0." + b"1" * 1_000_000,
        b"1" * 1_000_000 + b"e-999999",
        b"1e" + b"0" * 2000,
    ):
        with pytest.raises(ValueError, match="a number has more than 1100 digits"):
            parse_json(b"[1, " + number + b"]")
    assert parse_json(b'[[], {}, "a", 1]', most_parts=4) == [[], {}, "a", 1]
    with pytest.raises(ValueError, match="there are more than 3 lists, objects and texts in it"):
        parse_json(b'[[], {}, "a", 1]', most_parts=3)


@pytest.mark.parametrize("brackets", [b"[", b'{"a":', b'[{"a":', b'["]",[', b'{"\\"":['])
def test_brackets_without_end_do_not_reach_the_stack(brackets):
    with pytest.raises(ValueError, match="stand in one another"):
        parse_json(brackets * 100_000)


def test_keys_that_occur_twice_are_found_in_linear_time():
    many = b", ".join(b'"%d": 0' % i for i in range(50_000))
    with pytest.raises(ValueError, match="'49999' occurs twice"):
        parse_json(b"{" + many + b', "49999": 1}')
    with pytest.raises(ValueError, match=r"^a str of 1000 letters occurs twice$"):
        parse_json(b'{"%b": 1, "%b": 2}' % (b"a" * 1000, b"a" * 1000))


def test_a_byte_order_mark_is_read_over():
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    "content",
    [
        b"", b" ", b"{", b'{"a": 1}}', b'{"a": 1} x', b'{"a": 1}\x00', b"[1,]", b"[01]", b"[+1]", b"[.5]", b"[1.]",
        b"[0x1]", b"[1_0]", b"[NaN]", b"[Infinity]", b"[-Infinity]", b"[nan]", b"['a']", b'["\x01"]', b'["\\x41"]',
        b'["\xff"]', b'["\xed\xa0\x80"]', '["a"]'.encode("utf-16"), '["a"]'.encode("utf-32"),
        b"\xef\xbb\xbf" * 2 + b"[]", b"][" * 1000, b"\x00\x00\x00", b"// a\n[]", "[１]".encode(),
        b"[1" + b"\xc2\xa0" + b"]",
    ],
)  # fmt: skip
def test_what_is_no_json_in_utf_8_is_refused(content):
    with pytest.raises(ValueError):  # noqa: PT011  in the words of `json` or of the decoder
        parse_json(content)
