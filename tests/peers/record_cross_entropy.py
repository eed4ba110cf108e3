"""Record PyTorch's cross-entropy with its options, with gradients: python tests/peers/record_cross_entropy.py."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812

torch.set_default_dtype(torch.float64)
LOGITS = [[0.3, -1.2, 2.0], [1.5, 0.1, -0.4], [-2.0, 0.7, 0.7], [30.0, -30.0, 5.0]]
TARGETS = {
    "classes": [2, 0, 1, 2],
    "marked": [2, -100, 1, 0],
    "one_class": [1, 0, 1, 2],
    "soft": [[0.0, 0.0, 1.0], [0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.25, 0.25, 0.5]],
}
WEIGHT = [0.5, 2.0, 1.25]


def record(target, **options):
    output = torch.tensor(LOGITS, requires_grad=True)
    given = {**options, "weight": torch.tensor(options["weight"])} if "weight" in options else options
    value = F.cross_entropy(output, torch.tensor(TARGETS[target]), **given)
    value.sum().backward()
    name = " ".join([target, *[f"{key}={x}" for key, x in options.items()]])
    return {
        "name": name,
        "target": target,
        "options": options,
        "value": value.tolist(),
        "gradient": output.grad.tolist(),
    }


def cases():
    for reduction in ("none", "sum", "mean"):
        for weight in ({}, {"weight": WEIGHT}):
            common = {"reduction": reduction, **weight}
            for smoothing in (0.0, 0.1, 1.0):
                yield record("classes", label_smoothing=smoothing, **common)
                yield record("soft", label_smoothing=smoothing, **common)
                yield record("marked", label_smoothing=smoothing, ignore_index=-100, **common)
                yield record("one_class", label_smoothing=smoothing, ignore_index=1, **common)


made = {"made_with": f"torch {torch.__version__.split('+')[0]}", "logits": LOGITS, **TARGETS, "cases": list(cases())}
Path(__file__).with_name("cross_entropy.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
