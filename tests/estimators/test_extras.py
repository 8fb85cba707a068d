"""What MLPClassifier and MLPRegressor take beyond scikit-learn's parameters does what it says."""

import copy
import inspect
import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn import datasets, metrics, neural_network
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

import lucidgrad as lg
from lucidgrad.errors import ArgumentError
from lucidgrad.functional import tanh
from lucidgrad.losses import CrossEntropy, Huber, Poisson, Quantile, SquaredError
from lucidgrad.optim import LBFGS, RMSprop, cosine
from lucidgrad.training import Callback, CSVLog, EarlyStopping
from lucidgrad.training.callbacks import progress

IRIS, SPECIES = datasets.load_iris(return_X_y=True)
IRIS = (IRIS - IRIS.mean(0)) / IRIS.std(0)
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
DIABETES, PROGRESS = datasets.load_diabetes(return_X_y=True)
DIABETES, PROGRESS = DIABETES * 20, (PROGRESS - 150) / 80
SHORT: dict[str, Any] = {"max_iter": 40, "random_state": 1, "learning_rate_init": 0.01}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def classifier(**options: Any) -> Any:
    """Trained eagerly where nothing else is said: compiling each of so many networks takes longer."""
    return lg.MLPClassifier(**{"hidden_layer_sizes": (16,), "engine": "eager", **SHORT, **options})


def regressor(**options: Any) -> Any:
    """As ``classifier``."""
    return lg.MLPRegressor(**{"hidden_layer_sizes": (16,), "engine": "eager", **SHORT, **options})


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_scikit_learns_parameters_come_first_in_its_order_with_its_defaults(name):
    theirs, ours = (inspect.signature(getattr(m, name)).parameters for m in (neural_network, lg))
    assert list(ours)[: len(theirs)] == list(theirs)
    for parameter in theirs.values():
        assert (ours[parameter.name].default, ours[parameter.name].kind) == (parameter.default, parameter.kind)
    model = getattr(lg, name)
    assert {p: v for p, v in model().get_params().items() if p in ours} == {p: ours[p].default for p in ours}


# --- the network ----------------------------------------------------------------------------------------------------


def test_layers_stand_as_they_were_asked_for():
    model = classifier(hidden_layer_sizes=(9, 8), activation=["gelu", tanh], dropout=[0.2, 0.0], normalization="layer")
    model.fit(IRIS, SPECIES)
    kinds = [getattr(layer, "__name__", type(layer).__name__) for layer in model.model_]
    assert kinds == ["Linear", "LayerNorm", "gelu", "Dropout", "Linear", "LayerNorm", "tanh", "Linear"]
    assert [c.shape for c in model.coefs_] == [(4, 9), (9, 8), (8, 3)]
    np.testing.assert_array_equal(model.model_[0].weight.numpy().T, model.coefs_[0])
    np.testing.assert_array_equal(model.model_[-1].bias.numpy(), model.intercepts_[-1])
    assert model.n_layers_ == 4
    assert not model.model_.training


