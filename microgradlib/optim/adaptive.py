"""Optimisers with an adaptive step size for each parameter: Adam, AdamW, RMSprop, Adagrad."""

# ruff: noqa: ARG002, PLR0917  update rules name all their arguments; the order of settings is PyTorch's

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import in_plain_words
from microgradlib.optim.optimiser import Optimiser

if TYPE_CHECKING:
    from microgradlib.optim.types import Parameters, Rate

__all__ = ["Adagrad", "Adam", "AdamW", "RMSprop"]


class Adam(Optimiser):
    """Adaptive moments: a step of about η in each parameter, whatever the scale of its gradient.

        g ← g + λ p                            weight decay λ
        m ← β₁ m + (1 − β₁) g                  mean of the gradient
        v ← β₂ v + (1 − β₂) g²                 mean of its square
        m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)  corrected for their bias towards the initial 0
        p ← p − η m̂ / (√v̂ + ε)

    t = 1, 2, … With `amsgrad`, v̂ is computed from the largest v so far. (*Deep Learning*, Algorithm 8.7.)

    >>> from microgradlib import Value
    >>> w, far = Value(3.0), Value(3000.0)
    >>> optimiser = Adam([w, far], lr=0.1)
    >>> (w * w + far * far).backward()
    >>> optimiser.step()
    >>> round(w.data, 6), round(far.data, 6)
    (2.9, 2999.9)
    """

    betas: tuple[float, float]
    eps: float
    weight_decay: float
    amsgrad: bool

    decoupled = False
    """Whether weight decay acts on the parameter itself, as in `AdamW`, or through the gradient."""

    @in_plain_words
    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize
        )

    def buffer_starts(self) -> dict[str, float]:
        """Return the initial m and v, and with `amsgrad` the initial largest v."""
        return {"m": 0.0, "v": 0.0, "v_max": 0.0} if self.amsgrad else {"m": 0.0, "v": 0.0}

    def update(self, xp: Any, t: int, lr: float, p: Any, g: Any, m: Any, v: Any, v_max: Any = 0.0) -> tuple[Any, ...]:
        """Return the new p, m, v and largest v."""
        beta1, beta2 = self.betas
        if self.weight_decay:
            if self.decoupled:
                p = p - lr * self.weight_decay * p
            else:
                g = g + self.weight_decay * p
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * (g * g)
        v_max = xp.maximum(v_max, v) if self.amsgrad else v
        m_hat = m / (1 - beta1**t)
        v_hat = v_max / (1 - beta2**t)
        return p - lr * m_hat / (xp.sqrt(v_hat) + self.eps), m, v, v_max


class AdamW(Adam):
    """Adam with decoupled weight decay: p is multiplied by 1 − η λ, whatever the scale of the gradient.

        p ← p − η λ p                          and then as `Adam` without weight decay

    In `Adam`, λ p is part of g and so is also divided by √v̂: weights with large gradients decay less. (Loshchilov and
    Hutter, "Decoupled weight decay regularization", 2019.)

    >>> from microgradlib import Value
    >>> w = Value(2.0)
    >>> AdamW([w], lr=0.1, weight_decay=0.5).step([0.0])
    >>> w.data
    1.9
    """

    decoupled = True

    @in_plain_words
    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.001,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)


class RMSprop(Optimiser):
    """Each gradient is divided by the root of the running mean of its square, with optional momentum.

        g ← g + λ p                            weight decay λ
        r ← α r + (1 − α) g²                   mean of the squared gradient; or, with centered, its variance:
        r ← α (r + (1 − α) (g − a)²),  a ← a + (1 − α) (g − a)   where a is the mean of the gradient
        s = g / (√r + ε)
        u ← μ u + s                            momentum μ; without it u = s
        p ← p − η u

    ε is added outside the root, as in PyTorch; *Deep Learning*, Algorithm 8.5, adds it inside. PyTorch computes the
    variance as the mean of the square less the square of the mean: the same number, but for rounding, which can make
    it negative, and its root nan, where the gradient hardly changes.

    >>> from microgradlib import Value
    >>> w = Value(3.0)
    >>> RMSprop([w], lr=0.1, alpha=0.75).step([5.0])
    >>> round(w.data, 6)
    2.8
    """

    alpha: float
    eps: float
    weight_decay: float
    momentum: float
    centered: bool

    @in_plain_words
    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.01,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )

    def buffer_starts(self) -> dict[str, float]:
        """Return the initial r, with momentum or `centered` the initial u, and with `centered` the initial a."""
        return dict.fromkeys(["r", "u", "a"][: 3 if self.centered else 2 if self.momentum else 1], 0.0)

    def update(
        self,
        xp: Any,
        t: int,
        lr: float,
        p: Any,
        g: Any,
        r: Any,
        u: Any = 0.0,
        a: Any = 0.0,
    ) -> tuple[Any, ...]:
        """Return the new p, r, u and a."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        if self.centered:
            deviation = g - a
            r = self.alpha * (r + (1 - self.alpha) * (deviation * deviation))
            a = a + (1 - self.alpha) * deviation
        else:
            r = self.alpha * r + (1 - self.alpha) * (g * g)
        s = g / (xp.sqrt(r) + self.eps)
        u = self.momentum * u + s
        return p - lr * u, r, u, a


class Adagrad(Optimiser):
    """Each gradient is divided by the root of the sum of all its squares so far.

        g ← g + λ p                            weight decay λ
        r ← r + g²                             from `initial_accumulator_value`
        p ← p − η / (1 + (t − 1) δ) · g / (√r + ε)

    δ is `lr_decay`; t = 1, 2, … (*Deep Learning*, Algorithm 8.4.)

    >>> from microgradlib import Value
    >>> w = Value(3.0)
    >>> Adagrad([w], lr=0.5).step([4.0])
    >>> round(w.data, 6)
    2.5
    """

    lr_decay: float
    weight_decay: float
    initial_accumulator_value: float
    eps: float

    @in_plain_words
    def __init__(
        self,
        parameters: Parameters,
        lr: Rate = 0.01,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
            maximize=maximize,
        )

    def buffer_starts(self) -> dict[str, float]:
        """Return the initial r."""
        return {"r": self.initial_accumulator_value}

    def update(self, xp: Any, t: int, lr: float, p: Any, g: Any, r: Any) -> tuple[Any, ...]:
        """Return the new p and r."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        r = r + g * g
        return p - lr / (1 + (t - 1) * self.lr_decay) * g / (xp.sqrt(r) + self.eps), r
