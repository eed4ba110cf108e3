"""A GPT out of the library's modules that learns to spell names (after microgpt; Vaswani et al., 2017).

For each letter: an embedding of it and one of its place, then blocks of causal self-attention and of an MLP, each added
to what was there, then the scores of the letter that follows. Trained by Adam, one name a step, it spells names of its
own: each letter is drawn from softmax(scores / temperature) and fed back; a cache keeps the keys and values of those
before.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

from microgradlib import no_grad, softmax
from microgradlib.costs import cross_entropy
from microgradlib.data import Alphabet, names
from microgradlib.nn import CausalSelfAttention, Embedding, Layer, Module, RMSNorm
from microgradlib.optim import Adam, linear

ALPHABET, PLACES = Alphabet.of(names()), 16


def added(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    """Return a + b, entry by entry."""
    return [x + y for x, y in zip(a, b)]


class Block(Module):
    """What the positions read from one another, then what each makes of it, both added to what was there."""

    def __init__(self, width: int, heads: int, rng: random.Random) -> None:
        self.norm = RMSNorm(width, gain=False)
        self.attention = CausalSelfAttention(width, heads, rng=rng)
        self.widen = Layer(width, 4 * width, "relu", bias=False, init="small", rng=rng)
        self.narrow = Layer(4 * width, width, "linear", bias=False, init="small", rng=rng)

    def __call__(self, xs: list[list[Any]], cache: list[Any]) -> list[list[Any]]:
        """Return one vector for each position."""
        xs = list(map(added, xs, self.attention([self.norm(x) for x in xs], cache)))
        return [added(x, self.narrow(self.widen(self.norm(x)))) for x in xs]


class GPT(Module):
    """Scores of the letter after each of the letters given; `caches` holds one list for each block."""

    def __init__(
        self, letters: int = 27, places: int = PLACES, *, width: int = 16, heads: int = 4, blocks: int = 1, rng: int = 0
    ) -> None:
        generator = random.Random(rng)
        self.token, self.place = Embedding(letters, width, rng=generator), Embedding(places, width, rng=generator)
        self.norm = RMSNorm(width, gain=False)
        self.blocks = [Block(width, heads, generator) for _ in range(blocks)]
        self.scores = Layer(width, letters, "linear", bias=False, init="small", rng=generator)

    def __call__(self, tokens: Sequence[Any], caches: list[list[Any]] | None = None) -> list[list[Any]]:
        """Return a list of scores for each token; with caches, the tokens follow on those given before."""
        caches = caches or [[] for _ in self.blocks]
        xs = [self.norm(added(self.token(t), self.place(i))) for i, t in enumerate(tokens, len(caches[0]))]
        for block, cache in zip(self.blocks, caches):
            xs = block(xs, cache)
        return [self.scores(x) for x in xs]

    def loss(self, tokens: Sequence[int]) -> Any:
        """Return the mean over the places of −ln of the probability of the letter that follows."""
        return cross_entropy(self(tokens[:-1]), tokens[1:])


def trained(model: GPT, texts: Sequence[str], rate: float = 0.02) -> list[float]:
    """Make one step of Adam for each text, the rate falling to 0; return the losses as they were met."""
    adam = Adam(model.parameters(), lr=linear(start=rate, end=0.0, steps=len(texts)), betas=(0.85, 0.99))
    losses = []
    for text in texts:
        loss = model.loss(ALPHABET.encode(text))
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.data)
    return losses


def drawn(scores: Sequence[Any], temperature: float, rng: random.Random) -> int:
    """Return a token drawn from softmax(scores / temperature); at temperature 0, the one with the highest score."""
    numbers = [float(score) for score in scores]
    if temperature == 0:
        return numbers.index(max(numbers))
    return rng.choices(range(len(numbers)), softmax([number / temperature for number in numbers]))[0]


def spelt(model: GPT, temperature: float, rng: int = 0) -> str:
    """Return a text that the model spells, letter after letter, up to the boundary or the last place."""
    generator, tokens, caches = random.Random(rng), [ALPHABET.boundary], [list[Any]() for _ in model.blocks]
    with no_grad():
        for _ in range(PLACES):
            [scores] = model(tokens[-1:], caches)
            tokens.append(drawn(scores, temperature, generator))
            if tokens[-1] == ALPHABET.boundary:
                break
    return ALPHABET.decode(tokens)


def main(steps: int = 500) -> None:
    """Print how the loss falls, and names spelt at several temperatures."""
    texts, model = [name for name in names() if len(name) < PLACES], GPT()
    random.Random(0).shuffle(texts)
    print(f"{len(model.parameters()):,} parameters; at random the loss is ln 27 = {math.log(len(ALPHABET)):.3f}")
    losses = trained(model, texts[:steps])
    part = -(-steps // 5)
    for start in range(0, steps, part):
        met = losses[start : start + part]
        print(f"steps {start + 1:4} to {start + len(met):4}   mean loss {sum(met) / len(met):.3f}")
    print(f"temperature 0    {spelt(model, 0.0)}")
    for temperature in (0.5, 1.0):
        print(f"temperature {temperature}  {', '.join(spelt(model, temperature, rng) for rng in range(6))}")


if __name__ == "__main__":
    main()
