"""Where a line of source is, as messages cite it: file and line, or the cell of a notebook and the line in it."""

from __future__ import annotations

import os
import re
from os.path import dirname
from typing import Any, Final

from microgradlib._support.notebook import interactive_shell

__all__ = ["PACKAGE", "cell_number", "cited", "innermost_line", "is_raised_within"]

PACKAGE: Final = dirname(dirname(__file__)) + os.sep  # noqa: PTH120  pathlib would add a tenth to the time of the import
"""The folder of this package, as the names of its files begin; those of `microgradlib_course` beside it do not."""


def cited(code: Any, line: int) -> str:
    """Return the place of a line of a code object: `cell [15], line 2`, or `model.py:12, in loss`.

    The function is named, too, where a cell's line is inside one.

    >>> code = compile("x = 1", "model.py", "exec")
    >>> cited(code, 1)
    'model.py:1, in <module>'
    """
    number = cell_number(code.co_filename)
    if number is None:
        return f"{code.co_filename}:{line}, in {code.co_name}"
    inside = "" if code.co_name.startswith("<") and code.co_name != "<lambda>" else f", in {code.co_name}"
    return f"cell [{number}], line {line}{inside}"


def innermost_line(error: BaseException, outside: str) -> str:
    """Return the innermost line of an exception's traceback that is in no file of the folder `outside`; "" if none is.

    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError as error:
    ...     innermost_line(error, outside="/usr/lib/elsewhere").endswith(", in <module>")
    True
    """
    line, step = "", error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        if not code.co_filename.startswith(outside):
            line = cited(code, step.tb_lineno)
        step = step.tb_next
    return line


def is_raised_within(error: BaseException, folder: str) -> bool:
    """Return whether an exception was raised by a line of a file in a folder, not by one that this has called.

    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError as error:
    ...     is_raised_within(error, "/usr/lib/elsewhere")
    False
    """
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return step is not None and step.tb_frame.f_code.co_filename.startswith(folder)


def cell_number(filename: str) -> int | None:
    """Return the number of the cell that IPython has compiled under a file name; None for any other file.

    >>> cell_number("model.py"), cell_number("<ipython-input-3-b5f1a9c0>")
    (None, 3)
    """
    named = re.match(r"<ipython-input-(\d+)-", filename)
    if named is None:
        name_of = getattr(getattr(interactive_shell(), "compile", None), "format_code_name", None)
        label = (name_of(filename) if name_of is not None else None) or ()
        named = re.match(r"In ?\[(\d+)\]", label[-1]) if label else None
    return None if named is None else int(named[1])
