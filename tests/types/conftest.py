"""Excludes the files for type checkers from collection: they contain no tests and no doctests."""

collect_ignore = ["typical_code.py", "wrong_code.py"]
