"""Which rows are held back, for the test and for saying when to stop: by chance, in proportion, by group or by time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lucidgrad.data.split import split_indices
from lucidgrad.data.table import guess_kinds
from lucidgrad.data.table.read import moments_of
from lucidgrad.errors import ArgumentError, DataError, explain
from lucidgrad.estimators.table_training import MOST_TO_SPLIT, SPLITS
from lucidgrad.random import Key

if TYPE_CHECKING:
    import polars

    from lucidgrad.tables.plan import Wishes

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

LEAST_TO_TEST = 100
"""Rows from which on a part of them is kept for a test that neither training nor stopping sees."""
TEST_FRACTION = VALIDATION_FRACTION = 0.2


@dataclass(frozen=True)
class Split:
    """Row numbers to train on and to hold back, and how they were chosen in words."""

    train: Array
    held: Array
    reason: str


@dataclass(frozen=True)
class Draw:
    """What share to hold back, by which seed, of what in words, and how many groups or times have to remain."""

    fraction: float
    seed: int
    of: str
    remain: int = 1


@dataclass(frozen=True)
class Parts:
    """The rows of a table by what they are for.

    Parameters
    ----------
    others, test : (rows,) each
        Row numbers: what may be learned from, and what is only measured.
    held_back : (splits, others), or None
        Which of ``others`` say when to stop, once for each drawing.
    test_reason, stop_reason
        How they were chosen, in words.
    """

    others: Array
    test: Array
    held_back: Array | None
    test_reason: str
    stop_reason: str


def split_parts(
    x: polars.DataFrame, y: Array, wishes: Wishes, *, is_classes: bool, with_test: bool = True, with_stop: bool = True
) -> Parts:
    """Choose the rows of the test, and among the others those that say when to stop.

    Parameters
    ----------
    x, y
        The table and its targets.
    wishes
        What is told; ``test=None`` is a test where there are enough rows, and groups or times.
    is_classes
        Whether the targets are labels.
    with_test, with_stop
        False: these rows come from a file of their own.

    Raises
    ------
    ArgumentError
        For a share that leaves a part without rows, and for wishes that go against each other.
    DataError
        For a column of times without times, or too few groups or different times.
    """
    _check(wishes, is_classes)
    others, test = np.arange(len(y)), np.arange(0)
    # Read once, from all rows: the dates of some of them alone may look as if month and day were the other way round.
    times = None if wishes.time is None else _times_of(x.get_column(wishes.time))
    why = _no_test(x, times, wishes) if with_test else ""
    if with_test and not why:
        fraction = TEST_FRACTION if wishes.test is None else wishes.test
        draw = Draw(fraction, wishes.seed, "the rows", 1 + with_stop)
        split = _split(x, y, times, wishes, draw, is_classes)
        others, test, why = split.train, split.held, split.reason
    if not with_stop:
        return Parts(others, test, None, why, "")
    # Where nothing is kept for a test, the first drawing is measured, and has to stay unseen.
    drawings = 1 if wishes.time is not None or (with_test and not len(test)) else SPLITS
    of, x, y = "the other rows" if len(test) else "the rows", x[others], y[others]
    times = None if times is None else times[others]
    splits = [
        _split(x, y, times, wishes, Draw(wishes.validation, wishes.seed + i, of), is_classes)
        for i in range(drawings if len(y) <= MOST_TO_SPLIT else 1)
    ]
    held_back = np.zeros((len(splits), len(y)), bool)
    for mask, split in zip(held_back, splits, strict=True):
        mask[split.held] = True
    return Parts(others, test, held_back, why, splits[0].reason)


def _check(wishes: Wishes, is_classes: bool) -> None:
    given = [f"--{name}" for name in ("group", "time") if getattr(wishes, name)]
    given += ["--stratify"] * bool(wishes.stratify)
    if len(given) > 1:
        raise ArgumentError(explain("a split expected one way to choose rows", " and ".join(given), "Leave one out"))
    if wishes.stratify is True and not is_classes:
        raise ArgumentError(explain("--stratify expected classes", "numbers to predict", "Leave it out"))


def _no_test(x: polars.DataFrame, times: Array | None, wishes: Wishes) -> str:
    """Why there is no test, or nothing."""
    if wishes.test is not None:
        return "" if wishes.test else "none, as told"
    if x.height < LEAST_TO_TEST:
        return f"none, as there are fewer than {LEAST_TO_TEST} rows"
    if wishes.group is not None and len(np.unique(_groups_of(x.get_column(wishes.group)))) < 3:
        return f"none, as there are fewer than 3 groups by {wishes.group}"
    if times is not None and len(np.unique(times)) < 3:
        return f"none, as there are fewer than 3 different times in {wishes.time}"
    return ""


def _split(x: polars.DataFrame, y: Array, times: Array | None, wishes: Wishes, draw: Draw, is_classes: bool) -> Split:
    if wishes.time is not None and times is not None:
        return _latest(x.get_column(wishes.time), times, draw)
    if wishes.group is not None:
        return _groups(x.get_column(wishes.group), draw)
    if is_classes and wishes.stratify is not False:
        return _stratified(y, draw)
    train, held = split_indices(len(y), draw.fraction, seed=draw.seed)
    return Split(train, held, f"{_share(held, y)} of {draw.of}, by chance (seed {draw.seed})")


def _stratified(y: Array, draw: Draw) -> Split:
    """Classes in proportion; a class with a single row is learned from, and cannot be tested."""
    codes, sizes = np.unique(y, return_inverse=True, return_counts=True)[1:]
    lonely = sizes[codes] == 1
    many = np.flatnonzero(~lonely)
    if not len(many):
        expected = f"to hold rows back, a class expected with at least 2 rows in {draw.of}"
        try_ = "Name another target; numbers are predicted with --task regression"
        raise DataError(explain(expected, f"{len(sizes)} classes with a row each", try_))
    try:
        train, held = split_indices(len(many), draw.fraction, seed=draw.seed, stratify=codes[many])
        how = "with the classes in proportion"
    except DataError:
        train, held = split_indices(len(many), draw.fraction, seed=draw.seed)
        how = "by chance, as there are too few to keep the classes in proportion"
    train, held = np.sort(np.concatenate([many[train], np.flatnonzero(lonely)])), many[held]
    return Split(train, held, f"{_share(held, y)} of {draw.of}, {how} (seed {draw.seed})")


def _groups_of(column: polars.Series) -> Array:
    """The number of the group of each row; rows without one are a group."""
    import polars

    codes: Array = column.cast(polars.String).fill_null("").rank("dense").to_numpy().astype(np.int64) - 1
    return codes


def _groups(column: polars.Series, draw: Draw) -> Split:
    codes = _groups_of(column)
    sizes = np.bincount(codes)
    if len(sizes) <= draw.remain:
        got = "one alone" if len(sizes) == 1 else f"{len(sizes)}"
        expected = f"--group expected at least {draw.remain + 1} groups in {column.name!r}"
        raise DataError(explain(expected, got, _other_column(draw)))
    order = Key(draw.seed).permutation(len(sizes))
    filled = np.cumsum(sizes[order])
    count = int(np.clip(np.searchsorted(filled, draw.fraction * len(codes)) + 1, 1, len(sizes) - draw.remain))
    is_held = np.isin(codes, order[:count])
    held = np.flatnonzero(is_held)
    reason = f"{count} of the {len(sizes)} groups by {column.name}, {_share(held, codes)} of {draw.of}"
    return Split(np.flatnonzero(~is_held), held, f"{reason} (seed {draw.seed})")


def _times_of(column: polars.Series) -> Array:
    """The time of each row as a number; before all others where there is none."""
    if column.dtype.is_numeric():
        numbers: Array = column.cast(float).fill_nan(None).fill_null(float("-inf")).to_numpy()
        return numbers
    (seen,) = guess_kinds({column.name: column})
    moments = moments_of(np.array(column.to_list(), object), seen.format)
    if seen.kind not in ("date", "constant") or np.isnat(moments).all():
        got = f"{seen.kind}: {seen.reason}"
        raise DataError(explain(f"--time expected dates or numbers in {column.name!r}", got, "Name another column"))
    return np.where(np.isnat(moments), -np.inf, moments.astype(np.int64).astype(np.float64))


def _latest(column: polars.Series, times: Array, draw: Draw) -> Split:
    """The latest rows, and those of one time together; those without a time are learned from."""
    distinct, sizes = np.unique(times, return_counts=True)
    if len(distinct) <= draw.remain:
        got = "one alone" if len(distinct) == 1 else f"{len(distinct)}"
        expected = f"--time expected at least {draw.remain + 1} different times in {column.name!r}"
        raise DataError(explain(expected, got, _other_column(draw)))
    wanted = round(draw.fraction * len(times))
    later = np.cumsum(sizes[::-1])[::-1][draw.remain :]  # rows from each time on that may be the first held back
    first = distinct[draw.remain + int(np.argmin(np.abs(later - wanted)))]
    is_held = times >= first
    held = np.flatnonzero(is_held)
    reason = (
        f"the latest {_share(held, times)} of {draw.of}, {column.name} from {column[int(np.argmax(times == first))]}"
    )
    return Split(np.flatnonzero(~is_held), held, reason)


def _other_column(draw: Draw) -> str:
    """What to do where there are too few groups or times to be divided."""
    return "Name another column, or none" + ("; --test-fraction 0 needs but two" if draw.remain > 1 else "")


def _share(part: Array, whole: Array) -> str:
    return f"{100 * len(part) / len(whole):.0f} %"