@pytest.mark.parametrize("normalization", ["batch", "layer", None])
@pytest.mark.parametrize(
    "activation", ["relu", "logistic", "selu", lambda x: x * x.sigmoid()], ids=["relu", "logistic", "selu", "function"]
)
def test_predictions_are_those_of_the_network(normalization, activation):
    model = classifier(activation=activation, normalization=normalization, dropout=0.1, max_iter=10)
    model.fit(IRIS, SPECIES)
    expected = lg.predict_proba(model.model_, IRIS, engine="eager")
    np.testing.assert_allclose(model.predict_proba(IRIS), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(model.predict_proba(IRIS[:1]), expected[:1], rtol=1e-9, atol=1e-12)


def test_the_loop_of_scikit_learn_also_leaves_a_network_and_a_history():
    plain = classifier(early_stopping=True).fit(IRIS, SPECIES)
    np.testing.assert_allclose(lg.predict_proba(plain.model_, IRIS), plain.predict_proba(IRIS), rtol=1e-9)
    assert plain.history_["loss"] == plain.loss_curve_
    assert plain.history_["validation_score"] == plain.validation_scores_
    with pytest.raises(AttributeError, match="not fitted"):
        lg.MLPClassifier().model_


def test_training_with_ours_is_scikit_learns_where_it_means_the_same():
    """One batch an epoch, as the order of the samples is another; and no epsilon, which theirs does not correct."""
    options = {"max_iter": 25, "random_state": 1, "alpha": 0.1, "hidden_layer_sizes": (9, 8), "epsilon": 1e-14}
    for given in ({}, {"activation": "logistic"}, {"solver": "sgd", "learning_rate_init": 0.1}):
        theirs = neural_network.MLPClassifier(**options, **given).fit(IRIS, SPECIES)
        ours = lg.MLPClassifier(**options, **given, callbacks=[Callback()]).fit(IRIS, SPECIES)
        for a, b in zip(theirs.coefs_ + theirs.intercepts_, ours.coefs_ + ours.intercepts_, strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)
        assert (ours.n_iter_, ours.t_, ours.out_activation_) == (theirs.n_iter_, theirs.t_, theirs.out_activation_)
        np.testing.assert_allclose(ours.best_loss_, theirs.best_loss_, rtol=1e-6)
    weight = np.random.default_rng(0).random(442)
    theirs = neural_network.MLPRegressor(**options, batch_size=442).fit(DIABETES, PROGRESS, weight)
    ours = lg.MLPRegressor("squared_error", **options, batch_size=442, callbacks=[Callback()])
    ours.fit(DIABETES, PROGRESS, weight)
    np.testing.assert_allclose(ours.predict(DIABETES), theirs.predict(DIABETES), rtol=1e-5)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)


def test_float32_is_kept_and_integers_and_sparse_rows_are_taken():
    from scipy import sparse

    model = classifier(normalization="batch", activation="gelu")
    assert model.fit(IRIS.astype(np.float32), SPECIES).predict_proba(IRIS.astype(np.float32)).dtype == np.float32
    assert {p.dtype for p in model.model_.parameters().values()} == {np.dtype(np.float32)}
    whole = np.rint(IRIS * 10).astype(np.int64)
    dense = clone(model).fit(whole, SPECIES)
    for kind in (sparse.csr_matrix, sparse.csc_array):
        thin = clone(model).fit(kind(whole), SPECIES)
        np.testing.assert_array_equal(thin.predict_proba(kind(whole)), dense.predict_proba(whole))
    many = np.tile(IRIS, (120, 1))  # more rows than are asked at once
    np.testing.assert_allclose(model.predict_proba(many)[-150:], model.predict_proba(IRIS), rtol=1e-5)


# --- losses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("loss", "constant"),
    [("absolute_error", np.median), (Quantile(q=0.9), lambda y: np.quantile(y, 0.9)), ("squared_error", np.mean)],
    ids=["absolute", "quantile", "squared"],
)
def test_a_regressor_learns_what_its_loss_is_best_at(loss, constant):
    y = np.random.default_rng(0).exponential(size=300)
    model = lg.MLPRegressor(loss, (), optimizer="adam", learning_rate_init=0.02, max_iter=300, tol=0, random_state=0)
    made = model.fit(np.zeros((300, 1)), y).predict(np.zeros((1, 1)))
    assert made[0] == pytest.approx(constant(y), abs=0.1)


@pytest.mark.parametrize("loss", ["huber", "log_cosh", "poisson", Huber(delta=2.0), Poisson(), "own"], ids=str)
def test_losses_by_name_as_objects_and_as_functions(loss):
    counts = np.round(np.exp(PROGRESS / 2))
    given = (lambda p, t: ((p - t) ** 2).sqrt()) if loss == "own" else loss
    model = regressor(loss=given, dropout=0.1, max_iter=60).fit(DIABETES, counts)
    assert model.score(DIABETES, counts) > 0.2
    logarithm = loss == "poisson" or isinstance(loss, Poisson)
    assert model.out_activation_ == ("exp" if logarithm else "identity")
    assert len(model.loss_curve_) == model.n_iter_ <= 60


