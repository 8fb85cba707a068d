"""Training a perceptron with more than scikit-learn's settings: the loop of ``lucidgrad.fit``, the native engine,
and scikit-learn's rules about when to stop, what to print and what to keep.
"""

from __future__ import annotations

import math
import warnings
from typing import Any, final

import numpy as np
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.estimators.extras import THEIR_LOSSES
from lucidgrad.estimators.given import Given, parts_of, samples_of
from lucidgrad.estimators.networks import Penalised, epochs_of, linears, loss_of, network_of, optimizer_of, take_norms
from lucidgrad.losses import Poisson, SquaredError
from lucidgrad.nn import Sequential
from lucidgrad.optim import LBFGS
from lucidgrad.training import Callback, History, Run
from lucidgrad.training.fit import train_run, with_progress
from lucidgrad.training.threads import blas_threads, blas_threads_for

Array = np.ndarray[Any, np.dtype[Any]]

LOWEST_RATE = 1e-6  # from where on scikit-learn's learning_rate="adaptive" gives up


def fit_extended(me: Any, given: Given, layer_units: list[int], incremental: bool) -> None:
    """Train the network of an estimator whose ``coefs_`` and ``intercepts_`` are where it starts.

    ``incremental``, for ``partial_fit``: one epoch, with the optimiser as the call before left it.
    """
    dtype = me.coefs_[0].dtype
    if incremental and me.early_stopping:
        raise ValueError("partial_fit does not support early_stopping=True")
    network = network_of(me, layer_units, dtype)
    before = me.__dict__.get("_network")
    take_norms(network, before)
    train, held_back = parts_of(me, given)
    loss = loss_of(me)
    samples = samples_of(me, train, copies=bool(np.any(me.dropout)) or me.normalization == "batch")
    judged = None if held_back is None else samples_of(me, held_back, copies=False)
    size = _batch_size(me, len(samples))
    optimizer = optimizer_of(me, math.ceil(len(samples) / size), len(samples))
    watch = _Watch(me, len(train.y), held_back, isinstance(loss, SquaredError | Poisson), incremental)
    run = Run(
        network,
        Penalised(loss, network, float(me.alpha)) if me.alpha else loss,
        optimizer,
        1 if incremental else epochs_of(me, optimizer),
        None if optimizer.full_batch else size,
        callbacks=[watch, *with_progress(me.callbacks or (), me.progress, passing=incremental)],
        seed=int(me._random_state.randint(np.iinfo(np.int32).max)),
        shuffle=bool(me.shuffle),
        data={"rows": len(samples)},
    )
    if incremental:
        _go_on(run, me.__dict__.get("_kept"))
    me._network, me._history = network, run.history
    me.n_iter_ = 0
    # Compiling one step for a single call of partial_fit takes longer than a few batches of it.
    engine = "eager" if incremental and me.engine == "auto" else me.engine
    try:
        with blas_threads(me.threads or blas_threads_for(network, size)):
            train_run(run, samples, judged, engine, me.threads)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=6)
    network.eval()
    me._kept = (run.optimizer_state, run.step) if incremental else None
    me.coefs_ = [np.array(layer.weight.numpy().T, order="C") for layer in linears(network)]
    me.intercepts_ = [np.array(layer.bias.numpy()) for layer in linears(network) if layer.bias is not None]
    if not incremental and run.stop_reason is None and me.schedule is None and not isinstance(optimizer, LBFGS):
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({me.max_iter}) reached and the optimization "
            "hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=6,
        )


def _batch_size(me: Any, n: int) -> int:
    if me.batch_size == "auto":
        size = min(200, n)
    else:
        if me.batch_size > n:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=7
            )
        size = int(np.clip(me.batch_size, 1, n))
    if me.normalization == "batch":
        if n < 2:
            raise ArgumentError(
                explain("normalization='batch' expected at least two samples", "n_samples = 1", "Use 'layer' or None")
            )
        while n % size == 1 or size == 1:  # a batch of a single sample has no variance
            size += 1
    return size


def _go_on(run: Run, kept: tuple[dict[str, Any], int] | None) -> None:
    """Have the optimiser where the last ``partial_fit`` left it, if it is still of the same kind."""
    if kept is None:
        return
    state, run.step = kept
    if _shapes(state) == _shapes(run.optimizer_state):
        run.optimizer_state = state


def _shapes(state: dict[str, Any]) -> Any:
    return {k: _shapes(v) if isinstance(v, dict) else (v.shape, v.dtype) for k, v in state.items()}


# --- scikit-learn's rules -------------------------------------------------------------------------------------------


