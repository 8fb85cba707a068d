"""A program uses all of its threads, or one alone while that is faster; what it computes stays the same."""

from collections.abc import Callable

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.compiler.pace import TELLING_SECONDS, Pace
from lucidgrad.training import native


def threads_of(steps: int, together: Callable[[int], float], alone: float = 2.0, most: int = 100) -> list[int]:
    """How many threads do each step, when one takes ``alone`` seconds, or ``together(step)`` in three threads."""
    pace = Pace(3)
    made: list[int] = []
    while len(made) < steps:
        threads, limit = pace.choose()
        count = min(most, limit or most)
        pace.note(threads, count, sum(alone if threads == 1 else together(len(made) + i) for i in range(count)))
        made += [threads] * count
    return made


def test_one_thread_is_tried_for_a_moment_where_all_are_faster() -> None:
    made = threads_of(10_000, lambda step: 1e-5, alone=2e-5)
    assert made[0] == 3, "all begin"
    assert made.count(1) <= 2 * TELLING_SECONDS / 1e-5


def test_while_all_together_are_slower_one_works_alone_and_trying_takes_a_twentieth_of_the_time() -> None:
    made = np.array(threads_of(50_000, lambda step: 9e-4, alone=2e-4, most=10_000))
    tried, alone = 9e-4 * (made == 3).sum(), 2e-4 * (made == 1).sum()
    assert tried < 0.06 * alone
    starts = np.flatnonzero((made == 3) & (np.roll(made, 1) != 3))
    assert (np.diff(starts)[1:] < 2500).all(), "within a long call too"


def test_all_are_back_soon_after_a_moment_in_which_they_were_held_up() -> None:
    made = threads_of(2000, lambda step: 3e-3 if step < 5 else 1e-4, alone=2e-4, most=1000)
    assert set(made[-1000:]) == {3}


def test_all_work_again_once_they_are_faster() -> None:
    made = threads_of(20_000, lambda step: 9e-4 if step < 5000 else 1e-4, alone=2e-4)
    assert made[4000:5000].count(1) > 900
    assert set(made[-5000:]) == {3}


def test_short_calls_tell_together_what_none_of_them_tells() -> None:
    made = threads_of(10_000, lambda step: 9e-4, alone=2e-4, most=1)
    assert made.count(1) > 9000


def test_a_call_without_steps_says_nothing() -> None:
    pace = Pace(2)
    pace.note(2, 0, 1.0)
    assert pace.choose() == (2, 1)


def test_one_thread_has_no_choice() -> None:
    pace = Pace(1)
    pace.note(1, 1, 1.0)
    assert pace.choose() == (1, None)


def test_the_bits_are_the_same_when_the_number_of_threads_changes_between_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = np.random.default_rng(0).standard_normal((320, 90)).astype(np.float32)
    y = x[:, :5].argmax(axis=1)
    used: list[int] = []

    class Alternating(Pace):
        def choose(self) -> tuple[int, int | None]:
            used.append(self.threads if len(used) % 3 else 1)
            return used[-1], 1 + len(used) % 2

    monkeypatch.setattr("lucidgrad.compiler.program.Pace", Alternating)
    monkeypatch.setattr(native, "native_threads", lambda model, rows: 3)

    def trained(threads: int | None) -> dict[str, np.ndarray]:
        lg.seed(0)
        model = lg.nn.Sequential(lg.nn.Linear(90, 130), lg.functional.relu, lg.nn.Linear(130, 5))
        lg.fit(model, x, y, loss="cross_entropy", optimizer=lg.optim.Adam(0.01), epochs=4, batch_size=64,
               threads=threads, engine="native", progress=False)  # fmt: skip
        return model.state()

    changing, one = trained(None), trained(1)
    assert {1, 3} == set(used)
    assert all(changing[path].tobytes() == one[path].tobytes() for path in one)
    before = len(used)
    trained(2)
    assert len(used) == before, "who asks for a number of threads gets it"
