"""A graph attention layer: every node chooses which of its neighbours to listen to (graph networks of document 004).

    e_ij = LeakyReLU(aᵀ [W h_i, W h_j]),   α_ij = softmax of e_ij over the j next to i, i among them
    h′_i = f(Σ_j α_ij W h_j)

This is message passing with the message α_ij W h_j from j to i. A graph convolution has fixed weights in place of α.
(Veličković et al., 2018.) The task needs a choice: each node has to name the opinion, −1 or +1, of the one leader
among itself and its neighbours. A node's features say whether it is a leader, and its opinion. Attention learns α ≈ 1
for the leader and works on graphs that it has not seen; means over all neighbours cannot tell whose opinion it is.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from microgradlib import Value, dot, leaky_relu, mean, no_grad, softmax, tanh
from microgradlib.costs import binary_cross_entropy_with_logits
from microgradlib.nn import Layer, Module
from microgradlib.optim import Adam

SLOPE = 0.2  # LeakyReLU's, as in the paper


class Graph(NamedTuple):
    """For each node its neighbours, itself among them, its features (leader, opinion) and the opinion to name."""

    neighbours: list[list[int]]
    features: list[list[float]]
    targets: list[float]
    leaders: list[int]


class GraphAttention(Module):
    """H′ from H: rows are the features of the nodes; with `attend=False` α_ij is 1/(number of neighbours)."""

    def __init__(self, nin: int, nout: int, rng: random.Random, *, attend: bool = True) -> None:
        self.w = [[Value(rng.gauss(0.0, 0.5)) for _ in range(nin)] for _ in range(nout)]
        self.a = [Value(rng.gauss(0.0, 0.5)) for _ in range(2 * nout)] if attend else None

    def attention(self, neighbours: Sequence[Sequence[int]], wh: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Return α_i, one number for each neighbour of i, for every node i."""
        if self.a is None:
            return [[1 / len(of_i)] * len(of_i) for of_i in neighbours]
        return [
            softmax([leaky_relu(dot(self.a, [*wh[i], *wh[j]]), SLOPE) for j in of_i])
            for i, of_i in enumerate(neighbours)
        ]

    def __call__(self, neighbours: Sequence[Sequence[int]], h: Sequence[Sequence[float]]) -> list[list[Any]]:
        """Return H′, one row for each node."""
        wh = [[dot(w_k, h_i) for w_k in self.w] for h_i in h]
        alpha = self.attention(neighbours, wh)
        return [
            [tanh(dot(alpha_i, [wh[j][k] for j in of_i])) for k in range(len(self.w))]
            for alpha_i, of_i in zip(alpha, neighbours)
        ]


class Network(Module):
    """One graph attention layer and a linear layer, shared by all nodes, for the logit of the opinion +1."""

    def __init__(self, *, attend: bool = True, rng: int = 0) -> None:
        generator = random.Random(rng)
        self.attention = GraphAttention(2, 3, generator, attend=attend)
        self.output = Layer(3, 1, "linear", rng=generator)

    def __call__(self, graph: Graph) -> list[Any]:
        """Return the logit of every node."""
        return [self.output(h_i) for h_i in self.attention(graph.neighbours, graph.features)]


def random_graph(rng: random.Random, leaders: int = 3, nodes: int = 12) -> Graph:
    """Return a graph in which every node has exactly one leader among itself and its neighbours."""
    neighbours = [{i} for i in range(nodes)]
    leader_of = [i if i < leaders else rng.randrange(leaders) for i in range(nodes)]
    others = [(rng.randrange(leaders, nodes), rng.randrange(leaders, nodes)) for _ in range(nodes)]
    for i, j in [*enumerate(leader_of), *others]:
        neighbours[i].add(j)
        neighbours[j].add(i)
    opinions = [rng.choice((-1.0, 1.0)) for _ in range(nodes)]
    features = [[float(i < leaders), opinion] for i, opinion in enumerate(opinions)]
    return Graph([sorted(of_i) for of_i in neighbours], features, [opinions[leader] for leader in leader_of], leader_of)


def train(model: Network, steps: int = 150, rng: int = 0) -> list[float]:
    """Train by Adam on a new random graph in every step; return the costs."""
    generator, optimiser, costs = random.Random(rng), Adam(model.parameters(), lr=0.03), []
    for _ in range(steps):
        graph = random_graph(generator)
        classes = [float(y > 0) for y in graph.targets]
        loss = mean([binary_cross_entropy_with_logits(z, c) for z, c in zip(model(graph), classes)])
        model.zero_grad()
        loss.backward()
        optimiser.step()
        costs.append(loss.data)
    return costs


def accuracy(model: Network, graphs: int = 20, rng: int = 1000) -> float:
    """Return the fraction of the nodes of new graphs that name their leader's opinion."""
    generator, right, nodes = random.Random(rng), 0, 0
    with no_grad():
        for _ in range(graphs):
            graph = random_graph(generator)
            right += sum((z.data > 0) == (y > 0) for z, y in zip(model(graph), graph.targets))
            nodes += len(graph.targets)
    return right / nodes


def attention_to_leaders(model: Network, graph: Graph) -> list[float]:
    """Return α_ij for the leader j of every node i."""
    layer = model.attention
    wh = [[dot(w_k, h_i) for w_k in layer.w] for h_i in graph.features]
    rows = zip(layer.attention(graph.neighbours, wh), graph.neighbours, graph.leaders)
    return [float(alpha[of_i.index(leader)]) for alpha, of_i, leader in rows]


def main(steps: int = 150) -> None:
    """Print the accuracy of both networks on new graphs, and the attention to their leaders of the nodes of a graph."""
    print(f"{steps} training graphs   cost of the first ten, the last ten   accuracy on new graphs")
    for attend, name in ((False, "mean of neighbours"), (True, "attention")):
        model = Network(attend=attend)
        costs = train(model, steps)
        first, last = (sum(part) / len(part) for part in (costs[:10], costs[-10:]))
        print(f"{name:19}   {first:17.3f}   {last:12.3f}   {accuracy(model):22.1%}")
    graph = random_graph(random.Random(1))
    print("\nnode   neighbours   leader   α of the leader")
    columns = zip(graph.neighbours, graph.leaders, attention_to_leaders(model, graph))
    for i, (of_i, leader, alpha) in enumerate(columns):
        print(f"{i:4}   {len(of_i):10}   {leader:6}   {alpha:15.3f}")


if __name__ == "__main__":
    main()
