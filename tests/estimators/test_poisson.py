"""Counts by a Poisson loss: the same predictions whether it is named, given as a class, an object or a function."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError
from lucidgrad.losses import Poisson, poisson

onnxruntime.set_default_logger_severity(3)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
COUNTS = RNG.poisson(np.exp(1 + 0.5 * X[:, 0])).astype(float)
FORMS = {"name": "poisson", "class": Poisson, "object": Poisson(), "function": poisson}
EVERY = pytest.mark.parametrize("form", FORMS)
IN_FILES = pytest.mark.parametrize("form", ["name", "class", "object"])


@cache
def fitted(form: str) -> Any:
    # dropout=1e-9: all are trained by lucidgrad's loop, which leaves nothing out.
    model = lg.MLPRegressor(
        FORMS[form], (8,), dropout=1e-9, early_stopping=True, max_iter=30, learning_rate_init=0.01, random_state=0,
        engine="eager",
    )  # fmt: skip
    return model.fit(X, COUNTS)


@cache
def of_table(form: str) -> Any:
    options: dict[str, Any] = {"epochs": 10, "random_state": 0, "hidden_layer_sizes": (8,), "members": 1}
    return lg.TabularRegressor(loss=FORMS[form], **options).fit({"a": X[:, 0], "b": X[:, 1]}, COUNTS)


@EVERY
def test_counts_are_predicted_and_not_their_logarithms(form: str) -> None:
    made = fitted(form).predict(X)
    assert (made > 0).all()
    assert made.mean() == pytest.approx(COUNTS.mean(), rel=0.15)
    np.testing.assert_array_equal(made, fitted("name").predict(X))


@EVERY
def test_early_stopping_judges_by_the_same_score(form: str) -> None:
    assert fitted(form).validation_scores_ == fitted("name").validation_scores_


@IN_FILES
@pytest.mark.parametrize("make", [fitted, of_table])
def test_files_and_onnx_predict_counts_too(form: str, make: Any, tmp_path: Path) -> None:
    model = make(form)
    x: Any = X if make is fitted else {"a": X[:, 0], "b": X[:, 1]}
    lg.save(model, tmp_path / "m.lucidgrad")
    np.testing.assert_array_equal(lg.load(tmp_path / "m.lucidgrad").predict(x), model.predict(x))
    lg.onnx.export(model, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    given = {"input": X} if make is fitted else x
    np.testing.assert_allclose(session.run(None, given)[0], model.predict(x), rtol=1e-4)


@EVERY
def test_tables_predict_counts(form: str) -> None:
    made = of_table(form).predict({"a": X[:, 0], "b": X[:, 1]})
    np.testing.assert_array_equal(made, of_table("name").predict({"a": X[:, 0], "b": X[:, 1]}))
    assert (made > 0).all()


@pytest.mark.parametrize("make", [lg.MLPRegressor, lg.TabularRegressor])
def test_a_loss_whose_means_a_layer_of_weights_cannot_make_is_refused(make: Any) -> None:
    with pytest.raises(ArgumentError, match=r"logarithm of the mean.*log_input=False.*loss='poisson'"):
        make(loss=Poisson(log_input=False)).fit(X, COUNTS)
