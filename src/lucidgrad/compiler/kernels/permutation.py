"""Shuffling in machine code: the order that ``Key.permutation`` gives, in a fraction of the time.

A stable sort by 32 random bits each. The bits stand above the index in one 64-bit word, so that no two are equal. A
radix sort by the upper bits in two passes (of fewer bits for a few thousand numbers, whose counters are then soon
added up) leaves almost all of them in place: random bits fall evenly into the buckets. A walk that inserts each of
them into those before it does the rest; it is fast where that is rare, since no branch then takes the unforeseen way.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from lucidgrad.compiler.assembly import I64, LANES, PTR, U32, U64, Builder, Reg
from lucidgrad.compiler.kernels.philox import fold_in, random_bits
from lucidgrad.compiler.machine import Library, Target, address, compile_text
from lucidgrad.random import Key

NAME = "lucidgrad_permutation"
RADIX, FEW_RADIX = 11, 9  # bits of a pass
BUCKETS = 1 << RADIX
FEW = 1 << 14  # up to so many numbers less than one in thirty shares the bits of both passes with another

Indices = np.ndarray[Any, np.dtype[np.int64]]


def permutation(
    key: Key, n: int, rows: Indices | None = None, target: Target | None = None, fold: int | None = None
) -> Indices:
    """The numbers from 0 to n - 1 in random order, int64 of shape (n,): the same as ``key.permutation(n)``.

    Parameters
    ----------
    key
        Of the order.
    n
        How many numbers, below 2^32.
    rows
        int64 of shape (n,): what to give in place of the numbers, ``rows[key.permutation(n)]``.
    target
        The machine to make code for. None: this one.
    fold
        A number >= 0: what ``key.fold_in(fold)`` would give, without the time that takes.
    """
    if not 0 <= n < 1 << 32 or (rows is not None and (rows.shape != (n,) or rows.dtype != np.int64)):
        return _plain(key if fold is None else key.fold_in(fold), n, rows)
    key0, key1 = key.words.tolist()
    out = np.empty(n, np.int64)
    scratch = np.empty(scratch_bytes(n), np.uint8)
    chosen = None if rows is None else np.ascontiguousarray(rows)
    _function(target)(
        key0,
        key1,
        -1 if fold is None else fold,
        n,
        address(out),
        address(scratch),
        None if chosen is None else address(chosen),
    )
    return out


def _plain(key: Key, n: int, rows: Indices | None) -> Indices:
    order = key.permutation(n)
    return order if rows is None else rows[order]


def scratch_bytes(n: int) -> int:
    """How much memory ``permutation_text`` wants: counters of two passes, the words between them, the bits."""
    return 2 * 8 * BUCKETS + 12 * n


def permutation_text(name: str = NAME) -> str:
    """A function ``(i64 key0, key1, fold or -1, n, ptr out, ptr scratch, ptr rows or null)`` that shuffles."""
    params = [("key0", U64), ("key1", U64), ("fold", I64), ("n", I64), ("out", PTR), ("scratch", PTR), ("rows", PTR)]
    c = Builder(name, params)
    key0, key1, fold, n, out, scratch, rows = c.params
    folded, folds = fold_in(c, key0, key1, c.cast(fold, U64)), c.compare("ge", fold, 0)
    key0, key1 = (c.select(folds, new, old) for new, old in zip(folded, (key0, key1), strict=True))
    low, high = scratch, c.offset(scratch, BUCKETS, U64)
    between = c.offset(high, BUCKETS, U64)
    bits = c.offset(between, n, U64)
    random_bits(c, key0, key1, bits, 0, n)
    few = c.compare("le", n, FEW)
    for chosen, radix in ((few, FEW_RADIX), (c.not_(few), RADIX)):
        with c.if_(chosen):
            _two_passes(c, bits, n, between, out, (low, high), radix)
    _insert(c, out, n)
    _finish(c, out, n, rows)
    return c.text()


def _two_passes(c: Builder, bits: Reg, n: Reg, between: Reg, out: Reg, counters: tuple[Reg, Reg], radix: int) -> None:
    """Sort by twice so many upper bits, the lower half of them first."""
    shifts = 32 - 2 * radix, 32 - radix
    for counter in counters:
        with c.loop(0, 1 << radix, LANES) as loop:
            c.store(c.zero(U64, LANES), c.offset(counter, loop.index, U64))
    with c.loop(0, n) as loop:
        drawn = c.cast(c.load(c.offset(bits, loop.index, U32), U32), U64)
        for counter, shift in zip(counters, shifts, strict=True):
            place = c.offset(counter, _bucket(c, drawn, shift, radix), U64)
            c.store(c.add(c.load(place, U64), 1), place)
    for counter in counters:
        _starts(c, counter, radix)

    def word(i: Reg) -> Reg:
        return c.or_(c.shl(c.cast(c.load(c.offset(bits, i, U32), U32), U64), 32), c.cast(i, U64))

    _scatter(c, word, n, between, counters[0], shifts[0], radix)
    _scatter(c, lambda i: c.load(c.offset(between, i, U64), U64), n, out, counters[1], shifts[1], radix)


def _bucket(c: Builder, x: Reg, shift: int, radix: int) -> Reg:
    return c.and_(c.lshr(x, shift), (1 << radix) - 1)


def _starts(c: Builder, counters: Reg, radix: int) -> None:
    """Counts become the places where their buckets start."""
    with c.loop(0, 1 << radix, carried=[c.zero(U64)]) as loop:
        place = c.offset(counters, loop.index, U64)
        count = c.load(place, U64)
        c.store(loop.values[0], place)
        loop.next[0] = c.add(loop.values[0], count)


def _scatter(c: Builder, word: Any, n: Reg, destination: Reg, counters: Reg, shift: int, radix: int) -> None:
    """Each word into the next free place of its bucket."""
    with c.loop(0, n) as loop:
        x = word(loop.index)
        place = c.offset(counters, _bucket(c, x, 32 + shift, radix), U64)
        at = c.load(place, U64)
        c.store(c.add(at, 1), place)
        c.store(x, c.offset(destination, at, U64))


def _insert(c: Builder, words: Reg, n: Reg) -> None:
    """Insertion sort: each word moves down past those before it that are larger."""
    with c.loop(1, n) as loop:
        x = c.load(c.offset(words, loop.index, U64), U64)
        before = c.load(c.offset(words, c.sub(loop.index, 1), U64), U64)
        with c.if_(c.compare("gt", before, x)):
            _move_down(c, words, loop.index, x)


def _move_down(c: Builder, words: Reg, index: Reg, x: Reg) -> None:
    entry, head, shift, done = c.block, c.label("down"), c.label("shift"), c.label("found")
    c.line(f"br label %{head}")
    c.begin(head)
    at = c.emit("", I64)
    phi = len(c.lines) - 1
    start = c.compare("eq", at, 0)
    below = c.sub(at, c.cast(c.not_(start), I64))
    larger = c.load(c.offset(words, below, U64), U64)
    # At the start ``larger`` is the word itself, already moved up: it may not move again.
    moves = c.and_(c.not_(start), c.compare("gt", larger, x))
    c.line(f"br i1 {moves.text}, label %{shift}, label %{done}")
    c.begin(shift)
    c.store(larger, c.offset(words, at, U64))
    c.line(f"br label %{head}")
    c.lines[phi] = f"  {at.text} = phi i64 [ {index.text}, %{entry} ], [ {below.text}, %{shift} ]"
    c.begin(done)
    c.store(x, c.offset(words, at, U64))


def _finish(c: Builder, words: Reg, n: Reg, rows: Reg) -> None:
    """The bits go, the index stays; or the row of this index takes its place."""
    mask = (1 << 32) - 1
    none = c.compare("eq", rows, Reg("null", PTR))
    with c.if_(none), c.loop(0, n) as loop:
        place = c.offset(words, loop.index, U64)
        c.store(c.and_(c.load(place, U64), mask), place)
    with c.if_(c.not_(none)), c.loop(0, n) as loop:
        place = c.offset(words, loop.index, U64)
        index = c.and_(c.load(place, U64), mask)
        c.store(c.load(c.offset(rows, index, I64), I64), place)


@cache
def _library(target: Target | None) -> Library:
    return compile_text(permutation_text(), [NAME], target)


@cache
def _function(target: Target | None) -> Any:
    words = [ctypes.c_uint64] * 2
    pointers = [ctypes.c_void_p] * 3
    return _library(target).function(NAME, [*words, ctypes.c_int64, ctypes.c_int64, *pointers])
