"""Golden files: of each kind of model and of weights alone, written once, read for ever to the numbers of that day.

``python -m tests.io.golden_files`` writes those that are missing; it never writes one again that is there. Beside
each file there is ``.json``: the inputs, and what each of its methods gave for them on the day it was written.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.data.table import TablePreprocessing
from lucidgrad.functional import tanh
from lucidgrad.nn.weights_file import KIND as WEIGHTS

FOLDER = Path(__file__).parent / "golden"
ROWS = 6  # that are asked about

X, CLASSES = make_classification(
    60, 3, n_informative=3, n_redundant=0, n_classes=3, n_clusters_per_class=1, random_state=0
)
X = X.round(3)
SEVERAL = make_multilabel_classification(60, 3, n_classes=3, random_state=0)[1]
NUMBERS = np.abs(make_regression(60, 3, random_state=0)[1]).round(2) / 100
NAMES = np.array(["low", "mid", "높음"])


class Golden(NamedTuple):
    """A file and what is known of it.

    Attributes
    ----------
    path
        ``KIND-VERSION[-VARIANT].lucidgrad``, with the version of the format.
    given
        Rows, or columns by name.
    made
        By the name of a method (``""``: the model itself), what it gave.
    """

    path: Path
    given: Any
    made: dict[str, Any]

    @property
    def kind(self) -> str:
        """What the file is a model of."""
        return self.path.stem.split("-")[0]

    @property
    def version(self) -> int:
        """Of the format."""
        return int(self.path.stem.split("-")[1])

    def load(self, path: Path) -> Any:
        """A file like this one; weights go into the module that they belong to."""
        if self.kind != WEIGHTS:
            return lg.load(path)
        model = OWN[self.path.stem]()
        model.load(path)
        return model.eval()

    def inputs(self) -> Any:
        """What is given to the model: prepared, where that goes with it."""
        preparing = None if self.kind == WEIGHTS else lg.io.read_model(self.path).preprocessing
        return self.given if preparing is None else preparing.transform(self.given)


def golden(path: Path) -> Golden:
    """A golden file with its numbers."""
    known = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return Golden(path, known["given"], known["made"])


FILES = [golden(path) for path in sorted(FOLDER.glob("*.lucidgrad"))]


def write(model: Any, path: Path, **beside: Any) -> None:
    """Save a model as what it is: one of one's own has only weights to save."""
    if isinstance(model, Tower):
        model.save(path)
    else:
        lg.save(model, path, **beside)


def asked(model: Any, method: str, given: Any) -> Any:
    """What a method gives for the inputs, as JSON has it."""
    call = getattr(model, method) if method else model
    made = call(given if isinstance(given, dict) else np.asarray(given))
    return [_plain(part) for part in made] if isinstance(made, tuple) else _plain(made)


def _plain(made: Any) -> Any:
    return (made.numpy() if isinstance(made, lg.Tensor) else made).tolist()


# --- modules of one's own ---------------------------------------------------------------------------------------------


class Tower(nn.Module):
    """Layers in a list, and by names that are no paths of files; a running state, and a tensor that is no layer's."""

    def __init__(self) -> None:
        self.layers = [nn.Linear(3, 4, key=lg.Key(1)), nn.BatchNorm(4)]
        self.heads = {"a/b~c": nn.Linear(4, 2, key=lg.Key(2)), "높음": nn.Linear(4, 2, bias=False, key=lg.Key(3))}
        self.scale = lg.Tensor(np.linspace(-1, 1, 2), requires_grad=True)  # float64

    def forward(self, x: lg.Tensor) -> lg.Tensor:
        """Two numbers for each row."""
        for layer in self.layers:
            x = layer(x)
        return self.heads["a/b~c"](x) + self.heads["높음"](tanh(x)) * self.scale

    def used(self) -> Tower:
        """With running statistics that have moved."""
        self(X.astype(np.float32))
        return self.eval()


OWN = {"weights-1": Tower}
"""The modules that weights belong to. They are not to change: a changed one is another entry, with another file."""


# --- how they were made -----------------------------------------------------------------------------------------------


def table(rows: int = 60) -> dict[str, list[Any]]:
    """Columns of every kind, each with something missing."""
    rng = np.random.default_rng(0)
    size = [float(v) for v in rng.lognormal(3, 1, rows).round(2)]
    town = [str(v) for v in rng.choice(["Bonn", "Köln", "서울"], rows)]
    sold = [bool(v) for v in rng.random(rows) > 0.5]
    days = np.datetime64("2019-12-20") + rng.integers(0, 900, rows)
    made = {"size": size, "town": town, "sold": sold, "seen": [str(v) for v in days]}
    for i, values in enumerate(made.values()):
        values[2 * i] = None  # type: ignore[call-overload]
    return made | {"constant": [1] * rows}


