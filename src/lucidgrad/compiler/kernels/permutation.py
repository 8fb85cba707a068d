"""Shuffling in machine code: the order that ``Key.permutation`` gives, in a fraction of the time.

A stable sort by 32 random bits each. The bits stand above the index in one 64-bit word, so that no two are equal. A
radix sort by the upper bits (one pass for a few thousand numbers, two for more) leaves almost all of them in place:
random bits fall evenly into the buckets. A walk that inserts each of them into those before it does the rest.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

import numpy as np

from lucidgrad.compiler.assembly import I64, LANES, PTR, U32, U64, Builder, Reg
from lucidgrad.compiler.kernels.philox import fold_in, random_bits
from lucidgrad.compiler.machine import Library, Target, compile_text
from lucidgrad.random import Key

NAME = "lucidgrad_permutation"
RADIX = 11  # bits of a pass
BUCKETS = 1 << RADIX
ONE_PASS = 1 << 13  # up to so many numbers a bucket of one pass holds four at most on average

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
        out.ctypes.data,
        scratch.ctypes.data,
        None if chosen is None else chosen.ctypes.data,
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
    with c.loop(0, 2 * BUCKETS, LANES) as loop:
        c.store(c.zero(U64, LANES), c.offset(low, loop.index, U64))
    random_bits(c, key0, key1, bits, 0, n)
    twice = c.compare("gt", n, ONE_PASS)
    _count(c, bits, n, low, high)
    with c.if_(twice):
        _starts(c, low)
        _scatter(c, _from_bits(c, bits), n, between, low, 32 - 2 * RADIX)
        _scatter(c, lambda i: c.load(c.offset(between, i, U64), U64), n, out, high, 32 - RADIX)
    with c.if_(c.not_(twice)):
        _scatter(c, _from_bits(c, bits), n, out, high, 32 - RADIX)
    _insert(c, out, n)
    _finish(c, out, n, rows)
    return c.text()


def _from_bits(c: Builder, bits: Reg) -> Any:
    def word(i: Reg) -> Reg:
        drawn = c.cast(c.load(c.offset(bits, i, U32), U32), U64)
        return c.or_(c.shl(drawn, 32), c.cast(i, U64))

    return word


def _bucket(c: Builder, x: Reg, shift: int) -> Reg:
    return c.and_(c.lshr(x, shift), BUCKETS - 1)


def _count(c: Builder, bits: Reg, n: Reg, low: Reg, high: Reg) -> None:
    """How many numbers fall into each bucket of both passes; the counts of the second become places at once."""
    with c.loop(0, n) as loop:
        drawn = c.cast(c.load(c.offset(bits, loop.index, U32), U32), U64)
        for counters, shift in ((low, 32 - 2 * RADIX), (high, 32 - RADIX)):
            place = c.offset(counters, _bucket(c, drawn, shift), U64)
            c.store(c.add(c.load(place, U64), 1), place)
    _starts(c, high)


def _starts(c: Builder, counters: Reg) -> None:
    """Counts become the places where their buckets start."""
    with c.loop(0, BUCKETS, carried=[c.zero(U64)]) as loop:
        place = c.offset(counters, loop.index, U64)
        count = c.load(place, U64)
        c.store(loop.values[0], place)
        loop.next[0] = c.add(loop.values[0], count)


def _scatter(c: Builder, word: Any, n: Reg, destination: Reg, counters: Reg, shift: int) -> None:
    """Each word into the next free place of its bucket."""
    with c.loop(0, n) as loop:
        x = word(loop.index)
        place = c.offset(counters, _bucket(c, x, 32 + shift), U64)
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