def test_several_targets_and_several_quantiles():
    both = np.stack([PROGRESS, -PROGRESS], 1)
    model = regressor(loss="huber").fit(DIABETES, both, X_val=DIABETES, y_val=both)
    assert model.predict(DIABETES).shape == (442, 2)
    quantiles = regressor(loss=Quantile(q=(0.1, 0.9)), max_iter=200, tol=0).fit(DIABETES, PROGRESS)
    low, high = quantiles.predict(DIABETES).T
    assert 0.7 < ((low <= PROGRESS) & (high >= PROGRESS)).mean() < 0.9
    with pytest.raises(ArgumentError, match="score expected one prediction for each target, got 2 quantiles"):
        quantiles.score(DIABETES, PROGRESS)
    with pytest.raises(ArgumentError, match=r"2 quantiles expected one target, \(n,\), got y of shape \(442, 2\)"):
        quantiles.fit(DIABETES, both)


@pytest.mark.parametrize("loss", ["log_loss", "hinge", CrossEntropy(label_smoothing=0.1), "own"], ids=str)
@pytest.mark.parametrize("classes", [2, 3])
def test_classifiers_with_losses(loss, classes):
    y = NAMES if classes == 3 else np.where(SPECIES == 1, "yes", "no")
    own = lg.losses.CrossEntropy() if classes == 3 else lg.losses.Logistic()
    model = classifier(loss=(lambda p, t: own.per_sample(p, t)) if loss == "own" else loss, activation="gelu")
    model.set_params(max_iter=150).fit(IRIS, y)
    assert model.score(IRIS, y) > 0.94
    if loss == "hinge":
        with pytest.raises(AttributeError, match="predict_proba"):
            model.predict_proba(IRIS)
        assert not hasattr(model, "predict_log_proba")
    else:
        probabilities = model.predict_proba(IRIS)
        np.testing.assert_allclose(probabilities.sum(1), 1)
        np.testing.assert_allclose(model.predict_log_proba(IRIS), np.log(probabilities))


def test_several_labels_a_row():
    y = np.stack([SPECIES > 0, SPECIES == 1], axis=1).astype(int)
    model = classifier(dropout=0.1, normalization="layer", class_weight="balanced", max_iter=100)
    model.fit(IRIS, y, X_val=IRIS, y_val=y)
    assert model.predict(IRIS).shape == model.predict_proba(IRIS).shape == (150, 2)
    assert model.score(IRIS, y) > 0.9


def test_a_loss_for_other_targets_is_refused():
    for loss in (CrossEntropy, "cross_entropy", "logistic"):
        with pytest.raises((ArgumentError, ValueError), match="loss"):
            regressor(loss=loss).fit(DIABETES, PROGRESS)
    with pytest.raises(ArgumentError, match="MLPClassifier expected a loss for 3 classes, got Huber"):
        classifier(loss=Huber()).fit(IRIS, SPECIES)
    with pytest.raises(ArgumentError, match="expected a loss for 3 classes, got Logistic"):
        classifier(loss="logistic").fit(IRIS, SPECIES)


# --- optimisers and schedules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "rmsprop", "adagrad", "lion", RMSprop(cosine(0.01, 40))])
def test_optimizers_by_name_and_as_objects(optimizer):
    model = classifier(optimizer=optimizer).fit(IRIS, SPECIES)
    assert model.loss_curve_[-1] < 0.8 * model.loss_curve_[0]


