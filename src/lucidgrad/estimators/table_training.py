"""What the estimators for tables share: from a frame to arrays, holding rows back, training, and asking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from lucidgrad.data import split_indices
from lucidgrad.data.table import TablePreprocessing, table_of
from lucidgrad.data.table.frame import Table
from lucidgrad.errors import ArgumentError, DataError, explain
from lucidgrad.estimators.intervals import worth
from lucidgrad.estimators.progress import labels_of_runs
from lucidgrad.estimators.table_network import (
    Design,
    OfMembers,
    activation_of,
    build,
    edges_of,
    fill_unseen,
    inputs_of,
    most_pieces,
)
from lucidgrad.estimators.table_rows import counting_rows, masks_of, rows_with_targets
from lucidgrad.estimators.table_settings import check_settings, decided
from lucidgrad.optim import AdamW
from lucidgrad.random import Key, use_key
from lucidgrad.training import EarlyStopping, History, fit, predict
from lucidgrad.training.fit import with_progress
from lucidgrad.training.step import model_dtype

Array = np.ndarray[Any, np.dtype[Any]]

LEAST_TO_STOP = 60  # rows from which on "auto" holds some back
MOST_TO_REFIT = 5_000  # rows up to which "auto" trains again on all
MOST_TO_SPLIT = 1_000  # rows up to which several splits say for how many epochs
SPLITS = 3
MOST_TO_TRY = 20_000  # rows up to which pieces have to show that they are better: many rows cannot be learned by heart
SURE = 2.0  # standard errors


Held: TypeAlias = tuple[Array, Array, Array | None]
"""Rows that were held back: inputs, targets, and how much each counts."""


@dataclass(frozen=True)
class _Trained:
    """A network, how its training went, and into how many pieces it cuts numbers."""

    model: Any
    history: History
    pieces: int


class TableEstimator(BaseEstimator):  # type: ignore[misc]
    """The part of both estimators that does not depend on what is predicted."""

    def _keep(self, given: dict[str, Any]) -> None:
        """Keep the parameters as they are, as scikit-learn demands."""
        for name, value in given.items():
            if name not in ("self", "__class__"):
                setattr(self, name, value)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = tags.input_tags.string = tags.input_tags.categorical = True
        tags.non_deterministic = False
        return tags

    # --- training -----------------------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
        held_back: Any = None,
    ) -> Self:
        """Train on a table and a target for each row.

        Parameters
        ----------
        X
            A pandas or polars frame, an Arrow table, a dict of columns, or an array (rows, columns).
        y : (rows,)
            Labels for a classifier; for a regressor numbers, (rows, outputs) for several targets.
        sample_weight : (rows,), optional
            How much each row counts; those of weight 0 are as if they were not there.
        X_val, y_val, sample_weight_val
            A table to stop early on, instead of a part of X, its targets, and how much each of its rows counts. A
            class counts there what it counts in X.
        held_back : (rows,) or (splits, rows), bool, optional
            Which rows of X to stop early on, instead of some by chance: whole groups, or the latest.

        Returns
        -------
        The estimator itself.

        Raises
        ------
        DataError
            For a table, or targets, that nothing can be learned from: no rows, no column that tells them apart, values
            that are missing among the targets, or fewer than two classes.
        ArgumentError
            For settings that are none, and arguments that do not go together.
        """
        me: Any = self
        if held_back is not None and X_val is not None:
            raise ArgumentError(explain("fit expected held_back or X_val", "both", "Leave one out"))
        check_settings(me)
        table = self._table(X, reset=True)
        y = rows_with_targets(y, table.rows, me, "y")
        weight, masks = None, None if held_back is None else masks_of(held_back, table.rows)
        if sample_weight is not None:
            weight = _check_sample_weight(sample_weight, np.empty((table.rows, 1)), ensure_non_negative=True)
            if len(kept := counting_rows(weight)) < table.rows:
                table = Table(table.names, [c[kept] for c in table.columns], len(kept), table.named)
                y, weight, masks = y[kept], weight[kept], None if masks is None else masks[:, kept]
        if masks is not None and (masks.all(axis=1) | ~masks.any(axis=1)).any():
            got = "all rows or none (rows of weight 0 are not there)"
            raise ArgumentError(
                explain("held_back expected rows to learn from and rows to stop on", got, "Choose some")
            )
        targets = me._targets(y, weight)
        counts = _times(weight, me._class_weights(targets, weight, targets))  # what each row counts in the loss
        self.preprocessing_ = TablePreprocessing.fit(table, kinds=me.kinds, scaling=me.scaling, sample_weight=weight)
        self.columns_ = self.preprocessing_.columns
        x = inputs_of(self.preprocessing_, table, me.dtype)
        if not x.shape[1]:
            raise DataError(
                explain(
                    "a table expected a column that can tell rows apart",
                    "; ".join(f"{c.name}: {c.kind}, {c.reason}" for c in self.columns_[:5]),
                    'Overrule a guess that is wrong: kinds={"name": "categorical"}',
                )
            )
        given = self._validation(X_val, y_val, sample_weight_val, lambda of: me._class_weights(targets, weight, of))
        self._train(x, targets, counts, given, masks)
        return self

    def _validation(self, X_val: Any, y_val: Any, weight_val: Any, by_class: Any) -> Held | None:
        """The rows that the user would have training stopped on; ``by_class`` says what targets count."""
        me: Any = self
        if X_val is None:
            if y_val is not None or weight_val is not None:
                expected = "fit expected X_val with y_val and sample_weight_val"
                raise ArgumentError(explain(expected, "none", "Pass the table that they are of"))
            return None
        table = self._table(X_val, reset=False)
        if y_val is None:
            raise ArgumentError(explain("fit expected y_val with X_val", "none", "Pass the targets of X_val"))
        targets = me._validation_targets(rows_with_targets(y_val, table.rows, me, "y_val"))
        x, weight = inputs_of(self.preprocessing_, table, me.dtype), None
        if weight_val is not None:
            weight = _check_sample_weight(weight_val, x, dtype=np.float64, ensure_non_negative=True)
            kept = counting_rows(weight)
            x, targets, weight = x[kept], targets[kept], weight[kept]
        return x, targets, _times(weight, by_class(targets))

    def _train(self, x: Array, y: Array, weight: Array | None, given: Held | None, masks: Array | None) -> None:
        me: Any = self
        seed = int(check_random_state(me.random_state).randint(2**31 - 1))
        stops = decided(me.early_stopping, by_rows=len(x) >= LEAST_TO_STOP)
        again = decided(me.refit, by_rows=len(x) <= MOST_TO_REFIT)
        splits: list[tuple[Array, Array]] = []
        if masks is not None:
            splits = [(np.flatnonzero(~mask), np.flatnonzero(mask)) for mask in masks]
        elif given is None and stops:
            drawings = SPLITS if again and len(x) <= MOST_TO_SPLIT else 1
            splits = [_split(y, me.validation_fraction, seed + i) for i in range(drawings)]
        again = again and bool(splits)
        rows, held_back = np.arange(len(x)), given
        if splits:
            rows, held = splits[0]
            held_back = x[held], y[held], _some(weight, held)
        pieces = self._pieces(len(rows))[: 1 if held_back is None else None]
        labels = labels_of_runs(pieces, len(splits), again)
        chosen = self._best(x[rows], y[rows], _some(weight, rows), held_back, seed, pieces, labels)
        self.model_, self.history_ = chosen.model, chosen.history
        self._after(held_back)
        if again:
            epochs = self._epochs(x, y, weight, splits[1:], seed, chosen.pieces, labels)
            self.model_ = self._run(x, y, weight, None, epochs, seed, chosen.pieces, (), next(labels)).model
        fill_unseen(self.model_, x[:, len(self.preprocessing_.numeric_names) :].astype(np.int64), weight)

    def _best(
        self,
        x: Array,
        y: Array,
        weight: Array | None,
        held_back: Held | None,
        seed: int,
        tried: list[int],
        labels: Iterator[str],
    ) -> _Trained:
        """With numbers as they are, or in pieces where rows that were held back say that this is better.

        Pieces find steps and bends at once; where there are none, they are learned by heart.
        """
        me: Any = self
        best = self._run(x, y, weight, held_back, me.epochs, seed, tried[0], me.callbacks, next(labels))
        for pieces in tried[1:]:
            assert held_back is not None
            other = self._run(x, y, weight, held_back, me.epochs, seed, pieces, (), next(labels))
            x_held, y_held, w = held_back
            first, second = (self._losses(each.model, x_held, y_held) for each in (best, other))
            if not np.isfinite(first).all():  # it has diverged
                best = other
                continue
            less = first - second
            mean = np.average(less, weights=w)
            deviation = np.sqrt(np.average((less - mean) ** 2, weights=w))
            if mean > SURE * deviation / np.sqrt(len(less) if w is None else worth(w)):
                best = other
        return best

    def _losses(self, model: Any, x: Array, y: Array) -> Array:
        """Of each row, (rows,)."""
        me: Any = self
        loss = OfMembers(me._outputs(y)[2])
        return loss.per_sample(predict(model, x, threads=me.threads, engine=me.engine), y).numpy().astype(np.float64)

    def _epochs(
        self,
        x: Array,
        y: Array,
        weight: Array | None,
        splits: list[tuple[Array, Array]],
        seed: int,
        pieces: int,
        labels: Iterator[str],
    ) -> int:
        """For how many epochs to train on all rows: the median of what the first split and the further ones say."""
        me: Any = self
        found = [self.best_epoch_]
        for i, (rows, held) in enumerate(splits, 1):
            some, held_back = _some(weight, rows), (x[held], y[held], _some(weight, held))
            run = self._run(x[rows], y[rows], some, held_back, me.epochs, seed + i, pieces, (), next(labels))
            found.append(best_epoch(run.history))
        return round(float(np.median(found)))

    def _after(self, held_back: Held | None) -> None:
        """What is learned from the rows that were held back, while the network has not seen them."""

    def _run(
        self,
        x: Array,
        y: Array,
        weight: Array | None,
        held_back: Held | None,
        epochs: int,
        seed: int,
        pieces: int,
        callbacks: Sequence[Any],
        label: str,
    ) -> _Trained:
        """Build the network and train it, until rows that are held back say to stop."""
        me: Any = self
        key = Key(seed)
        numeric = len(self.preprocessing_.numeric_names)
        outputs, of, loss = me._outputs(y)
        design = Design(
            tuple(int(n) for n in me.hidden_layer_sizes),
            activation_of(me.activation),
            float(me.dropout),
            me.normalization,
            int(me.embedding_dim),
            int(me.members),
            outputs,
            of,
            np.dtype(me.dtype),
        )
        edges = edges_of(x[:, :numeric], pieces, y, weight)
        stopping = [] if held_back is None else [EarlyStopping("validation_loss", patience=me.patience)]
        with use_key(key.fold_in(1)):
            model, trained = build(design, self.preprocessing_.places, edges, numeric, key.fold_in(0))
            run = fit(
                trained,
                x,
                y,
                loss=OfMembers(loss),
                optimizer=AdamW(me.learning_rate, weight_decay=me.weight_decay),
                epochs=epochs,
                batch_size=self._batch_size(len(x)),
                validation=None if held_back is None else (*held_back[:2], _as(held_back[2], me.dtype)),
                callbacks=with_progress([*callbacks, *stopping], me.progress, label=label),
                seed=seed,
                sample_weight=_as(weight, me.dtype),
                engine=me.engine,
                threads=me.threads,
                progress=False,
            )
        model.eval()
        return _Trained(model, run.history, pieces)

    def _pieces(self, rows: int) -> list[int]:
        """Into how many pieces to cut each number: what to try, the first where nothing says which is better."""
        me: Any = self
        if me.pieces != "auto":
            return [int(me.pieces)]
        numeric = len(self.preprocessing_.numeric_names)
        many = most_pieces(rows, numeric, 48)
        return [0] if many < 2 else [many] if rows > MOST_TO_TRY else [0, many]

    def _batch_size(self, rows: int) -> int:
        me: Any = self
        return int(np.clip(rows // 16, 32, 256)) if me.batch_size == "auto" else int(me.batch_size)

    @property
    def best_epoch_(self) -> int:
        """After how many epochs the training that was judged was at its best."""
        return best_epoch(self.history_)

    # --- asking -------------------------------------------------------------------------------------------------

    def _ask(self, X: Any) -> Array:
        """The network's outputs for each row of a table, (rows, outputs)."""
        check_is_fitted(self)
        table = self._table(X, reset=False)
        return self._run_network(inputs_of(self.preprocessing_, table, model_dtype(self.model_)))

    def _run_network(self, x: Array) -> Array:
        me: Any = self
        if not len(x):
            return np.empty((0, len(me.classes_) if hasattr(me, "classes_") else len(me.target_scaling_.center)))
        return predict(self.model_, x, threads=me.threads, engine=me.engine)

    def _table(self, X: Any, reset: bool) -> Table:
        me: Any = self
        table = table_of(X)
        if reset and table.rows < 2:
            raise DataError(
                explain("fit expected at least 2 rows (n_samples)", f"{table.rows} sample", "Check how X was read")
            )
        if not table.columns:
            raise DataError(
                f"Found array with 0 feature(s) (shape=({table.rows}, 0)) while a minimum of 1 is required. "
                "Pass a table with columns."
            )
        if me.column_order == "same":
            validate_data(self, X, skip_check_array=True, reset=reset)
        elif reset:
            validate_data(
                self,
                X if table.named and hasattr(X, "columns") else np.empty((1, len(table.columns))),
                skip_check_array=True,
            )
        elif not table.named and len(table.columns) != self.n_features_in_:
            raise DataError(
                f"X has {len(table.columns)} features, but {type(self).__name__} is expecting {self.n_features_in_} "
                "features as input. Pass the columns of the training table."
            )
        return table


def _as(weight: Array | None, dtype: Any) -> Array | None:
    return None if weight is None else weight.astype(dtype)


def best_epoch(history: History) -> int:
    """After how many epochs the loss on the rows held back was least; without such rows, all of them."""
    columns = history.rows[0].keys() if history.rows else ()
    if "validation_loss" not in columns:
        return len(history.rows)
    losses = np.asarray(history["validation_loss"])
    return 1 + int(np.nanargmin(losses)) if np.isfinite(losses).any() else 1


def _times(weight: Array | None, other: Array | None) -> Array | None:
    return other if weight is None else weight if other is None else weight * other


def _some(weight: Array | None, rows: Array) -> Array | None:
    return None if weight is None else weight[rows]


def _split(y: Array, fraction: float, seed: int) -> tuple[Array, Array]:
    """Rows to train on and rows to hold back; classes keep their shares where each has rows enough."""
    labels = y if y.ndim == 1 and np.unique(y, return_counts=True)[1].min() > 1 else None
    try:
        return split_indices(len(y), fraction, seed=seed, stratify=labels)
    except DataError:
        return split_indices(len(y), fraction, seed=seed)
