"""What the lab looks at while a network trains: honest training accuracy, gradients, moving boundaries."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lucidgrad.data import Dataset
from lucidgrad.lab.result import Norms
from lucidgrad.losses import CrossEntropy
from lucidgrad.nn import Module
from lucidgrad.plot import Boundary
from lucidgrad.tensor import grad
from lucidgrad.training import Callback, Run, evaluate

JUDGED_SAMPLES = 10_000
"""At most so many training samples are judged after each epoch."""
GRADIENT_SAMPLES = 512
"""Of the batch, always the same, on which gradients are measured."""
FRAMES = 32
"""Moments at which a decision boundary is kept, with more of them early, when most happens."""
GRID_POINTS = 110


class Observer(Callback):
    """Measures a run as it goes, and tells the progress display."""

    def __init__(self, data: Dataset, frames: bool, report: Callable[[Run], None]) -> None:
        self.data = data
        self.report = report
        self.frames: dict[int, Boundary] | None = {} if frames else None
        self.run: Run | None = None
        self.start_max_abs_weight: Norms = {}
        self.gradient_norms: list[Norms] = []
        self.moments: set[int] = set()

    def on_run_begin(self, run: Run) -> None:
        """Before the first step: where the weights and the gradients start from."""
        self.run = run
        self.start_max_abs_weight = {path: float(np.abs(p.numpy()).max()) for path, p in run.parameters.items()}
        self.gradient_norms = [gradient_norms(run.model, self.data)]
        self.moments = {round(run.epochs * share**2) for share in np.linspace(0, 1, FRAMES)}
        self._keep_frame(run)

    def on_step_end(self, run: Run) -> None:
        """Only for the display, which decides by itself how often it draws."""
        self.report(run)

    def on_epoch_end(self, run: Run) -> None:
        """Judge the weights as they are now, with those of the test samples already in the row."""
        x, y = self.data.x_train[:JUDGED_SAMPLES], self.data.y_train[:JUDGED_SAMPLES]
        judged = evaluate(run.model, x, y, loss=run.loss, metrics=["accuracy"])
        run.history.last["training_loss"] = judged["loss"]
        run.history.last["training_accuracy"] = judged["accuracy"]
        self.gradient_norms.append(gradient_norms(run.model, self.data))
        self._keep_frame(run)
        self.report(run)

    def _keep_frame(self, run: Run) -> None:
        if self.frames is not None and run.epoch in self.moments:
            self.frames[run.epoch] = Boundary.of(run.model, self.data.x_train, points=GRID_POINTS)


def gradient_norms(model: Module, data: Dataset) -> Norms:
    """The Euclidean norm of the gradient of the mean loss for each weight matrix, by path, on the first samples."""
    weights = {path: p for path, p in model.parameters().items() if path.endswith("weight")}
    was_training = model.training
    model.eval()
    logits = model(data.x_train[:GRADIENT_SAMPLES])
    loss = CrossEntropy()(logits, data.y_train[:GRADIENT_SAMPLES])
    gradients = grad(loss, list(weights.values()))
    model.train(was_training)
    with np.errstate(all="ignore"):  # a network that has diverged has a norm too: inf or NaN
        norms = [float(np.linalg.norm(g.numpy().astype(np.float64))) for g in gradients]
    return dict(zip(weights, norms, strict=True))