@pytest.mark.parametrize("optimizer", ["lbfgs", LBFGS(max_iterations=15)])
def test_l_bfgs_with_settings_of_ours(optimizer):
    model = classifier(optimizer=optimizer, activation="silu", max_iter=200).fit(IRIS, SPECIES)
    assert model.score(IRIS, SPECIES) > 0.97
    assert not hasattr(model, "partial_fit")
    assert classifier(solver="lbfgs", activation="silu", max_iter=200).fit(IRIS, SPECIES).score(IRIS, SPECIES) > 0.97
    with pytest.raises(ArgumentError, match="L-BFGS expected no schedule"):
        classifier(optimizer="lbfgs", schedule="cosine").fit(IRIS, SPECIES)


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "exponential", "step_decay", "warm_up"])
def test_schedules_go_over_the_steps_of_max_iter(schedule):
    model = classifier(schedule=schedule, tol=0, n_iter_no_change=1000, batch_size=50)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)  # max_iter is where a schedule is to end
        rates = model.fit(IRIS, SPECIES).history_["learning_rate"]
    assert len(rates) == 40
    ends = {"constant": 1, "cosine": 0, "one_cycle": 0, "exponential": 0.01, "step_decay": 0.01, "warm_up": 1}
    assert rates[-1] / 0.01 == pytest.approx(ends[schedule], abs=2e-3)
    assert max(rates) == pytest.approx(0.01, rel=0.1)


def test_a_schedule_of_ones_own_and_scikit_learns_learning_rates():
    rates = classifier(schedule=lambda step: 0.5**step).fit(IRIS, SPECIES).history_["learning_rate"]
    assert rates[:3] == [1.0, 0.5, 0.25]
    scaled = classifier(solver="sgd", learning_rate="invscaling", dropout=0.1, batch_size=50).fit(IRIS, SPECIES)
    assert scaled.history_["learning_rate"][:2] == pytest.approx([0.01, 0.01 / 151**0.5])
    adaptive = classifier(solver="sgd", learning_rate="adaptive", activation="gelu", n_iter_no_change=1, tol=10)
    rates = adaptive.set_params(max_iter=60).fit(IRIS, SPECIES).history_["learning_rate"]
    assert rates[0] == 0.01
    assert rates[-1] < 1e-5
    assert adaptive.n_iter_ < 60
    with pytest.raises(ArgumentError, match="schedule expected optimizer=None or a name"):
        classifier(optimizer=RMSprop(), schedule="cosine").fit(IRIS, SPECIES)


# --- weights --------------------------------------------------------------------------------------------------------


def test_class_weights_are_sample_weights_by_class():
    options = {"batch_size": 110, "max_iter": 20}
    weights = np.array([1.0, 5.0, 0.5])
    by_sample = classifier(**options).fit(IRIS, NAMES, sample_weight=weights[SPECIES])
    by_class = classifier(**options, class_weight={"setosa": 1.0, "versicolor": 5.0, "virginica": 0.5})
    np.testing.assert_allclose(by_class.fit(IRIS, NAMES).coefs_[0], by_sample.coefs_[0])
    some = np.arange(110)  # 50, 50, 10
    balanced = classifier(**options, class_weight="balanced").fit(IRIS[some], SPECIES[some])
    from sklearn.utils.class_weight import compute_sample_weight

    same = classifier(**options).fit(IRIS[some], SPECIES[some], compute_sample_weight("balanced", SPECIES[some]))
    np.testing.assert_allclose(balanced.coefs_[0], same.coefs_[0], rtol=1e-9)
    theirs = neural_network.MLPClassifier((16,), solver="lbfgs", max_iter=20, random_state=1)
    theirs.fit(IRIS, SPECIES, weights[SPECIES])
    ours = classifier(solver="lbfgs", max_iter=20, class_weight=dict(enumerate(weights.tolist()))).fit(IRIS, SPECIES)
    np.testing.assert_allclose(ours.coefs_[0], theirs.coefs_[0])


