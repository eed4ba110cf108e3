"""The files that type checkers check are no tests, and hold no doctests to collect."""

collect_ignore = ["typical_code.py", "wrong_code.py"]
