"""A character-level tokeniser: one token per character, and one for the beginning and end of a text."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from microgradlib._support.shown import shown


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The vocabulary of a character-level language model; a character's token is its index in sorted order.

    One more token, `boundary`, is placed before and after every text (microgpt's BOS). It is the largest token, equal
    to the number of characters. `len` counts all tokens: the length of a one-hot vector, or of the model's output.

    Construct it with `Alphabet.of(texts)`, or from the `characters` themselves: sorted, each once.

    Raises:
        ValueError: `characters` is empty, not sorted, or contains one twice.

    A language model learns to predict each token from those before it. The examples of a bigram model are the pairs
    of a token and the next one; longer contexts are taken from the same list:

    >>> from itertools import pairwise
    >>> alphabet = Alphabet.of(["emma", "ava"])
    >>> alphabet
    Alphabet(characters='aemv')
    >>> tokens = alphabet.encode("emma")
    >>> tokens
    [4, 1, 2, 2, 0, 4]
    >>> list(pairwise(tokens))
    [(4, 1), (1, 2), (2, 2), (2, 0), (0, 4)]
    >>> alphabet.decode(tokens), len(alphabet)
    ('emma', 5)
    """

    characters: str

    def __post_init__(self) -> None:
        """Raise unless the index of each character is its token."""
        if not isinstance(self.characters, str):
            message = f"characters must be a string, got {shown(self.characters)}; use Alphabet.of"  # type: ignore[unreachable]
            raise TypeError(message)
        if not self.characters or list(self.characters) != sorted(set(self.characters)):
            message = (
                f"characters must be sorted, each once, at least one, got {shown(self.characters)}; use Alphabet.of"
            )
            raise ValueError(message)

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Alphabet":
        """Return the alphabet of all characters that occur in `texts`; the order of the texts does not matter.

        Raises `ValueError` if they contain no character, `TypeError` for numbers.

        >>> from microgradlib.data import names
        >>> Alphabet.of(names()).characters
        'abcdefghijklmnopqrstuvwxyz'
        """
        given: Any = texts
        if not hasattr(given, "__iter__"):
            message = f"texts must be a list of strings, got {shown(given)}"
            raise TypeError(message)
        found: set[str] = set()
        for text in texts:
            if not hasattr(text, "__iter__"):
                message = f"texts must be strings, got {shown(text)}"
                raise TypeError(message)
            found.update(text)
        if not found:
            message = "the texts contain no character; give at least one text that is not empty"
            raise ValueError(message)
        return cls("".join(sorted(found)))

    def __len__(self) -> int:
        """Count the tokens: the characters and the boundary."""
        return len(self.characters) + 1

    @property
    def boundary(self) -> int:
        """The token before and after every text."""
        return len(self.characters)

    def encode(self, text: str) -> list[int]:
        """Return the tokens of `text` between two boundaries: len(text) + 2 of them.

        Raises `ValueError`, naming the character, if one is not in the alphabet, `TypeError` for a number.

        >>> Alphabet("abc").encode("cab")
        [3, 2, 0, 1, 3]
        """
        given: Any = text
        if not hasattr(given, "__iter__") or isinstance(given, (dict, set)):
            message = f"text must be a string, got {shown(given)}"
            raise TypeError(message)
        characters = list(given)
        token_of = {character: token for token, character in enumerate(self.characters)}
        tokens = [token_of.get(character, -1) for character in characters]
        if -1 in tokens:
            unknown = characters[tokens.index(-1)]
            message = (
                f"the character {shown(unknown)} is not in the alphabet {shown(self.characters)}; "
                "remove it, or build the alphabet from texts that contain it"
            )
            raise ValueError(message)
        return [self.boundary, *tokens, self.boundary]

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of `tokens`, leaving out every boundary.

        Raises `ValueError` for a number that is not a token.

        >>> Alphabet("abc").decode([2, 0, 1]), Alphabet("abc").decode([3, 2, 0, 1, 3])
        ('cab', 'cab')
        """
        given: Any = tokens
        if not hasattr(given, "__iter__"):
            message = f"tokens must be a list of whole numbers, got {shown(given)}"
            raise TypeError(message)
        text = []
        for token in tokens:
            if token not in range(len(self)):
                message = (
                    f"{shown(token)} is not a token of this alphabet; give whole numbers from 0 to {self.boundary}"
                )
                raise ValueError(message)
            if token != self.boundary:
                text.append(self.characters[token])
        return "".join(text)
