"""MLPRegressor: scikit-learn's in machine code, and with dropout, norms, any loss and optimiser, and intervals."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn import neural_network
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from lucidgrad.errors import ArgumentError, counted, explain
from lucidgrad.estimators.beyond import Array, Beyond
from lucidgrad.estimators.conformal import Calibration, fit_and_calibrate
from lucidgrad.estimators.extras import CONSTRAINTS, OF_REGRESSOR, uses_extras
from lucidgrad.estimators.intervals import check_coverage
from lucidgrad.estimators.mlp import Native
from lucidgrad.estimators.networks import output_columns
from lucidgrad.estimators.onnx_export import write_regressor
from lucidgrad.onnx.pipeline import Pipeline


class MLPRegressor(Beyond, Native, neural_network.MLPRegressor):  # type: ignore[misc]
    """Multi-layer perceptron regressor: ``sklearn.neural_network.MLPRegressor`` in machine code, and more.

    All parameters, attributes and methods of scikit-learn's class are there and mean the same; what comes on top is
    ``dropout`` and all behind it, and more to choose for ``loss`` and ``activation``.

    Parameters
    ----------
    loss
        Beyond ``"squared_error"`` and ``"poisson"``, which are scikit-learn's: a name of ``lucidgrad.losses.LOSSES``
        (``"absolute_error"``, ``"huber"``, ``"quantile"``, ``"log_cosh"``), a Loss (``Quantile(q=0.9)``), or a
        function of (predictions, targets). ``Quantile(q=(0.05, 0.5, 0.95))`` predicts that many columns of one target.
    hidden_layer_sizes
        Units of each hidden layer.
    activation
        Beyond scikit-learn's four: a name of ``lucidgrad.functional.ACTIVATIONS``, a function of a Tensor, or a list
        with one for each hidden layer.
    solver
        ``"adam"`` (Kingma and Ba 2015), ``"sgd"``, or ``"lbfgs"``, which goes by all samples at once.
    alpha
        The L2 term of the loss: alpha / 2 times the sum of the squared weights, divided by the samples of a batch.
    batch_size
        Samples in a batch; ``"auto"``: 200, or all where there are fewer.
    learning_rate
        Of ``"sgd"``: ``"constant"``; ``"invscaling"``, divided by t ** ``power_t`` after t samples; ``"adaptive"``,
        divided by 5 whenever training would end by ``tol``.
    learning_rate_init
        The learning rate of ``"sgd"`` and ``"adam"`` at first.
    power_t
        The exponent of ``"invscaling"``.
    max_iter
        How many epochs at most; for ``"lbfgs"`` iterations.
    shuffle
        Whether the samples come in a new order in each epoch.
    random_state
        A number: the same one gives the same bits.
    tol, n_iter_no_change
        Training ends when the loss has not fallen by ``tol`` for so many epochs.
    verbose
        Print the loss of each epoch.
    warm_start
        ``fit`` goes on from the weights of the last one.
    momentum
        The share of each step of ``"sgd"`` that goes into the next.
    nesterovs_momentum
        Whether it is Nesterov's (Sutskever et al. 2013, eq. 3 and 4).
    early_stopping
        Hold a part of the samples back, go by the score on it instead of by the loss, and keep the best weights.
    validation_fraction
        How large that part is.
    beta_1, beta_2, epsilon
        Of ``"adam"``, as in Kingma and Ba (2015, Algorithm 1).
    max_fun
        For ``"lbfgs"``: how often the loss is computed at most.
    dropout
        The share of each hidden layer's units that is left out while training, or a list with one for each layer.
    normalization
        ``"batch"`` or ``"layer"``: normalise each hidden layer in front of its activation.
    optimizer
        A name of ``lucidgrad.optim.OPTIMIZERS``, with ``learning_rate_init``, or an Optimizer. None: ``solver``.
    schedule
        A name of ``lucidgrad.optim.SCHEDULES``, from ``learning_rate_init`` over the steps of ``max_iter`` epochs
        ("exponential" ends at a hundredth, "step_decay" falls to a tenth after each third, "warm_up" takes a
        twentieth), or a function of the step. None: ``learning_rate``.
    callbacks
        See ``lucidgrad.training``.
    progress
        A progress bar: yes, no, or (None) when the output is a terminal.
    engine
        ``"native"``, ``"eager"`` (NumPy), or ``"auto"``: natively what can be compiled.
    threads
        For matrix products. None: one, or several where the products are large enough to gain.
    calibration
        What ``predict_interval`` learns the errors from. A share in (0, 1), such as 0.2: so many samples are held back
        from ``fit`` (split-conformal prediction). An integer from 2 on: so many folds, with a network for each beside
        the one of all samples (CV+). None: what ``calibrate`` is given.

    Attributes
    ----------
    model_ : Sequential
        The fitted network of lucidgrad's layers.
    history_ : History
        A row for each epoch of the last ``fit``.

    Notes
    -----
    With scikit-learn's parameters alone its own loop is run in machine code, and with the same ``random_state`` the
    weights are scikit-learn's, to rounding; so it is with ``progress``, ``engine`` and ``threads``. L-BFGS and
    sparse inputs then are left to scikit-learn. All else is trained by the loop of ``lucidgrad.fit``, from the same
    first weights, with an order of the samples of its own; sparse inputs are made dense for it. ``loss_curve_`` is of
    the loss with the L2 term of ``alpha``; losses of several outputs are added up. A fitted estimator is plain data.

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> x = np.linspace(-1, 1, 200)[:, None]
    >>> model = lg.MLPRegressor(hidden_layer_sizes=(32,), learning_rate_init=0.01, max_iter=500, random_state=0)
    >>> model.fit(x, x[:, 0] ** 2).score(x, x[:, 0] ** 2) > 0.95
    True
    >>> model = lg.MLPRegressor("huber", (32,), activation=["silu"], learning_rate_init=0.01, calibration=0.2,
    ...                         max_iter=300, tol=0, random_state=0)
    >>> low, high = model.fit(x, x[:, 0] ** 2).predict_interval([[0.5]], coverage=0.9)[0]
    >>> bool(low < 0.25 < high)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **neural_network.MLPRegressor._parameter_constraints,
        **CONSTRAINTS,
        **OF_REGRESSOR,
    }

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        normalization: str | None = None,
        optimizer: Any = None,
        schedule: Any = None,
        callbacks: Any = None,
        progress: bool | None = False,
        engine: str = "auto",
        threads: int | None = None,
        calibration: float | int | None = None,
    ) -> None:
        super().__init__(
            loss=loss,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            solver=solver,
            alpha=alpha,
            batch_size=batch_size,
            learning_rate=learning_rate,
            learning_rate_init=learning_rate_init,
            power_t=power_t,
            max_iter=max_iter,
            shuffle=shuffle,
            random_state=random_state,
            tol=tol,
            verbose=verbose,
            warm_start=warm_start,
            momentum=momentum,
            nesterovs_momentum=nesterovs_momentum,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            beta_1=beta_1,
            beta_2=beta_2,
            epsilon=epsilon,
            n_iter_no_change=n_iter_no_change,
            max_fun=max_fun,
        )
        self.dropout = dropout
        self.normalization = normalization
        self.optimizer = optimizer
        self.schedule = schedule
        self.callbacks = callbacks
        self.progress = progress
        self.engine = engine
        self.threads = threads
        self.calibration = calibration

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> MLPRegressor:
        """Fit the network, and with ``calibration`` learn how far off it is on other samples.

        Parameters
        ----------
        X : (n, features)
            An array, a data frame, or a sparse matrix (CSR or CSC).
        y : (n,) or (n, outputs)
            Numbers.
        sample_weight : (n,), optional
            How much each sample counts; a weight of 2 is as good as the sample twice. So it is in calibration: with
            weights intervals cover that share of the weight.
        X_val, y_val, sample_weight_val
            Data to be judged on after each epoch: training ends when the score has not risen by ``tol`` for
            ``n_iter_no_change`` epochs, and the best weights are kept. The score is R^2, or the negative loss where
            that is not scikit-learn's. ``early_stopping=True`` takes a part of X instead.

        Returns
        -------
        The estimator itself.
        """
        validation = X_val, y_val, sample_weight_val
        if self.calibration is None:
            self._fit_with(X, y, sample_weight, *validation)
        else:
            self._validate_params()
            fit_and_calibrate(self, self._fit_with, X, y, sample_weight, validation, self._predicts_quantiles)
        return self

    @available_if(lambda me: me._check_solver() if uses_extras(me) else True)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Go over the samples once, with the optimiser as the call before left it.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``.

        Returns
        -------
        The estimator itself.
        """
        super().partial_fit(X, y, sample_weight)
        return self

    def calibrate(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Learn from samples that were not trained on how far off the predictions are, for ``predict_interval``.

        Parameters
        ----------
        X, y
            As for ``fit``, (n, features) and (n,) or (n, outputs): at least coverage / (1 - coverage) samples.
        sample_weight : (n,), optional
            How much each of them counts.

        Returns
        -------
        The estimator itself.
        """
        check_is_fitted(self)
        self._conformal = Calibration.of(self, X, y, self._predicts_quantiles, sample_weight)
        return self

    def predict_interval(self, X: Any, coverage: float = 0.9) -> Array:
        """Intervals that new targets lie in with a probability of ``coverage``, whatever their distribution.

        Parameters
        ----------
        X : (n, features)
            New samples, of the kind of those that were calibrated with.
        coverage
            In (0, 1).

        Returns
        -------
        (n, 2), or (n, outputs, 2) for several targets, each by itself: lower and upper end.

        Raises
        ------
        ArgumentError
            When nothing was held back to calibrate with, or too little for the coverage.

        Notes
        -----
        Split-conformal prediction (Lei et al. 2018, Algorithm 2) or CV+ (Barber et al. 2021); with
        ``loss=Quantile(q=(0.05, 0.95))`` conformalised quantile regression (Romano et al. 2019), whose intervals are
        wider where the noise is. The probability is over the calibration samples too: on average over such sets.
        """
        check_is_fitted(self)
        check_coverage(coverage)
        known = self.__dict__.get("_conformal")
        if known is None:
            raise ArgumentError(
                explain(
                    "predict_interval expected errors on samples that were not trained on",
                    "a model that has not been calibrated",
                    "Make it with calibration=0.2 (or calibration=5, for folds), or call calibrate(X, y) after fit",
                )
            )
        ends: Array = known.interval(self, X, coverage)
        return ends

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R^2 of the predictions f: 1 - sum((y - f)^2) / sum((y - mean(y))^2); of several targets the mean.

        Parameters
        ----------
        X, y, sample_weight
            As for ``fit``, (n, features), (n,) or (n, outputs), and (n,).

        Raises
        ------
        ArgumentError
            When quantiles are predicted, which have no R^2.
        """
        columns = output_columns(self)
        if columns is not None:
            raise ArgumentError(
                explain(
                    "score expected one prediction for each target",
                    counted(columns, "quantile"),
                    "Judge quantiles by sklearn.metrics.mean_pinball_loss, one column at a time",
                )
            )
        return float(super().score(X, y, sample_weight))

    def write_onnx(self, pipeline: Pipeline) -> None:
        """For ``lucidgrad.onnx.export``: ``input`` (batch, features) → ``prediction`` (batch,) or (batch, targets).

        Parameters
        ----------
        pipeline
            What becomes the file.
        """
        write_regressor(self, pipeline)

    @property
    def _predicts_quantiles(self) -> bool:
        return output_columns(self) is not None

    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> tuple[Any, Array]:
        X, y = super()._validate_input(X, y, incremental, reset)
        columns = output_columns(self)
        if columns is None:
            return X, y
        if y.ndim != 1:
            raise ArgumentError(
                explain(
                    f"{counted(columns, 'quantile')} expected one target, (n,)",
                    f"y of shape {y.shape}",
                    "Fit one at a time",
                )
            )
        return X, np.repeat(y[:, None], columns, axis=1)
