"""Write the pictures that Markdown cells show: run notebooks and store the SVGs of the cells that name one.

python tests/notebooks/pictures.py notebooks/02_the_grad_table.ipynb …    (all English notebooks where none is named)
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "common"))

from notebook_files import ENGLISH, PICTURES, execute, pictures_of


def main(paths):
    """Run each notebook and write its pictures."""
    PICTURES.mkdir(exist_ok=True)
    for path in paths:
        with tempfile.TemporaryDirectory() as folder:
            found = pictures_of(execute(path, folder))
        for name, svg in found.items():
            if svg is None:
                sys.exit(f"{path.name}: the cell of {name} shows no SVG")
            (PICTURES / name).write_text(svg, encoding="utf-8")
            print(f"{path.name}: {name}, {len(svg) / 1024:.0f} kB")


if __name__ == "__main__":
    main([Path(name).resolve() for name in sys.argv[1:]] or ENGLISH)
