"""Networks as scikit-learn's estimators, MicrogradClassifier and MicrogradRegressor; which this module needs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any, Final, TypeVar, cast

from microgradlib._support.calling import in_plain_words
from microgradlib._support.checks import boolean, fraction, non_negative, real_number, whole_number
from microgradlib._support.lookup import lookup
from microgradlib._support.number import is_whole
from microgradlib._support.optional import import_optional
from microgradlib._support.shown import shown
from microgradlib.compiler import compile as compiled
from microgradlib.compiler.numpy_functions import numpy
from microgradlib.costs import cross_entropy, squared_error
from microgradlib.nn import MLP
from microgradlib.optim import SGD, Adagrad, Adam, AdamW, RMSprop
from microgradlib.regularisers import L2
from microgradlib.training import fit

__all__ = ["MicrogradClassifier", "MicrogradRegressor"]

base, exceptions, multiclass, utils, validation = (
    import_optional(f"sklearn.{name}", "interop.sklearn")
    for name in ("base", "exceptions", "utils.multiclass", "utils", "utils.validation")
)

F = TypeVar("F", bound=Callable[..., Any])

OPTIMIZERS: Final = {"adam": Adam, "adamw": AdamW, "sgd": SGD, "rmsprop": RMSprop, "adagrad": Adagrad}


class Network(base.BaseEstimator):  # type: ignore[name-defined, misc]
    """What both estimators have in common: the settings, the training of an `MLP`, and its outputs for rows."""

    @in_plain_words
    def __init__(
        self,
        hidden_sizes: Sequence[int] = (16,),
        *,
        activation: Any = "relu",
        optimizer: str | Callable[[list[Any]], Any] = "adam",
        learning_rate: float = 0.01,
        epochs: int = 200,
        batch_size: int | None = 32,
        l2: float = 0.0,
        validation_fraction: float = 0.0,
        early_stopping: int | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.hidden_sizes = hidden_sizes
        self.activation = activation
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.epochs = epochs
        self.batch_size = batch_size
        self.l2 = l2
        self.validation_fraction = validation_fraction
        self.early_stopping = early_stopping
        self.random_state = random_state
        self.verbose = verbose

    def _train(self, x: Any, targets: Any, outputs: int, loss: Callable[..., Any]) -> None:
        """Make the network and train it. The fitted attributes are set when that has succeeded."""
        sizes: Any = self.hidden_sizes
        if isinstance(sizes, str) or not isinstance(sizes, (Sequence, numpy().ndarray)):
            message = f"hidden_sizes lists the number of units of each hidden layer, such as (16,), got {shown(sizes)}"
            raise TypeError(message)
        sizes = [whole_number(size, f"hidden_sizes[{i}]") for i, size in enumerate(sizes)]
        l2 = non_negative(self.l2, "l2", example=0.01)
        held_out = fraction(self.validation_fraction, "validation_fraction", example=0.2)
        show = bool(self.verbose) if is_whole(self.verbose) else boolean(self.verbose, "verbose")
        make = self.optimizer
        if not callable(make):
            chosen: Any = lookup(make, OPTIMIZERS, "optimizer")
            make = partial(chosen, lr=real_number(self.learning_rate, "learning_rate", gt=0, example=0.01))
        seed = int(utils.check_random_state(self.random_state).randint(2**31 - 1))
        model = MLP([x.shape[1], *sizes, outputs], activation=self.activation, rng=seed)
        history = fit(
            model, loss, x, targets, epochs=self.epochs, batch_size=self.batch_size, optimizer=make,
            validation=held_out, early_stopping=self.early_stopping, rng=seed, progress=show,
            regulariser=L2(l2) if l2 else (),
        )  # fmt: skip
        if self.early_stopping and not history.stopped:
            message = f"early stopping has not ended the training after {self.epochs} epochs: give more epochs"
            warnings.warn(message, exceptions.ConvergenceWarning, stacklevel=3)
        self.model_, self.history_, self.n_iter_ = model, history, history.epochs
        self._forward = compiled(model, model.parameters())

    def _outputs(self, x: Any) -> Any:
        """Return the network's outputs for each row, (rows, outputs). Raises `NotFittedError` before `fit`."""
        validation.check_is_fitted(self)
        return self._forward.rows(validation.validate_data(self, x, dtype=numpy().float64, reset=False))

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: all but the compiled network, which is compiled anew."""
        return {name: part for name, part in super().__getstate__().items() if name != "_forward"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "model_" in state:
            self._forward = compiled(self.model_, self.model_.parameters())


def _unchanged_on_error(fit: F) -> F:
    """Return a method that leaves the estimator as it was if it raises: `validate_data` sets attributes before that."""

    @wraps(fit)
    def checked(self: Network, *args: Any, **kwargs: Any) -> Any:
        attributes: dict[str, Any] = self.__dict__
        before = dict(attributes)
        try:
            return fit(self, *args, **kwargs)
        except BaseException:
            attributes.clear()
            attributes.update(before)
            raise

    return cast(F, checked)


class MicrogradClassifier(base.ClassifierMixin, Network):  # type: ignore[name-defined, misc]
    """A multilayer perceptron with softmax outputs for two or more classes, trained by cross-entropy.

    Args:
        hidden_sizes: the number of units of each hidden layer; () makes a linear model.
        activation: of the hidden units, as `nn.MLP` takes it: a name, a function, or a list of one for each layer.
        optimizer: "adam", "adamw", "sgd", "rmsprop", "adagrad", or a function of the parameters that makes one, such as
            `functools.partial(optim.SGD, lr=0.1, momentum=0.9)`.
        learning_rate: of an optimizer that is given by name.
        epochs: how often to go through all examples, at most.
        batch_size: the number of examples in each update; None for all of them.
        l2: λ of the penalty λ/2 ‖w‖² on the weights (not on the biases).
        validation_fraction: the part of the examples that is held out for validation.
        early_stopping: stop after so many epochs without a new lowest validation loss (training loss without
            validation), and keep the best parameters; None trains for all epochs. `ConvergenceWarning` says that
            training ended before it could stop.
        random_state: a seed or `numpy.random.RandomState`, for the first weights and the order of the examples.
        verbose: whether to show a progress bar; a number above 0 means yes, as elsewhere in scikit-learn.

    After `fit`: `model_`, the network, whose Values can be drawn, stepped through and saved; `history_` of the
    training; `n_iter_`, the number of epochs; `n_features_in_`, and `feature_names_in_` for a data frame. Scale the
    inputs, as by `make_pipeline(StandardScaler(), …)`. `fit` raises what `training.fit` and `nn.MLP` raise, such as
    `DivergedError`.

    >>> from microgradlib.data import iris
    >>> data = iris()
    >>> classifier = MicrogradClassifier((8,), epochs=40, random_state=0).fit(data.inputs, data.targets)
    >>> classifier.score(data.inputs, data.targets) > 0.95, classifier.predict_proba(data.inputs[:2]).shape
    (True, (2, 3))
    """

    @_unchanged_on_error
    def fit(self, X: Any, y: Any) -> MicrogradClassifier:  # noqa: N803  scikit-learn's name
        """Train a new network on rows X and their labels y, numbers or strings; return the estimator."""
        x, y = validation.validate_data(self, X, y, dtype=numpy().float64)
        multiclass.check_classification_targets(y)
        classes, codes = numpy().unique(y, return_inverse=True)
        if len(classes) < 2:
            message = f"a classifier needs examples of at least two classes, got one class: {shown(classes[0])}"
            raise ValueError(message)
        self._train(x, codes, len(classes), cross_entropy)
        self.classes_ = classes
        return self

    def decision_function(self, X: Any) -> Any:  # noqa: N803
        """Return the logits, (rows, classes); of two classes, how much that of the second is larger, (rows,)."""
        logits = self._outputs(X)
        return logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: Any) -> Any:  # noqa: N803
        """Return the probabilities of the classes, (rows, classes), in the order of `classes_`."""
        logits = self._outputs(X)
        exponentials = numpy().exp(logits - logits.max(1, keepdims=True))
        return exponentials / exponentials.sum(1, keepdims=True)

    def predict(self, X: Any) -> Any:  # noqa: N803
        """Return the most probable label for each row."""
        best = self._outputs(X).argmax(1)
        return self.classes_[best]


class MicrogradRegressor(base.RegressorMixin, Network):  # type: ignore[name-defined, misc]
    """A multilayer perceptron with one linear output, trained by squared error.

    The settings and the fitted attributes are those of `MicrogradClassifier`. Targets far from −3 … 3 are best
    scaled by `sklearn.compose.TransformedTargetRegressor`.

    >>> xs = [[x / 10] for x in range(-30, 31)]
    >>> regressor = MicrogradRegressor((16,), activation="tanh", random_state=0)
    >>> regressor.fit(xs, [x[0] ** 2 / 3 for x in xs]).score(xs, [x[0] ** 2 / 3 for x in xs]) > 0.95
    True
    """

    @_unchanged_on_error
    def fit(self, X: Any, y: Any) -> MicrogradRegressor:  # noqa: N803
        """Train a new network on rows X and a number y for each; return the estimator."""
        x, y = validation.validate_data(self, X, y, dtype=numpy().float64, y_numeric=True)
        self._train(x, y.astype(float), 1, squared_error)
        return self

    def predict(self, X: Any) -> Any:  # noqa: N803
        """Return the network's output for each row."""
        return self._outputs(X)[:, 0]
