"""The Chinese notebooks run the code of the English ones: only what readers read differs, and the language setting."""

import ast
import re
from itertools import zip_longest

import pytest
from notebook_files import CHINESE, ENGLISH, cells, plain

HAN = re.compile("[\u4e00-\u9fff]")
FONT = "mg.plots.use_chinese_font()"


class Comparable(ast.NodeTransformer):
    """Code without what may differ: strings that are Chinese in one of both, and the language of captions."""

    def visit_Call(self, node):
        node.keywords = [k for k in node.keywords if ast.unparse(k) != "lang='zh'"]
        return self.generic_visit(node)


def same(english, chinese):
    """Whether two syntax trees are alike but for strings that are Chinese in the second."""
    if isinstance(chinese, ast.Constant) and isinstance(chinese.value, str) and HAN.search(chinese.value):
        return isinstance(english, ast.Constant) and isinstance(english.value, str)
    if isinstance(chinese, ast.JoinedStr) and isinstance(english, ast.JoinedStr):
        return fields(english) == fields(chinese) and (
            HAN.search(ast.unparse(chinese)) is not None or ast.dump(english) == ast.dump(chinese)
        )
    if isinstance(english, ast.AST):
        if type(english) is not type(chinese):
            return False
        return all(same(getattr(english, field, None), getattr(chinese, field, None)) for field in english._fields)
    if isinstance(english, list):
        return isinstance(chinese, list) and len(english) == len(chinese) and all(map(same, english, chinese))
    return english == chinese


def fields(joined):
    """What an f-string computes, in any order: Chinese may name things in another one."""
    return sorted(ast.unparse(part) for part in joined.values if isinstance(part, ast.FormattedValue))


def tree(source):
    return Comparable().visit(ast.parse(plain(source)))


def differences(english, chinese):
    """The code cells that differ, as pairs of sources; cells are (source, metadata)."""
    chinese = [cell for cell in chinese if cell[0].strip() != FONT]
    pairs = zip_longest(english, chinese, fillvalue=("", {"missing": True}))
    return [(a[0], b[0]) for a, b in pairs if a[1] != b[1] or not same(tree(a[0]), tree(b[0]))]


def test_every_notebook_has_a_chinese_one():
    assert [path.name for path in CHINESE] == [path.name for path in ENGLISH]


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.stem)
def test_the_code_is_that_of_the_english_notebook(path):
    english = path.parents[1] / path.name
    assert differences(cells(english, "code"), cells(path, "code")) == []
    kinds = [len(cells(p, "markdown")) for p in (english, path)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("path", CHINESE, ids=lambda path: path.stem)
def test_the_text_is_chinese(path):
    for source, _ in cells(path, "markdown"):
        words = re.sub(r"\$[^$]*\$|`[^`]*`|\([^)]*\)", "", source)
        assert HAN.search(words) or not re.search("[A-Za-z]{3,}", words), source
    stepper = [source for source, _ in cells(path, "code") if "mg.explain(" in source]
    assert all('lang="zh"' in source for source in stepper)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("x = 1", "x = 2"),
        ("print('a')", "print('b')"),
        ("print('a')", "print(1, '甲')"),
        ("f'{x} a'", "f'{y} 甲'"),
        ("draw(y)", "draw(y, theme='dark')"),
        ("%pip install a", "%pip install b"),
        ("x = 1", ""),
    ],
)
def test_other_code_is_told(english, chinese):
    assert differences([(english, {})], [(chinese, {})])


def test_other_metadata_and_missing_cells_are_told():
    assert differences([("x = 1", {"picture": "a.svg"})], [("x = 1", {})])
    assert differences([("x = 1", {}), ("y = 2", {})], [("x = 1", {})])


def test_captions_comments_and_language_may_differ():
    english = 'print("value", x)  # the value\nmg.explain(y)\nprint(f"{x:.2f} is the slope of {y}")'
    chinese = 'print("值", x)  # 值\nmg.explain(y, lang="zh")\nprint(f"{y} 的斜率是 {x:.2f}")'
    assert differences([(english, {})], [(chinese, {}), (FONT, {})]) == []