@final
class _Watch(Callback):
    """Writes down what scikit-learn writes down, stops when it would stop, and keeps the best weights as it does."""

    def __init__(self, me: Any, rows: int, held_back: Given | None, means: bool, incremental: bool) -> None:
        self.me, self.incremental = me, incremental
        self._rows, self._held_back = rows, held_back
        self._means = means or (isinstance(me.loss, str) and me.loss in THEIR_LOSSES)
        self._best: dict[str, Array] | None = None
        known = me.__dict__
        known.setdefault("loss_curve_", [])  # L-BFGS of scikit-learn keeps no records
        known.setdefault("_no_improvement_count", 0)
        if held_back is not None and known.get("validation_scores_") is None:  # _initialize knows nothing of X_val
            me.validation_scores_, me.best_validation_score_, me.best_loss_ = [], -np.inf, None
        if held_back is None and known.get("best_loss_") is None:
            me.validation_scores_, me.best_validation_score_, me.best_loss_ = None, None, np.inf

    def on_run_begin(self, run: Run) -> None:
        """A change of the learning rate by "adaptive" is of one fit."""
        run.learning_rate_factor = 1.0

    def on_epoch_end(self, run: Run) -> None:
        """The row of scikit-learn's attributes."""
        me, row = self.me, run.history.last
        me.n_iter_ += 1
        me.t_ += self._rows
        me.loss_ = float(row["loss"])
        me.loss_curve_.append(me.loss_)
        if me.verbose:
            print(f"Iteration {me.n_iter_}, loss = {me.loss_:.8f}")
        if self._held_back is not None:
            self._judge(run, row)
        else:
            falls = me.loss_ <= me.best_loss_ - me.tol
            me._no_improvement_count = 0 if falls else me._no_improvement_count + 1
            me.best_loss_ = min(me.best_loss_, me.loss_)
        patience = 1 if run.optimizer.full_batch else me.n_iter_no_change
        if me._no_improvement_count > patience and not self.incremental:
            self._no_more(run)

    def _judge(self, run: Run, row: dict[str, Any]) -> None:
        me = self.me
        row["validation_score"] = score = self._score(row)
        me.validation_scores_.append(score)
        if me.verbose:
            print(f"Validation score: {score:f}")
        improves = not score < me.best_validation_score_ + me.tol
        me._no_improvement_count = 0 if improves else me._no_improvement_count + 1
        if score > me.best_validation_score_:
            me.best_validation_score_ = score
            self._best = dict(run.model.state())  # not copied: arrays in tensors never change

    def _score(self, row: dict[str, Any]) -> float:
        """Accuracy, or R^2 where means are learned; with another loss that loss, as R^2 would judge by means."""
        me = self.me
        assert self._held_back is not None  # asked only where there is a validation set
        X, y, weight = self._held_back.X, self._held_back.y, self._held_back.weights
        if is_classifier(me):
            y = me._label_binarizer.inverse_transform(y)
        elif not self._means:
            return -float(row["validation_loss"])
        elif me.n_outputs_ == 1:
            y = y.ravel()
        return float(me._score(X, y, sample_weight=weight))

    def _no_more(self, run: Run) -> None:
        me = self.me
        what = "Validation score" if self._held_back is not None else "Training loss"
        patience = f"for {me.n_iter_no_change} consecutive epochs."
        message = f"{what} did not improve more than tol={me.tol:f} {patience}"
        if me.learning_rate == "adaptive" and (me.optimizer or me.solver) == "sgd" and me.schedule is None:
            rate = me.learning_rate_init * run.learning_rate_factor
            if rate > LOWEST_RATE:
                run.learning_rate_factor /= 5
                me._no_improvement_count = 0
                if me.verbose:
                    print(f"{message} Setting learning rate to {rate / 5:f}")
                return
            message += " Learning rate too small. Stopping."
        elif me.verbose:
            print(f"{message} Stopping.")
        run.stop(message)

    def on_run_end(self, run: Run) -> None:
        """The weights of the best epoch."""
        if self._best is not None:
            run.model.load_state(self._best)


def history_of(me: Any) -> History:
    """The history of the last fit; of scikit-learn's loop what it has written down."""
    kept = me.__dict__.get("_history")
    if kept is not None:
        return kept  # type: ignore[no-any-return]
    curve = getattr(me, "loss_curve_", [])
    scores = getattr(me, "validation_scores_", None) or [None] * len(curve)
    rows = [
        {"epoch": i + 1, "loss": float(loss)} | ({} if score is None else {"validation_score": float(score)})
        for i, (loss, score) in enumerate(zip(curve, scores, strict=True))
    ]
    return History(rows)


def network_of_fitted(me: Any) -> Sequential:
    """The network of an estimator that scikit-learn's loop has fitted."""
    kept = me.__dict__.get("_network")
    if kept is not None:
        return kept  # type: ignore[no-any-return]
    units = [me.coefs_[0].shape[0], *(c.shape[1] for c in me.coefs_)]
    return network_of(me, units, me.coefs_[0].dtype).eval()
