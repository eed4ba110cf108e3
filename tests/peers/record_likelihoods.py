"""Record PyTorch's likelihoods and robust costs, with gradients: python tests/peers/record_likelihoods.py."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812

torch.set_default_dtype(torch.float64)
LOG_P = torch.log_softmax(torch.tensor([[0.3, -1.2, 2.0], [1.5, 0.1, -0.4], [-2.0, 0.7, 0.7]]), dim=1).tolist()
CLASSES = [2, 0, 1]
KEPT = [2, -100, 1]
WEIGHT = [0.5, 2.0, 1.25]
P = [[0.0, 0.0, 1.0], [0.2, 0.5, 0.3], [0.25, 0.25, 0.5]]
LOG_TARGET = torch.log_softmax(torch.tensor([[0.1, 0.2, 0.3], [-1.0, 5.0, 0.0], [40.0, -40.0, 0.0]]), dim=1).tolist()
OUTPUTS = [[0.3, -1.2], [1.5, 40.0], [-2.0, -0.5]]
TARGETS = [[1.0, 0.0], [0.25, 38.0], [-1.5, 0.5]]
RATES, COUNTS = [[0.3, 1.2], [1.5, 4.0], [2.0, 0.5]], [[0.0, 1.0], [2.0, 7.0], [1.0, 0.0]]


def record(cost, output, target, **options):
    leaf = torch.tensor(output, requires_grad=True)
    value = cost(leaf, torch.tensor(target), **options)
    value.sum().backward()
    return {"value": value.tolist(), "gradient": leaf.grad.tolist()}


def cases():
    for reduction in ("none", "sum", "mean"):
        for name, options in (("nll", {}), ("nll weighted", {"weight": torch.tensor(WEIGHT)})):
            yield f"{name} {reduction}", record(F.nll_loss, LOG_P, CLASSES, reduction=reduction, **options)
        yield (
            f"nll ignored {reduction}",
            record(F.nll_loss, LOG_P, KEPT, weight=torch.tensor(WEIGHT), reduction=reduction),
        )
        for delta in (0.5, 1.0, 3.0):
            yield f"huber {delta} {reduction}", record(F.huber_loss, OUTPUTS, TARGETS, delta=delta, reduction=reduction)
        for beta in (0.0, 0.5, 1.0, 3.0):
            yield (
                f"smooth_l1 {beta} {reduction}",
                record(F.smooth_l1_loss, OUTPUTS, TARGETS, beta=beta, reduction=reduction),
            )
        for full in (False, True):
            options = {"full": full, "reduction": reduction}
            yield f"poisson log {full} {reduction}", record(F.poisson_nll_loss, RATES, COUNTS, **options)
            yield (
                f"poisson rate {full} {reduction}",
                record(F.poisson_nll_loss, RATES, COUNTS, log_input=False, **options),
            )
        yield f"kl {reduction}", record(F.kl_div, LOG_P, P, reduction=reduction)
        yield f"kl log {reduction}", record(F.kl_div, LOG_P, LOG_TARGET, log_target=True, reduction=reduction)
    yield "kl batchmean", record(F.kl_div, LOG_P, P, reduction="batchmean")
    gaussian = torch.distributions.MultivariateNormal
    mean = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    factor = torch.tensor([[1.5, 0.0, 0.0], [0.4, 0.7, 0.0], [-0.3, 0.2, 2.0]], requires_grad=True)
    value = -gaussian(mean, scale_tril=factor).log_prob(torch.tensor([1.0, 0.5, 0.0]))
    value.backward()
    yield (
        "gaussian",
        {"value": value.item(), "gradient": [mean.grad.tolist(), torch.tril(factor.grad).tolist()]},
    )


inputs = {"log_p": LOG_P, "classes": CLASSES, "kept": KEPT, "weight": WEIGHT, "p": P, "log_target": LOG_TARGET,
          "outputs": OUTPUTS, "targets": TARGETS, "rates": RATES, "counts": COUNTS}  # fmt: skip
made = {"made_with": f"torch {torch.__version__.split('+')[0]}", **inputs, "cases": dict(cases())}
Path(__file__).with_name("likelihoods.json").write_text(json.dumps(made) + "\n", encoding="utf-8")
