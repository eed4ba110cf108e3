"""One graph convolution (the graph networks of document 004): it classifies all nodes of a graph from two labels.

H′ = f(Â H W) with Â = D^(−½) (A + I) D^(−½), D the degrees of A + I: each node takes a weighted mean of itself
and its neighbours, and all nodes share W. (Kipf and Welling, 2017.) The graph consists of two communities of six nodes,
connected by two edges.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from microgradlib import Value, dot, tanh
from microgradlib.costs import cross_entropy
from microgradlib.nn import Layer, Module

Matrix = list[list[float]]
Edges = Sequence[tuple[int, int]]

EDGES_0 = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 5), (4, 5), (1, 5)]
EDGES_1 = [(6, 7), (6, 8), (6, 9), (6, 10), (7, 8), (9, 10), (8, 11), (9, 11), (7, 11)]
EDGES = [*EDGES_0, *EDGES_1, (3, 9), (5, 8)]
COMMUNITY = [0] * 6 + [1] * 6
LABELLED = [0, 6]  # one node of each community: the only labels used in training


def normalised_adjacency(edges: Edges, n: int) -> Matrix:
    """Return Â = D^(−½) (A + I) D^(−½): Â_ij = (A + I)_ij / √(d_i d_j)."""
    a = [[float(i == j or (i, j) in edges or (j, i) in edges) for j in range(n)] for i in range(n)]
    degree = [sum(row) for row in a]
    return [[a_ij / math.sqrt(degree[i] * degree[j]) for j, a_ij in enumerate(row)] for i, row in enumerate(a)]


class GraphConvolution(Module):
    """H′ = f(Â H W): rows of H are the features of the nodes."""

    def __init__(self, nin: int, nout: int, f: Callable[[Any], Any], rng: random.Random) -> None:
        self.w = [[Value(rng.gauss(0.0, 0.1)) for _ in range(nin)] for _ in range(nout)]  # the columns of W
        self.f = f

    def __call__(self, a_hat: Matrix, h: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Return H′, one row for each node."""
        hw = [[dot(column, h_j) for h_j in h] for column in self.w]  # (H W)ᵀ
        return [[self.f(dot(a_i, hw_k)) for hw_k in hw] for a_i in a_hat]


class Network(Module):
    """One graph convolution with tanh, then a linear layer, shared by all nodes, that computes logits."""

    def __init__(self, nin: int, hidden: int = 2, classes: int = 2, rng: int = 0) -> None:
        generator = random.Random(rng)
        self.convolution = GraphConvolution(nin, hidden, tanh, generator)
        self.output = Layer(hidden, classes, "linear", rng=generator)

    def __call__(self, a_hat: Matrix, x: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Return the logits of every node."""
        return [self.output(h_i) for h_i in self.convolution(a_hat, x)]


class Training(NamedTuple):
    """The trained network, and the cost before each step."""

    model: Network
    costs: list[float]


def identity(n: int) -> Matrix:
    """Return X = I, the one-hot index of each node as its features."""
    return [[float(i == j) for j in range(n)] for i in range(n)]


def train(a_hat: Matrix, x: Matrix, *, steps: int = 60, rate: float = 1.0, rng: int = 0) -> Training:
    """Train a network by gradient descent on the cross-entropy of the labelled nodes only."""
    model, costs = Network(len(x[0]), rng=rng), []
    for _ in range(steps):
        logits = model(a_hat, x)
        cost = cross_entropy([logits[i] for i in LABELLED], [COMMUNITY[i] for i in LABELLED])
        model.zero_grad()
        cost.backward()
        for p in model.parameters():
            p.data -= rate * p.grad
        costs.append(cost.data)
    return Training(model, costs)


def predicted_classes(model: Network, a_hat: Matrix, x: Matrix) -> list[int]:
    """Return the community of each node with the largest logit."""
    return [max(range(len(z)), key=lambda k: z[k].data) for z in model(a_hat, x)]


def main() -> None:
    """Print the costs, the features that the convolution computes, and the community of each node."""
    n = len(COMMUNITY)
    a_hat, x = normalised_adjacency(EDGES, n), identity(n)
    model, costs = train(a_hat, x)
    print(f"cross-entropy of the two labelled nodes: {costs[0]:.4f} → {costs[-1]:.4f} in {len(costs)} steps")
    print("node  features          class  truth")
    features, classes = model.convolution(a_hat, x), predicted_classes(model, a_hat, x)
    for i, (h, predicted, truth) in enumerate(zip(features, classes, COMMUNITY)):
        label = "   labelled" if i in LABELLED else ""
        print(f"{i:4}  {h[0].data:+.3f}  {h[1].data:+.3f}    {predicted:3}    {truth:3}{label}")


if __name__ == "__main__":
    main()
