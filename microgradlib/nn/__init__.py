"""Networks of scalar Values: layers, recurrent cells, models, and saving their parameters."""

import typing as _typing

from microgradlib._support.lookup import missing_names as _missing_names
from microgradlib.nn.activation import ACTIVATIONS, LAYER_ACTIVATIONS, LogSoftmax, PReLU, Softmax
from microgradlib.nn.attention import CausalSelfAttention
from microgradlib.nn.convolution import Conv1d, Conv2d
from microgradlib.nn.dropout import Dropout
from microgradlib.nn.embedding import Embedding
from microgradlib.nn.functional import functional_call
from microgradlib.nn.gated_cells import GRUCell, LSTMCell
from microgradlib.nn.initialisers import INITIALISERS
from microgradlib.nn.mlp import MLP
from microgradlib.nn.module import Module
from microgradlib.nn.neuron import Layer, Neuron
from microgradlib.nn.normalisation import LayerNorm, RMSNorm
from microgradlib.nn.output import GaussianOutput
from microgradlib.nn.pooling import AvgPool1d, AvgPool2d, Flatten, MaxPool1d, MaxPool2d, Subsampling
from microgradlib.nn.recurrent import GRU, LSTM, RNN, Unfolded
from microgradlib.nn.recurrent_cells import Cell, Gate, RNNCell
from microgradlib.nn.sampling import sample, sample_from_logits
from microgradlib.nn.saving import load, save
from microgradlib.nn.sequential import Sequential
from microgradlib.nn.units import RBF, Maxout

__all__ = [
    "ACTIVATIONS", "GRU", "INITIALISERS", "LAYER_ACTIVATIONS", "LSTM", "MLP", "RBF", "RNN", "AvgPool1d",
    "AvgPool2d", "CausalSelfAttention", "Cell", "Conv1d", "Conv2d", "Dropout", "Embedding", "Flatten", "GRUCell",
    "Gate", "GaussianOutput", "LSTMCell", "Layer", "LayerNorm", "LogSoftmax", "MaxPool1d", "MaxPool2d", "Maxout",
    "Module", "Neuron", "PReLU", "RMSNorm", "RNNCell", "Sequential", "Softmax", "Subsampling", "Unfolded",
    "functional_call", "load", "sample", "sample_from_logits", "save",
]  # fmt: skip

if not _typing.TYPE_CHECKING:  # type checkers then refuse names that do not exist
    __getattr__ = _missing_names(__name__, __all__)
