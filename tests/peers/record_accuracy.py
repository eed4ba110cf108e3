"""Record how exact the ops are, against mpmath: python tests/peers/record_accuracy.py (some ten minutes).

Writes the table of the largest errors, by op and order of differentiation, into microgradlib/ops/accuracy.py, and the
points at which they were found, with the exact numbers, into accuracy.json, which a test of every run reads.
"""

import json
import random
import sys
from pathlib import Path

import mpmath

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "common"))

from accuracy import errors  # noqa: E402  after its folder is known

from microgradlib.ops import TABLE  # noqa: E402

MODULE = ROOT / "microgradlib" / "ops" / "accuracy.py"
ASSIGNED = "LARGEST_ERRORS: dict[str, tuple[float, float, float]]"
WORST = 2
"""How many points of each op and order are recorded."""


def record(name, arity):
    """Return the largest errors of an op by order, and the worst points: orders, inputs, exact number, condition."""
    found = [[], [], []]
    for orders, point, true, error, magnified, exception in errors(TABLE[name], arity, random.Random(name)):
        if not exception:
            found[sum(orders)].append((error / magnified, orders, point, true, magnified))
    worst = [sorted(rows, key=lambda row: -row[0])[:WORST] for rows in found]
    largest = [rows[0][0] if rows else 0.0 for rows in worst]
    rows = [row for rows in worst for row in rows]
    return largest, [[orders, point, mpmath.nstr(true, 40), magnified] for _, orders, point, true, magnified in rows]


def main():
    table, points = {}, {}
    for name, op in TABLE.items():
        largest, points[name] = record(name, op.arity or (4 if name in {"dot", "cross_entropy"} else 3))
        table[name] = tuple(round(x, 1) for x in largest)
        print(name, table[name], flush=True)
    rows = "".join([f'    "{name}": {row},\n' for name, row in table.items() if name != "detach"])
    head, _, _ = MODULE.read_text(encoding="utf-8").partition(ASSIGNED)
    MODULE.write_text(f"{head}{ASSIGNED} = {{\n{rows}}}\n", encoding="utf-8")
    lines = ",\n".join([f"{json.dumps(name)}: {json.dumps(rows)}" for name, rows in points.items()])
    Path(__file__).with_name("accuracy.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
