"""Asking takes short cuts around scikit-learn's checks: what comes out, and what is refused, stays."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn import neural_network
from sklearn.exceptions import NotFittedError

import lucidgrad as lg
from lucidgrad.estimators import activating
from lucidgrad.functional import ACTIVATIONS
from lucidgrad.tensor import Tensor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(0)
X = RNG.normal(size=(120, 5))
CODES = np.digitize(X[:, 0], [-0.5, 0.5])
TARGETS: dict[str, Any] = {
    "three": CODES,
    "two": np.array(["no", "yes"])[(CODES > 1).astype(int)],
    "several": np.stack([CODES > 0, CODES > 1], 1).astype(int),
    "several, sparse": sparse.csr_array(np.stack([CODES > 0, CODES > 1], 1).astype(int)),
    "one": np.ones(120),
}


def both(kind: str, y: Any, dtype: Any = np.float64) -> tuple[Any, Any]:
    given = {"hidden_layer_sizes": (6,), "max_iter": 20, "random_state": 0}
    return tuple(getattr(m, kind)(**given).fit(X.astype(dtype), y) for m in (neural_network, lg))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("target", TARGETS)
def test_labels_and_probabilities_are_scikit_learns(target: str, dtype: Any) -> None:
    theirs, ours = both("MLPClassifier", TARGETS[target], dtype)
    for x in (
        X.astype(dtype),
        X[:1].astype(dtype),
        X.astype(np.float16),
        X.tolist(),
        sparse.csr_array(X),
        X[::2, ::-1],
    ):
        expected, made = theirs.predict(x), ours.predict(x)
        assert type(made) is type(expected)
        assert made.dtype == expected.dtype
        if sparse.issparse(expected):
            expected, made = expected.toarray(), made.toarray()
        np.testing.assert_array_equal(made, expected)
        probabilities = ours.predict_proba(x)
        assert probabilities.dtype == theirs.predict_proba(x).dtype
        np.testing.assert_allclose(probabilities, theirs.predict_proba(x), atol=1e-4)


LABELS: dict[str, Any] = {
    "integers": CODES * 7 - 3,
    "unsigned": CODES.astype(np.uint8),
    "booleans": CODES > 1,
    "text": np.array(["low", "높음", "mid"])[CODES],
    "objects": np.array(["low", "높음", "mid"], dtype=object)[CODES],
    "floats": CODES.astype(float),
    "a list": CODES.tolist(),
    "a column": CODES[:, None],
    "one": np.ones(120, int),
    "many": np.arange(120) // 3 * 3,
    "too many": np.arange(120) % 100,
    "continuous": X[:, 0],
    "another length": CODES[1:],
    "several columns": np.stack([CODES, CODES], 1),
    "dates": CODES.astype("datetime64[D]"),
    "nothing": np.empty(0, int),
}


@pytest.mark.parametrize("labels", LABELS)
def test_labels_are_taken_warned_of_and_refused_as_scikit_learn_does(labels: str) -> None:
    found = []
    for make in (neural_network, lg):
        model = make.MLPClassifier(hidden_layer_sizes=(6,), max_iter=2, random_state=0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                model.fit(X, LABELS[labels])
            except (ValueError, TypeError) as error:
                found.append((type(error), str(error)))
                continue
        binarizer, classes = model._label_binarizer, model.classes_
        messages = [(w.category, str(w.message)) for w in caught if "Iter" not in str(w.message)]
        parts = binarizer.y_type_, binarizer.sparse_input_, classes.dtype, classes.tolist(), model.out_activation_
        predicted = model.predict(X)
        found.append((*parts, predicted.dtype, predicted.tolist(), messages))
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_cannot_be_asked_is_refused_in_scikit_learns_words(kind: str) -> None:
    theirs, ours = both(kind, CODES)
    bad = [X * np.nan, X * np.inf, X[:, :3], X[0], X[:0], X[None], X.astype(complex), [["a"] * 5], None]
    for x in bad:
        raised = []
        for model in (theirs, ours):
            with pytest.raises((ValueError, TypeError)) as error:
                model.predict(x)
            raised.append((type(error.value), str(error.value).replace(type(model).__name__, "")))
        assert raised[0] == raised[1]
    mixed = np.where(np.arange(5) == 2, np.inf, X)
    mixed[0, 3] = -np.inf
    with pytest.raises(ValueError, match="infinity"):
        ours.predict(mixed)
    for make in (neural_network, lg):
        for method in ("predict", *(["predict_proba"] if kind == "MLPClassifier" else [])):
            with pytest.raises(NotFittedError, match="not fitted yet"):
                getattr(getattr(make, kind)(), method)(X)


def test_numbers_whose_sum_is_too_large_are_finite_all_the_same() -> None:
    theirs, ours = both("MLPRegressor", CODES)
    large = np.full((2, 5), 1.5e308)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(np.isnan(ours.predict(large)), np.isnan(theirs.predict(large)))


@pytest.mark.parametrize("normalization", [None, "batch", "layer"])
def test_what_is_asked_about_stays_as_it_was(normalization: Any) -> None:
    x = X.copy()
    for activation in ("relu", "identity", "gelu"):
        model = lg.MLPRegressor(
            hidden_layer_sizes=(6,), activation=activation, normalization=normalization, max_iter=3
        ).fit(x, CODES)
        model.predict(x)
        np.testing.assert_array_equal(x, X)


def test_columns_with_names_are_looked_at_by_their_names() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcde"))
    model = lg.MLPRegressor(hidden_layer_sizes=(6,), max_iter=3).fit(frame, CODES)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[list("edcba")])


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_activations_in_place_are_those_of_tensors(name: str, dtype: Any) -> None:
    z = (3 * RNG.normal(size=(7, 96))).astype(dtype)
    z[0, :6] = [0.0, -0.0, 1e30, -1e30, np.inf, -np.inf]
    with np.errstate(all="ignore"):
        expected = ACTIVATIONS[name](Tensor.wrap(z.copy())).numpy()
        made = activating.activated(ACTIVATIONS[name], z.copy())
    assert made.dtype == dtype
    tolerance = 2e-6 if dtype is np.float32 else 1e-13
    np.testing.assert_allclose(made, expected, rtol=tolerance, atol=tolerance)
