"""Philox4x64-10 in ten lines of integers, straight from the paper: slow, and independent of NumPy's.

Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3 and table 2.
"""

MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
MASK = (1 << 64) - 1


def philox4x64_10(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Four words of 64 bits from a counter of four and a key of two."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(MULTIPLIERS[0] * c0, 1 << 64)
        high1, low1 = divmod(MULTIPLIERS[1] * c2, 1 << 64)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + WEYL[0]) & MASK, (k1 + WEYL[1]) & MASK
    return c0, c1, c2, c3


def words(key: tuple[int, int], use: int, count: int, start: int = 0) -> list[int]:
    """``count`` words of the stream whose counter is (start + 0, 1, 2 ..., 0, use, 0)."""
    blocks = [philox4x64_10((start + i, 0, use, 0), key) for i in range(-(-count // 4))]
    return [word for block in blocks for word in block][:count]
