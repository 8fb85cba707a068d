"""Which rows are held back: by chance, with classes in proportion, whole groups, or the latest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from lucidgrad.data.split import split_indices
from lucidgrad.data.table import guess_kinds
from lucidgrad.data.table.read import moments_of
from lucidgrad.errors import ArgumentError, DataError, explain
from lucidgrad.random import Key

if TYPE_CHECKING:
    import polars

    from lucidgrad.tables.plan import Wishes

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Split:
    """Row numbers to train on and to hold back, and how they were chosen in words."""

    train: Array
    validation: Array
    reason: str


def split_rows(x: polars.DataFrame, y: Array, wishes: Wishes, *, is_classes: bool) -> Split:
    """Hold rows back.

    Raises
    ------
    ArgumentError
        For a share that leaves a part without rows, and for wishes that go against each other.
    DataError
        For a column of times without times, or a single group.
    """
    given = [f"--{name}" for name in ("group", "time") if getattr(wishes, name)] + ["--stratify"] * bool(
        wishes.stratify
    )
    if len(given) > 1:
        raise ArgumentError(explain("a split expected one way to choose rows", " and ".join(given), "Leave one out"))
    if wishes.time is not None:
        return _latest(x.get_column(wishes.time), wishes)
    if wishes.group is not None:
        return _groups(x.get_column(wishes.group), wishes)
    if wishes.stratify is True and not is_classes:
        raise ArgumentError(explain("--stratify expected classes", "numbers to predict", "Leave it out"))
    if is_classes and wishes.stratify is not False:
        return _stratified(y, wishes)
    train, held = split_indices(len(y), wishes.validation, seed=wishes.seed)
    return Split(train, held, f"{_share(held, y)} of the rows, by chance (seed {wishes.seed})")


def _stratified(y: Array, wishes: Wishes) -> Split:
    """Classes in proportion; a class with a single row is learned from, and cannot be tested."""
    codes, sizes = np.unique(y, return_inverse=True, return_counts=True)[1:]
    lonely = sizes[codes] == 1
    many = np.flatnonzero(~lonely)
    try:
        train, held = split_indices(len(many), wishes.validation, seed=wishes.seed, stratify=codes[many])
        how = "with the classes in proportion"
    except DataError:
        train, held = split_indices(len(many), wishes.validation, seed=wishes.seed)
        how = "by chance, as there are too few to keep the classes in proportion"
    train, held = np.sort(np.concatenate([many[train], np.flatnonzero(lonely)])), many[held]
    return Split(train, held, f"{_share(held, y)} of the rows, {how} (seed {wishes.seed})")


def _groups(column: polars.Series, wishes: Wishes) -> Split:
    import polars

    codes = column.cast(polars.String).fill_null("").rank("dense").to_numpy().astype(np.int64) - 1
    sizes = np.bincount(codes)
    if len(sizes) < 2:
        got = "one alone"
        raise DataError(
            explain(f"--group expected at least 2 groups in {column.name!r}", got, "Name another column, or none")
        )
    order = Key(wishes.seed).permutation(len(sizes))
    filled = np.cumsum(sizes[order])
    count = int(np.clip(np.searchsorted(filled, wishes.validation * len(codes)) + 1, 1, len(sizes) - 1))
    is_held = np.isin(codes, order[:count])
    held = np.flatnonzero(is_held)
    reason = f"{count} of the {len(sizes)} groups by {column.name}, {_share(held, codes)} of the rows"
    return Split(np.flatnonzero(~is_held), held, f"{reason} (seed {wishes.seed})")


def _latest(column: polars.Series, wishes: Wishes) -> Split:
    """The latest rows; those without a time are learned from."""
    if column.dtype.is_numeric():
        times = column.cast(float).fill_null(float("-inf")).to_numpy()
    else:
        (seen,) = guess_kinds({column.name: column})
        moments = moments_of(np.array(column.to_list(), object), seen.format)
        if seen.kind not in ("date", "constant") or np.isnat(moments).all():
            got = f"{seen.kind}: {seen.reason}"
            raise DataError(explain(f"--time expected dates or numbers in {column.name!r}", got, "Name another column"))
        times = np.where(np.isnat(moments), -np.inf, moments.astype(np.int64).astype(np.float64))
    order = np.argsort(times, kind="stable")
    count = int(np.clip(round(wishes.validation * len(order)), 1, len(order) - 1))
    held = np.sort(order[-count:])
    first = column[int(order[-count])]
    return Split(
        np.sort(order[:-count]), held, f"the latest {_share(held, order)} of the rows, {column.name} from {first}"
    )


def _share(part: Array, whole: Array) -> str:
    return f"{100 * len(part) / len(whole):.0f} %"
