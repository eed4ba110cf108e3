"""The documentation's own modules, which stand in `.docs/`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / ".docs"))
