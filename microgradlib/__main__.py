"""Run the command line: `python -m microgradlib`."""

import sys

from microgradlib.cli import main

if __name__ == "__main__":
    sys.exit(main())
