"""MLPClassifier: scikit-learn's in machine code, and with dropout, norms, any loss, optimiser and activation."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from sklearn import neural_network
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from lucidgrad.estimators.beyond import Beyond
from lucidgrad.estimators.extras import CONSTRAINTS, OF_CLASSIFIER
from lucidgrad.estimators.mlp import Native
from lucidgrad.estimators.onnx_export import write_classifier
from lucidgrad.estimators.scores import has_probabilities, has_scores
from lucidgrad.onnx.pipeline import Pipeline


class MLPClassifier(Beyond, Native, neural_network.MLPClassifier):  # type: ignore[misc]
    """Multi-layer perceptron classifier: ``sklearn.neural_network.MLPClassifier`` in machine code, and more.

    All parameters, attributes and methods of scikit-learn's class are there and mean the same; what comes on top is
    ``dropout`` and all behind it, and more to choose for ``activation``.

    Parameters
    ----------
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
    loss
        ``"log_loss"``: cross-entropy for several classes, the logistic loss for two and for several labels a row. Or a
        name (``"hinge"``), a Loss (``CrossEntropy(label_smoothing=0.1)``), or a function of (logits, targets), with
        targets (batch,) for several classes, else 0 and 1 in the shape of the logits.
    optimizer
        A name of ``lucidgrad.optim.OPTIMIZERS``, with ``learning_rate_init``, or an Optimizer. None: ``solver``.
    schedule
        A name of ``lucidgrad.optim.SCHEDULES``, from ``learning_rate_init`` over the steps of ``max_iter`` epochs
        ("exponential" ends at a hundredth, "step_decay" falls to a tenth after each third, "warm_up" takes a
        twentieth), or a function of the step. None: ``learning_rate``.
    class_weight
        ``"balanced"``, or a dict from classes to weights: how much a sample counts by its class, beside its
        ``sample_weight``, in training and in the score that stops early. For several labels a row ``"balanced"`` or
        a list of dicts.
    callbacks
        See ``lucidgrad.training``.
    progress
        A progress bar: yes, no, or (None) when the output is a terminal.
    engine
        ``"native"``, ``"eager"`` (NumPy), or ``"auto"``: natively what can be compiled.
    threads
        For matrix products. None: one, or several where the products are large enough to gain.

    Attributes
    ----------
    model_ : Sequential
        The fitted network of lucidgrad's layers.
    history_ : History
        A row for each epoch of the last ``fit``.

    Notes
    -----
    With scikit-learn's parameters alone its own loop is run in machine code, and with the same ``random_state`` the
    weights are scikit-learn's, to rounding; so it is with ``class_weight``, ``progress``, ``engine`` and ``threads``.
    L-BFGS and sparse inputs then are left to scikit-learn. All else is trained by the loop of ``lucidgrad.fit``, from
    the same first weights, with an order of the samples of its own; sparse inputs are made dense for it.
    ``loss_curve_`` is of the loss with the L2 term of ``alpha``. A fitted estimator is plain data.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> import lucidgrad as lg
    >>> X, y = load_iris(return_X_y=True)
    >>> lg.MLPClassifier((8,), max_iter=2000, random_state=0).fit(X, y).score(X, y) > 0.95
    True
    >>> model = lg.MLPClassifier((16, 16), activation="gelu", dropout=0.1, optimizer="adamw", learning_rate_init=0.01,
    ...                          schedule="cosine", max_iter=60, random_state=0)
    >>> model.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2]).score(X, y) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **neural_network.MLPClassifier._parameter_constraints,
        **CONSTRAINTS,
        **OF_CLASSIFIER,
    }

    def __init__(
        self,
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
        loss: Any = "log_loss",
        optimizer: Any = None,
        schedule: Any = None,
        class_weight: Any = None,
        callbacks: Any = None,
        progress: bool | None = False,
        engine: str = "auto",
        threads: int | None = None,
    ) -> None:
        super().__init__(
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
        self.loss = loss
        self.optimizer = optimizer
        self.schedule = schedule
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.progress = progress
        self.engine = engine
        self.threads = threads

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> MLPClassifier:
        """Fit the network.

        Parameters
        ----------
        X : (n, features)
            An array, a data frame, or a sparse matrix (CSR or CSC).
        y : (n,) or (n, labels)
            Classes of any kind, or several yes-or-no labels a row.
        sample_weight : (n,), optional
            How much each sample counts; a weight of 2 is as good as the sample twice.
        X_val, y_val, sample_weight_val
            Data to be judged on after each epoch: training ends when the accuracy has not risen by ``tol`` for
            ``n_iter_no_change`` epochs, and the best weights are kept. ``early_stopping=True`` takes a part of X. With
            ``class_weight`` a class counts there what it counts in X.

        Returns
        -------
        The estimator itself.
        """
        self._fit_with(X, y, sample_weight, X_val, y_val, sample_weight_val)
        return self

    @available_if(has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Any:
        """The probability of each class, in the order of ``classes_``.

        Parameters
        ----------
        X : (n, features)
            Samples.

        Returns
        -------
        (n, classes)
        """
        if "coefs_" not in vars(self):
            check_is_fitted(self)
        made = self._forward_pass_fast(X)
        return np.concatenate([1 - made, made], axis=1) if self.n_outputs_ == 1 else made

    @available_if(has_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> Any:
        """The logarithm of ``predict_proba``.

        Parameters
        ----------
        X : (n, features)
            Samples.

        Returns
        -------
        (n, classes)
        """
        return super().predict_log_proba(X)

    def _validate_input(self, X: Any, y: Any, incremental: bool, reset: bool) -> Any:
        """As scikit-learn's, which looks seven times through labels whose kind an array says already."""
        known = incremental or (self.warm_start and hasattr(self, "classes_"))
        if known or type(y) is not np.ndarray or y.ndim != 1 or y.dtype.kind not in "biuU":
            return super()._validate_input(X, y, incremental, reset)
        classes, codes = np.unique(y, return_inverse=True)
        if not 2 <= len(classes) <= len(y) // 2:  # there is something to say about them
            return super()._validate_input(X, y, incremental, reset)
        floats = np.float64, np.float32
        X, _ = validate_data(self, X, y, accept_sparse=["csr", "csc"], multi_output=True, dtype=floats, reset=reset)
        binarizer = self._label_binarizer = LabelBinarizer()
        binarizer.y_type_ = "binary" if len(classes) == 2 else "multiclass"
        binarizer.sparse_input_, binarizer.classes_, self.classes_ = False, classes, classes
        return X, codes[:, None] == (np.arange(len(classes)) if len(classes) > 2 else 1)

    def _predict(self, X: Any, check_input: bool = True) -> Any:
        """As scikit-learn's, without its checks of what the network has just made."""
        binarizer = self._label_binarizer
        several, plain = binarizer.y_type_ == "multiclass", not binarizer.sparse_input_
        if not plain or not (several or (binarizer.y_type_ == "binary" and len(self.classes_) == 2)):
            return super()._predict(X, check_input)
        made = self._forward_pass_fast(X, check_input)
        return self.classes_[made.argmax(axis=1) if several else (made[:, 0] > 0.5).astype(np.intp)]

    @available_if(has_scores)  # type: ignore[untyped-decorator]
    def decision_function(self, X: Any) -> Any:
        """With the hinge loss, the score of each class, the largest of which is predicted.

        Parameters
        ----------
        X : (n, features)
            Samples.

        Returns
        -------
        (n, classes); of two classes the score of the second, (n,), and of several labels a row that of each,
        (n, labels): positive where it is predicted.
        """
        check_is_fitted(self)
        made = self._scores(X)
        return made[:, 0] if self._label_binarizer.y_type_ == "binary" else made

    def write_onnx(self, pipeline: Pipeline) -> None:
        """For ``lucidgrad.onnx.export``: ``input`` (batch, features) → ``label``, ``probabilities`` or ``scores``.

        Parameters
        ----------
        pipeline
            What becomes the file.
        """
        write_classifier(self, pipeline)
