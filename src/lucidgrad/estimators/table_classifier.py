"""TabularClassifier: classes of the rows of a table with columns of any kind, as an estimator of scikit-learn's kind.

What it shares with TabularRegressor is in ``table_training.py``; the network of both is in ``table_network.py``, the
preprocessing of the columns in ``lucidgrad.data.table``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from lucidgrad.errors import DataError, explain
from lucidgrad.estimators.extras import class_weights
from lucidgrad.estimators.onnx_export import write_table_classifier
from lucidgrad.estimators.scores import has_probabilities, has_scores, knows_probabilities, loss_for_classes
from lucidgrad.estimators.table_training import TableEstimator
from lucidgrad.functional import log_softmax, softmax
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
    learning_rate, weight_decay
        Of AdamW.
    batch_size
        Rows in a step; ``"auto"``: a sixteenth of all, from 32 to 256.
    epochs
        How often to go over all rows at most.
    early_stopping
        Hold a part of the rows back, and stop when the loss on it has not fallen for ``patience`` epochs, with the
        weights of the best. ``"auto"``: where there are rows enough.
    patience
        For early stopping, in epochs.
    validation_fraction
        The share of the rows that early stopping holds back.
    refit
        Train anew on all rows, for as many epochs as were best, after early stopping has found how many: the median
        of three splits with up to 1,000 rows. ``"auto"``: for tables of up to 5,000 rows.
    class_weight
        ``"balanced"``, or a weight for each class: how much a row of it counts, in training and in what stops it.
    column_order
        ``"any"``: columns of a data frame are found by their names. ``"same"``: they have to be those of training, in
        their order, as scikit-learn demands of its own estimators.
    dtype
        What columns and targets become and the network computes in: ``"float32"`` or ``"float64"``.
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

    def _targets(self, y: Array, weight: Array | None) -> Array:
        _check_one_label(y)
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
        _check_one_label(y)
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

    def _class_weights(self, targets: Array, weight: Array | None, of: Array) -> Array | None:
        if self.class_weight is None:
            return None
        labels, others = self.classes_[targets], self.classes_[of]
        return class_weights(self.class_weight, labels, self.classes_, weight, others)

    def _outputs(self, targets: Array) -> tuple[int, str, Any]:
        loss = loss_for_classes(self.loss)
        return len(self.classes_), "probabilities" if knows_probabilities(loss) else "values", loss

    @available_if(has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, in the order of ``classes_``.

        Parameters
        ----------
        X
            A table (rows, columns) with the columns of training, of any kind that ``fit`` takes.

        Returns
        -------
        (rows, classes)
        """
        return softmax(Tensor.wrap(self._ask(X).astype(np.float64)), axis=-1).numpy().copy()

    @available_if(has_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of ``predict_proba``.

        Parameters
        ----------
        X
            A table (rows, columns) with the columns of training, of any kind that ``fit`` takes.

        Returns
        -------
        (rows, classes)
        """
        return log_softmax(Tensor.wrap(self._ask(X).astype(np.float64)), axis=-1).numpy().copy()

    @available_if(has_scores)  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Array:
        """With the hinge loss: a score for each class, the largest of which is predicted.

        Parameters
        ----------
        X
            A table (rows, columns) with the columns of training, of any kind that ``fit`` takes.

        Returns
        -------
        (rows, classes), or of two classes the lead of the second, (rows,)
        """
        made: Array = self._ask(X).astype(np.float64)
        return made[:, 1] - made[:, 0] if len(self.classes_) == 2 else made

    def predict(self, X: Any) -> Array:
        """The most probable class of each row.

        Parameters
        ----------
        X
            A table (rows, columns) with the columns of training, of any kind that ``fit`` takes.

        Returns
        -------
        (rows,)
        """
        best = np.argmax(self._ask(X), axis=1)
        labels: Array = self.classes_[best]
        return labels

    def write_onnx(self, pipeline: Pipeline) -> None:
        """For ``lucidgrad.onnx.export``: a column each (``onnx.table``) → label, probabilities or scores.

        Parameters
        ----------
        pipeline
            What becomes the file.
        """
        write_table_classifier(self, pipeline)


def _check_one_label(y: Array) -> None:
    if y.ndim != 1:
        raise DataError(
            explain(
                "TabularClassifier expected one label for each row, (rows,)",
                f"shape {y.shape}",
                "Train one for each column: sklearn.multioutput.MultiOutputClassifier does it",
            )
        )
