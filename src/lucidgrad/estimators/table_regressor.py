"""TabularRegressor: numbers for the rows of a table with columns of any kind, as an estimator of scikit-learn's kind.

What it shares with TabularClassifier is in ``table_training.py``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import RegressorMixin

from lucidgrad.errors import ArgumentError, DataError, counted, explain
from lucidgrad.estimators.intervals import check_coverage, is_enough, least_scores, split_interval, worth
from lucidgrad.estimators.networks import loss_for_numbers
from lucidgrad.estimators.onnx_export import write_table_regressor
from lucidgrad.estimators.table_training import Held, TableEstimator
from lucidgrad.estimators.target_scaling import Scaling
from lucidgrad.losses import Poisson, Quantile
from lucidgrad.onnx.pipeline import Pipeline

Array = np.ndarray[Any, np.dtype[Any]]


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
        As of ``TabularClassifier``.
    learning_rate, weight_decay, batch_size, epochs, early_stopping, patience, validation_fraction, refit
        As of ``TabularClassifier``.
    column_order, dtype, random_state, engine, threads, callbacks, progress
        As of ``TabularClassifier``.

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
    >>> area = np.linspace(20, 200, 120)
    >>> town = np.resize(["Bonn", "Köln", "Ulm"], 120)
    >>> price = area * np.where(town == "Köln", 5.0, 4.0)
    >>> model = lg.TabularRegressor(hidden_layer_sizes=(32,), members=2, pieces=0, random_state=0)
    >>> _ = model.fit({"area": area, "town": town}, price)
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

    def _targets(self, y: Array, weight: Array | None) -> Array:
        values = _real(y)
        self._one = values.ndim == 1
        self._poisson = isinstance(loss_for_numbers(self), Poisson)
        self.target_scaling_ = Scaling.of(values.reshape(len(values), -1), weight, by_mean=self._poisson)
        return self._validation_targets(values)

    def _validation_targets(self, y: Array) -> Array:
        values = _real(y).reshape(len(y), -1)
        if values.shape[1] != len(self.target_scaling_.center):
            raise DataError(
                explain(
                    f"y_val expected {counted(len(self.target_scaling_.center), 'target')} for each row, as y has",
                    f"{values.shape[1]}",
                    "Pass the same columns",
                )
            )
        return self.target_scaling_.down(values).astype(self.dtype)

    def _class_weights(self, targets: Array, weight: Array | None, of: Array) -> Array | None:
        return None

    def _outputs(self, targets: Array) -> tuple[int, str, Any]:
        loss, outputs = loss_for_numbers(self), targets.shape[1]
        if isinstance(loss, Quantile) and not isinstance(loss.q, float) and len(loss.q) != outputs:
            expected = f"TabularRegressor expected as many q as targets, {outputs}"
            try_ = "Train a model for each quantile; MLPRegressor predicts several quantiles of one target"
            raise ArgumentError(explain(expected, f"q={loss.q}", try_))
        return outputs, "values", loss

    def _values(self, outputs: Array) -> Array:
        """The network's outputs in the unit of the targets, (rows, outputs)."""
        outputs = outputs.astype(np.float64)
        return self.target_scaling_.up(np.exp(outputs) if self._poisson else outputs)

    def predict(self, X: Any) -> Array:
        """The number for each row.

        Parameters
        ----------
        X
            A table (rows, columns) with the columns of training, of any kind that ``fit`` takes.

        Returns
        -------
        (rows,), or (rows, outputs) where the targets had columns
        """
        outputs = self._ask(X)
        values = self._values(outputs)
        return values[:, 0] if self._one else values

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """An interval for each row that holds the target with a probability of ``coverage``.

        The half width is a quantile of how far predictions were from the targets of rows that were held back (split
        conformal prediction, Lei et al. 2018, Algorithm 2). With rows that training has not used at all, at least the
        share ``coverage`` of the targets would lie inside, over many tables and rows, whatever their distribution.
        These rows said when to stop, and with ``refit`` the network that is asked has learned from more rows than the
        one that was off so far: the share comes near ``coverage``, without that guarantee. ``MLPRegressor``
        with ``calibration=0.2`` gives it.

        Parameters
        ----------
        X
            A table (rows, columns) with the columns of training, of any kind that ``fit`` takes.
        coverage
            In (0, 1).

        Returns
        -------
        (rows, 2), or (rows, outputs, 2) where the targets had columns: lower and upper end.

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
                    f"predict_interval(coverage={coverage}) expected {counted(least_scores(coverage), 'row')} "
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
        """For ``lucidgrad.onnx.export``: an input for each column → ``prediction``; see ``lucidgrad.onnx.table``.

        Parameters
        ----------
        pipeline
            What becomes the file.
        """
        write_table_regressor(self, pipeline)


def _real(y: Array) -> Array:
    """The targets in float64."""
    try:
        if y.dtype.kind == "c":
            raise TypeError("complex numbers")
        return y.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            explain(
                "TabularRegressor expected real numbers as targets",
                str(error),
                "Labels are learned by TabularClassifier",
            )
        ) from None
