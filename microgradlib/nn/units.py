"""Hidden units that are not an activation of one net input: maxout and radial basis functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import WholeNumber, whole_number
from microgradlib._support.lookup import check_options
from microgradlib._support.rng import Rng, as_random
from microgradlib.core.list_functions import maximum
from microgradlib.core.value import Value
from microgradlib.nn.initialisers import Init, weight_drawer
from microgradlib.nn.module import Module
from microgradlib.nn.neuron import Layer, NeuronOptions
from microgradlib.nn.sequences import nodes_of_length
from microgradlib.ops import exponential, reductions

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from microgradlib.nn.vectors import Vector

__all__ = ["RBF", "Maxout"]


class Maxout(Module):
    """h_i = max_{j ≤ k} z_ij with k affine pieces z_ij = w_ijᵀx + b_ij for each of `nout` units.

    A unit learns its own activation function, convex and piecewise linear: with k = 2 it can be |x| or a rectifier.
    `pieces` is k; the other arguments are those of `Layer`. (*Deep Learning*, 6.3.1.)

    >>> unit = Maxout(1, 1, pieces=2, rng=0)
    >>> for piece, slope in zip(unit.pieces, [1.0, -1.0]):
    ...     piece.neurons[0].w[0].data = slope
    >>> unit([-3.0]).data
    3.0
    """

    def __init__(
        self,
        nin: WholeNumber,
        nout: WholeNumber,
        pieces: WholeNumber = 2,
        *,
        rng: Rng | None = None,
        **neuron: Unpack[NeuronOptions],
    ) -> None:
        check_options(neuron, NeuronOptions, type(self))
        generator = None if rng is None else as_random(rng)  # one generator for all pieces
        self.nin = whole_number(nin, "nin")
        self.pieces = [
            Layer(nin, nout, "linear", rng=generator, **neuron) for _ in range(whole_number(pieces, "pieces"))
        ]
        self.summary_shape = f"{nin} → {nout} max of {pieces}"

    def __call__(self, x: Vector) -> Any:
        """Return the units' outputs as a list; if there is one unit, its output, one node."""
        inputs = nodes_of_length(x, self.nin, "the input of this layer")
        outputs = [maximum(*z) for z in zip(*[piece.outputs(inputs) for piece in self.pieces])]
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"Maxout({self.summary_shape})"


class RBF(Module):
    """h_i = exp(−‖w_i − x‖² / σ_i²): radial basis functions, each near 1 around its template w_i and 0 far away.

    Templates w are drawn by `init`, by default uniform in (−1, 1); every width σ is initially 1; both are learned.
    (*Deep Learning*, 6.3.3.)

    >>> unit = RBF(2, 1, init="zeros")
    >>> unit([0.0, 0.0]).data, unit([1.0, 0.0]).data
    (1.0, 0.36787944117144233)
    """

    not_weights = ("width",)

    @in_plain_words
    def __init__(self, nin: WholeNumber, nout: WholeNumber, *, rng: Rng | None = None, init: Init = "uniform") -> None:
        nin, nout = whole_number(nin, "nin"), whole_number(nout, "nout")
        draw = weight_drawer(init, rng)
        self.w = [[Value(draw(nin, nout), label=f"w{d}") for d in range(nin)] for _ in range(nout)]
        self.width = [Value(1.0, label="σ") for _ in range(nout)]
        self.summary_shape = f"{nin} → {nout} radial"

    def __call__(self, x: Vector) -> Any:
        """Return the units' outputs as a list; if there is one unit, its output, one node."""
        inputs = nodes_of_length(x, len(self.w[0]), "the input of this layer")
        outputs = [
            exponential.exp(-reductions.sum(*[(w_d - x_d) ** 2 for w_d, x_d in zip(w, inputs)]) / width**2)
            for w, width in zip(self.w, self.width)
        ]
        return outputs[0] if len(outputs) == 1 else outputs

    def __repr__(self) -> str:
        return f"RBF({self.summary_shape})"
