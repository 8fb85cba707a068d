"""MLPClassifier and MLPRegressor with scikit-learn's settings: its loop over the batches, in machine code.

Parameters, attributes, checks, warnings, and the order of the random numbers are scikit-learn's; so are the weights,
to rounding. What goes beyond scikit-learn's settings is trained by ``extended.py``.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from math import sqrt
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.base import is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from lucidgrad.compiler.machine import available
from lucidgrad.estimators.progress import ProgressOfLoop
from lucidgrad.estimators.steps import SETTINGS, SLOTS, Architecture, Step, borrowed
from lucidgrad.training.engine import WORTH_THREADS, available_cores
from lucidgrad.training.samples import mostly_zeros

Array = np.ndarray[Any, np.dtype[Any]]

CALL_SECONDS = 0.05  # between two looks at Ctrl-C


class Native:
    """The loop of the stochastic solvers over epochs and batches."""

    _bar: ProgressOfLoop | None = None

    def _fit_stochastic(
        self,
        X: Any,
        y: Array,
        sample_weight: Array | None,
        activations: Any,
        deltas: Any,
        coef_grads: Any,
        intercept_grads: Any,
        layer_units: list[int],
        incremental: bool,
    ) -> None:
        me: Any = self
        if _left_to_scikit_learn(me, X):
            rest = activations, deltas, coef_grads, intercept_grads, layer_units, incremental
            with ProgressOfLoop(me, incremental):
                super()._fit_stochastic(X, y, sample_weight, *rest)  # type: ignore[misc]
            return
        _prepare_optimizer(me, incremental)
        train, validation = _parts(me, X, y, sample_weight, incremental)
        fit = _Epochs(me, train, layer_units)
        try:
            me.n_iter_ = 0
            with fit.steps(), ProgressOfLoop(me, incremental):
                for _ in range(me.max_iter):
                    me.loss_ = fit.epoch()
                    me.n_iter_ += 1
                    me.t_ += fit.n
                    me.loss_curve_.append(me.loss_)
                    if me.verbose:
                        print(f"Iteration {me.n_iter_}, loss = {me.loss_:.8f}")
                    if me.early_stopping:
                        fit.store()
                    if _ends(me, validation) or incremental:
                        break
                    if me.n_iter_ == me.max_iter:
                        warnings.warn(
                            f"Stochastic Optimizer: Maximum iterations ({me.max_iter}) reached and the optimization "
                            "hasn't converged yet.",
                            ConvergenceWarning,
                            stacklevel=7,
                        )
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=7)
        if me.early_stopping:
            me.coefs_, me.intercepts_ = me._best_coefs, me._best_intercepts

    def _update_no_improvement_count(self, *judged_by: Any) -> None:
        """Both loops come here after each epoch; scikit-learn's own can be followed from outside nowhere else."""
        super()._update_no_improvement_count(*judged_by)  # type: ignore[misc]
        if self._bar is not None:
            self._bar.show()


def _left_to_scikit_learn(me: Any, X: Any) -> bool:
    """Whether its own loop trains: because that was asked for, or because machine code cannot."""
    if me.engine == "eager":
        return True
    reason = None if available() else "llvmlite is not installed"
    if issparse(X):
        reason = "X is sparse"
    if reason is not None and me.engine == "native":
        warnings.warn(f"scikit-learn's loop trains: {reason}", RuntimeWarning, stacklevel=8)
    return reason is not None or me.coefs_[0].dtype not in (np.float32, np.float64)


def _prepare_optimizer(me: Any, incremental: bool) -> None:
    """What scikit-learn keeps from call to call: the moments or velocities, the learning rate, the count of steps."""
    if incremental and hasattr(me, "_optimizer"):
        return
    params = me.coefs_ + me.intercepts_
    if me.solver == "adam":
        me._optimizer = AdamOptimizer(params, me.learning_rate_init, me.beta_1, me.beta_2, me.epsilon)
    else:
        me._optimizer = SGDOptimizer(
            params, me.learning_rate_init, me.learning_rate, me.momentum, me.nesterovs_momentum, me.power_t
        )


def _parts(me: Any, X: Array, y: Array, weight: Array | None, incremental: bool) -> tuple[Any, Any]:
    """What is trained on, and what early stopping looks at: inputs, targets, weights."""
    if not me.early_stopping:
        return (X, y, weight), None
    if incremental:
        raise ValueError("partial_fit does not support early_stopping=True")
    stratify = y if is_classifier(me) and me.n_outputs_ == 1 else None
    given = [X, y] if weight is None else [X, y, weight]
    split = train_test_split(*given, random_state=me._random_state, test_size=me.validation_fraction, stratify=stratify)
    train, held_back = (*split[::2], None)[:3], (*split[1::2], None)[:3]
    if len(held_back[0]) < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    if is_classifier(me):
        held_back = (held_back[0], me._label_binarizer.inverse_transform(held_back[1]), held_back[2])
    return train, held_back


