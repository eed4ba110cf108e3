"""Write the pictures that Markdown cells show: run notebooks and store the SVGs of the cells that name one.

python tests/notebooks/pictures.py notebooks/02_the_grad_table.ipynb …    (all notebooks where none is named)

Those of a Chinese notebook that have Chinese captions, and so differ from the English ones, stand in zh/pictures.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "common"))

from notebook_files import CHINESE, ENGLISH, PICTURES, execute, pictures_folder, pictures_of


def main(paths):
    """Run each notebook and write its pictures."""
    for path in paths:
        own = pictures_folder(path)
        own.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            found = pictures_of(execute(path, folder))
        for name, svg in found.items():
            if svg is None:
                sys.exit(f"{path.name}: the cell of {name} shows no SVG")
            if own != PICTURES and svg == (PICTURES / name).read_text(encoding="utf-8"):
                continue
            (own / name).write_text(svg, encoding="utf-8")
            print(f"{path.name}: {name}, {len(svg) / 1024:.0f} kB")


if __name__ == "__main__":
    main([Path(name).resolve() for name in sys.argv[1:]] or [*ENGLISH, *CHINESE])
