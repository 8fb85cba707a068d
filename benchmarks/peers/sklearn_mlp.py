"""scikit-learn's multi-layer perceptron: ``partial_fit`` is one epoch over shuffled minibatches."""

from __future__ import annotations

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from benchmarks.cases import Case, Data
from benchmarks.peers.peer import Array, Trainer


def prepare(case: Case, data: Data, threads: int, seed: int) -> Trainer:
    """The number of BLAS threads was set in the environment, before NumPy was loaded."""
    sklearn.set_config(assume_finite=True)  # spares a look at all of x
    return PartialFitTrainer(case, data, seed)


class PartialFitTrainer(Trainer):
    def __init__(self, case: Case, data: Data, seed: int) -> None:
        self.data = data
        self.classes = np.arange(case.sizes[-1])
        self.model = MLPClassifier(
            case.sizes[1:-1],
            solver=case.optimizer.lower(),
            alpha=0.0,
            batch_size=case.batch,
            learning_rate_init=case.learning_rate,
            momentum=0.0,
            nesterovs_momentum=False,
            random_state=seed,
        )

    def epoch(self) -> float:
        self.model.partial_fit(self.data.x, self.data.y, classes=self.classes)
        return float(self.model.loss_)

    def scores(self, x: Array) -> Array:
        return self.model.predict_proba(x)
