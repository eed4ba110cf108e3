"""Write the sample files of the present versions of all formats, where there are none yet: run it after a new version.

    python tests/saved_files/write_samples.py

Files that are there stay as they are, for ever: what was once saved must load.
"""

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER.parents[1]), str(FOLDER.parent / "common")]

from saved_samples import GRADIENTS, model, optimisers, program  # noqa: E402

from microgradlib.compiler.saving import FORMAT as PROGRAMS  # noqa: E402
from microgradlib.nn import save  # noqa: E402
from microgradlib.nn.saving import FORMAT as PARAMETERS  # noqa: E402


def main(folder):
    samples = {
        f"parameters_{PARAMETERS.version}.json": lambda path: save(model(), path),
        f"program_{PROGRAMS.version}.json": program().save,
    }
    for name, optimiser in optimisers().items():
        for gradient in GRADIENTS[:3]:
            optimiser.step(gradient)
        text = json.dumps(optimiser.state_dict())
        samples[f"optimiser_{name}.json"] = lambda path, text=text: path.write_text(text + "\n", encoding="utf-8")
    for name, write in samples.items():
        if not (folder / name).exists():
            write(folder / name)
            print(f"wrote {name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