def test_class_weights_that_cannot_be_meant():
    for class_weight, message in (
        (
            {"rose": 1},
            r"class_weight expected classes of y, got 'rose'. There are \['setosa', 'versicolor', 'virginica'\]",
        ),
        ({"setosa": -1.0}, "class_weight expected finite numbers >= 0"),
        ([{0: 1}], "class_weight expected 'balanced' or a dict from classes to weights, got a list"),
        ({"setosa": "much"}, "class_weight expected finite numbers >= 0, got {'setosa': 'much'}"),
    ):
        with pytest.raises(ArgumentError, match=message):
            classifier(class_weight=class_weight).fit(IRIS, NAMES)
    with pytest.raises(ArgumentError, match="a list of 2 dicts, one for each label of a row"):
        classifier(class_weight={0: 1}).fit(IRIS, np.stack([SPECIES > 0, SPECIES == 1], 1).astype(int))
    assert not hasattr(classifier(class_weight="balanced"), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        classifier(class_weight="balanced").partial_fit(IRIS, NAMES)


@pytest.mark.parametrize(
    "options", [{"dropout": 0.3, "batch_size": 40}, {"normalization": "batch", "activation": "silu"}]
)
def test_whole_weights_are_copies_of_rows_in_any_order(options):
    counts = np.random.default_rng(2).integers(0, 4, 150)
    repeated = classifier(**options).fit(np.repeat(IRIS, counts, 0), np.repeat(SPECIES, counts))
    order = np.random.default_rng(3).permutation(150)
    weighted = classifier(**options).fit(IRIS[order], SPECIES[order], counts[order])
    np.testing.assert_allclose(weighted.predict_proba(IRIS), repeated.predict_proba(IRIS), rtol=1e-7)
    assert np.isfinite(classifier(**options).fit(IRIS, SPECIES, counts * 0.1).loss_)
    assert np.isfinite(classifier(**options, shuffle=False).fit(IRIS, SPECIES, counts * 1000).loss_)


# --- early stopping -------------------------------------------------------------------------------------------------


def test_early_stopping_on_ones_own_validation_set_keeps_the_best_weights():
    rng = np.random.default_rng(0)
    train, test = rng.permutation(150)[:60], rng.permutation(150)[60:]
    noisy = np.where(rng.random(60) < 0.3, rng.choice(NAMES, 60), NAMES[train])
    model = classifier(hidden_layer_sizes=(100,), learning_rate_init=0.05, max_iter=300, n_iter_no_change=15)
    model.fit(IRIS[train], noisy, X_val=IRIS[test], y_val=NAMES[test])
    assert model.n_iter_ < 300
    assert model.score(IRIS[test], NAMES[test]) == model.best_validation_score_ == max(model.validation_scores_)
    assert model.validation_scores_[-1] < model.best_validation_score_
    assert model.history_["validation_score"] == model.validation_scores_
    assert "validation_loss" in model.history_
    assert model.best_loss_ is None


def test_what_is_not_scikit_learns_is_judged_by_its_own_loss():
    model = regressor(loss="absolute_error", max_iter=30)
    model.fit(DIABETES[:300], PROGRESS[:300], X_val=DIABETES[300:], y_val=PROGRESS[300:])
    own = [-loss for loss in model.history_["validation_loss"]]
    assert model.validation_scores_ == own
    error = metrics.mean_absolute_error(PROGRESS[300:], model.predict(DIABETES[300:]))
    assert model.best_validation_score_ == pytest.approx(-error)
    means = regressor(loss=SquaredError(), early_stopping=True, max_iter=30).fit(DIABETES, PROGRESS)
    assert -1 < means.best_validation_score_ < 1
    assert means.validation_scores_ != [-x for x in means.history_["validation_loss"]]


def test_a_validation_set_that_does_not_fit():
    with pytest.raises(ArgumentError, match="fit expected X_val and y_val together, got X_val"):
        classifier().fit(IRIS, SPECIES, X_val=IRIS)
    with pytest.raises(ArgumentError, match=r"y_val expected classes that y has, .* got \['rose'\]"):
        classifier().fit(IRIS, NAMES, X_val=IRIS[:1], y_val=["rose"])
    with pytest.raises(ValueError, match="features"):
        classifier().fit(IRIS, NAMES, X_val=IRIS[:, :2], y_val=NAMES)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        regressor().fit(DIABETES, PROGRESS, X_val=DIABETES, y_val=PROGRESS[:5])
    with pytest.raises(ArgumentError, match="y_val expected 1 target, as y has, got 2"):
        regressor().fit(DIABETES, PROGRESS, X_val=DIABETES, y_val=np.stack([PROGRESS] * 2, 1))
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True"):
        classifier(early_stopping=True, dropout=0.1).partial_fit(IRIS, SPECIES, classes=[0, 1, 2])


# --- going on, watching, leaving ------------------------------------------------------------------------------------


def test_warm_start_goes_on_from_weights_and_norms():
    model = classifier(normalization="batch", warm_start=True, max_iter=5).fit(IRIS, SPECIES)
    first, norm = model.coefs_[0].copy(), model.model_[1].running_mean.numpy()
    model.set_params(max_iter=1).fit(IRIS, SPECIES)
    assert 0 < np.abs(model.coefs_[0] - first).max() < 0.1
    assert 0 < np.abs(model.model_[1].running_mean.numpy() - norm).max() < 0.5
    assert len(model.loss_curve_) == 6
    plain = classifier(warm_start=True).fit(IRIS, SPECIES)
    before = plain.coefs_[0].copy()
    plain.set_params(dropout=0.1, max_iter=1).fit(IRIS, SPECIES)  # from one loop to the other, and back
    assert 0 < np.abs(plain.coefs_[0] - before).max() < 0.1
    assert "_network" not in vars(plain.set_params(dropout=0.0).fit(IRIS, SPECIES))


def test_partial_fit_keeps_its_optimizer():
    model = classifier(activation="gelu", optimizer="adam", shuffle=False)
    for _ in range(6):
        model.partial_fit(IRIS, NAMES, classes=np.unique(NAMES))
    whole = classifier(activation="gelu", optimizer="adam", shuffle=False, max_iter=6).fit(IRIS, NAMES)
    np.testing.assert_allclose(model.coefs_[0], whole.coefs_[0], rtol=1e-6)
    assert model.t_ == whole.t_ == 900
    assert regressor(loss="huber").partial_fit(DIABETES, PROGRESS).n_iter_ == 1
    weighted = classifier(class_weight={"setosa": 3.0}, dropout=0.1)
    assert weighted.partial_fit(IRIS, NAMES, classes=np.unique(NAMES)).t_ == 150


def test_callbacks_see_the_run(tmp_path):
    class Watching(Callback):
        def on_epoch_end(self, run):
            self.columns = list(run.history.last)

    watching, log = Watching(), CSVLog(tmp_path / "log.csv")
    stopping = EarlyStopping("validation_loss", patience=3)
    model = classifier(callbacks=[watching, log, stopping]).fit(IRIS, SPECIES, X_val=IRIS, y_val=SPECIES)
    assert {"loss", "validation_loss", "validation_score", "learning_rate"} <= set(watching.columns)
    assert (tmp_path / "log.csv").read_text().count("\n") == model.n_iter_ + 1
    with pytest.raises(ArgumentError, match="callbacks expected Callback objects"):
        classifier(callbacks=[print]).fit(IRIS, SPECIES)


@pytest.mark.parametrize("options", [{}, {"engine": "native"}, {"dropout": 0.1}])
def test_progress_is_drawn_where_it_is_asked_for_and_changes_nothing(options, capsys):
    shown = classifier(**options, progress=True).fit(IRIS, SPECIES)
    assert "epoch 40/40" in capsys.readouterr().err
    quiet = classifier(**options).fit(IRIS, SPECIES)
    assert capsys.readouterr().err == ""
    np.testing.assert_array_equal(shown.coefs_[0], quiet.coefs_[0])
    assert "_bar" not in vars(shown)


@pytest.mark.parametrize("options", [{"engine": "eager"}, {"engine": "native"}, {"dropout": 0.1}])
def test_calls_of_partial_fit_show_nothing_unless_one_takes_long(options, capsys, monkeypatch):
    model = classifier(**options, progress=True)
    for _ in range(3):
        model.partial_fit(IRIS, SPECIES, classes=np.unique(SPECIES))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(progress, "SECONDS_OF_QUIET", 0.0)
    model.partial_fit(IRIS, SPECIES)
    assert "epoch 1/1  loss" in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["eager", "native"])
