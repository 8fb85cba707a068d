"""What an estimator trains on and is judged by: data as scikit-learn's checks leave them, and as losses want them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import (
    _check_sample_weight,
    check_array,
    check_consistent_length,
    column_or_1d,
    validate_data,
)

from lucidgrad.errors import ArgumentError, counted, explain
from lucidgrad.estimators.asking import dense
from lucidgrad.estimators.copies import as_counts, order_by_content
from lucidgrad.estimators.extras import class_weights
from lucidgrad.estimators.networks import output_columns
from lucidgrad.training.samples import Samples

Array = np.ndarray[Any, np.dtype[Any]]


class Given(NamedTuple):
    """What is trained on, as scikit-learn's checks leave it.

    Attributes
    ----------
    X, y : (n, features), (n, outputs)
        Dense or sparse; classes as columns of booleans.
    weight, by_class : (n,), optional
        What a sample counts by ``sample_weight``, and by its class.
    """

    X: Any
    y: Array
    weight: Array | None = None
    by_class: Array | None = None

    def part(self, rows: Array) -> Given:
        """Some of the rows."""
        weight, by_class = (None if w is None else w[rows] for w in (self.weight, self.by_class))
        return Given(self.X[rows], self.y[rows], weight, by_class)

    @property
    def weights(self) -> Array | None:
        """Both weights together."""
        given = [w for w in (self.weight, self.by_class) if w is not None]
        return given[0] if len(given) == 1 else given[0] * given[1] if given else None


def parts_of(me: Any, given: Given) -> tuple[Given, Given | None]:
    """What is trained on, and what early stopping looks at."""
    own = me.__dict__.get("_given_validation")
    if own is not None:
        return given, _validation(me, given, *own)
    if not me.early_stopping:
        return given, None
    stratify = given.y if is_classifier(me) and me.n_outputs_ == 1 else None
    train, held_back = train_test_split(
        np.arange(len(given.y)), random_state=me._random_state, test_size=me.validation_fraction, stratify=stratify
    )
    if len(held_back) < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    return given.part(train), given.part(held_back)


def weights_by_class(me: Any, y: Array, weight: Array | None, of: Array) -> Array | None:
    """What samples count by ``class_weight``, with the classes of ``y`` (n, outputs); ``of`` is coded as ``y`` is."""
    if getattr(me, "class_weight", None) is None:
        return None
    labels, others = (np.asarray(me._label_binarizer.inverse_transform(codes.astype(np.int64))) for codes in (y, of))
    return class_weights(me.class_weight, labels, me.classes_, weight, others).astype(me.coefs_[0].dtype)


def _validation(me: Any, given: Given, X: Any, y: Any, weight: Any) -> Given:
    """The user's own validation set, checked, encoded and weighted by class as the training set is."""
    dtype = me.coefs_[0].dtype
    X = validate_data(me, X, accept_sparse=["csr", "csc"], dtype=dtype, reset=False)
    check_consistent_length(X, y)
    weight = None if weight is None else _check_sample_weight(weight, X, dtype=dtype)
    if not is_classifier(me):
        y = check_array(y, ensure_2d=False, dtype=dtype, input_name="y_val").reshape(X.shape[0], -1)
        targets = 1 if output_columns(me) is not None else me.n_outputs_
        if y.shape[1] != targets:
            raise ArgumentError(
                explain(f"y_val expected {counted(targets, 'target')}, as y has", f"{y.shape[1]}", "Give the same")
            )
        return Given(X, np.broadcast_to(y, (len(y), me.n_outputs_)), weight)
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = column_or_1d(y)
    if y.ndim == 1 and len(unknown := np.setdiff1d(y, me.classes_)):
        raise ArgumentError(
            explain(
                f"y_val expected classes that y has, {me.classes_.tolist()}",
                f"{unknown.tolist()}",
                "Leave such rows out of the validation set, or put some of them into the training set",
            )
        )
    codes = me._label_binarizer.transform(y).astype(bool)
    codes = codes.reshape(len(codes), -1)
    return Given(X, codes, weight, weights_by_class(me, given.y, given.weight, codes))


def samples_of(me: Any, part: Given, copies: bool) -> Samples:
    """As the loss wants them: labels for one class out of several, numbers for all else.

    ``copies``: a whole sample weight is so many copies of the row, and the order in which rows are given makes no
    difference. Dropout draws for each row, and batch norm averages over rows: a weight in the loss alone would not be
    the same as that many rows.
    """
    dtype = me.coefs_[0].dtype
    try:
        x = np.ascontiguousarray(dense(part.X, dtype))
    except MemoryError as error:
        raise ArgumentError(
            explain(
                "training with settings beyond scikit-learn's expected a sparse X that fits into memory when dense",
                f"shape {part.X.shape}",
                "Use fewer columns (sklearn.feature_selection, TruncatedSVD), partial_fit on parts of the rows, or "
                "scikit-learn's settings alone, with which sparse inputs stay sparse",
            )
        ) from error
    several = is_classifier(me) and me.out_activation_ == "softmax"
    targets = np.argmax(part.y, axis=1) if several else np.ascontiguousarray(part.y, dtype)
    if not copies:
        return Samples.of(x, targets, part.weights, dtype)
    counts = as_counts(part.weight)
    samples = Samples.of(x, targets, part.weights if counts is None else part.by_class, dtype)
    order = order_by_content(x, targets) if me.shuffle else np.arange(len(x))
    if counts is not None:
        order = np.repeat(order, counts[order])
    if samples.rows is not None:  # some weights are 0
        order = order[np.isin(order, samples.rows)]
    return replace(samples, rows=order)
