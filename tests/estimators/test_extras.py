"""What MLPClassifier and MLPRegressor take beyond scikit-learn's parameters does what it says."""

import inspect
from typing import Any

import numpy as np
import pytest
from sklearn import datasets, neural_network

import lucidgrad as lg

IRIS, SPECIES = datasets.load_iris(return_X_y=True)
DIABETES, PROGRESS = datasets.load_diabetes(return_X_y=True)
PROGRESS = (PROGRESS - 150) / 80
SHORT: dict[str, Any] = {"max_iter": 40, "random_state": 1, "learning_rate_init": 0.01}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_scikit_learns_parameters_come_first_in_its_order_with_its_defaults(name):
    theirs, ours = (inspect.signature(getattr(m, name)).parameters for m in (neural_network, lg))
    assert list(ours)[: len(theirs)] == list(theirs)
    for parameter in theirs.values():
        assert (ours[parameter.name].default, ours[parameter.name].kind) == (parameter.default, parameter.kind)


def test_layers_stand_as_they_were_asked_for():
    model = lg.MLPClassifier((9, 8), activation=["gelu", lg.functional.tanh], dropout=[0.2, 0.0], **SHORT)
    model.set_params(normalization="layer").fit(IRIS, SPECIES)
    kinds = [getattr(layer, "__name__", type(layer).__name__) for layer in model.model_]
    assert kinds == ["Linear", "LayerNorm", "gelu", "Dropout", "Linear", "LayerNorm", "tanh", "Linear"]
    assert [c.shape for c in model.coefs_] == [(4, 9), (9, 8), (8, 3)]
    np.testing.assert_allclose(model.predict_proba(IRIS), lg.predict_proba(model.model_, IRIS), rtol=1e-9)
    assert model.score(IRIS, SPECIES) > 0.9
