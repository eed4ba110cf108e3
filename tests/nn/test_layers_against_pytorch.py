"""Layers against PyTorch: outputs and every gradient; Symbols give the same numbers as Values."""

import pytest
from peer_records import as_recorded, peer_record

import microgradlib as mg
from microgradlib import Symbol, Value, evaluate, grad_table
from microgradlib._support.pytree import flatten, same_shape, unflatten
from microgradlib.nn.activation import LogSoftmax, Softmax
from microgradlib.nn.attention import CausalSelfAttention
from microgradlib.nn.convolution import Conv1d, Conv2d
from microgradlib.nn.embedding import Embedding
from microgradlib.nn.normalisation import LayerNorm, RMSNorm
from microgradlib.nn.pooling import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d

RECORDED = peer_record("layers")["cases"]
MODELS = {
    "Conv2d": lambda: Conv2d(1, 2, (2, 3)),
    "Conv2d strided": lambda: Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(2, 1)),
    "Conv2d without bias": lambda: Conv2d(2, 1, 2, stride=2, bias=False),
    "Conv1d": lambda: Conv1d(2, 2, 3),
    "Conv1d padded": lambda: Conv1d(2, 2, 3, stride=2, padding=2),
    "MaxPool2d": lambda: MaxPool2d(2, stride=1),
    "MaxPool2d pairs": lambda: MaxPool2d((2, 3)),
    "AvgPool2d": lambda: AvgPool2d((3, 2), (1, 2)),
    "MaxPool1d": lambda: MaxPool1d(3, 2),
    "AvgPool1d": lambda: AvgPool1d(2),
    "LayerNorm": lambda: LayerNorm(5),
    "LayerNorm eps": lambda: LayerNorm(3, eps=0.5),
    "RMSNorm": lambda: RMSNorm(5),
    "RMSNorm without gain": lambda: RMSNorm(4, 0.1, gain=False),
    "CausalSelfAttention": lambda: CausalSelfAttention(6, 2),
    "CausalSelfAttention of one head": lambda: CausalSelfAttention(2),
    "Softmax": Softmax,
    "LogSoftmax": LogSoftmax,
    "Conv2d dilated": lambda: Conv2d(2, 2, 2, stride=(1, 2), padding=2, dilation=(2, 3)),
    "Conv2d same": lambda: Conv2d(1, 1, (2, 4), padding="same", dilation=(1, 3)),
    "Conv2d reflect": lambda: Conv2d(1, 2, 3, padding=(1, 2), padding_mode="reflect"),
    "Conv2d circular": lambda: Conv2d(1, 1, (2, 3), stride=2, padding=3, padding_mode="circular"),
    "Conv1d dilated": lambda: Conv1d(2, 2, 3, padding=1, dilation=2),
    "Conv1d dilated beyond its input": lambda: Conv1d(1, 2, 2, padding=3, dilation=4),
    "Conv1d same": lambda: Conv1d(1, 1, 4, padding="same", dilation=3),
    "Conv1d replicate": lambda: Conv1d(1, 1, 3, padding=4, dilation=2, padding_mode="replicate"),
    "MaxPool2d padded": lambda: MaxPool2d((3, 2), (2, 1), padding=1),
    "MaxPool2d dilated": lambda: MaxPool2d(2, 1, padding=1, dilation=(2, 1)),
    "MaxPool1d dilated": lambda: MaxPool1d(3, 1, padding=1, dilation=2),
    "AvgPool2d padded": lambda: AvgPool2d((2, 3), 2, padding=(0, 1)),
    "AvgPool2d of numbers only": lambda: AvgPool2d(3, 2, padding=1, count_include_pad=False),
    "AvgPool2d dilated": lambda: AvgPool2d((2, 3), (1, 2), padding=1, dilation=(2, 1)),
    "AvgPool1d padded": lambda: AvgPool1d(4, 1, padding=2),
    "Embedding": lambda: Embedding(4, 3),
}
each_case = pytest.mark.parametrize("name", sorted(set(MODELS) - {"Embedding"}))


def with_parameters(name):
    model, numbers = MODELS[name](), RECORDED[name]["parameters"]
    assert len(model.parameters()) == len(numbers)
    for parameter, number in zip(model.parameters(), numbers):
        parameter.data = number
    return model


def test_every_recorded_case_is_compared():
    assert set(MODELS) == set(RECORDED)


@each_case
def test_outputs_and_gradients(name):
    case, model = RECORDED[name], with_parameters(name)
    x = unflatten(case["x"], [Value(number) for number in flatten(case["x"])])
    y = model(x)
    assert same_shape(y, case["y"])
    assert [out.data for out in flatten(y)] == as_recorded(flatten(case["y"]))
    table = grad_table(mg.dot(flatten(y), flatten(case["g"])))
    assert [table.get(node, 0.0) for node in flatten(x)] == as_recorded(flatten(case["dx"]))
    assert [table.get(p, 0.0) for p in model.parameters()] == as_recorded(flatten(case["gradients"]))


@each_case
def test_symbols_and_plain_numbers(name):
    case, model = RECORDED[name], with_parameters(name)
    symbols = {Symbol(f"x{i}"): number for i, number in enumerate(flatten(case["x"]))}
    expected = [Value(out).data if isinstance(out, float) else out.data for out in flatten(model(case["x"]))]
    assert evaluate(flatten(model(unflatten(case["x"], symbols))), symbols) == expected


def test_embedding():
    case, model = RECORDED["Embedding"], with_parameters("Embedding")
    y = [model(index) for index in case["x"]]
    assert [out.data for out in flatten(y)] == as_recorded(flatten(case["y"]))
    table = grad_table(mg.dot(flatten(y), flatten(case["g"])))
    assert [table.get(p, 0.0) for p in model.parameters()] == as_recorded(flatten(case["gradients"]))
