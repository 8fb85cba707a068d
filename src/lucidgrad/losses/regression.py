"""Losses for real numbers: what a network is trained on when its targets are quantities."""

from __future__ import annotations

import math
from typing import Any, final

from lucidgrad.errors import ArgumentError, DataError, explain
from lucidgrad.functional import where
from lucidgrad.losses.base import Loss, Reduction, quantities
from lucidgrad.targets import concrete
from lucidgrad.tensor import Tensor


class _Regression(Loss):
    """Targets are finite real numbers in the shape of the predictions."""

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        return predictions, quantities(type(self).__name__, targets, predictions.shape, predictions.dtype)


@final
class AbsoluteError(_Regression):
    """sum over the columns of abs(f(x) - y): outliers pull no harder than others, and an exact prediction not at all.

    Its best constant prediction is the median (Laplace 1774). The slope at 0 is taken as 0, as in PyTorch's L1Loss,
    which divides by the number of elements.

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Examples
    --------
    >>> from lucidgrad.losses import AbsoluteError
    >>> AbsoluteError("sum")([1.0, 5.0], [2.0, 2.0])
    Tensor(4., dtype=float64)
    """

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """abs(f(x) - y)."""
        return (predictions - targets).abs()


@final
class SquaredError(_Regression):
    """sum over the columns of (f(x) - y)^2: the method of least squares (Legendre 1805, Gauss 1809).

    Without the factor 1/2 that some books put in front. PyTorch's MSELoss divides by the number of elements, which
    is the same for one column.

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.losses import SquaredError
    >>> SquaredError()(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 4.0]]))
    Tensor(6.5, dtype=float64)
    """

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """(f(x) - y)^2."""
        d = predictions - targets
        return d * d


@final
class Huber(_Regression):
    """d^2 / 2 for a small difference d = f(x) - y, delta (|d| - delta / 2) beyond ``delta`` (Huber 1964).

    Like the squared error near 0 and like the absolute error far out, with a continuous slope. PyTorch's HuberLoss
    is the same, divided by the number of elements; its SmoothL1Loss is this one divided by delta.

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the samples.
    delta
        Where the parabola becomes a line, in the unit of the targets; positive.

    Raises
    ------
    ArgumentError
        When ``delta`` is not positive and finite.

    Examples
    --------
    >>> from lucidgrad.losses import Huber
    >>> Huber(delta=1.0).per_sample([0.5, 3.0], [0.0, 0.0])
    Tensor([0.125, 2.5  ], dtype=float64)
    """

    def __init__(self, reduction: Reduction = "mean", *, delta: float = 1.0) -> None:
        super().__init__(reduction)
        if not 0 < delta < math.inf:
            raise ArgumentError(
                explain("Huber expected a finite delta > 0", repr(delta), "It has the unit of the targets; try 1.0")
            )
        self.delta = float(delta)

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """With c = d brought into [-delta, delta], both cases are c (d - c / 2)."""
        d = predictions - targets
        c = d.clip(-self.delta, self.delta)
        return c * (d - 0.5 * c)


@final
class LogCosh(_Regression):
    """log(cosh(f(x) - y)): a smooth absolute error, about d^2 / 2 near 0 and |d| - log 2 far out; slope tanh(d).

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Notes
    -----
    Far out |d| + log(1 + exp(-2 |d|)) - log 2, which does not overflow where cosh does. Near 0 its terms cancel, and
    -log(1 - tanh(d)^2) / 2 is used, whose value and slope keep all digits.

    References
    ----------
    Green, P. J. (1990). Bayesian reconstructions from emission tomography data using a modified EM algorithm.

    Examples
    --------
    >>> from lucidgrad.losses import LogCosh
    >>> LogCosh().per_sample([0.0, 1e-3, 1e4], [0.0, 0.0, 0.0])
    Tensor([0.00000000e+00, 4.99999917e-07, 9.99930685e+03], dtype=float64)
    """

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """log(cosh(d))."""
        d = predictions - targets
        a, t = d.abs(), d.clip(-1.0, 1.0).tanh()  # clipped, so that the branch not taken has a finite slope
        return where(a < 0.6, -0.5 * (-t * t).log1p(), a + ((-2.0 * a).softplus() - math.log(2.0)))


