"""Undo: what a run of fit has changed before its first update, restored if it raises an error until then."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from microgradlib.core.assignment import assign

if TYPE_CHECKING:
    from microgradlib.core.value import Value
    from microgradlib.nn import Module
    from microgradlib.training.history import History

__all__ = ["undone_before_first_step"]


@contextmanager
def undone_before_first_step(
    model: Module, parameters: Sequence[Value], generator: random.Random, history: History
) -> Iterator[None]:
    """Run a block; if it raises before `history` counts a step, restore what the block was given.

    Those are the modes of all modules, the numbers and gradients of the parameters, and the states of the random
    generators: `generator` and those that modules hold. Some wrong arguments show themselves only when they are used: a
    regulariser that takes two arguments, an augmentation that returns rows of another length.
    """
    modes = [(module, module.training) for _, module in model.named_modules()]
    numbers, slopes = [value._float for value in parameters], [value.grad for value in parameters]
    states = [(source, source.getstate()) for source in _generators(model, generator)]
    try:
        yield
    except BaseException:
        if not history.steps:
            for module, training in modes:
                module.training = training
            assign(parameters, "_float", numbers)
            assign(parameters, "grad", slopes)
            for source, state in states:
                source.setstate(state)
        raise


def _generators(model: Module, generator: random.Random) -> list[Any]:
    """Return the generator and all that the modules hold; `random` itself for a module whose `rng` is None."""
    found: dict[int, Any] = {id(generator): generator}
    for _, module in model.named_modules():
        for name, attribute in vars(module).items():
            source = random if name == "rng" and attribute is None else attribute
            if source is random or isinstance(source, random.Random):
                found.setdefault(id(source), source)
    return list(found.values())
