"""MLPClassifier and MLPRegressor are scikit-learn's: the same weights, attributes, warnings and errors."""

import io
import pickle
from typing import Any

import joblib
import numpy as np
import pytest
from scipy import sparse
from sklearn import datasets, neural_network
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import lucidgrad as lg

IRIS, SPECIES = datasets.load_iris(return_X_y=True)
DIABETES, PROGRESS = datasets.load_diabetes(return_X_y=True)
rng = np.random.default_rng(12)
SHORT: dict[str, Any] = {"max_iter": 25, "random_state": 1}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def both(name: str, X: Any, y: Any, weight: Any = None, **options: Any) -> tuple[Any, Any]:
    """The two libraries' estimators after fitting."""
    given = {} if weight is None else {"sample_weight": weight}
    theirs, ours = (getattr(module, name)(**{**SHORT, **options}).fit(X, y, **given) for module in (neural_network, lg))
    return theirs, ours


def assert_same(theirs: Any, ours: Any, tolerance: float = 1e-9) -> None:
    """All that fitting has made, to rounding."""
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(theirs, name), getattr(ours, name), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)
    for name in ("loss_", "best_loss_", "loss_curve_", "validation_scores_", "best_validation_score_"):
        a, b = (getattr(model, name, None) for model in (theirs, ours))
        assert (a is None) == (b is None), name
        if a is not None:
            np.testing.assert_allclose(b, a, rtol=max(tolerance, 1e-7))
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    missing = {n for n in vars(theirs) if n.endswith("_")} - {n for n in vars(ours) if n.endswith("_")}
    assert missing == set()


CLASSIFIERS: dict[str, dict[str, Any]] = {
    "adam": {},
    "one layer": {"hidden_layer_sizes": ()},
    "three layers": {"hidden_layer_sizes": (9, 8, 7)},
    "tanh": {"activation": "tanh", "batch_size": 32},
    "logistic": {"activation": "logistic", "batch_size": 7},
    "identity": {"activation": "identity", "alpha": 1.0},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.05},
    "plain momentum": {"solver": "sgd", "nesterovs_momentum": False, "momentum": 0.5},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1, "power_t": 0.3},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.2, "n_iter_no_change": 2},
    "in order": {"shuffle": False, "batch_size": 40},
    "early stopping": {"early_stopping": True, "validation_fraction": 0.2, "n_iter_no_change": 3},
    "betas": {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-4},
    "lbfgs": {"solver": "lbfgs"},
}  # fmt: skip


@pytest.mark.parametrize("case", CLASSIFIERS)
def test_a_classifier_has_the_weights_of_scikit_learns(case):
    theirs, ours = both("MLPClassifier", IRIS, SPECIES, **CLASSIFIERS[case])
    assert_same(theirs, ours)
    np.testing.assert_array_equal(ours.predict(IRIS), theirs.predict(IRIS))
    np.testing.assert_allclose(ours.predict_proba(IRIS), theirs.predict_proba(IRIS), atol=1e-8)


@pytest.mark.parametrize("options", [{}, {"loss": "poisson"}, {"solver": "sgd", "learning_rate_init": 1e-4}], ids=str)
@pytest.mark.parametrize("targets", [1, 3])
def test_a_regressor_has_the_weights_of_scikit_learns(options, targets):
    y = PROGRESS / 100 if targets == 1 else np.stack([PROGRESS / 100 * k for k in (1, 2, 3)], axis=1)
    y = y * (y > 0.8)  # zeros too, for poisson
    assert_same(*both("MLPRegressor", DIABETES, y, hidden_layer_sizes=(20, 10), **options))


@pytest.mark.parametrize("kind", ["two classes", "several labels", "words"])
def test_targets_of_any_kind(kind):
    y = {
        "two classes": SPECIES == 1,
        "several labels": np.stack([SPECIES > 0, SPECIES == 1], axis=1).astype(int),
        "words": np.array(["setosa", "versicolor", "virginica"])[SPECIES],
    }[kind]
    theirs, ours = both("MLPClassifier", IRIS, y, batch_size=50)
    assert_same(theirs, ours)
    np.testing.assert_array_equal(ours.predict(IRIS), theirs.predict(IRIS))


@pytest.mark.parametrize("early_stopping", [False, True])
def test_sample_weights(early_stopping):
    weight = rng.random(150)
    assert_same(*both("MLPClassifier", IRIS, SPECIES, weight, batch_size=64, early_stopping=early_stopping))
    assert_same(*both("MLPRegressor", DIABETES, PROGRESS, rng.random(442), early_stopping=early_stopping), 1e-7)


def test_float32_stays_float32():
    theirs, ours = both("MLPClassifier", IRIS.astype(np.float32), SPECIES)
    assert ours.coefs_[0].dtype == np.float32
    assert_same(theirs, ours, 2e-5)


