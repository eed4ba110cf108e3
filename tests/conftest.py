"""What all tests share: under CI, Hypothesis draws the same examples in every run; recorders of peers are no tests."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

collect_ignore_glob = ["peers/record_*.py"]  # they need the peers; the tests need only what they wrote
