"""The doctor at the bedside: examines the run when it ends, also when it ends badly, and says what it found."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, final

from lucidgrad.training.callbacks.callback import Callback

if TYPE_CHECKING:
    from lucidgrad.training.doctor import Diagnosis
    from lucidgrad.training.run import Run


@final
class Doctor(Callback):
    """Examines the run at its end (see ``lucidgrad.doctor``) and keeps the diagnosis; findings are told in a warning.

    It also keeps the last finite weights at the end of each epoch, so that the way to a NaN need not be walked again
    from the start. It never changes the run.

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
        self._sound: Any = None

    def on_run_begin(self, run: Run) -> None:
        """Keep the weights that the run begins with."""
        from lucidgrad.training.doctor.examination import kept

        self.diagnosis, self._sound = None, kept(run)

    def on_epoch_end(self, run: Run) -> None:
        """Keep the weights, if they are finite."""
        from lucidgrad.training.doctor.examination import kept

        now = kept(run)
        if now.is_finite:
            self._sound = now

    def on_run_end(self, run: Run) -> None:
        """Examine the run."""
        from lucidgrad.training.doctor import doctor

        if not run.history.rows or run.samples is None:
            return
        self.diagnosis = doctor(run, language=self.language, sound=self._sound)
        self._sound = None
        if self.diagnosis and not self.quiet:
            warnings.warn(self.diagnosis.text(), RuntimeWarning, stacklevel=2)
