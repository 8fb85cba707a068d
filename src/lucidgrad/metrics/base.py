"""What a metric is: something that is added up over batches in bounded memory, and then read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.errors import DataError, ShapeError, explain
from lucidgrad.targets import Array, array_of, check_total_weight, check_weight_shape, check_weights

State: TypeAlias = dict[str, Array]


class Metric(ABC):
    """A number that is reported: ``state = update(state, ...)`` for each batch, then ``result(state)``.

    The state is a dict of float64 arrays whose sizes do not depend on the number of samples, so that it can be
    kept in a checkpoint. Calling a metric does all of it at once; the functions of this package are such calls.

    Attributes
    ----------
    name
        What its column in the history is called.
    not_differentiable
        For a metric that counts, why it cannot be trained on; else empty.

    Examples
    --------
    A metric of one's own adds up what it needs, and is kept in the history under its name:

    >>> import numpy as np
    >>> from lucidgrad.metrics import Metric
    >>> class Largest(Metric):
    ...     name = "largest"
    ...     def init(self):
    ...         return {"largest": np.zeros(())}
    ...     def update(self, state, predictions, targets, sample_weight=None):
    ...         error = np.abs(np.subtract(predictions, targets)).max()
    ...         return {"largest": np.maximum(state["largest"], error)}
    ...     def result(self, state):
    ...         return float(state["largest"])
    >>> Largest()([1.0, 4.0], [2.0, 2.0])
    2.0
    """

    name: str
    not_differentiable: str = ""

    def __call__(self, predictions: Any, targets: Any, sample_weight: Any = None) -> Any:
        """The metric of a whole set.

        Parameters
        ----------
        predictions, targets, sample_weight
            As in ``update``: (batch,) or (batch, columns), as many targets, and (batch,).
        """
        return self.result(self.update(self.init(), predictions, targets, sample_weight))

    @abstractmethod
    def init(self) -> State:
        """The state before any sample."""

    @abstractmethod
    def update(self, state: State, predictions: Any, targets: Any, sample_weight: Any = None) -> State:
        """The state with one more batch in it.

        Parameters
        ----------
        state
            From ``init`` or the previous ``update``; it stays as it is.
        predictions
            (batch,) or (batch, columns), at least one sample.
        targets
            As many, in the shape that each metric says.
        sample_weight
            What each sample counts, (batch,): none negative. None: 1.

        Raises
        ------
        ShapeError, DataError, DtypeError
            When the three do not fit together, or there is no sample.
        ArgumentError
            Weights that are negative or not finite.
        """

    @abstractmethod
    def result(self, state: State) -> Any:
        """The metric of all samples so far: a float, or an array with a number for each class.

        Parameters
        ----------
        state
            From ``update``.

        Raises
        ------
        ArgumentError
            When all weights were 0.
        """

    def __repr__(self) -> str:
        options = (f"{k}={v!r}" for k, v in vars(self).items() if k != "name" and not k.startswith("_"))
        return f"{type(self).__name__}({', '.join(options)})"


class SampleMean(Metric):
    """A metric that is a number for each sample, and its weighted mean over all."""

    @abstractmethod
    def per_sample(self, predictions: Array, targets: Array) -> Array:
        """The number of each sample, (batch,): booleans, or float64.

        Parameters
        ----------
        predictions, targets
            (batch,) or (batch, columns), as many samples in both.

        Raises
        ------
        ShapeError, DataError, DtypeError
            When the two do not fit together.
        """

    def init(self) -> State:
        """Nothing, of no weight."""
        return {"total": np.zeros(()), "weight": np.zeros(())}

    def update(self, state: State, predictions: Any, targets: Any, sample_weight: Any = None) -> State:
        """Add the weighted numbers of a batch."""
        values = self.per_sample(*batch_of(self.name, predictions, targets))
        w = weights_of(sample_weight, len(values))
        return {"total": state["total"] + (w * values).sum(), "weight": state["weight"] + w.sum()}

    def result(self, state: State) -> float:
        """The total by the weight."""
        check_total_weight(self.name, float(state["weight"]))
        return float(state["total"] / state["weight"])


def batch_of(who: str, predictions: Any, targets: Any) -> tuple[Array, Array]:
    """Both as arrays, of the same number of samples, at least one."""
    p, t = array_of(predictions), array_of(targets)
    if not p.ndim or p.shape[:1] != t.shape[:1]:
        raise ShapeError(
            explain(
                f"{who} expected a target for each prediction along the first axis",
                f"predictions {p.shape} and targets {t.shape}",
                "Put predictions first, targets second, and a single sample into brackets",
            )
        )
    if not len(p):
        raise DataError(explain(f"{who} expected at least one sample", "none", "Check how the data was split"))
    return p, t


def weights_of(sample_weight: Any, batch: int) -> Array:
    """The weight of each sample, float64 (batch,): 1 where none is given."""
    if sample_weight is None:
        return np.ones(batch)
    w = array_of(sample_weight).astype(np.float64)
    check_weight_shape(w.shape, batch)
    check_weights("sample_weight", w)
    return w