def _of_table() -> np.ndarray[Any, Any]:
    columns = table()
    return np.array([(s or 10.0) / 10 + (t == "Köln") for s, t in zip(columns["size"], columns["town"], strict=True)])


def _small(estimator: Any, y: Any) -> Any:
    estimator.set_params(max_iter=8, random_state=0, hidden_layer_sizes=(4, 3))
    return estimator.fit(X, y)


_TABULAR: dict[str, Any] = {"hidden_layer_sizes": (4,), "embedding_dim": 2, "epochs": 4, "random_state": 0}
_PROBABILITIES = ("predict", "predict_proba")

RECIPES: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "network-1-measured": (lambda: nn.Linear(3, 2, key=lg.Key(0)), ("",)),
    "network-1-layers": (
        lambda: nn.Sequential(
            nn.Embedding(5, 2), nn.LayerNorm(2), nn.Flatten(), nn.Linear(6, 4), tanh, nn.Reshape(2, 2), nn.Flatten()
        ).eval(),
        ("",),
    ),
    "weights-1": (lambda: Tower().used(), ("",)),
    "standardize-1": (lambda: lg.data.Standardize(X.mean(0), X.std(0)), ("transform",)),
    "table-1": (lambda: TablePreprocessing.fit(table(), scaling="quantile"), ("transform",)),
    "mlp_classifier-1": (lambda: _small(lg.MLPClassifier(), NAMES[CLASSES]), _PROBABILITIES),
    "mlp_classifier-1-several": (lambda: _small(lg.MLPClassifier(activation="tanh"), SEVERAL), _PROBABILITIES),
    "mlp_classifier-1-two": (lambda: _small(lg.MLPClassifier(early_stopping=True), CLASSES > 0), _PROBABILITIES),
    "mlp_classifier-1-extras": (
        lambda: _small(
            lg.MLPClassifier(
                activation=["gelu", tanh], normalization="batch", dropout=0.1, class_weight={0: 1.0, 1: 2.0, 2: 1.0},
                optimizer=optim.AdamW(optim.schedules.cosine(1e-2, steps=10)),
                loss=lg.losses.CrossEntropy(label_smoothing=0.1),
            ),
            CLASSES,
        ),
        _PROBABILITIES,
    ),
    "mlp_regressor-1": (lambda: _small(lg.MLPRegressor(), np.stack([NUMBERS, -NUMBERS], 1)), ("predict",)),
    "mlp_regressor-1-counts": (lambda: _small(lg.MLPRegressor(loss="poisson"), NUMBERS.round()), ("predict",)),
    "mlp_regressor-1-folds": (
        lambda: _small(
            lg.MLPRegressor(loss=lg.losses.Quantile(q=(0.1, 0.5, 0.9)), normalization="layer", calibration=2), NUMBERS
        ),
        ("predict", "predict_interval"),
    ),
    "tabular_classifier-1": (
        lambda: lg.TabularClassifier(members=2, pieces=2, **_TABULAR).fit(
            table(), NAMES[np.digitize(_of_table(), [1.5, 3.0])]
        ),
        _PROBABILITIES,
    ),
    "tabular_regressor-1": (
        lambda: lg.TabularRegressor(
            members=1, pieces=0, normalization="layer", activation=lg.functional.silu, early_stopping=True, refit=False,
            validation_fraction=0.3, scaling="standard", **_TABULAR,
        ).fit(table(), _of_table()),
        ("predict", "predict_interval"),
    ),
    "tabular_regressor-1-counts": (
        lambda: lg.TabularRegressor(members=2, pieces=0, loss="poisson", **_TABULAR).fit(
            {"size": table()["size"]}, np.stack([_of_table().round(), np.ones(60)], 1)
        ),
        ("predict",),
    ),
}  # fmt: skip

BESIDE: dict[str, dict[str, Any]] = {
    "network-1-measured": {"metrics": {"accuracy": 0.5}, "measured_on": {"validation": 2, "test": 1200}}
}
"""What goes with a model."""


def _write_missing() -> None:
    for name, (make, methods) in RECIPES.items():
        path = FOLDER / f"{name}.lucidgrad"
        if path.exists():
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model = make()
        write(model, path, **BESIDE.get(name, {}))
        given: Any = {k: v[:ROWS] for k, v in table().items()} if "tab" in name else X[:ROWS].tolist()
        given = [[0, 1, 2], [4, 3, 0]] if name == "network-1-layers" else given
        known = {"given": given, "made": {method: asked(model, method, given) for method in methods}}
        text = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
        path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    _write_missing()
