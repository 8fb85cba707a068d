"""doctor: all checks on one run."""

from __future__ import annotations

from typing import Any

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.training.doctor.checks import CHECKS
from lucidgrad.training.doctor.examination import Examination
from lucidgrad.training.doctor.verdict import Diagnosis, Verdict, language_of
from lucidgrad.training.run import Run


def doctor(run: Any, *, language: str = "en") -> Diagnosis:
    """Say what is wrong with a run, on which evidence, and what helps; nothing where nothing is.

    The history is read, and some batches are run again eagerly, to see the activations and gradients of each layer
    before and after training and to try out other learning rates. That is done in the same way after native and eager
    runs, and leaves model and run as they were.

    Parameters
    ----------
    run
        What ``fit`` gave, with at least one epoch; also one that has diverged.
    language
        ``"en"`` or ``"ko"``: that of the printed diagnosis.

    Returns
    -------
    Diagnosis
        The verdicts, causes first. It is false where there are none.

    Raises
    ------
    ArgumentError
        For a run without an epoch, or an unknown language.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.seed(0)
    >>> x, y = lg.data.moons(200, seed=0)
    >>> model = lg.nn.Sequential(lg.nn.Linear(2, 16), lg.functional.tanh, lg.nn.Linear(16, 2))
    >>> run = lg.fit(model, 255 * x, y, loss="cross_entropy", optimizer=lg.optim.Adam(0.01), epochs=5, batch_size=20)
    >>> lg.doctor(run).illnesses
    ['unscaled_inputs', 'saturated_activations']
    """
    language_of(language)
    if not isinstance(run, Run) or not run.history.rows or run.samples is None:
        raise ArgumentError(
            explain(
                "doctor expected a run of at least one epoch",
                f"{run.epoch} epochs" if isinstance(run, Run) else type(run).__name__,
                "Pass what fit gives: run = lucidgrad.fit(...)",
            )
        )
    examination, verdicts = Examination(run), list[Verdict]()
    for check in CHECKS.values():
        if not {v.illness for v in verdicts} & set(check.unless):
            verdicts += check.look(examination)
    return Diagnosis(tuple(verdicts), len(run.history), language)