def test_partial_fit_and_warm_start_go_on_where_they_were():
    for options in ({}, {"solver": "sgd"}):
        theirs, ours = (m.MLPClassifier(**SHORT, **options) for m in (neural_network, lg))
        for start in (0, 50, 20):
            for model in (theirs, ours):
                model.partial_fit(IRIS[start : start + 60], SPECIES[start : start + 60], classes=[0, 1, 2])
        assert_same(theirs, ours)
        theirs, ours = (m.MLPClassifier(warm_start=True, **SHORT, **options) for m in (neural_network, lg))
        for _ in range(2):
            for model in (theirs, ours):
                model.fit(IRIS, SPECIES)
        assert_same(theirs, ours)


@pytest.mark.parametrize(
    "given",
    [
        sparse.csr_matrix,
        sparse.csc_matrix,
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: (X * 10).astype(np.int64),
    ],
    ids=["CSR", "CSC", "columns first", "every second row", "integers"],
)
def test_inputs_of_any_layout(given):
    X = given(IRIS)
    assert_same(*both("MLPClassifier", X, SPECIES, batch_size=32))


def test_a_read_only_memory_map(tmp_path):
    np.save(tmp_path / "x.npy", IRIS)
    X = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert_same(*both("MLPClassifier", X, SPECIES))


def test_data_frames_and_their_names():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    names = ["a", "b", "c", "d"]
    for frame in (pandas.DataFrame(IRIS, columns=names), polars.DataFrame(IRIS, schema=names)):
        theirs, ours = both("MLPClassifier", frame, SPECIES)
        assert list(ours.feature_names_in_) == names
        assert_same(theirs, ours)
        with pytest.warns(UserWarning, match="feature names"):
            ours.predict(IRIS)


def test_a_fitted_estimator_is_plain_data():
    model = lg.MLPClassifier(**SHORT).fit(IRIS, SPECIES)
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    buffer.seek(0)
    for copy in (pickle.loads(pickle.dumps(model)), joblib.load(buffer)):
        np.testing.assert_array_equal(copy.predict_proba(IRIS), model.predict_proba(IRIS))
    assert clone(model).get_params() == model.get_params()


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_searches_and_wrappers(backend):
    model = make_pipeline(StandardScaler(), lg.MLPClassifier(**SHORT))
    with joblib.parallel_config(backend, n_jobs=2):
        search = GridSearchCV(model, {"mlpclassifier__alpha": [1e-4, 1.0]}, cv=3).fit(IRIS, SPECIES)
    assert set(search.best_params_) == {"mlpclassifier__alpha"}
    theirs = make_pipeline(StandardScaler(), neural_network.MLPClassifier(**SHORT))
    np.testing.assert_allclose(cross_val_score(model, IRIS, SPECIES), cross_val_score(theirs, IRIS, SPECIES))
    assert CalibratedClassifierCV(model, cv=3).fit(IRIS, SPECIES).predict_proba(IRIS).shape == (150, 3)


def test_warnings_and_errors_are_scikit_learns():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\) reached and the optimization hasn't"):
        lg.MLPClassifier(max_iter=3).fit(IRIS, SPECIES)
    with pytest.warns(UserWarning, match="larger than sample size. It is going to be clipped"):
        lg.MLPClassifier(max_iter=30, batch_size=1000).fit(IRIS, SPECIES)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        lg.MLPClassifier(early_stopping=True).partial_fit(IRIS, SPECIES, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="The validation set is too small"):
        lg.MLPRegressor(early_stopping=True, validation_fraction=0.001).fit(DIABETES, PROGRESS)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        lg.MLPRegressor(solver="sgd", learning_rate_init=1e10, max_iter=50).fit(DIABETES * 1e10, PROGRESS)


def test_verbose_says_how_it_goes(capsys):
    texts = []
    for module in (neural_network, lg):
        module.MLPClassifier(**SHORT, verbose=True, early_stopping=True, n_iter_no_change=2).fit(IRIS, SPECIES)
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]


def test_ctrl_c_keeps_what_was_learned(monkeypatch):
    from lucidgrad.estimators import mlp

    epoch, calls = mlp._Epochs.epoch, []

    def interrupted(self):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return epoch(self)

    monkeypatch.setattr(mlp._Epochs, "epoch", interrupted)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model = lg.MLPClassifier(**SHORT).fit(IRIS, SPECIES)
    assert model.n_iter_ == 3
    same = neural_network.MLPClassifier(max_iter=3, random_state=1).fit(IRIS, SPECIES)
    np.testing.assert_allclose(model.coefs_[0], same.coefs_[0], rtol=1e-9)


def test_without_the_compiler_scikit_learn_trains(monkeypatch):
    from lucidgrad.estimators import mlp

    monkeypatch.setattr(mlp, "available", lambda: False)
    assert_same(*both("MLPClassifier", IRIS, SPECIES), 0)