def _ends(me: Any, validation: Any) -> bool:
    """Whether it has not improved for too long; with learning_rate="adaptive" the rate is lowered first."""
    me._update_no_improvement_count(me.early_stopping, *(validation or (None, None, None)))
    me._optimizer.iteration_ends(me.t_)
    if me._no_improvement_count <= me.n_iter_no_change:
        return False
    what = "Validation score" if me.early_stopping else "Training loss"
    message = f"{what} did not improve more than tol={me.tol:f} for {me.n_iter_no_change} consecutive epochs."
    if me._optimizer.trigger_stopping(message, me.verbose):
        return True
    me._no_improvement_count = 0
    return False


class _Epochs:
    """The programs of a fit, the order of the samples, and the state between epochs."""

    def __init__(self, me: Any, train: tuple[Array, Array, Array | None], layer_units: list[int]) -> None:
        self.me = me
        X, y, weight = train
        self.n = len(X)
        dtype = me.coefs_[0].dtype
        y = y.reshape(self.n, -1)
        self._sources = [np.ascontiguousarray(a) for a in (X, y)]
        if weight is not None:
            self._sources.append(np.ascontiguousarray(weight, dtype))
        self._numbers = np.arange(self.n)
        self._places, self._order = self._numbers.copy(), self._numbers.copy()
        if me.batch_size == "auto":
            self._size = min(200, self.n)
        else:
            if me.batch_size > self.n:
                warnings.warn(
                    "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=8
                )
            self._size = int(np.clip(me.batch_size, 1, self.n))
        work = 6 * self._size * sum(w.size for w in me.coefs_)
        self._options: dict[str, Any] = {
            "layer_units": tuple(int(n) for n in layer_units),
            "activation": me.activation,
            "out_activation": me.out_activation_,
            "loss": me.loss,
            "solver": me.solver,
            "nesterov": bool(me.nesterovs_momentum) and me.solver == "sgd",
            "weighted": weight is not None,
            "dtype": dtype.name,
            "x_dtype": self._sources[0].dtype.str,
            "y_dtype": self._sources[1].dtype.str,
            "zeros": mostly_zeros(self._sources[0]),
            "threads": me.threads or (available_cores() if work >= WORTH_THREADS else 1),
        }
        self._at_once = 1

    @contextmanager
    def steps(self) -> Iterator[None]:
        """Have the programs for whole batches and for a shorter last one; behind the block the estimator has all."""
        with ExitStack() as stack:
            whole = stack.enter_context(borrowed(Architecture(rows=self._size, **self._options)))
            left = self.n % self._size
            rest = stack.enter_context(borrowed(Architecture(rows=left, **self._options))) if left else None
            self._begin(whole, rest)
            try:
                yield
            finally:
                self.store()

    @property
    def _kept(self) -> list[list[Array]]:
        optimizer = self.me._optimizer
        return [optimizer.ms, optimizer.vs] if self.me.solver == "adam" else [optimizer.velocities]

    def _begin(self, whole: Step, rest: Step | None) -> None:
        """Bring the state into the programs."""
        me = self.me
        self._whole, self._rest = whole, rest
        state = chain(me.coefs_, me.intercepts_, *self._kept)
        whole.load([np.asarray(a, whole.architecture.dtype) for a in state])
        whole.set(me.alpha, [getattr(me, name) for name in SETTINGS[me.solver]])
        whole.watch(self._sources, self._order, self.n // self._size)
        if rest is not None:
            rest.share(whole)
            rest.watch(self._sources, self._order, 1)

    def store(self) -> None:
        """Give the estimator what training has made."""
        made = [array.copy() for array in self._whole.read()]
        layers = len(self.me.coefs_)
        groups = [made[i * 2 * layers : (i + 1) * 2 * layers] for i in range(1 + SLOTS[self.me.solver])]
        self.me.coefs_, self.me.intercepts_ = groups[0][:layers], groups[0][layers:]
        optimizer = self.me._optimizer
        if self.me.solver == "adam":
            optimizer.ms, optimizer.vs = groups[1], groups[2]
        else:
            optimizer.velocities = groups[1]

    def epoch(self) -> float:
        """Go over all samples; the mean of the batches' losses, each weighing as many samples as it has."""
        if self.me.shuffle:
            self._places[:] = self._numbers
            self.me._random_state.shuffle(self._places)  # as sklearn.utils.shuffle draws
            self._order[:] = self._order[self._places]
        whole = self.n // self._size
        total, done = 0.0, 0
        while done < whole:
            count = min(self._at_once, whole - done)
            began = time.perf_counter()
            total += self._run(self._whole, done * self._size, count)
            self._at_once = max(1, int(count * CALL_SECONDS / max(time.perf_counter() - began, 1e-9)))
            done += count
        if self._rest is not None:
            total += self._run(self._rest, whole * self._size, 1)
        return total / self.n

    def _run(self, step: Step, start: int, count: int) -> float:
        optimizer = self.me._optimizer
        for i in range(count):
            if self.me.solver == "adam":
                optimizer.t += 1
                # A correction for both moments: Kingma and Ba (2015), end of section 2.
                correction = sqrt(1 - optimizer.beta_2**optimizer.t) / (1 - optimizer.beta_1**optimizer.t)
                optimizer.learning_rate = optimizer.learning_rate_init * correction
            step.rates[i] = optimizer.learning_rate
        return float(step.run(start, count).sum()) * step.architecture.rows