@final
class Poisson(_Regression):
    """exp(f(x)) - y f(x): for counts y whose logarithm of the mean is predicted (Nelder and Wedderburn 1972).

    The negative log-likelihood of a Poisson distribution without log(y!), which does not depend on f(x); it may be
    negative. PyTorch's PoissonNLLLoss is the same (divided by the number of elements; it adds 1e-8 inside of the
    logarithm when ``log_input=False``, which is not done here).

    Parameters
    ----------
    reduction
        ``"mean"`` or ``"sum"`` over the samples.
    log_input
        True: predictions are the logarithm of the mean count, any real number. False: they are the mean count
        itself, positive (or 0 where the target is 0), and the loss is f(x) - y log(f(x)).

    Examples
    --------
    >>> from lucidgrad.losses import Poisson
    >>> Poisson().per_sample([0.0, 0.0], [0, 3]), Poisson(log_input=False).per_sample([2.0], [0])
    (Tensor([1., 1.], dtype=float64), Tensor([2.], dtype=float64))
    """

    def __init__(self, reduction: Reduction = "mean", *, log_input: bool = True) -> None:
        super().__init__(reduction)
        self.log_input = log_input

    def check(self, predictions: Tensor, targets: Any) -> tuple[Tensor, Tensor]:
        """Counts, none negative; and positive means where they are not given by their logarithm."""
        _, t = super().check(predictions, targets)
        counts, means = concrete(t), concrete(predictions)
        if counts is not None and counts.min() < 0:
            raise DataError(
                explain("Poisson expected counts >= 0", f"{counts.min():g}", "Use SquaredError for any number")
            )
        if self.log_input or counts is None or means is None:
            return predictions, t
        if ((means < 0) | ((means == 0) & (counts > 0))).any():
            raise DataError(
                explain(
                    "Poisson(log_input=False) expected predicted means > 0",
                    f"{means.min():g}",
                    "End the model in softplus or exp, or predict the logarithm: Poisson()",
                )
            )
        return predictions, t

    def terms(self, predictions: Tensor, targets: Tensor) -> Tensor:
        """exp(f) - y f, or f - y log(f)."""
        if self.log_input:
            return predictions.exp() - targets * predictions
        # No count, no logarithm: y log(f) is 0 for y = 0, also where f = 0 has none.
        return predictions - targets * where(targets == 0, 1.0, predictions).log()


def absolute_error(
    predictions: Any, targets: Any, *, sample_weight: Any = None, reduction: Reduction = "mean"
) -> Tensor:
    """``AbsoluteError`` in one call, a scalar.

    Parameters
    ----------
    predictions, targets
        (batch,) or (batch, columns), the same for both.
    sample_weight
        What each sample counts, (batch,).
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Examples
    --------
    >>> from lucidgrad.losses import absolute_error
    >>> absolute_error([1.0, 5.0], [2.0, 2.0])
    Tensor(2., dtype=float64)
    """
    return AbsoluteError(reduction)(predictions, targets, sample_weight)


def squared_error(
    predictions: Any, targets: Any, *, sample_weight: Any = None, reduction: Reduction = "mean"
) -> Tensor:
    """``SquaredError`` in one call, a scalar.

    Parameters
    ----------
    predictions, targets
        (batch,) or (batch, columns), the same for both.
    sample_weight
        What each sample counts, (batch,).
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Examples
    --------
    >>> from lucidgrad.losses import squared_error
    >>> squared_error([1.0, 5.0], [2.0, 2.0])
    Tensor(5., dtype=float64)
    """
    return SquaredError(reduction)(predictions, targets, sample_weight)


def huber(
    predictions: Any, targets: Any, *, delta: float = 1.0, sample_weight: Any = None, reduction: Reduction = "mean"
) -> Tensor:
    """``Huber`` in one call, a scalar.

    Parameters
    ----------
    predictions, targets
        (batch,) or (batch, columns), the same for both.
    delta
        Where the parabola becomes a line, in the unit of the targets.
    sample_weight
        What each sample counts, (batch,).
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Examples
    --------
    >>> from lucidgrad.losses import huber
    >>> huber([3.0], [0.0], delta=2.0)
    Tensor(4., dtype=float64)
    """
    return Huber(reduction, delta=delta)(predictions, targets, sample_weight)


def log_cosh(predictions: Any, targets: Any, *, sample_weight: Any = None, reduction: Reduction = "mean") -> Tensor:
    """``LogCosh`` in one call, a scalar.

    Parameters
    ----------
    predictions, targets
        (batch,) or (batch, columns), the same for both.
    sample_weight
        What each sample counts, (batch,).
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Examples
    --------
    >>> from lucidgrad.losses import log_cosh
    >>> log_cosh([2.0], [0.0])
    Tensor(1.32500275, dtype=float64)
    """
    return LogCosh(reduction)(predictions, targets, sample_weight)


def poisson(
    predictions: Any, targets: Any, *, log_input: bool = True, sample_weight: Any = None, reduction: Reduction = "mean"
) -> Tensor:
    """``Poisson`` in one call, a scalar.

    Parameters
    ----------
    predictions, targets
        (batch,) or (batch, columns), the same for both; targets are counts.
    log_input
        Whether predictions are the logarithm of the mean count, or else the mean count itself.
    sample_weight
        What each sample counts, (batch,).
    reduction
        ``"mean"`` or ``"sum"`` over the samples.

    Examples
    --------
    >>> from lucidgrad.losses import poisson
    >>> poisson([0.0], [2])
    Tensor(1., dtype=float64)
    """
    return Poisson(reduction, log_input=log_input)(predictions, targets, sample_weight)
