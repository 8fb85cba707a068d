"""Schedules: their curves, and what holds for any of them."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucidgrad import optim
from lucidgrad.errors import ArgumentError
from lucidgrad.optim import SCHEDULES, constant, cosine, exponential, one_cycle, step_decay, warm_up
from lucidgrad.optim.schedules import AnySchedule

rates = st.floats(1e-6, 10.0)
counts = st.integers(1, 300)
steps = st.integers(0, 1000)
shares = st.floats(0.01, 1.0)


def test_every_schedule_has_a_name_for_the_command_line() -> None:
    assert set(SCHEDULES.values()) == set(get_args(AnySchedule))
    assert all(getattr(optim, name) is schedule for name, schedule in SCHEDULES.items())


@given(rates, steps)
def test_constant_is_constant(value: float, step: int) -> None:
    assert constant(value)(step) == value


@given(rates, counts, shares, steps)
def test_a_decay_never_rises_and_stays_within_its_bounds(initial: float, every: int, factor: float, step: int) -> None:
    for schedule in (step_decay(initial, every, factor), exponential(initial, factor)):
        assert schedule(0) == initial
        assert 0 <= schedule(step + 1) <= schedule(step) <= initial


@given(rates, counts, shares, steps)
def test_a_step_decay_falls_after_every_so_many_steps_only(initial: float, every: int, factor: float, k: int) -> None:
    schedule = step_decay(initial, every, factor)
    k %= 10
    assert {schedule(step) for step in range(k * every, (k + 1) * every)} == {initial * factor**k}


@given(rates, counts, shares)
def test_a_cosine_falls_from_its_start_to_its_end_and_stays_there(initial: float, total: int, share: float) -> None:
    schedule = cosine(initial, total, final=initial * share)
    values = [schedule(step) for step in range(total + 3)]
    assert values[0] == pytest.approx(initial, rel=1e-14)
    assert values[total:] == [schedule.final] * 3
    assert all(after <= before * (1 + 1e-14) for before, after in pairwise(values))


@given(rates, counts)
def test_half_way_a_cosine_has_half_the_rate(initial: float, half: int) -> None:
    assert cosine(initial, 2 * half)(half) == pytest.approx(initial / 2, rel=1e-14)


@given(rates, counts)
def test_a_warm_up_rises_from_above_0_and_hands_over_without_a_jump(rate: float, total: int) -> None:
    schedule = warm_up(rate, total)
    values = [schedule(step) for step in range(total + 2)]
    assert values[0] > 0
    assert values[total:] == [rate, rate]
    rises = [after - before for before, after in pairwise(values[: total + 1])]
    assert rises == pytest.approx([rate / (total + 1)] * total, rel=1e-9)


@given(rates, counts, counts)
def test_after_the_warm_up_the_other_schedule_begins_at_its_beginning(rate: float, total: int, step: int) -> None:
    then = cosine(rate, 100)
    assert warm_up(then, total)(total + step) == then(step)


@given(rates, st.integers(2, 300), st.floats(0.05, 0.95), steps)
def test_one_cycle_stays_between_its_end_and_its_peak(peak: float, total: int, rise: float, step: int) -> None:
    schedule = one_cycle(peak, total, rise)
    assert peak / 25 / 1e4 * (1 - 1e-12) <= schedule(step) <= peak * (1 + 1e-12)
    assert schedule(total - 1) == schedule(total + step) == pytest.approx(peak / 25 / 1e4, rel=1e-9)


@given(rates, st.integers(2, 300), st.floats(0.05, 0.95))
def test_one_cycle_rises_and_then_falls(peak: float, total: int, rise: float) -> None:
    schedule = one_cycle(peak, total, rise)
    values = [schedule(step) for step in range(total)]
    top = values.index(max(values))
    assert abs(top - (rise * total - 1)) <= 1
    assert values[: top + 1] == sorted(values[: top + 1])
    assert values[top:] == sorted(values[top:], reverse=True)


def test_one_cycle_may_go_one_way_only() -> None:
    assert one_cycle(1.0, 10, rise=1.0)(9) == 1.0
    falling = one_cycle(1.0, 10, rise=0.0)
    assert [falling(s) for s in range(10)] == sorted((falling(s) for s in range(10)), reverse=True)
    assert one_cycle(1.0, 2, rise=0.5)(0) == 1.0
    assert one_cycle(1.0, 1)(0) == pytest.approx(4e-6)


def test_schedules_are_values() -> None:
    assert cosine(0.1, 100) == cosine(0.1, steps=100)
    assert replace(cosine(0.1, 100), steps=50) == cosine(0.1, 50)
    assert len({constant(0.1), constant(0.1), constant(0.2)}) == 2
    assert repr(warm_up(step_decay(0.1, 5), 3)) == "warm_up(then=step_decay(initial=0.1, every=5, factor=0.1), steps=3)"


MISTAKES: list[tuple[Callable[[], object], str]] = [
    (lambda: constant(-1.0), r"constant\(value=...\) expected a number in \[0, inf\), got -1.0"),
    (lambda: step_decay(-1.0, 5), r"step_decay\(initial=...\)"),
    (lambda: step_decay(0.1, 0), r"step_decay\(every=...\) expected an integer of at least 1, got 0"),
    (lambda: step_decay(0.1, 5, 1.5), r"step_decay\(factor=...\) expected a number in \(0, 1\], got 1.5"),
    (lambda: exponential(-1.0, 0.9), r"exponential\(initial=...\)"),
    (lambda: exponential(0.1, 0.0), r"exponential\(factor=...\) expected a number in \(0, 1\], got 0.0"),
    (lambda: cosine(-1.0, 5), r"cosine\(initial=...\)"),
    (lambda: cosine(0.1, 2.5), r"cosine\(steps=...\) expected an integer of at least 1, got 2.5"),  # type: ignore[arg-type]
    (lambda: cosine(0.1, 5, final=-0.1), r"cosine\(final=...\)"),
    (lambda: warm_up(-1.0, 5), r"warm_up\(then=...\) expected a number in \[0, inf\), got -1.0"),
    (lambda: warm_up(0.1, 0), r"warm_up\(steps=...\)"),
    (lambda: one_cycle(-1.0, 5), r"one_cycle\(max_learning_rate=...\)"),
    (lambda: one_cycle(0.1, True), r"one_cycle\(steps=...\) .* got True"),
    (lambda: one_cycle(0.1, 5, 1.5), r"one_cycle\(rise=...\) expected a number in \[0, 1\], got 1.5"),
    (lambda: one_cycle(0.1, 5, start_divisor=0.5), r"one_cycle\(start_divisor=...\)"),
    (lambda: one_cycle(0.1, 5, end_divisor=0.0), r"one_cycle\(end_divisor=...\)"),
]


@pytest.mark.parametrize(("make", "message"), MISTAKES, ids=[message.split(" ")[0] for _, message in MISTAKES])
def test_an_argument_that_makes_no_sense_is_refused_with_advice(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        make()
