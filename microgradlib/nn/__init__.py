"""Networks out of scalar Values."""

from microgradlib.nn.activation import ACTIVATIONS
from microgradlib.nn.mlp import MLP, Layer, Neuron
from microgradlib.nn.module import Module

__all__ = ["ACTIVATIONS", "MLP", "Layer", "Module", "Neuron"]
