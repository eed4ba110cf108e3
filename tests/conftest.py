"""What all tests share: under CI, Hypothesis draws the same examples in every run, so that a failure is a change's."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, print_blob=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
