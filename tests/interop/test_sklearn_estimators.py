"""The estimators: scikit-learn's own checks, and what its tools do with them."""

import pickle
import warnings
from functools import partial

import numpy as np
import pytest

from microgradlib import optim
from microgradlib.errors import DivergedError

sklearn = pytest.importorskip("sklearn", reason="the estimators are scikit-learn's")

from sklearn.base import clone  # noqa: E402
from sklearn.datasets import load_diabetes, load_iris  # noqa: E402
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError  # noqa: E402
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import check_estimator  # noqa: E402

from microgradlib.interop import MicrogradClassifier, MicrogradRegressor  # noqa: E402

X, Y = load_iris(return_X_y=True)
ONLY_ELSEWHERE = {"check_array_api_input", "check_classifier_data_not_an_array", "check_regressor_data_not_an_array"}
"""Checks that scikit-learn skips where pandas is not installed, or SCIPY_ARRAY_API not set."""


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [MicrogradClassifier(random_state=0), MicrogradRegressor(random_state=0)])
def test_check_estimator(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        results = check_estimator(estimator, on_skip=None, on_fail=None)
    failed = {result["check_name"]: result["exception"] for result in results if result["status"] == "failed"}
    assert failed == {}
    assert {result["check_name"] for result in results if result["status"] != "passed"} <= ONLY_ELSEWHERE
    assert len(results) > 40


@pytest.mark.slow
def test_check_estimator_rejects_a_faulty_one():
    class Faulty(MicrogradClassifier):
        def predict(self, X):  # noqa: N803  scikit-learn's name
            return self._outputs(X).argmax(1)  # codes in place of labels

    results = check_estimator(Faulty(random_state=0), on_skip=None, on_fail=None)
    assert "check_classifiers_classes" in {r["check_name"] for r in results if r["status"] == "failed"}


def test_a_pipeline_in_cross_validation():
    pipeline = make_pipeline(StandardScaler(), MicrogradClassifier(epochs=60, random_state=0))
    assert cross_val_score(pipeline, X, Y, cv=3).mean() > 0.93


def test_grid_search():
    grid = {"hidden_sizes": [(), (6,)], "activation": ["tanh"], "l2": [0.0, 0.01]}
    search = GridSearchCV(MicrogradClassifier(epochs=80, random_state=0), grid, cv=2).fit(X, Y)
    assert search.best_score_ > 0.8
    assert search.best_estimator_.hidden_sizes in grid["hidden_sizes"]


def test_clones_and_pickles():
    classifier = MicrogradClassifier((5,), epochs=10, random_state=0).fit(X, Y)
    copy = pickle.loads(pickle.dumps(classifier))
    assert np.array_equal(copy.predict_proba(X), classifier.predict_proba(X))
    assert pickle.loads(pickle.dumps(clone(classifier))).get_params() == classifier.get_params()
    again = clone(classifier).fit(X, Y)
    assert np.array_equal(again.predict_proba(X), classifier.predict_proba(X))


def test_probabilities_and_decisions():
    names = np.array(["setosa", "versicolor", "virginica"])[Y]
    classifier = MicrogradClassifier(epochs=30, random_state=1).fit(X, names)
    outputs = np.array([[y.data for y in classifier.model_(x)] for x in X.tolist()[::10]])
    exponentials = np.exp(outputs)
    assert classifier.predict_proba(X[::10]) == pytest.approx(exponentials / exponentials.sum(1, keepdims=True))
    assert classifier.decision_function(X[::10]) == pytest.approx(outputs)
    assert classifier.predict(X[::10]).tolist() == classifier.classes_[outputs.argmax(1)].tolist()
    two = MicrogradClassifier(epochs=30, random_state=1).fit(X[:100], Y[:100])
    assert two.decision_function(X[:100]).shape == (100,)
    assert ((two.decision_function(X[:100]) > 0) == two.predict(X[:100])).all()


def test_it_classifies_as_well_as_scikit_learns_own():
    scaled = StandardScaler().fit_transform(X)
    train, test = np.arange(150) % 2 == 0, np.arange(150) % 2 == 1
    own = MLPClassifier((16,), learning_rate_init=0.01, max_iter=200, tol=0, n_iter_no_change=999, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = own.fit(scaled[train], Y[train]).score(scaled[test], Y[test])
    ours = MicrogradClassifier((16,), random_state=0).fit(scaled[train], Y[train]).score(scaled[test], Y[test])
    assert ours >= expected - 0.03


def test_regression():
    x, y = load_diabetes(return_X_y=True)
    x, y = StandardScaler().fit_transform(x), (y - y.mean()) / y.std()
    linear = MicrogradRegressor((), epochs=60, random_state=0).fit(x, y)
    best = np.linalg.lstsq(np.c_[x, np.ones(len(x))], y, rcond=None)[0]
    assert linear.score(x, y) == pytest.approx(1 - ((np.c_[x, np.ones(len(x))] @ best - y) ** 2).mean(), abs=0.01)
    assert linear.predict(x[:3]) == pytest.approx([linear.model_(row).data for row in x[:3].tolist()])


def test_optimizers():
    for optimizer in ("sgd", "adamw", "rmsprop", "adagrad", partial(optim.SGD, lr=0.1, momentum=0.9)):
        classifier = MicrogradClassifier(optimizer=optimizer, learning_rate=0.05, epochs=20, random_state=0)
        assert classifier.fit(StandardScaler().fit_transform(X), Y).score(StandardScaler().fit_transform(X), Y) > 0.7


def test_early_stopping():
    stopped = MicrogradClassifier(epochs=400, early_stopping=3, validation_fraction=0.2, random_state=0).fit(X, Y)
    assert stopped.n_iter_ < 400
    assert "no better" in stopped.history_.stopped
    with pytest.warns(ConvergenceWarning, match="has not ended the training after 2 epochs: give more epochs"):
        MicrogradClassifier(epochs=2, early_stopping=50, random_state=0).fit(X, Y)


def test_errors_and_warnings():
    with pytest.raises(NotFittedError):
        MicrogradClassifier().predict(X)
    with pytest.raises(ValueError, match="at least two classes, got one class"):
        MicrogradClassifier().fit(X, np.zeros(150))
    for sizes in (8, "8"):
        with pytest.raises(TypeError, match="hidden_sizes lists the number of units of each hidden layer"):
            MicrogradClassifier(sizes).fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="no optimizer 'adamm'; did you mean 'adam'"):
        MicrogradClassifier(optimizer="adamm").fit(X, Y)
    with pytest.raises(ValueError, match="learning_rate"):
        MicrogradClassifier(learning_rate=-1).fit(X, Y)
    with pytest.warns(DataConversionWarning):
        MicrogradClassifier(epochs=1).fit(X, Y[:, None])
    with pytest.raises(DivergedError):
        MicrogradRegressor(optimizer="sgd", learning_rate=1e300, random_state=0).fit(X, Y)


def test_a_failed_fit_leaves_the_estimator_as_it_was():
    classifier = MicrogradClassifier(epochs=10, random_state=0).fit(X, Y)
    before = classifier.predict(X)
    classifier.set_params(activation="no such")
    with pytest.raises(ValueError, match="no such"):
        classifier.fit(X, Y)
    assert np.array_equal(classifier.predict(X), before)
