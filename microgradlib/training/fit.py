"""fit: mini-batch gradient descent with all that usually goes with it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from microgradlib._support.rng import Rng, as_random
from microgradlib.errors import LabelError
from microgradlib.nn import Module
from microgradlib.nn.sizes import count
from microgradlib.optim import Adam
from microgradlib.training.compiled_risk import CompiledRisk
from microgradlib.training.early_stopping import EarlyStopping
from microgradlib.training.examples import part
from microgradlib.training.progress import Progress
from microgradlib.training.risk import Risk
from microgradlib.training.run import Run, trained_parameters

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from microgradlib.training.history import History

__all__ = ["fit"]


def fit(
    model: Module,
    loss: Callable[[Any, Any], Any],
    X: Sequence[Any],  # noqa: N803  the matrix of inputs, a capital everywhere
    y: Sequence[Any],
    *,
    epochs: int = 100,
    batch_size: int | None = 32,
    optimizer: Any = None,
    validation: Any = 0.0,
    early_stopping: int | EarlyStopping | bool | None = None,
    callbacks: Any = (),
    regulariser: Any = (),
    penalty: Any = (),
    augment: Callable[[Any, random.Random], Any] | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    compiled: bool | str = "auto",
    rng: Rng = 0,
    progress: bool | None = None,
) -> History:
    """Train the model by mini-batch gradient descent on R(θ) = mean of loss(model(x), y), and return the history.

    Args:
        model: called with one row of `X`, it returns the output that `loss` takes.
        loss: the cost of one example, (output, target) → a node, such as `costs.cross_entropy`.
        X: the inputs, one entry for each example: lists, tuples or an array.
        y: the targets, as many.
        epochs: how often to go through all examples, in a new order each time.
        batch_size: how many examples make an update (the last batch may be smaller); None for all at once.
        optimizer: one of `optim` over the model's parameters, or a function of the parameters that makes one, such as
            `functools.partial(SGD, lr=0.1)`; by default Adam with lr=0.01.
        validation: the share of the examples to be kept for validation, or the pair (inputs, targets).
        early_stopping: stop after this many epochs in which the validation loss (or the loss, if there is none) set no
            new best, and keep the best parameters; or an `EarlyStopping`.
        callbacks: a function (model, history), or several, called after each epoch, and before the first; one that
            returns True ends the training.
        regulariser: a function of the model, Ω(θ), added to the cost, such as `regularisers.L2(0.01)`; or several.
        penalty: a function of the model and one input, Ω(x), such as `regularisers.TangentPropagation(t)`; or several.
        augment: (x, rng) → x′, a changed copy drawn for each use of an example in training.
        clip_norm: rescale each gradient to at most this norm. `clip_value`: limit each of its entries.
        compiled: True to run model, loss and penalties as a compiled program on arrays (see `compile`), False to run
            them example by example, "auto" to compile where NumPy is installed and they can be compiled.
            `history.engine` says which way it went. Compiled, a number that a callback is to change, or whatever else
            changes while training, is the `data` of a Value: plain numbers and settings stay as they are at the start.
        rng: a seed or `random.Random` for parting, shuffling and augmenting; with seeds for the model's weights and its
            `Dropout` too, a run repeats exactly.
        progress: show a progress bar: True, False, or None for where there is a terminal.

    Before training all examples are evaluated once, so that wrong labels and shapes are found before anything changes.
    The model ends in evaluation mode, see `Module.eval`; modules that are in it while the model is in training mode
    stay in it. Ctrl-C ends the training and returns the history; the model keeps what it learnt. A loss or gradient
    that is nan or infinite raises `DivergedError`, naming the step, the example and the op; the model keeps the
    parameters it had before that step. Raises `ValueError`, `TypeError` or `LabelError` for arguments that do not fit.

    >>> from microgradlib.costs import binary_cross_entropy_with_logits
    >>> from microgradlib.data import xor
    >>> from microgradlib.nn import MLP
    >>> model = MLP([2, 8, 1], activation="tanh", rng=1)
    >>> history = fit(model, binary_cross_entropy_with_logits, xor().inputs, xor().targets, epochs=300)
    >>> history.loss[0] > 0.5, history.loss[-1] < 0.1, history.accuracy[-1]
    (True, True, 1.0)
    """
    source = as_random(rng)
    _refuse_others(model, loss)
    stopping = _stopping(early_stopping)
    train, held_out = part(X, y, validation, source)
    if not model.training:
        model.train()
    made = _optimizer(optimizer, model)
    parameters = trained_parameters(model, made)
    run = Run(
        Risk(model, loss, _several(regulariser, "regulariser"), _several(penalty, "penalty")),
        made,
        parameters,
        train,
        held_out,
        source,
        batch_size=len(train) if batch_size is None else count(batch_size, "batch_size"),
        augment=augment,
        clip_norm=clip_norm,
        clip_value=clip_value,
    )
    epochs, watchers = count(epochs, "epochs"), _several(callbacks, "callbacks")
    history = run.history
    with closing(Progress(epochs, show=progress)) as bar:
        try:
            run.risk, history.engine = _engine(run, compiled)
            bar.say(history.engine)
            for epoch in range(epochs + 1):
                if epoch:
                    run.epoch()
                    bar.advance(history.line())
                else:
                    run.look_first()
                answers = [watcher(model, history) for watcher in watchers]
                if any(answer is True for answer in answers):
                    history.stopped = "a callback ended it"
                if stopping and stopping.ends(epoch, (history.validation_loss or history.loss)[-1], model):
                    history.stopped = f"no better loss since epoch {stopping.best_epoch}"
                if history.stopped:
                    break
        except KeyboardInterrupt:
            history.stopped = "interrupted"
        finally:
            model.eval()
            if stopping:
                stopping.restore(model)
                history.best_epoch = stopping.best_epoch
    return history


def _engine(run: Run, compiled: bool | str) -> tuple[Risk, str]:
    """Return the risk to be lowered, compiled if that is wanted and possible, and in a line which way it went."""
    if compiled not in (True, False, "auto"):
        message = f'compiled is True, False or "auto", got {compiled!r}'
        raise ValueError(message)
    if compiled is False:
        return run.risk, "example by example"
    try:
        made = CompiledRisk(run.risk, run.train, run.held_out, run.parameters)
    except LabelError:
        raise
    except Exception as error:
        if compiled is True:
            raise
        return run.risk, f"example by example, as it cannot be compiled: {str(error).splitlines()[0]}"
    return made, made.described()


def _refuse_others(model: Any, loss: Any) -> None:
    if not isinstance(model, Module):
        message = f"model is a Module of microgradlib.nn, got {type(model).__name__}: derive its class from Module"
        raise TypeError(message)
    if not callable(loss):
        message = f"loss is a function (output, target) → cost, such as costs.cross_entropy, got {loss!r}"
        raise TypeError(message)


def _stopping(early_stopping: Any) -> EarlyStopping | None:
    if early_stopping is None or early_stopping is False:
        return None
    if isinstance(early_stopping, EarlyStopping):
        return replace(early_stopping)  # with a record of its own
    return EarlyStopping(count(early_stopping, "early_stopping, the epochs to wait for a better loss,"))


def _several(functions: Any, what: str) -> tuple[Any, ...]:
    given = () if functions is None else (functions,) if callable(functions) else functions
    if not isinstance(given, (list, tuple)) or not all(map(callable, given)):
        message = f"{what} is a function, or a list of them, got {functions!r}"
        raise TypeError(message)
    return tuple(given)


def _optimizer(optimizer: Any, model: Module) -> Any:
    if optimizer is None:
        return Adam(model.parameters(), lr=0.01)
    if hasattr(optimizer, "step") and not isinstance(optimizer, type):
        return optimizer
    if not callable(optimizer):
        message = f"optimizer is one of optim, as in Adam(model.parameters(), lr=0.01), got {optimizer!r}"
        raise TypeError(message)
    return optimizer(model.parameters())
