"""How many of its threads a program uses: all of them, or one alone while that is faster.

Threads that meet every few microseconds gain where each has a core of its own. On a machine that is busy with
something else one of them is often away, and the others wait for it: a step can then take several times as long as in
one thread. Which it is changes from second to second, so it is measured while the program runs.
"""

from __future__ import annotations

import math

# What takes less time says nothing: waking the threads takes some ten microseconds. What is tried takes about as long.
TELLING_SECONDS = 4e-3
# While one thread is faster, all are tried again after so many times what trying costs: soon at first, as threads of
# other libraries keep a core busy for some hundredths of a second after their work; then in a twentieth of the time.
HASTE, PATIENCE = 2.5, 20.0


class Pace:
    """What is known about the speed of a program: asked before each call, told after it.

    Parameters
    ----------
    threads
        How many there are.

    Examples
    --------
    >>> pace = Pace(2)
    >>> pace.choose()  # so many threads, for so many steps at most
    (2, 1)
    >>> pace.note(2, steps=1, seconds=0.03)
    >>> pace.choose()
    (1, 1)
    >>> pace.note(1, steps=1, seconds=0.005)
    >>> pace.choose()[0]
    1
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._together: float | None = None  # seconds of a step, when last seen
        self._alone: float | None = None
        self._waiting = 0.0  # seconds of one thread until all are tried again
        self._patience = HASTE
        self._steps, self._seconds, self._counted = 0, 0.0, 0  # seen since then, by so many threads

    def choose(self) -> tuple[int, int | None]:
        """How many threads the next call is to have, and how many steps at most; None: as many as there are."""
        if self.threads == 1:
            return 1, None
        if self._together is None:
            return self.threads, max(1, self._steps)
        if self._alone is None:
            return 1, math.ceil(TELLING_SECONDS / self._together)
        if self._together <= self._alone:
            return self.threads, None
        if self._waiting:
            return 1, math.ceil(self._waiting / self._alone)
        return self.threads, math.ceil(TELLING_SECONDS / self._alone)

    def note(self, threads: int, steps: int, seconds: float) -> None:
        """So many threads did so many steps in this time."""
        if threads != self._counted:
            self._steps, self._seconds, self._counted = 0, 0.0, threads
        self._steps += steps
        self._seconds += seconds
        if self._seconds < TELLING_SECONDS or not self._steps:
            return
        step = self._seconds / self._steps
        if threads > 1:
            self._together = step
            self._waiting = self._patience * TELLING_SECONDS * step / (self._alone or step)
            slower = self._alone is None or step > self._alone
            self._patience = min(PATIENCE, 2 * self._patience) if slower else HASTE
        else:
            self._alone = step
            self._waiting = max(0.0, self._waiting - self._seconds)
        self._steps, self._seconds = 0, 0.0
