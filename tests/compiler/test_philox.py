"""Native random bits are those of the op table, wherever a stream is cut and whatever they are compiled for."""

from __future__ import annotations

import ctypes
import itertools
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="machine code is made with llvmlite")

from lucidgrad.compiler.assembly import I64, PTR, U64, Builder
from lucidgrad.compiler.kernels import philox
from lucidgrad.compiler.machine import AVX2, BASELINE, Library, Target, compile_text
from lucidgrad.ops.random import fold_in, random_bits

KEYS = [(0, 0), (12345, 0), (2**64 - 1, 2**63 + 9)]


@pytest.fixture(scope="module", params=[None, Target(AVX2), Target(BASELINE)], ids=["host", "avx2", "baseline"])
def library(request: pytest.FixtureRequest) -> Library:
    pieces = Builder("bits", [("k0", U64), ("k1", U64), ("out", PTR), ("start", I64), ("stop", I64)])
    philox.random_bits(pieces, *pieces.params)
    fold = Builder("fold", [("k0", U64), ("k1", U64), ("n", U64), ("out", PTR)])
    key0, key1, n, out = fold.params
    for i, word in enumerate(philox.fold_in(fold, key0, key1, n)):
        fold.store(word, fold.offset(out, i, U64))
    return compile_text(f"{pieces.text()}\n{fold.text()}", ["bits", "fold"], request.param)


def bits_of(library: Library) -> Any:
    word, number = ctypes.c_uint64, ctypes.c_int64
    return library.function("bits", [word, word, ctypes.c_void_p, number, number])


def expected(key: tuple[int, int], n: int) -> Any:
    return random_bits.forward(np.array(key, np.uint64), shape=(n,))


@pytest.mark.parametrize("key", KEYS)
def test_every_part_of_a_stream_is_the_same_and_nothing_beside_it_is_written(
    library: Library, key: tuple[int, int]
) -> None:
    draw, whole = bits_of(library), expected(key, 100)
    for start in range(40):
        for stop in (start, start + 1, start + 7, start + 15, start + 16, start + 33, 100):
            out = np.full(101, 77, np.uint32)
            draw(*key, out.ctypes.data, start, stop)
            assert (out[start:stop] == whole[start:stop]).all()
            assert (out[:start] == 77).all()
            assert (out[stop:] == 77).all()


def test_parts_drawn_one_by_one_make_up_a_long_stream(library: Library) -> None:
    n, draw = 100_003, bits_of(library)
    out = np.zeros(n, np.uint32)
    cuts = [0, 5, 4096, 50_001, n]
    for start, stop in itertools.pairwise(cuts):
        draw(*KEYS[2], out.ctypes.data, start, stop)
    assert (out == expected(KEYS[2], n)).all()


@pytest.mark.parametrize("key", KEYS)
def test_a_key_folds_numbers_in_as_eager_keys_do(library: Library, key: tuple[int, int]) -> None:
    fold = library.function("fold", [ctypes.c_uint64] * 3 + [ctypes.c_void_p])
    for n in (0, 1, 2, 1000, 2**32, 2**63, 2**64 - 1):
        out = np.zeros(2, np.uint64)
        fold(*key, n, out.ctypes.data)
        assert out.tolist() == fold_in.forward(np.array(key, np.uint64), n).tolist()
