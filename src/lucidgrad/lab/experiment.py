"""Run the plan: train each network, keep what was measured, and stop in good order when asked to."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from lucidgrad.data import Dataset
from lucidgrad.lab.network import optimizer_of, perceptron
from lucidgrad.lab.observer import Observer
from lucidgrad.lab.plan import Trial, plan
from lucidgrad.lab.progress import LabProgress, NoProgress
from lucidgrad.lab.result import Result, Status
from lucidgrad.lab.settings import Settings
from lucidgrad.lab.task import Task
from lucidgrad.nn import Module
from lucidgrad.plot import Boundary
from lucidgrad.training import evaluate, fit, predict_class


@dataclass
class Experiment:
    """A run of the lab: what it was set to, and everything that came out.

    Parameters
    ----------
    task, settings
        What was run.
    results
        Of each trial that was begun and completed at least one epoch, in the order of the plan.
    models
        The trained networks, in the same order.
    frames
        For two-feature tasks, how the decision boundary of each compared network moved: by place in ``results``, then
        by epoch.
    planned
        How many trials there were to be.
    interrupted
        Whether someone pressed Ctrl-C before the last.

    Examples
    --------
    >>> from lucidgrad.lab import default_settings, load_task, run_lab
    >>> task = load_task("xor")
    >>> experiment = run_lab(task, default_settings(task, layers=(1,), epochs=2, depths=(), descent_epochs=0))
    >>> experiment.planned, experiment.best, len(experiment.models)
    (1, 0, 1)
    """

    task: Task
    settings: Settings
    results: list[Result] = field(default_factory=list)
    models: list[Module] = field(default_factory=list)
    frames: dict[int, dict[int, Boundary]] = field(default_factory=dict)
    planned: int = 0
    interrupted: bool = False

    @property
    def networks(self) -> list[int]:
        """The places of the compared networks, one for each: that of its first seed."""
        first: dict[tuple[tuple[int, ...], str], int] = {}
        for i, result in enumerate(self.results):
            if result.trial.group in ("main", "control"):
                first.setdefault((result.trial.widths, result.trial.activation), i)
        return list(first.values())

    @property
    def best(self) -> int:
        """The place of the compared network that is right most often on the test samples."""
        return max(self.networks, key=lambda i: self.results[i].test_accuracy)


def run_lab(task: Task, settings: Settings, progress: LabProgress | NoProgress | None = None) -> Experiment:
    """Train and measure every network of the plan.

    Parameters
    ----------
    task
        From ``load_task``.
    settings
        From ``default_settings``.
    progress
        What to show meanwhile; None: nothing.

    Returns
    -------
    Experiment
        After Ctrl-C (SIGINT), with the results so far, the one under way among them if it had completed an epoch.

    Examples
    --------
    >>> from lucidgrad.lab import default_settings, load_task, run_lab
    >>> task = load_task("xor")
    >>> settings = default_settings(task, layers=(1, 2), activations=("tanh",), epochs=30, depths=(), descent_epochs=0)
    >>> one, two, _ = run_lab(task, settings).results
    >>> two.test_accuracy > one.test_accuracy
    True
    """
    trials = plan(settings)
    experiment = Experiment(task, settings, planned=len(trials))
    with (progress or NoProgress()).showing(trials, len(task.data.x_train)) as show:
        try:
            for trial in trials:
                show.begin(trial)
                _add(experiment, trial, show)
        except KeyboardInterrupt:
            experiment.interrupted = True
    return experiment


def _add(experiment: Experiment, trial: Trial, show: LabProgress | NoProgress) -> None:
    """Train one network and add what was measured; on Ctrl-C, what was measured so far, and pass it on."""
    task, settings = experiment.task, experiment.settings
    data = _first_samples(task.data, trial.samples)
    sizes = (data.in_features, *trial.widths, data.out_features)
    model = perceptron(sizes, trial.activation, dropout=trial.dropout, dtype=settings.dtype, seed=trial.seed)
    observer = Observer(data, task.is_plane and trial.group in ("main", "control"), show.update)
    finished = False
    try:
        _train(model, data, trial, observer)
        finished = True
    finally:
        if observer.run is not None and len(observer.run.history):
            if observer.frames is not None:
                experiment.frames[len(experiment.results)] = observer.frames
            experiment.results.append(_measured(trial, sizes, model, data, observer, finished))
            experiment.models.append(model)


def _train(model: Module, data: Dataset, trial: Trial, observer: Observer) -> None:
    with _diverging():
        fit(
            model,
            data.x_train,
            data.y_train,
            loss="cross_entropy",
            optimizer=optimizer_of(trial, len(data.x_train)),
            epochs=trial.epochs,
            batch_size=trial.batch_size,
            validation=(data.x_test, data.y_test),
            metrics=["accuracy"],
            callbacks=[observer],
            seed=trial.seed,
            progress=False,
        )


def _measured(
    trial: Trial, sizes: tuple[int, ...], model: Module, data: Dataset, observer: Observer, finished: bool
) -> Result:
    assert observer.run is not None  # fit has called on_run_begin
    assert data.x_test is not None  # every task has a test part
    assert data.y_test is not None
    judged = predict_class(model, data.x_test)
    train = evaluate(model, data.x_train, data.y_train, loss="cross_entropy", metrics=["accuracy"])
    test = evaluate(model, data.x_test, data.y_test, loss="cross_entropy", metrics=["accuracy"])
    history = observer.run.history
    status: Status = "done" if finished else "interrupted"
    return Result(
        trial,
        sizes,
        sum(p.size for p in model.parameters().values()),
        train["accuracy"],
        test["accuracy"],
        train["loss"],
        test["loss"],
        sum(history["seconds"]),
        history,
        observer.start_max_abs_weight,
        observer.gradient_norms,
        np.flatnonzero(judged != data.y_test).tolist(),
        status
        if np.isfinite(train["loss"]) and not (observer.run.stop_reason or "").startswith("diverged")
        else "diverged",
    )


def _first_samples(data: Dataset, samples: int | None) -> Dataset:
    if samples is None or samples >= len(data.x_train):
        return data
    return dataclasses.replace(data, x_train=data.x_train[:samples], y_train=data.y_train[:samples])


@contextmanager
def _diverging() -> Iterator[None]:
    """A run that diverges is a result like others here; the table says so, and no warning needs to."""
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", message="training stopped: it expected finite numbers", category=RuntimeWarning
        )
        yield
