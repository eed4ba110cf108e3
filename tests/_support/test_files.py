"""Files are written in the format of their suffix; what is no path is refused before anything is written."""

import pytest

from microgradlib._support.files import save_as, write_atomic


@pytest.mark.parametrize("path", [3, None, b"graph.svg", ["graph.svg"], True])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(TypeError, match=r"^save takes the path of a file, such as 'graph\.svg'; got "):
        save_as(path, {".svg": lambda: b""})


def test_the_suffix_says_the_format_in_either_case(tmp_path):
    formats = {".svg": lambda: b"svg", ".html": lambda: b"html"}
    assert save_as(tmp_path / "a.SVG", formats).read_bytes() == b"svg"
    assert save_as(str(tmp_path / "a.html"), formats).read_bytes() == b"html"
    for name in ("a.png", "a", ".svg"):
        with pytest.raises(ValueError, match=r"is not one of \.svg, \.html"):
            save_as(tmp_path / name, formats)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.SVG", "a.html"]


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "a.svg").mkdir()
    with pytest.raises(IsADirectoryError, match=r"a\.svg': it is a folder; choose another name$"):
        write_atomic(tmp_path / "a.svg", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["a.svg"]
