"""Write optim.json: what PyTorch's optimisers, schedules and clipping do, in double precision.

    python tests/peers/record_optim.py

Needs torch. Tests read the file, so that the outside reference holds where PyTorch is not installed.
"""

from __future__ import annotations

import json
from pathlib import Path

OPTIM_FILE = Path(__file__).with_name("optim.json")

START = [-0.7, 1.3, 0.4, 2.1]
SHOWN = [1, 2, 10, 50]

RULES = [
    ("SGD", {"lr": 0.02}),
    ("SGD", {"lr": 0.02, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.02, "momentum": 0.9}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.01, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.01, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": [0.8, 0.95], "eps": 0.001}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.2}),
    ("Adam", {"lr": 0.2, "betas": [0.5, 0.6], "amsgrad": True}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.3, "amsgrad": True}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "eps": 0.001, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.005, "momentum": 0.8}),
    ("RMSprop", {"lr": 0.02, "centered": True}),
    ("RMSprop", {"lr": 0.005, "momentum": 0.8, "centered": True, "weight_decay": 0.1}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.3, "lr_decay": 0.05, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.3, "initial_accumulator_value": 0.5, "eps": 0.01}),
]
GROUPED = [
    (
        "SGD",
        {"lr": 0.01, "momentum": 0.5},
        [{"places": [0, 2], "lr": 0.02, "weight_decay": 0.1},
         {"places": [3, 1], "lr": 0.001, "momentum": 0.9, "nesterov": True, "maximize": True}],
    ),
    (
        "Adam",
        {"lr": 0.02, "weight_decay": 0.05},
        [{"places": [1], "lr": 0.1},
         {"places": [0, 3, 2], "betas": [0.5, 0.9], "amsgrad": True, "maximize": True}],
    ),
    ("AdamW", {"lr": 0.02, "maximize": True}, [{"places": [0], "weight_decay": 0.3}, {"places": [1, 2, 3]}]),
    (
        "RMSprop",
        {"lr": 0.01, "centered": True},
        [{"places": [2, 3], "momentum": 0.7}, {"places": [1, 0], "centered": False, "maximize": True}],
    ),
    ("Adagrad", {"lr": 0.05}, [{"places": [3, 2, 1], "lr_decay": 0.1}, {"places": [0], "maximize": True}]),
]  # fmt: skip
GROUPED_SHOWN = [1, 2, 10]
PLANNED = ("Adam", {"lr": 0.3})
PLANS = ["constant", "linear", "cosine", "step_decay", "inverse", "warm_up"]


def loss(exp, tanh, p):
    """Return a function of four numbers, curved in all, with no minimum in closed form."""
    a, b, c, d = p
    return (1 - a) ** 2 + 3 * (b - a * a) ** 2 + tanh(c * a - d) + exp(-c * d) + d**4 / 10


def plan_of(torch, name, optimiser):
    """Return PyTorch's counterpart of one of our schedules; the optimiser's rate is that of PLANNED."""
    kinds = torch.optim.lr_scheduler
    if name == "constant":
        return kinds.ConstantLR(optimiser, factor=1.0)
    if name == "linear":
        return kinds.LinearLR(optimiser, start_factor=1.0, end_factor=0.1, total_iters=30)
    if name == "cosine":
        return kinds.CosineAnnealingLR(optimiser, T_max=49, eta_min=0.02)
    if name == "step_decay":
        return kinds.StepLR(optimiser, step_size=7, gamma=0.5)
    if name == "inverse":
        return kinds.LambdaLR(optimiser, lambda t: 1 / (1 + t))
    warm = kinds.LinearLR(optimiser, start_factor=1 / 5, end_factor=1.0, total_iters=4)
    return kinds.SequentialLR(optimiser, [warm, kinds.StepLR(optimiser, step_size=7, gamma=0.5)], milestones=[5])


def trajectory(torch, name, settings, plan=None):
    """Return the parameters after the steps SHOWN, and the learning rates of all steps."""
    p = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimiser = getattr(torch.optim, name)([p], **settings)
    schedule = plan_of(torch, plan, optimiser) if plan else None
    shown, rates = {}, []
    for step in range(1, SHOWN[-1] + 1):
        optimiser.zero_grad()
        loss(torch.exp, torch.tanh, p).backward()
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if schedule:
            schedule.step()
        if step in SHOWN:
            shown[step] = p.tolist()
    return shown, rates


def grouped_trajectory(torch, name, defaults, groups):
    """Return the parameters after the steps GROUPED_SHOWN, which are in groups by their places in START."""
    p = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in START]
    own = [{**group, "params": [p[i] for i in group["places"]]} for group in groups]
    for group in own:
        del group["places"]
    optimiser = getattr(torch.optim, name)(own, **defaults)
    shown = {}
    for step in range(1, GROUPED_SHOWN[-1] + 1):
        optimiser.zero_grad()
        loss(torch.exp, torch.tanh, p).backward()
        optimiser.step()
        if step in GROUPED_SHOWN:
            shown[step] = [x.item() for x in p]
    return shown


def clipped(torch, gradient, norm=None, value=None):
    """Return the gradient as PyTorch clips it, and its norm before."""
    p = torch.zeros(len(gradient), dtype=torch.float64, requires_grad=True)
    p.grad = torch.tensor(gradient, dtype=torch.float64)
    if norm is None:
        torch.nn.utils.clip_grad_value_([p], value)
        return p.grad.tolist(), None
    before = torch.nn.utils.clip_grad_norm_([p], norm)
    return p.grad.tolist(), float(before)


def record():
    """Return the whole table."""
    import torch  # noqa: PLC0415

    rules = [
        {"class": name, "settings": settings, "shown": trajectory(torch, name, settings)[0]} for name, settings in RULES
    ]
    grouped = [
        {"class": name, "defaults": defaults, "groups": groups,
         "shown": grouped_trajectory(torch, name, defaults, groups)}
        for name, defaults, groups in GROUPED
    ]  # fmt: skip
    plans = {}
    for name in PLANS:
        shown, rates = trajectory(torch, *PLANNED, name)
        plans[name] = {"shown": shown, "rates": rates}
    gradient = [0.3, -4.0, 0.0, 12.5]
    clips = [
        {"max_norm": norm, "gradient": gradient, "clipped": clipped(torch, gradient, norm=norm)}
        for norm in (1.0, 13.0, 20.0, 0.0)
    ] + [{"limit": 1.0, "gradient": gradient, "clipped": clipped(torch, gradient, value=1.0)}]
    return {"made_with": f"torch {torch.__version__.split('+')[0]}", "start": START, "rules": rules,
            "grouped": grouped, "planned": PLANNED, "plans": plans, "clips": clips}  # fmt: skip


if __name__ == "__main__":
    table = record()
    lines = [f"{json.dumps(name)}: {json.dumps(part)}" for name, part in table.items() if name != "rules"]
    rules = ",\n".join(json.dumps(rule) for rule in table["rules"])
    OPTIM_FILE.write_text("{" + ",\n".join([*lines, f'"rules": [\n{rules}\n]']) + "}\n", encoding="utf-8")
