"""Native shuffling gives the order of ``Key.permutation``, to the last index."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="machine code is made with llvmlite")

from lucidgrad.compiler.kernels.permutation import FEW, permutation
from lucidgrad.compiler.machine import AVX2, BASELINE, Target
from lucidgrad.random import Key

SIZES = [*range(35), 100, 1000, 4096, FEW - 1, FEW, FEW + 1, 60_000, 200_003]


@pytest.mark.parametrize("target", [None, Target(AVX2), Target(BASELINE)], ids=["host", "avx2", "baseline"])
def test_the_order_is_that_of_the_key(target: Target | None) -> None:
    for n in SIZES:
        key = Key(5).fold_in(n)
        order = permutation(key, n, target=target)
        assert order.dtype == np.int64
        assert (order == key.permutation(n)).all(), n


def test_small_and_large_numbers_of_samples_for_many_keys() -> None:
    for seed in range(200):
        for n in (5, 500, 5000, 20_000) if seed % 10 == 0 else (5, 500):
            assert (permutation(Key(seed), n) == Key(seed).permutation(n)).all()


def test_equal_bits_keep_the_order_of_their_numbers() -> None:
    n, key = 200_000, Key(3)
    bits = key.bits((n,)).numpy()
    assert len(np.unique(bits)) < n  # by the birthday paradox some are equal
    order = permutation(key, n)
    ties = bits[order[1:]] == bits[order[:-1]]
    assert ties.any()
    assert (order[1:][ties] > order[:-1][ties]).all()


@pytest.mark.parametrize("rows", [np.arange(100, 0, -1), np.arange(200)[::2]], ids=["reversed", "stepped"])
def test_rows_take_the_place_of_the_numbers(rows: np.ndarray) -> None:
    assert (permutation(Key(1), 100, rows) == rows[Key(1).permutation(100)]).all()


@pytest.mark.parametrize("fold", [0, 1, 2**40])
def test_a_number_is_folded_into_the_key(fold: int) -> None:
    for n in (1, 100, 10_000):
        assert (permutation(Key(9), n, fold=fold) == Key(9).fold_in(fold).permutation(n)).all()
    rows = np.arange(50, dtype=np.int32)  # of another dtype: not in machine code
    assert (permutation(Key(9), 50, rows, fold=fold) == rows[Key(9).fold_in(fold).permutation(50)]).all()


def test_rows_of_another_dtype_are_mapped_as_well() -> None:
    rows = np.arange(50, dtype=np.int32)
    assert (permutation(Key(1), 50, rows) == rows[Key(1).permutation(50)]).all()


@pytest.mark.long
def test_ten_million_numbers() -> None:
    assert (permutation(Key(0), 10_000_000) == Key(0).permutation(10_000_000)).all()
