"""What MLPClassifier and MLPRegressor do beyond scikit-learn's: where its classes are led aside, and no further."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neural_network._base import ACTIVATIONS
from sklearn.utils.validation import check_is_fitted

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.estimators.asking import checked, outputs, plain_outputs
from lucidgrad.estimators.extended import fit_extended, history_of, network_of_fitted
from lucidgrad.estimators.extras import uses_extras
from lucidgrad.estimators.given import Given, weights_by_class
from lucidgrad.estimators.networks import predicts_logarithm
from lucidgrad.nn import Sequential
from lucidgrad.optim import Optimizer
from lucidgrad.training import History

Array = np.ndarray[Any, np.dtype[Any]]


class Beyond:
    """Stands before scikit-learn's classes: weights of classes, another loop, another way forward."""

    @property
    def model_(self) -> Sequential:
        """The fitted network: lucidgrad's layers, in evaluation mode.

        It puts out logits for classes, the logarithm for a Poisson loss, and predictions for other losses: what
        ``lucidgrad.predict``, ``lucidgrad.save`` and ``lucidgrad.fit`` work with.
        """
        check_is_fitted(self)
        return network_of_fitted(self)

    @property
    def history_(self) -> History:
        """The rows of the last ``fit``, one for each epoch."""
        check_is_fitted(self)
        return history_of(self)

    def _fit_with(self, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any, sample_weight_val: Any) -> Any:
        """scikit-learn's ``fit``, with the validation set at hand while it lasts."""
        me: Any = self
        if (X_val is None) != (y_val is None) or (X_val is None and sample_weight_val is not None):
            given = [
                k
                for k, v in (("X_val", X_val), ("y_val", y_val), ("sample_weight_val", sample_weight_val))
                if v is not None
            ]
            raise ArgumentError(
                explain("fit expected X_val and y_val together", ", ".join(given), "Pass both, or none")
            )
        if X_val is None:
            return super().fit(X, y, sample_weight)  # type: ignore[misc]
        me._given_validation = X_val, y_val, sample_weight_val
        try:
            return super().fit(X, y, sample_weight)  # type: ignore[misc]
        finally:
            del me._given_validation

    def _initialize(self, y: Array, layer_units: list[int], dtype: Any) -> None:
        super()._initialize(y, layer_units, dtype)  # type: ignore[misc]
        me: Any = self
        me.__dict__.pop("_network", None)
        me.__dict__.pop("_kept", None)
        if predicts_logarithm(me.loss):
            me.out_activation_ = "exp"

    def _fit_stochastic(self, X: Any, y: Array, sample_weight: Array | None, *rest: Any) -> None:
        self._train(X, y, sample_weight, rest[-2], rest[-1], super()._fit_stochastic, rest)  # type: ignore[misc]

    def _fit_lbfgs(self, X: Any, y: Array, sample_weight: Array | None, *rest: Any) -> None:
        self._train(X, y, sample_weight, rest[-1], False, super()._fit_lbfgs, rest)  # type: ignore[misc]

    def _train(
        self, X: Any, y: Array, weight: Array | None, layer_units: list[int], incremental: bool, theirs: Any, rest: Any
    ) -> None:
        """By lucidgrad's loop where a setting of ours asks for it, else by theirs."""
        me: Any = self
        me.__dict__.pop("_conformal", None)
        by_class = weights_by_class(me, y, weight, y)
        if uses_extras(me):
            fit_extended(me, Given(X, y, weight, by_class), layer_units, incremental)
            return
        for name in ("_network", "_history", "_kept"):
            me.__dict__.pop(name, None)
        if by_class is not None:
            weight = by_class if weight is None else weight * by_class
        theirs(X, y, weight, *rest)

    def _check_solver(self) -> bool:
        """Whether there is a ``partial_fit``, as scikit-learn asks; an AttributeError says why not."""
        me: Any = self
        if getattr(me, "class_weight", None) == "balanced":
            raise AttributeError(
                "partial_fit expected class weights that do not depend on all samples, got class_weight='balanced'. "
                "Pass a dict: sklearn.utils.class_weight.compute_class_weight makes one from all labels."
            )
        if me.optimizer == "lbfgs" or (isinstance(me.optimizer, Optimizer) and me.optimizer.full_batch):
            raise AttributeError(
                "partial_fit expected an optimizer that takes single steps, got L-BFGS, which needs all samples. "
                "Use optimizer='adam' or 'sgd'."
            )
        if me.solver == "lbfgs" and me.optimizer is not None:
            return True
        return super()._check_solver()  # type: ignore[misc, no-any-return]

    def _forward_pass_fast(self, X: Any, check_input: bool = True) -> Array:
        me: Any = self
        X = checked(me, X) if check_input else X
        if me.__dict__.get("_network") is not None:
            made = self._scores(X, check_input=False)
            ACTIVATIONS[me.out_activation_](made)
            return made
        if type(X) is np.ndarray:
            return plain_outputs(me, X)
        return super()._forward_pass_fast(X, check_input=False)  # type: ignore[misc, no-any-return]

    def predict(self, X: Any) -> Any:
        """What is predicted for each row of X (n, features): (n,), or (n, outputs) where y had columns."""
        me: Any = self
        if "coefs_" not in vars(self):  # the check takes longer than the products of a row
            check_is_fitted(self)
        return me._predict(X)

    def _scores(self, X: Any, check_input: bool = True) -> Array:
        """What the network puts out, (n, outputs)."""
        me: Any = self
        X = checked(me, X) if check_input else X
        return outputs(me, network_of_fitted(me), X)
