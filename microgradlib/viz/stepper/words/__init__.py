"""All words of the stepper, in English and Chinese: templates that Python and the page fill alike.

A placeholder is `{name}`; a plural is `{n:term|terms}`, the first form if n is 1. `say` fills them in Python, the
page's function of the same name in JavaScript.
"""

from __future__ import annotations

import re
from typing import Any, Final

from microgradlib.viz.captions import Language
from microgradlib.viz.stepper.words.chinese import CHINESE
from microgradlib.viz.stepper.words.english import ENGLISH

__all__ = ["WORDS", "say"]

WORDS: Final[dict[Language, dict[str, str]]] = {"en": ENGLISH, "zh": CHINESE}
"""Every sentence and label by language and key."""

_PLACE: Final = re.compile(r"\{(\w+)(?::([^|}]*)\|([^}]*))?\}")


def say(lang: Language, key: str, **parts: Any) -> str:
    """Return a sentence with its places filled.

    Raises:
        KeyError: no sentence has this key, or a part that it needs is missing.

    >>> say("en", "waits", node="x", n=1), say("en", "waits", node="x", n=2)
    ('x waits for 1 more term.', 'x waits for 2 more terms.')
    >>> say("zh", "waits", node="x", n=2)
    'x 还在等 2 项。'
    """

    def fill(match: re.Match[str]) -> str:
        part = parts[match[1]]
        if match[2] is None:
            return str(part)
        return match[2] if part == 1 else match[3]

    return _PLACE.sub(fill, WORDS[lang][key])
