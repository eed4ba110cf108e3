"""Networks out of scalar Values."""

from microgradlib.nn.activation import ACTIVATIONS, LAYER_ACTIVATIONS, PReLU
from microgradlib.nn.initialisers import INITIALISERS
from microgradlib.nn.mlp import MLP
from microgradlib.nn.module import Module
from microgradlib.nn.neuron import Layer, Neuron
from microgradlib.nn.output import GaussianOutput
from microgradlib.nn.saving import load, save
from microgradlib.nn.sequential import Sequential
from microgradlib.nn.units import RBF, Maxout

__all__ = [
    "ACTIVATIONS", "INITIALISERS", "LAYER_ACTIVATIONS", "MLP", "RBF", "GaussianOutput", "Layer", "Maxout", "Module",
    "Neuron", "PReLU", "Sequential", "load", "save",
]  # fmt: skip
