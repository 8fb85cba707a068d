"""Rows of randomness: bits that are a function of a key, the same on every machine and in every engine.

The generator is Philox4x64-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3",
section 3.3): ten rounds of a bijection turn a counter and a key into 256 random bits, so that the n-th number is
computed without the ones before it. NumPy ships it in C; its stream is pinned by the published test vectors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.ops.codegen import Elementwise
from lucidgrad.ops.op import Op, Spec

UINT32 = np.dtype(np.uint32)
UINT64 = np.dtype(np.uint64)
# The third counter word keeps the two uses of a key apart.
_BITS, _FOLD = 0, 1


def philox(key: Any, counter: tuple[int, int, int, int], words: int) -> Any:
    """``words`` 64-bit words of the Philox stream of ``key`` (two 64-bit words) from ``counter`` on."""
    # NumPy steps the counter before its first block, hence the -1 (a 256-bit number).
    start = (sum(word << (64 * i) for i, word in enumerate(counter)) - 1) % (1 << 256)
    return np.random.Philox(key=key, counter=start).random_raw(words)


def _random_bits(key: Any, *, shape: tuple[int, ...]) -> Any:
    size = 1
    for n in shape:
        size *= n
    words = philox(key, (0, 0, _BITS, 0), (size + 1) // 2)
    # Each 64-bit word gives two numbers, the low half first on every machine.
    return words.astype("<u8", copy=False).view("<u4")[:size].astype(UINT32, copy=False).reshape(shape)


random_bits = Op("random_bits", _random_bits, lambda key, *, shape: Spec(shape, UINT32), same_dtype_from=None)

# Drops the low bits of an unsigned number: 24 random bits are what a float32 holds.
shift_right = Op(
    "shift_right",
    np.right_shift,
    lambda x, n: x,
    same_dtype_from=None,
    codegen=Elementwise(lambda c, x, n: c.shift_right(x, n)),
)


def _fold_in(key: Any, n: Any) -> Any:
    return philox(key, (int(n) % (1 << 64), 0, _FOLD, 0), 2)


# A new key from a key and a number: the step, the number of the layer, the epoch.
fold_in = Op("fold_in", _fold_in, lambda key, n: Spec((2,), UINT64), same_dtype_from=None)
