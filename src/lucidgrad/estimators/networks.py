"""The network, loss and optimiser that the settings of a perceptron stand for, as lucidgrad's own objects."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Any, final

import numpy as np
from sklearn.base import is_classifier

from lucidgrad.errors import ArgumentError, counted, explain
from lucidgrad.estimators.extras import THEIR_ACTIVATIONS, for_each_layer
from lucidgrad.functional import ACTIVATIONS, concatenate
from lucidgrad.losses import LOSSES, CrossEntropy, Hinge, Logistic, Loss, Poisson, Quantile, as_loss
from lucidgrad.nn import BatchNorm, Dropout, LayerNorm, Linear, Sequential
from lucidgrad.optim import LBFGS, OPTIMIZERS, SCHEDULES, SGD, Adam, Optimizer
from lucidgrad.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]

NAMES = sorted({*THEIR_ACTIVATIONS, *ACTIVATIONS})
LBFGS_ITERATIONS = 20  # in an epoch
_NORMS = {"batch": BatchNorm, "layer": LayerNorm}


def network_of(me: Any, layer_units: list[int], dtype: Any) -> Sequential:
    """Linear, norm, activation, dropout for each hidden layer, and a Linear, with ``coefs_`` and ``intercepts_``."""
    hidden = len(layer_units) - 2
    activations = for_each_layer("activation", me.activation, hidden)
    dropouts = for_each_layer("dropout", me.dropout, hidden)
    layers: list[Any] = []
    for i, (fan_in, fan_out) in enumerate(pairwise(int(n) for n in layer_units)):
        layers.append(_linear(me.coefs_[i], me.intercepts_[i], fan_in, fan_out, dtype))
        if i < hidden:
            layers += [_NORMS[me.normalization](fan_out, dtype=dtype)] if me.normalization is not None else []
            layers += [_activation(activations[i])]
            layers += [Dropout(float(dropouts[i]))] if dropouts[i] else []
    return Sequential(*layers)


def take_norms(network: Sequential, before: Sequential | None) -> None:
    """Go on with the norms of an earlier network, where it has the same."""
    norms, old = ([x for x in (n or ()) if isinstance(x, BatchNorm | LayerNorm)] for n in (network, before))
    if [(type(x), x.num_features) for x in norms] == [(type(x), x.num_features) for x in old]:
        for new, known in zip(norms, old, strict=True):
            new.load_state(known.state())


def linears(network: Sequential) -> list[Linear]:
    """The layers whose weights are ``coefs_``."""
    return [layer for layer in network if isinstance(layer, Linear)]


def _linear(coef: Array, intercept: Array, fan_in: int, fan_out: int, dtype: Any) -> Linear:
    def start(values: Array) -> Any:
        return lambda key, shape, dtype: Tensor(np.ascontiguousarray(values), dtype=dtype)

    return Linear(fan_in, fan_out, init=start(coef.T), bias_init=start(intercept), dtype=dtype)


def _activation(activation: Any) -> Any:
    if callable(activation):
        return activation
    if activation == "logistic":
        return ACTIVATIONS["sigmoid"]
    if activation not in ACTIVATIONS:
        raise ArgumentError(
            explain(
                f"activation expected a function of a Tensor, or one of {', '.join(NAMES)}",
                repr(activation),
                "Functions of your own work too: activation=lambda x: x * x.sigmoid()",
            )
        )
    return ACTIVATIONS[activation]


# --- losses ---------------------------------------------------------------------------------------------------------


def loss_of(me: Any) -> Loss:
    """The loss that is meant, and a refusal of one for targets of another kind."""
    if me.loss == "squared_error":
        return HalfSquaredError()
    if not is_classifier(me):
        return loss_for_numbers(me)
    several = me.out_activation_ == "softmax"
    if me.loss == "log_loss":
        return CrossEntropy() if several else Logistic()
    loss = as_loss(me.loss)
    columns = me.n_outputs_
    if isinstance(loss, CrossEntropy) and columns == 1:
        return OfTwoClasses(loss)
    fits = isinstance(loss, CrossEntropy) == several if isinstance(loss, CrossEntropy | Logistic) else True
    for_numbers = type(loss) in LOSSES.values() and not isinstance(loss, CrossEntropy | Hinge | Logistic)
    if not fits or for_numbers:
        kind = (
            counted(columns, "class", "classes")
            if several
            else counted(columns, "yes-or-no label a row", "yes-or-no labels a row")
        )
        raise ArgumentError(
            explain(
                f"MLPClassifier expected a loss for {kind}",
                repr(loss),
                "loss='log_loss' is right for both: CrossEntropy for several classes, Logistic for labels",
            )
        )
    return loss


def loss_for_numbers(me: Any) -> Loss:
    """The loss of a regressor, and a refusal of one whose predictions a last layer of weights cannot make."""
    meant, name = as_loss(me.loss), type(me).__name__
    if isinstance(meant, CrossEntropy | Logistic | Hinge):
        try_ = f"Use {name.replace('Regressor', 'Classifier')} for classes"
        raise ArgumentError(explain(f"{name} expected a loss for numbers", repr(meant), try_))
    if isinstance(meant, Poisson) and not meant.log_input:
        raise ArgumentError(
            explain(
                "an estimator expected a Poisson loss of the logarithm of the mean, which may be any number",
                repr(meant),
                "Use loss='poisson'; predict gives the mean count all the same",
            )
        )
    return meant


@final
class HalfSquaredError(Loss):
    """(f(x) - y)^2 / 2, scikit-learn's squared error: its slope is the difference. Added up over the columns."""

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """Finite numbers in the shape of the predictions."""
        return as_loss("squared_error").check(predictions, targets)

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Half the square of the difference."""
        d = predictions - targets
        return 0.5 * (d * d)


@final
class OfTwoClasses(Loss):
    """A cross-entropy of two classes for the one logit of a binary classifier: softmax(0, f) = sigmoid(f)."""

    def __init__(self, inner: CrossEntropy) -> None:
        super().__init__(inner.reduction)
        self.inner = inner

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """Logits (batch, 1) and targets 0 and 1 (batch, 1)."""
        p, t = Logistic().check(predictions, targets)
        return concatenate([0.0 * p, p], axis=1), t.reshape(-1).astype(np.int64)

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Those of the cross-entropy."""
        return self.inner.terms(predictions, targets)

    def own_weight(self, predictions: Tensor, targets: Tensor) -> Tensor | None:
        """That of the cross-entropy."""
        return self.inner.own_weight(predictions, targets)


