"""32,033 first names, for character-level language models."""

from importlib import resources


class _Names(tuple[str, ...]):
    """A tuple of names that shows its ends."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self):,} names: {', '.join([*self[:3], '…', *self[-3:]])}>"


def names() -> tuple[str, ...]:
    """Return 32,033 first names in lower-case letters a to z.

    The file `names.txt` of Andrej Karpathy's makemore (github.com/karpathy/makemore, MIT licence), who took them
    from the names given to children in the United States in 2018, published by the Social Security Administration.
    Girls' names come first, then boys', each from the most frequent to the rarest: shuffle before splitting.
    Names given to both occur twice; 29,494 are different.

    >>> names()[:3], names()[-1]
    (('emma', 'olivia', 'ava'), 'zzyzx')
    >>> names()
    <32,033 names: emma, olivia, ava, …, zyrie, zyron, zzyzx>
    """
    return _Names(resources.files("microgradlib.data").joinpath("names.txt").read_text(encoding="ascii").split())
