"""Random bits in machine code: the stream of ``ops/random.py``, number by number the same.

Philox4x64-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3). A block
is four 64-bit words, a function of the key and of a counter, so that any thread computes any part of a stream.

Scalars, not vectors: a core multiplies two 64-bit words into 128 bits at once, 1.1 to 1.2 ns a number on any x86-64.
Products of 32-bit pieces in 16 lanes took 0.8 ns with AVX-512, but 1.7 ns on the baseline. Two blocks at a time keep
the multiplier busy while each of them waits for its own last round.
"""

from __future__ import annotations

from collections.abc import Sequence

from lucidgrad.compiler.assembly import I64, U32, U64, Builder, Operand, Reg

ROUNDS = 10
MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)  # what the key grows by from round to round
NUMBERS = 16  # 32-bit numbers of two blocks
# The third word of the counter keeps the two uses of a key apart, as in ops/random.py.
_BITS, _FOLD = 0, 1


def fold_in(c: Builder, key0: Reg, key1: Reg, n: Operand) -> tuple[Reg, Reg]:
    """The key (two words) made of a key and the number ``n`` (uint64): ``Key.fold_in``."""
    zero = c.const(0, U64)
    number = n if isinstance(n, Reg) else c.const(int(n), U64)
    first, second, _, _ = _rounds(c, key0, key1, [[number, zero, c.const(_FOLD, U64), zero]])[0]
    return first, second


def words(c: Builder, key0: Reg, key1: Reg, block: Reg, count: int = 1) -> list[Reg]:
    """The ``4 * count`` 64-bit words of the stream's blocks from ``block`` (uint64) on.

    Each holds two numbers of ``Key.bits``, the low half first.
    """
    zero = c.const(0, U64)
    counters = [[c.add(block, i) if i else block, zero, c.const(_BITS, U64), zero] for i in range(count)]
    return [word for state in _rounds(c, key0, key1, counters) for word in state]


def random_bits(c: Builder, key0: Reg, key1: Reg, destination: Reg, start: Operand, stop: Operand) -> None:
    """Write the numbers ``start`` to ``stop`` (int64) of the stream to these places of ``destination`` (uint32).

    ``destination`` is where number 0 belongs. Nothing else is written, so that several threads fill one buffer.
    """
    first = start if isinstance(start, Reg) else c.const(start, I64)
    last = stop if isinstance(stop, Reg) else c.const(stop, I64)
    with c.loop(c.and_(first, -NUMBERS), last, NUMBERS) as loop:
        at = loop.index
        drawn = words(c, key0, key1, c.cast(c.lshr(at, 3), U64), 2)
        whole = c.and_(c.compare("ge", at, first), c.compare("le", c.add(at, NUMBERS), last))
        with c.if_(whole):
            for i, word in enumerate(drawn):
                c.store(word, c.offset(destination, c.add(at, 2 * i), U32), align=4)
        with c.if_(c.not_(whole)):
            place = c.add(c.iota(), at)
            inside = c.and_(c.compare("ge", place, first), c.compare("lt", place, last))
            c.store(numbers(c, drawn), c.offset(destination, at, U32), mask=inside)


def numbers(c: Builder, drawn: Sequence[Reg]) -> Reg:
    """Eight words as the vector of the 16 numbers in them."""
    vector = Reg("poison", U64, len(drawn))
    for i, word in enumerate(drawn):
        vector = c.insert(vector, word, i)
    lanes = 2 * len(drawn)
    return c.emit(f"bitcast {vector.type} {vector.text} to <{lanes} x i32>", U32, lanes)


def _rounds(c: Builder, key0: Reg, key1: Reg, states: list[list[Reg]]) -> list[list[Reg]]:
    """Ten rounds of the bijection, of all states side by side."""
    for i in range(ROUNDS):
        if i:
            key0, key1 = c.add(key0, WEYL[0]), c.add(key1, WEYL[1])
        for k, (x0, x1, x2, x3) in enumerate(states):
            high0, low0 = _wide_product(c, x0, MULTIPLIERS[0])
            high1, low1 = _wide_product(c, x2, MULTIPLIERS[1])
            states[k] = [c.xor(c.xor(high1, x1), key0), low1, c.xor(c.xor(high0, x3), key1), low0]
    return states


def _wide_product(c: Builder, x: Reg, multiplier: int) -> tuple[Reg, Reg]:
    """The high and the low half of the 128 bits of a product."""
    wide = c.emit(f"zext i64 {x.text} to i128", U64)
    product = c.emit(f"mul i128 {wide.text}, {multiplier}", U64)
    high = c.emit(f"lshr i128 {product.text}, 64", U64)
    return c.emit(f"trunc i128 {high.text} to i64", U64), c.emit(f"trunc i128 {product.text} to i64", U64)