@final
class Penalised(Loss):
    """A loss and scikit-learn's L2 term, alpha / 2 times the sum of all squared weights, over the weight of the batch.

    Only while the network learns: what it is judged on is the loss alone.
    """

    def __init__(self, inner: Loss, network: Sequential, alpha: float) -> None:
        super().__init__(inner.reduction)
        self.inner, self.network, self.alpha = inner, network, alpha

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """As the loss inside asks."""
        return self.inner.check(predictions, targets)

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """Those of the loss inside."""
        return self.inner.terms(predictions, targets)

    def sums(self, predictions: Any, targets: Any, sample_weight: Any = None) -> tuple[Tensor, float | Tensor]:
        """The penalty goes into the sum, so that the mean divides it by the weight of the batch."""
        total, weight = self.inner.sums(predictions, targets, sample_weight)
        if self.network.training:
            squares = sum(((layer.weight * layer.weight).sum() for layer in linears(self.network)), start=0.0)
            total = total + (0.5 * self.alpha) * squares
        return total, weight

    def __repr__(self) -> str:
        return f"Penalised({self.inner!r}, alpha={self.alpha!r})"


def output_columns(me: Any) -> int | None:
    """How many columns the loss asks for where that does not follow from y: quantiles of one target."""
    loss = me.loss
    return len(loss.q) if isinstance(loss, Quantile) and isinstance(loss.q, tuple) else None


def predicts_logarithm(loss: Any) -> bool:
    """Whether what the network puts out is the logarithm of what is predicted."""
    return loss == "poisson" if isinstance(loss, str) else isinstance(as_loss(loss), Poisson)


# --- optimisers -----------------------------------------------------------------------------------------------------


def optimizer_of(me: Any, batches: int, rows: int) -> Optimizer:
    """The optimiser that ``optimizer``, ``solver``, ``schedule`` and ``learning_rate`` ask for."""
    if isinstance(me.optimizer, Optimizer):
        if me.schedule is not None:
            raise ArgumentError(
                explain(
                    "schedule expected optimizer=None or a name",
                    f"schedule={me.schedule!r} and {me.optimizer!r}",
                    "Give the schedule to the optimizer itself: Adam(cosine(1e-3, steps=1000))",
                )
            )
        return me.optimizer
    name = me.optimizer or me.solver
    rate = _learning_rate(me, batches, rows)
    if name == "lbfgs":
        if me.schedule is not None:
            raise ArgumentError(
                explain("L-BFGS expected no schedule", repr(me.schedule), "Its line search finds the size of a step")
            )
        return LBFGS(max_iterations=min(LBFGS_ITERATIONS, me.max_iter), gradient_tolerance=me.tol)
    if name == "adam":
        return Adam(rate, beta1=me.beta_1, beta2=me.beta_2, eps=me.epsilon)
    if name == "sgd":
        return SGD(rate, momentum=me.momentum, nesterov=bool(me.nesterovs_momentum and me.momentum))
    make: Any = OPTIMIZERS[name]
    optimizer: Optimizer = make(rate)
    return optimizer


def epochs_of(me: Any, optimizer: Optimizer) -> int:
    """``max_iter``, which for L-BFGS counts its own iterations."""
    return ceil(me.max_iter / optimizer.max_iterations) if isinstance(optimizer, LBFGS) else int(me.max_iter)


def _learning_rate(me: Any, batches: int, rows: int) -> Any:
    rate, steps = float(me.learning_rate_init), max(1, int(me.max_iter) * batches)
    if me.schedule is None:
        scaled = me.learning_rate == "invscaling" and (me.optimizer or me.solver) == "sgd"
        return InverseScaling(rate, float(me.power_t), batches, rows) if scaled else rate
    if not isinstance(me.schedule, str):
        return me.schedule
    options: dict[str, tuple[Any, ...]] = {
        "constant": (),
        "cosine": (steps,),
        "one_cycle": (steps,),
        "exponential": (0.01 ** (1 / steps),),
        "step_decay": (ceil(steps / 3),),
        "warm_up": (ceil(steps / 20),),
    }
    make: Any = SCHEDULES[me.schedule]
    return make(rate, *options[me.schedule])


@dataclass(frozen=True)
class InverseScaling:
    """scikit-learn's learning_rate="invscaling": initial / (samples seen before the epoch + 1)^power."""

    initial: float
    power: float
    batches: int
    rows: int

    def __call__(self, step: int) -> float:
        """The learning rate of a step."""
        return float(self.initial / (step // self.batches * self.rows + 1) ** self.power)