def test_a_bar_shows_the_validation_score_of_its_own_epoch(engine, capsys):
    options = {"early_stopping": True, "max_iter": 12}
    model = classifier(engine=engine, progress=True, **options).fit(IRIS, SPECIES)
    assert model.validation_scores_[-1] != model.validation_scores_[-2]
    assert f"validation score {model.validation_scores_[-1]:.4f}" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"activation": "gelu", "dropout": 0.2, "normalization": "batch", "optimizer": "adamw", "batch_size": 40},
        {"activation": ["silu"], "normalization": "layer", "schedule": "cosine", "class_weight": "balanced"},
        {"loss": CrossEntropy(label_smoothing=0.1), "solver": "sgd"},
    ],
)
def test_engines_and_threads_agree(options):
    models = [
        classifier(**options, engine=engine, threads=threads).fit(IRIS, SPECIES)
        for engine, threads in (("native", 1), ("native", 2), ("eager", None))
    ]
    np.testing.assert_array_equal(models[0].coefs_[0], models[1].coefs_[0])
    np.testing.assert_allclose(models[2].coefs_[0], models[0].coefs_[0], rtol=1e-6)


def test_an_engine_that_cannot_says_so(monkeypatch):
    from lucidgrad.estimators import mlp

    monkeypatch.setattr(mlp, "available", lambda: False)
    with pytest.warns(RuntimeWarning, match="scikit-learn's loop trains: llvmlite is not installed"):
        classifier(engine="native").fit(IRIS, SPECIES)


