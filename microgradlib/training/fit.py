"""fit: the training loop, mini-batch gradient descent with validation, early stopping, callbacks and a history."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal

from microgradlib._support.calling import call, in_plain_words
from microgradlib._support.checks import WholeNumber, boolean, whole_number
from microgradlib._support.interrupts import interrupts_held
from microgradlib._support.notebook import in_notebook
from microgradlib._support.rng import Rng, as_random
from microgradlib.training.arguments import augmentation, functions_of, limit, optimizer_of, stopping_rule
from microgradlib.training.choice import check_engine, choose_steps
from microgradlib.training.examples import checked_examples, split
from microgradlib.training.history import History
from microgradlib.training.live import finish, live_figure, refresh
from microgradlib.training.progress import Progress
from microgradlib.training.risk import Risk, check_model_and_loss
from microgradlib.training.run import Run
from microgradlib.training.task import Task, trained_parameters
from microgradlib.training.undo import undone_before_first_step

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from microgradlib.core.node import Node
    from microgradlib.plots.live import LiveFigure
    from microgradlib.training.early_stopping import EarlyStopping
    from microgradlib.training.types import (
        Callback,
        LabelledData,
        Loss,
        ModelT,
        OneOrMore,
        OptimizerLike,
        Rows,
    )

__all__ = ["fit"]


@in_plain_words
def fit(
    model: ModelT,
    loss: Loss,
    X: Rows,  # noqa: N803  the matrix of inputs
    y: Rows,
    *,
    epochs: WholeNumber = 100,
    batch_size: WholeNumber | None = 32,
    optimizer: OptimizerLike | None = None,
    validation: float | tuple[Rows, Rows] | LabelledData | None = 0.0,
    early_stopping: WholeNumber | EarlyStopping | None = None,
    callbacks: OneOrMore[Callback[ModelT]] = (),
    regulariser: OneOrMore[Callable[[ModelT], Node | float]] = (),
    penalty: OneOrMore[Callable[[ModelT, Any], Node | float]] = (),
    augment: Callable[[Any, random.Random], Any] | None = None,
    clip_norm: float | None = None,
    clip_value: float | None = None,
    compiled: bool | Literal["auto"] = "auto",
    backend: str = "auto",
    devices: Any = None,
    rng: Rng = 0,
    progress: bool | None = None,
    live: bool = False,
) -> History:
    """Train the model by mini-batch gradient descent on R(θ) = mean of loss(model(x), y), and return the history.

    Args:
        model: a Module; called with one row of `X`, it returns the output that `loss` takes.
        loss: the cost of one example, (output, target) → a node, such as `costs.cross_entropy`.
        X: the inputs, one entry for each example: a list, a tuple or an array.
        y: the targets, one for each input.
        epochs: how many times to go through all examples, in a new random order each time (see `random_order`).
        batch_size: the number of examples in each update (the last batch may be smaller); None for all of them.
        optimizer: an optimizer of the model's parameters, or a function of the parameters that makes one, such as
            `functools.partial(SGD, lr=0.1)`; by default Adam with lr=0.01.
        validation: the fraction of the examples to hold out for validation, or the pair (inputs, targets), or a
            data set.
        early_stopping: stop after this many epochs without a new lowest validation loss (training loss if there are no
            validation examples), and keep the best parameters; or an `EarlyStopping`, which can watch the error rate.
        callbacks: a function (model, history), or a list of them, called before the first epoch and after each; one
            that returns True ends the training.
        regulariser: a function of the model, Ω(θ), added to the cost, such as `regularisers.L2(0.01)`, which is of the
            weights alone, where an optimizer's `weight_decay` is of all parameters; or a list.
        penalty: a function of the model and one input, Ω(x), such as `regularisers.TangentPropagation(t)`; or a list.
        augment: (x, rng) → x′, a transformed copy drawn for each use of an example in training.
        clip_norm: rescale each gradient to at most this norm.
        clip_value: clip each entry of the gradient to [−clip_value, clip_value].
        compiled: True to run model, loss and penalties as a compiled program on arrays (see `compile`), False to run
            them example by example, "auto" to compile if NumPy is installed and compiling succeeds.
            `history.engine` records the choice. Plain numbers and settings become constants of a compiled program: a
            number that changes during training, for example in a callback, must be the `data` of a Value. Within an
            epoch a compiled run keeps the parameters in one array; their Values, and the optimizer's buffers, are right
            whenever a callback or an augmentation is called, and after the run, however it ends.
        backend: the engine of compiled programs, as `compile` takes it: "auto" is native code where llvmlite is, which
            is compiled once and kept on disk, else NumPy. With "jax" an epoch is one loop on JAX's devices, which keep
            data, parameters and the optimizer's state; without `augment`, and with an optimizer of this library, whose
            schedule gives the rates of an epoch before it begins. A failure to compile is an error.
        devices: with backend "jax", how many devices share each batch, or a list of JAX's devices.
        rng: a seed or `random.Random` for splitting, shuffling and augmenting; if the model's weights and its
            `Dropout` are seeded too, a run can be repeated exactly.
        progress: whether to show a progress bar; None shows it in a terminal and in a notebook.
        live: in a notebook, draw the loss and, for a model of one or two inputs, its decision boundary as they move,
            in pictures that take a tenth of the training time besides the last one; needs matplotlib. Elsewhere it
            shows the progress bar.

    All arguments are checked, and all examples are evaluated once, before anything changes. An error before the first
    update leaves the model, its modes and gradients, the optimizer and the random generators as they were. Afterwards
    the model is in evaluation mode (see `Module.eval`). If the model is in training mode at the start, its submodules
    keep their modes; otherwise all are put into training mode. Ctrl-C ends the training and returns the history; the
    model keeps its current parameters, the optimizer its state: those after the last whole step, which `history.steps`
    counts. (With backend "jax" it waits for the end of the epoch.)

    Raises:
        DivergedError: the loss or gradient is nan or infinite; names the step, the example and the op. The model has
            the parameters it had before that step.
        LabelError: a target is not a label that `loss` takes.
        TypeError: an argument is of the wrong kind.
        ValueError: a setting is out of range, or the inputs, targets or parameters do not match.

    >>> from microgradlib.costs import binary_cross_entropy_with_logits
    >>> from microgradlib.data import xor
    >>> from microgradlib.nn import MLP
    >>> model = MLP([2, 8, 1], activation="tanh", rng=1)
    >>> history = fit(model, binary_cross_entropy_with_logits, xor().inputs, xor().targets, epochs=300)
    >>> history.loss[0] > 0.5, history.loss[-1] < 0.1, history.accuracy[-1]
    (True, True, 1.0)
    """
    check_model_and_loss(model, loss)
    generator, stopping = as_random(rng), stopping_rule(early_stopping, loss)
    examples, held_out = checked_examples(X, y, validation)
    risk = Risk(model, loss, functions_of(regulariser, "regulariser"), functions_of(penalty, "penalty"))
    epochs, callback_functions = whole_number(epochs, "epochs", example=100), functions_of(callbacks, "callbacks")
    size = None if batch_size is None else whole_number(batch_size, "batch_size", example=32)
    augment, limits = augmentation(augment), (limit(clip_norm, "clip_norm"), limit(clip_value, "clip_value"))
    check_engine(compiled, backend, devices)
    with_figure = boolean(live, "live") and in_notebook()
    show = (True if live else None) if progress is None else boolean(progress, "progress")
    chosen_optimizer = optimizer_of(optimizer, model)
    parameters, history = trained_parameters(model, chosen_optimizer), History()
    try:
        with interrupts_held() as interrupts, undone_before_first_step(model, parameters, generator, history):
            train, validation_examples = split(examples, held_out, generator)
            if not model.training:
                model.train()
            task = Task(
                risk, chosen_optimizer, parameters, train, validation_examples, generator, size or len(train), augment,
                *limits, history, interrupts,
            )  # fmt: skip
            figure = live_figure(model, train) if with_figure else None
            with closing(Progress(epochs, show=show)) as bar:
                _train(task, bar, figure, stopping, callback_functions, engine=(compiled, backend, devices))
    except KeyboardInterrupt as interrupt:  # one that came at the very end, or a second one
        if interrupt.__context__ is not None:  # after an error of the run
            raise
        history.stopped = history.stopped or "interrupted"
    return history


def _train(
    task: Task,
    bar: Progress,
    figure: LiveFigure | None,
    stopping: EarlyStopping | None,
    callbacks: tuple[Callback[Any], ...],
    *,
    engine: tuple[Any, str, Any],
) -> None:
    """Evaluate, then train epoch by epoch, until the last epoch, an end that was asked for, or Ctrl-C."""
    history, model, interrupts, steps = task.history, task.model, task.interrupts, None
    try:
        interrupts.open()
        steps, history.engine = choose_steps(task, *engine)
        run = Run(task, steps)
        interrupts.during(bar.write_line, history.engine)
        for epoch in range(bar.total + 1):
            if epoch:
                run.epoch()
                interrupts.during(bar.advance, history)
            else:
                run.evaluate_initial()
            if callbacks or stopping:
                steps.settle()
            refresh(figure, steps, history)
            results = [call(callback, "callback(model, history)", model, history) for callback in callbacks]
            if any(result is True for result in results):
                history.stopped = "a callback returned True"
            if stopping and stopping.ends(epoch, stopping.watched(model, history), model):
                history.stopped = f"no better {stopping.name} since epoch {stopping.best_epoch}"
            if history.stopped:
                break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    finally:
        interrupts.is_open = False
        if steps is not None:
            steps.settle()
        model.eval()
        if stopping:
            stopping.restore(model)
            history.best_epoch = stopping.best_epoch
        finish(figure, history)
