"""Record PyTorch's costs, for every reduction and weight, with gradients: python tests/peers/record_costs.py."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812

torch.set_default_dtype(torch.float64)
LOGITS = [[0.3, -1.2, 2.0], [1.5, 0.1, -0.4], [-2.0, 0.7, 0.7], [30.0, -30.0, 5.0]]
CLASSES = [2, 0, 1, 2]
SOFT = [[0.0, 0.0, 1.0], [0.2, 0.5, 0.3], [1.0, 0.0, 0.0], [0.25, 0.25, 0.5]]
WEIGHT = [0.5, 2.0, 1.25]
SCORES = [[0.3, -1.2], [1.5, 40.0], [-2.0, -40.0]]
LABELS = [[1.0, 0.0], [0.25, 0.0], [1.0, 0.75]]


def record(cost, output, *target, **options):
    output = torch.tensor(output, requires_grad=True)
    value = cost(output, *[torch.tensor(t) for t in target], **options)
    value.sum().backward()
    return {"value": value.tolist(), "gradient": output.grad.tolist()}


def cases():
    for reduction in ("none", "sum", "mean"):
        options = {"reduction": reduction}
        weighted = {"weight": torch.tensor(WEIGHT), **options}
        yield f"cross_entropy {reduction}", record(F.cross_entropy, LOGITS, CLASSES, **options)
        yield f"cross_entropy weighted {reduction}", record(F.cross_entropy, LOGITS, CLASSES, **weighted)
        yield f"cross_entropy soft {reduction}", record(F.cross_entropy, LOGITS, SOFT, **options)
        yield (
            f"cross_entropy soft weighted {reduction}",
            record(F.cross_entropy, LOGITS, SOFT, **weighted),
        )
        logits = F.binary_cross_entropy_with_logits
        yield f"with_logits {reduction}", record(logits, SCORES, LABELS, **options)
        pos = torch.tensor(3.0)
        yield f"with_logits weighted {reduction}", record(logits, SCORES, LABELS, pos_weight=pos, **options)
        probabilities = torch.sigmoid(torch.tensor(SCORES[:1])).tolist()
        yield f"binary {reduction}", record(F.binary_cross_entropy, probabilities, LABELS[:1], **options)
        yield f"twice squared {reduction}", record(F.mse_loss, SCORES, LABELS, **options)
        yield f"absolute {reduction}", record(F.l1_loss, SCORES, LABELS, **options)


inputs = {"logits": LOGITS, "classes": CLASSES, "soft": SOFT, "weight": WEIGHT, "scores": SCORES, "labels": LABELS}
made = {"made_with": f"torch {torch.__version__.split('+')[0]}", **inputs, "cases": dict(cases())}
Path(__file__).with_name("costs.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