def test_verbose_is_scikit_learns(capsys):
    classifier(verbose=True, dropout=0.1, n_iter_no_change=2, tol=1).fit(IRIS, SPECIES, X_val=IRIS, y_val=SPECIES)
    text = capsys.readouterr().out
    assert "Iteration 1, loss = " in text
    assert "Validation score: 0." in text
    assert "Validation score did not improve more than tol=1.000000 for 2 consecutive epochs. Stopping." in text


def test_warnings_are_scikit_learns():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(3\) reached and the optimization hasn't"):
        classifier(dropout=0.1, max_iter=3).fit(IRIS, SPECIES)
    with pytest.warns(UserWarning, match="larger than sample size. It is going to be clipped"):
        classifier(dropout=0.1, batch_size=1000).fit(IRIS, SPECIES)


def test_ctrl_c_keeps_what_was_learned():
    class Interrupts(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 3:
                raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model = classifier(callbacks=[Interrupts()]).fit(IRIS, SPECIES)
    assert model.n_iter_ == 3
    same = classifier(callbacks=[Callback()], max_iter=3).fit(IRIS, SPECIES)
    np.testing.assert_array_equal(model.coefs_[0], same.coefs_[0])


def test_copies_and_pickles_predict_the_same():
    model = regressor(loss=Huber(delta=0.5), normalization="batch", dropout=0.1, optimizer="adamw", calibration=0.2)
    model.fit(DIABETES, PROGRESS)
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(twin.predict(DIABETES), model.predict(DIABETES))
        np.testing.assert_array_equal(twin.predict_interval(DIABETES), model.predict_interval(DIABETES))
    np.testing.assert_array_equal(clone(model).fit(DIABETES, PROGRESS).coefs_[0], model.coefs_[0])


def test_settings_that_fit_no_layer():
    with pytest.raises(ArgumentError, match="dropout expected one value, or one for each hidden layer, 1, got 2"):
        classifier(dropout=[0.1, 0.2]).fit(IRIS, SPECIES)
    with pytest.raises(ArgumentError, match=r"activation expected a function of a Tensor, or one of .*'swisch'"):
        classifier(activation=["swisch"]).fit(IRIS, SPECIES)
    with pytest.raises(ValueError, match="The 'activation' parameter of MLPClassifier must be"):
        classifier(activation="swisch").fit(IRIS, SPECIES)
    with pytest.raises(ArgumentError, match="normalization='batch' expected at least two samples"):
        regressor(normalization="batch").fit(DIABETES[:1], PROGRESS[:1])
    assert regressor(normalization="batch", batch_size=2).fit(DIABETES[:5], PROGRESS[:5]).n_iter_ > 0
