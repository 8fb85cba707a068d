"""The doctor at the bedside: examines the run when it ends, also when it ends badly, and says what it found."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, final

from lucidgrad.training.callbacks.callback import Callback

if TYPE_CHECKING:
    from lucidgrad.training.doctor import Diagnosis
    from lucidgrad.training.run import Run


@final
class Doctor(Callback):
    """Examines the run at its end (see ``lucidgrad.doctor``) and keeps the diagnosis; findings are told in a warning.

    It never changes the run.

    Parameters
    ----------
    language
        ``"en"`` or ``"ko"``.
    quiet
        True: no warning; look at ``diagnosis``.

    Attributes
    ----------
    diagnosis : Diagnosis or None
        What was found in the last run; None before one has ended.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.training import Doctor, fit
    >>> x, y = lg.data.circles(200, seed=0)
    >>> doctor = Doctor(quiet=True)
    >>> run = fit(lg.nn.Linear(2, 2, key=lg.Key(0)), x, y, loss="cross_entropy", optimizer=lg.optim.Adam(0.1),
    ...           epochs=20, batch_size=20, callbacks=[doctor])
    >>> doctor.diagnosis.illnesses  # one layer cannot tell circles apart
    ['underfitting']
    """

    def __init__(self, language: str = "en", *, quiet: bool = False) -> None:
        from lucidgrad.training.doctor.verdict import language_of

        language_of(language)
        self.language, self.quiet = language, quiet
        self.diagnosis: Diagnosis | None = None

    def on_run_begin(self, run: Run) -> None:
        """Forget the run before."""
        self.diagnosis = None

    def on_run_end(self, run: Run) -> None:
        """Examine the run."""
        from lucidgrad.training.doctor import doctor

        if not run.history.rows or run.samples is None:
            return
        self.diagnosis = doctor(run, language=self.language)
        if self.diagnosis and not self.quiet:
            warnings.warn(self.diagnosis.text(), RuntimeWarning, stacklevel=2)
