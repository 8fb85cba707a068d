"""TabularClassifier and TabularRegressor: networks for tables with columns of any kind, as scikit-learn's estimators.

What the two share is in ``table_training.py``; their network is in ``table_network.py``, the preprocessing of the
columns in ``lucidgrad.data.table``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from lucidgrad.errors import ArgumentError, DataError, explain
from lucidgrad.estimators.extras import class_weights
from lucidgrad.estimators.intervals import check_coverage, is_enough, least_scores, split_interval, worth
from lucidgrad.estimators.networks import loss_for_numbers
from lucidgrad.estimators.onnx_export import write_table_classifier, write_table_regressor
from lucidgrad.estimators.scores import has_probabilities, has_scores, knows_probabilities, loss_for_classes
from lucidgrad.estimators.table_training import Held, TableEstimator
from lucidgrad.estimators.target_scaling import Scaling
from lucidgrad.functional import softmax
from lucidgrad.losses import Poisson
from lucidgrad.onnx.pipeline import Pipeline
from lucidgrad.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]


class TabularClassifier(ClassifierMixin, TableEstimator):  # type: ignore[misc]
    """Classes of the rows of a table, by a network that is trained in machine code.

    The columns may be numbers, text, categories, booleans and dates, with values missing; what each is taken for is in
    ``columns_``. Labels may be of any kind that can be sorted.

    Parameters
    ----------
    hidden_layer_sizes
        Units of each hidden layer.
    activation
        A name of ``lucidgrad.functional``, or a function.
    dropout
        The share of the hidden units that is left out at random in each step.
    normalization
        ``"layer"``: normalise each hidden layer's sums; None: do not.
    embedding_dim
        The length of the vector that is learned for each category.
    pieces
        Into how many pieces each number is cut (piecewise linear encoding); 0: it is taken as it is. ``"auto"``: two
        networks are trained, with and without, and pieces taken where rows that were held back say that they are
        better, beyond chance; with more than 20,000 rows they always are.
    members
        How many networks, which share most of their weights, are averaged.
    scaling
        Of numbers: ``"robust"``, ``"quantile"`` or ``"standard"``; see ``TablePreprocessing.fit``.
    kinds
        A dict of what columns are, by name, where the guess is not right: see ``lucidgrad.data.table.KINDS``.
    loss
        ``"cross_entropy"``; ``"hinge"``, which knows no probabilities; a Loss, or a function of (logits, labels).
    learning_rate, weight_decay, batch_size, epochs
        Of AdamW; ``batch_size="auto"`` goes by the number of rows.
    early_stopping
        Hold a part of the rows back, and stop when the loss on it has not fallen for ``patience`` epochs, with the
        weights of the best. ``"auto"``: where there are rows enough.
    patience, validation_fraction
        For early stopping.
    refit
        Train anew on all rows, for as many epochs as were best, after early stopping has found how many: the median
        of three splits with up to 1,000 rows. ``"auto"``: for tables of up to 5,000 rows.
    class_weight
        ``"balanced"``, or a weight for each class: how much a row of it counts.
    column_order
        ``"any"``: columns of a data frame are found by their names. ``"same"``: they have to be those of training, in
        their order, as scikit-learn demands of its own estimators.
    dtype
        What the network computes in, ``"float32"`` or ``"float64"``.
    random_state
        A number: the same one gives the same bits.
    engine, threads, callbacks, progress
        As of ``lucidgrad.fit``. Callbacks see the first training alone.

    Attributes
    ----------
    classes_
        The labels, sorted: the order of the columns of ``predict_proba``.
    preprocessing_ : lucidgrad.data.table.TablePreprocessing
        From tables to arrays.
    columns_ : list of lucidgrad.data.table.Column
        What each column was taken for, and why.
    model_ : lucidgrad.nn.Sequential
        The network: takes the numbers with the codes behind them, (rows, numeric + categorical).
    history_ : lucidgrad.History
        A row for each epoch, of the training that was judged on rows held back where there was one.
    best_epoch_ : int
        After how many epochs that training was at its best.
    n_features_in_, feature_names_in_
        As of scikit-learn's estimators.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> table = {"weight": [120, 150, 8000, None] * 10, "skin": ["smooth", "bumpy", "bumpy", "smooth"] * 10}
    >>> fruit = ["apple", "orange", "melon", "apple"] * 10
    >>> model = lg.TabularClassifier(random_state=0).fit(table, fruit)
    >>> model.predict({"weight": [7500, 130], "skin": ["bumpy", None]}).tolist()
    ['melon', 'apple']
    """

    def __init__(
        self,
        *,
        hidden_layer_sizes: tuple[int, ...] | list[int] = (128, 128),
        activation: Any = "relu",
        dropout: float = 0.1,
        normalization: str | None = None,
        embedding_dim: int = 8,
        pieces: int | str = "auto",
        members: int = 8,
        scaling: str = "robust",
        kinds: Any = None,
        loss: Any = "cross_entropy",
        learning_rate: float = 2e-3,
        weight_decay: float = 0.2,
        batch_size: int | str = "auto",
        epochs: int = 200,
        early_stopping: bool | str = "auto",
        patience: int = 16,
        validation_fraction: float = 0.15,
        refit: bool | str = "auto",
        class_weight: Any = None,
        column_order: str = "any",
        dtype: str = "float32",
        random_state: Any = None,
        engine: str = "auto",
        threads: int | None = None,
        callbacks: Any = (),
        progress: bool | None = False,
    ) -> None:
        self._keep(locals())

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        held_back: Any = None,
    ) -> TabularClassifier:
        """Train on a table and a label for each row.

        Parameters
        ----------
        X
            A pandas or polars frame, an Arrow table, a dict of columns, or an array (rows, columns).
        y : (rows,)
            Labels.
        sample_weight : (rows,), optional
            How much each row counts.
        X_val, y_val
            A table to stop early on, instead of a part of X.
        held_back : (rows,) or (splits, rows), bool, optional
            Which rows of X to stop early on, instead of some by chance: whole groups, or the latest.
        """
        self._fit(X, y, sample_weight, X_val, y_val, held_back)
        return self

    def _targets(self, y: Array, weight: Array | None) -> Array:
        check_classification_targets(y)
        try:
            self.classes_, codes = np.unique(y, return_inverse=True)
        except TypeError as error:
            message = explain("targets expected labels of one kind", str(error), "Make them all text, or all numbers")
            raise DataError(message) from None
        if len(self.classes_) < 2:
            raise DataError(
                explain(
                    "TabularClassifier expected targets of at least 2 classes",
                    f"1 class in {len(y)} rows: {self.classes_.tolist()[0]!r}",
                    "There is nothing to tell apart; check the column of the targets",
                )
            )
        return codes.astype(np.int64)

    def _validation_targets(self, y: Array) -> Array:
        known = np.isin(y, self.classes_)
        if not known.all():
            raise DataError(
                explain(
                    "y_val expected the classes of y",
                    repr(y[~known].tolist()[0]),
                    "Leave such rows out, or add some to X and y",
                )
            )
        return np.searchsorted(self.classes_, y).astype(np.int64)

    def _weights(self, targets: Array, weight: Array | None) -> Array | None:
        if self.class_weight is None:
            return weight
        own = class_weights(self.class_weight, self.classes_[targets], self.classes_, weight)
        return own if weight is None else own * weight

    def _outputs(self, targets: Array) -> tuple[int, str, Any]:
        loss = loss_for_classes(self.loss)
        return len(self.classes_), "probabilities" if knows_probabilities(loss) else "values", loss

    @available_if(has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (rows, classes) in the order of ``classes_``."""
        return softmax(Tensor.wrap(self._ask(X).astype(np.float64)), axis=-1).numpy().copy()

    @available_if(has_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of ``predict_proba``."""
        made: Array = np.log(np.maximum(self.predict_proba(X), np.finfo(np.float64).tiny))
        return made

    @available_if(has_scores)  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Array:
        """With the hinge loss: a score for each class, (rows, classes); of two the lead of the second, (rows,)."""
        made: Array = self._ask(X).astype(np.float64)
        return made[:, 1] - made[:, 0] if len(self.classes_) == 2 else made

    def predict(self, X: Any) -> Array:
        """The most probable class of each row, (rows,)."""
        best = np.argmax(self._ask(X), axis=1)
        labels: Array = self.classes_[best]
        return labels

    def write_onnx(self, pipeline: Pipeline) -> None:
        """For ``lucidgrad.onnx.export``: a column each (``onnx.table``) → label, probabilities or scores."""
        write_table_classifier(self, pipeline)


class TabularRegressor(RegressorMixin, TableEstimator):  # type: ignore[misc]
    """Numbers for the rows of a table, by a network that is trained in machine code.

    The columns may be numbers, text, categories, booleans and dates, with values missing; what each is taken for is in
    ``columns_``. Targets are scaled to mean 0 and standard deviation 1 for training.

    Parameters
    ----------
    loss
        A loss of lucidgrad for numbers, or its name: ``"squared_error"``, ``"absolute_error"``, ``"huber"`` (whose
        delta is in standard deviations of the targets), ``"poisson"`` for counts, ``Quantile(q=0.9)`` for a quantile.
    hidden_layer_sizes, activation, dropout, normalization, embedding_dim, pieces, members, scaling, kinds
        As of ``TabularClassifier``, and so are the others.

    Attributes
    ----------
    target_scaling_
        ``center`` and ``scale`` of the targets.
    residuals_ : (rows, outputs) or None
        How far predictions were from the targets of rows that were held back, sorted; for ``predict_interval``.
    preprocessing_, columns_, model_, history_, best_epoch_, n_features_in_, feature_names_in_
        As of ``TabularClassifier``.

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> area = np.linspace(20, 200, 300)
    >>> town = np.resize(["Bonn", "Köln", "Ulm"], 300)
    >>> price = area * np.where(town == "Köln", 5.0, 4.0)
    >>> model = lg.TabularRegressor(random_state=0).fit({"area": area, "town": town}, price)
    >>> float(abs(model.predict({"area": [100.0], "town": ["Köln"]}) - 500)[0]) < 25
    True
    >>> low, high = model.predict_interval({"area": [100.0], "town": ["Köln"]}, coverage=0.9)[0]
    >>> bool(low < 500 < high)
    True
    """

    def __init__(
        self,
        *,
        hidden_layer_sizes: tuple[int, ...] | list[int] = (128, 128),
        activation: Any = "relu",
        dropout: float = 0.1,
        normalization: str | None = None,
        embedding_dim: int = 8,
        pieces: int | str = "auto",
        members: int = 8,
        scaling: str = "robust",
        kinds: Any = None,
        loss: Any = "squared_error",
        learning_rate: float = 2e-3,
        weight_decay: float = 0.2,
        batch_size: int | str = "auto",
        epochs: int = 200,
        early_stopping: bool | str = "auto",
        patience: int = 16,
        validation_fraction: float = 0.15,
        refit: bool | str = "auto",
        column_order: str = "any",
        dtype: str = "float32",
        random_state: Any = None,
        engine: str = "auto",
        threads: int | None = None,
        callbacks: Any = (),
        progress: bool | None = False,
    ) -> None:
        self._keep(locals())

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        held_back: Any = None,
    ) -> TabularRegressor:
        """Train on a table and a number, or several, for each row.

        Parameters
        ----------
        X
            A pandas or polars frame, an Arrow table, a dict of columns, or an array (rows, columns).
        y : (rows,) or (rows, outputs)
            Targets.
        sample_weight : (rows,), optional
            How much each row counts.
        X_val, y_val
            A table to stop early on, instead of a part of X.
        held_back : (rows,) or (splits, rows), bool, optional
            As of ``TabularClassifier.fit``.
        """
        self._fit(X, y, sample_weight, X_val, y_val, held_back)
        return self

    def _targets(self, y: Array, weight: Array | None) -> Array:
        values = np.asarray(y, np.float64)
        self._one = values.ndim == 1
        self._poisson = isinstance(loss_for_numbers(self.loss), Poisson)
        self.target_scaling_ = Scaling.of(values.reshape(len(values), -1), weight, by_mean=self._poisson)
        return self._validation_targets(values)

    def _validation_targets(self, y: Array) -> Array:
        values = np.asarray(y, np.float64).reshape(len(y), -1)
        return self.target_scaling_.down(values).astype(np.float32)

    def _weights(self, targets: Array, weight: Array | None) -> Array | None:
        return weight

    def _outputs(self, targets: Array) -> tuple[int, str, Any]:
        return targets.shape[1], "values", loss_for_numbers(self.loss)

    def _values(self, outputs: Array) -> Array:
        """The network's outputs in the unit of the targets, (rows, outputs)."""
        outputs = outputs.astype(np.float64)
        return self.target_scaling_.up(np.exp(outputs) if self._poisson else outputs)

    def predict(self, X: Any) -> Array:
        """The number for each row, (rows,); (rows, outputs) where the targets had columns."""
        outputs = self._ask(X)
        values = self._values(outputs)
        return values[:, 0] if self._one else values

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """An interval for each row that holds the target with probability ``coverage``: (rows, 2), low and high.

        For several outputs (rows, outputs, 2). The half width is a quantile of how far predictions were from the
        targets of rows that were held back (split conformal prediction, Lei et al. 2018, algorithm 2): over many
        tables and rows alike, at least the share ``coverage`` of the targets lies inside, whatever their distribution.

        Raises
        ------
        ArgumentError
            When the model was trained without holding rows back, or with too few of them for the coverage.
        """
        check_coverage(coverage)
        values, held, weight = self._values(self._ask(X)), self.residuals_, self._residual_weight
        if held is None or not is_enough(held, weight, coverage):
            raise ArgumentError(
                explain(
                    f"predict_interval(coverage={coverage}) expected {least_scores(coverage)} rows "
                    "that were held back from training",
                    "0" if held is None else f"{len(held) if weight is None else worth(weight):.3g}",
                    "Train with early_stopping=True and more rows, or pass X_val and y_val to fit",
                )
            )
        interval = split_interval(values, held, coverage, weight)
        return interval[:, 0] if self._one else interval

    def _after(self, held_back: Held | None) -> None:
        self.residuals_ = self._residual_weight = None
        if held_back is not None:
            x, y, weight = held_back
            away = np.abs(self._values(self._run_network(x)) - self.target_scaling_.up(y.astype(np.float64)))
            order = np.argsort(away, axis=0, kind="stable")
            self.residuals_ = np.take_along_axis(away, order, 0)
            self._residual_weight = None if weight is None else weight.astype(np.float64)[order]

    def write_onnx(self, pipeline: Pipeline) -> None:
        """For ``lucidgrad.onnx.export``: an input for each column → ``prediction``; see ``lucidgrad.onnx.table``."""
        write_table_regressor(self, pipeline)
