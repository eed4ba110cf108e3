"""A GPT made of the library's modules that learns to generate names (after microgpt; Vaswani et al., 2017).

The sum of a letter embedding and a position embedding goes through blocks of causal self-attention and an MLP, both
with residual connections; a linear layer then gives the scores (logits) of the next letter. The model is trained by
Adam, one name per step. To generate a name, each letter is drawn from softmax(scores / temperature) and is the next
input; a cache stores the keys and values of earlier positions.
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

ALPHABET, POSITIONS = Alphabet.of(names()), 16


def add(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    """Return a + b, entry by entry."""
    return [x + y for x, y in zip(a, b)]


class Block(Module):
    """A transformer block: causal self-attention, then an MLP of each position, both with a residual connection."""

    def __init__(self, width: int, heads: int, rng: random.Random) -> None:
        self.norm = RMSNorm(width, gain=False)
        self.attention = CausalSelfAttention(width, heads, rng=rng)
        self.widen = Layer(width, 4 * width, "relu", bias=False, init="small", rng=rng)
        self.narrow = Layer(4 * width, width, "linear", bias=False, init="small", rng=rng)

    def __call__(self, xs: list[list[Any]], cache: list[Any]) -> list[list[Any]]:
        """Return one vector for each position."""
        xs = list(map(add, xs, self.attention([self.norm(x) for x in xs], cache)))
        return [add(x, self.narrow(self.widen(self.norm(x)))) for x in xs]


class GPT(Module):
    """A language model: the scores of the next letter after each letter of a text."""

    def __init__(
        self,
        letters: int = 27,
        positions: int = POSITIONS,
        *,
        width: int = 16,
        heads: int = 4,
        blocks: int = 1,
        rng: int = 0,
    ) -> None:
        generator = random.Random(rng)
        self.token = Embedding(letters, width, rng=generator)
        self.position = Embedding(positions, width, rng=generator)
        self.norm = RMSNorm(width, gain=False)
        self.blocks = [Block(width, heads, generator) for _ in range(blocks)]
        self.scores = Layer(width, letters, "linear", bias=False, init="small", rng=generator)

    def __call__(self, tokens: Sequence[Any], caches: list[list[Any]] | None = None) -> list[list[Any]]:
        """Return a list of scores for each token; `caches`, one list for each block, store the earlier positions."""
        caches = caches or [[] for _ in self.blocks]
        xs = [self.norm(add(self.token(t), self.position(i))) for i, t in enumerate(tokens, len(caches[0]))]
        for block, cache in zip(self.blocks, caches):
            xs = block(xs, cache)
        return [self.scores(x) for x in xs]

    def loss(self, tokens: Sequence[int]) -> Any:
        """Return the mean over the positions of −ln of the probability of the next token."""
        return cross_entropy(self(tokens[:-1]), tokens[1:])


def train(model: GPT, texts: Sequence[str], rate: float = 0.02) -> list[float]:
    """Make one step of Adam for each text, with a rate that decreases to 0; return the loss before each step."""
    adam = Adam(model.parameters(), lr=linear(start=rate, end=0.0, steps=len(texts)), betas=(0.85, 0.99))
    losses = []
    for text in texts:
        loss = model.loss(ALPHABET.encode(text))
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.data)
    return losses


def sample(scores: Sequence[Any], temperature: float, rng: random.Random) -> int:
    """Return a token drawn from softmax(scores / temperature); at temperature 0, the token with the highest score."""
    numbers = [float(score) for score in scores]
    if temperature == 0:
        return numbers.index(max(numbers))
    return rng.choices(range(len(numbers)), softmax([number / temperature for number in numbers]))[0]


def generate(model: GPT, temperature: float, rng: int = 0) -> str:
    """Return a text drawn letter by letter from the model, up to the boundary token or the last position."""
    generator, tokens, caches = random.Random(rng), [ALPHABET.boundary], [list[Any]() for _ in model.blocks]
    with no_grad():
        for _ in range(POSITIONS):
            [scores] = model(tokens[-1:], caches)
            tokens.append(sample(scores, temperature, generator))
            if tokens[-1] == ALPHABET.boundary:
                break
    return ALPHABET.decode(tokens)


def main(steps: int = 500) -> None:
    """Print the loss during training, and names generated at several temperatures."""
    texts, model = [name for name in names() if len(name) < POSITIONS], GPT()
    random.Random(0).shuffle(texts)
    print(f"{len(model.parameters()):,} parameters; random guesses have loss ln 27 = {math.log(len(ALPHABET)):.3f}")
    losses = train(model, texts[:steps])
    size = -(-steps // 5)
    for start in range(0, steps, size):
        group = losses[start : start + size]
        print(f"steps {start + 1:4} to {start + len(group):4}   mean loss {sum(group) / len(group):.3f}")
    print(f"temperature 0    {generate(model, 0.0)}")
    for temperature in (0.5, 1.0):
        print(f"temperature {temperature}  {', '.join(generate(model, temperature, rng) for rng in range(6))}")


if __name__ == "__main__":
    main()
