"""Keys: the published stream, drawn the same everywhere, and as random as it claims to be."""

import threading
from typing import Any

import numpy as np
import pytest
from scipy import stats

import lucidgrad as lg
from lucidgrad.compiler import interpret, trace
from lucidgrad.errors import ArgumentError
from lucidgrad.ops.random import philox, shift_right
from tests.ops.philox import philox4x64_10, words

# The known answers that the authors publish with Random123 (kat_vectors, "philox4x64 10"): counter, key, result.
KNOWN_ANSWERS = [
    (
        (0, 0, 0, 0),
        (0, 0),
        (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B),
    ),
    (
        (2**64 - 1,) * 4,
        (2**64 - 1,) * 2,
        (0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0),
    ),
    (  # the digits of pi
        (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89),
        (0x452821E638D01377, 0xBE5466CF34E90C6C),
        (0xA528F45403E61D95, 0x38C72DBD566E9788, 0xA5A1610E72FD18B5, 0x57BD43B5E52B7FE6),
    ),
]

# --- the stream --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS, ids=["zeros", "ones", "pi"])
def test_philox_gives_the_published_answers(counter: Any, key: Any, answer: Any):
    assert philox4x64_10(counter, key) == answer
    assert tuple(map(int, philox(np.array(key, np.uint64), counter, 4))) == answer


def test_bits_are_the_words_of_the_stream_low_half_first():
    key = lg.Key(0xDEADBEEF)
    expected = [half for w in words((0xDEADBEEF, 0), 0, 5) for half in (w % 2**32, w >> 32)]
    assert key.bits((10,)).tolist() == expected
    assert key.bits((9,)).tolist() == expected[:9]
    assert key.bits((2, 5)).tolist() == [expected[:5], expected[5:]]


def test_folding_in_takes_words_of_the_stream_that_no_draw_takes():
    assert lg.Key(5).fold_in(3).words.tolist() == words((5, 0), 1, 2, start=3)


def test_the_numbers_of_a_key_never_change():
    """These are promised: a seed written down today gives the same run in years."""
    key = lg.Key(42)
    assert key.uniform((3,)).tolist() == [0.20618611574172974, 0.6539381742477417, 0.5870640873908997]
    assert key.permutation(6).tolist() == [4, 0, 3, 2, 1, 5]
    assert key.fold_in(7).words.tolist() == [3534320770491483259, 9449370009892131052]
    assert key.normal((2,), dtype=np.float64).tolist() == pytest.approx([1.0405892606497844, 0.7489938644126899])


def test_the_same_key_draws_the_same_and_different_keys_do_not():
    assert lg.Key(1).uniform((100,)).tolist() == lg.Key(1).uniform((100,)).tolist()
    draws = [lg.Key(s).bits((64,)).numpy() for s in range(20)]
    draws += [lg.Key(0).fold_in(n).bits((64,)).numpy() for n in range(20)]
    assert len({d.tobytes() for d in draws}) == 40


def test_a_shorter_draw_is_the_beginning_of_a_longer_one():
    assert lg.Key(3).bits((5,)).tolist() == lg.Key(3).bits((1000,)).tolist()[:5]


def test_neighbouring_keys_are_not_correlated():
    draws = np.stack([lg.Key(s).uniform((20_000,), dtype=np.float64).numpy() for s in range(8)])
    off_diagonal = np.corrcoef(draws) - np.eye(8)
    assert np.abs(off_diagonal).max() < 4.5 / np.sqrt(20_000)


def test_folded_and_split_keys_are_not_correlated_with_their_parent():
    parent = lg.Key(9)
    keys = [parent, *parent.split(4), parent.fold_in(0).fold_in(0)]
    draws = np.stack([k.normal((20_000,), dtype=np.float64).numpy() for k in keys])
    assert np.abs(np.corrcoef(draws) - np.eye(len(keys))).max() < 4.5 / np.sqrt(20_000)


def test_splitting_is_folding_in_the_numbers_from_zero():
    key = lg.Key(7)
    assert key.split(3) == (key.fold_in(0), key.fold_in(1), key.fold_in(2))
    assert key.split(0) == ()


def test_a_tensor_can_be_folded_in_like_a_number():
    assert lg.Key(7).fold_in(lg.tensor(12)) == lg.Key(7).fold_in(12)


@pytest.mark.parametrize("bad", [-1, 2**64, 1.5, "1", None])
def test_a_seed_is_a_number_of_64_bits(bad: Any):
    with pytest.raises(ArgumentError, match=r"a seed expected an integer from 0 to 2\*\*64 - 1"):
        lg.Key(bad)


def test_seeds_of_64_bits_and_of_numpy_work():
    assert lg.Key(2**64 - 1).words.tolist() == [2**64 - 1, 0]
    assert lg.Key(np.int32(5)) == lg.Key(5)


def test_keys_are_values():
    assert lg.Key(1) == lg.Key(1) != lg.Key(2)
    assert lg.Key(1) != "a key"
    assert len({lg.Key(1), lg.Key(1), lg.Key(2)}) == 2
    assert repr(lg.Key(255)) == "Key(0xff, 0x0)"


# --- distributions -----------------------------------------------------------------------------------------------


def test_uniform_numbers_are_multiples_of_2_to_the_minus_24_below_one():
    u = lg.Key(0).uniform((100_000,)).numpy()
    assert u.dtype == np.float32
    scaled = u.astype(np.float64) * 2**24
    assert np.array_equal(scaled, np.round(scaled))
    assert u.min() >= 0
    assert u.max() < 1
    assert np.any(scaled % 2 == 1)  # the last bit is used


def test_the_largest_and_smallest_bits_stay_in_range():
    bits = lg.tensor(np.array([0, 255, 256, 2**32 - 1], np.uint32))
    u = (shift_right(bits, 8).astype(np.float32) * 2.0**-24).tolist()
    assert u == [0, 0, 2.0**-24, 1 - 2.0**-24]


def test_uniform_numbers_are_uniform():
    u = lg.Key(1).uniform((200_000,), dtype=np.float64).numpy()
    assert u.mean() == pytest.approx(1 / 2, abs=4 / np.sqrt(12 * len(u)))
    assert u.var() == pytest.approx(1 / 12, rel=0.01)
    assert stats.kstest(u, "uniform").pvalue > 0.001
    counts = np.bincount((u * 100).astype(int), minlength=100)
    assert stats.chisquare(counts).pvalue > 0.001


def test_uniform_numbers_come_from_the_range_asked_for():
    u = lg.Key(2).uniform((10_000,), low=-3.0, high=5.0).numpy()
    assert -3 <= u.min() < -2.99
    assert 4.99 < u.max() <= 5
    assert u.dtype == np.float32


def test_normal_numbers_are_normal():
    z = lg.Key(3).normal((200_000,), dtype=np.float64).numpy()
    assert z.mean() == pytest.approx(0, abs=4 / np.sqrt(len(z)))
    assert z.var() == pytest.approx(1, abs=4 * np.sqrt(2 / len(z)))
    assert stats.skew(z) == pytest.approx(0, abs=4 * np.sqrt(6 / len(z)))
    assert stats.kurtosis(z) == pytest.approx(0, abs=4 * np.sqrt(24 / len(z)))
    assert stats.kstest(z, "norm").pvalue > 0.001
    assert np.isfinite(z).all()


def test_normal_numbers_have_the_mean_and_deviation_asked_for():
    z = lg.Key(4).normal((50_000,), mean=10.0, std=0.5)
    assert z.dtype == np.float32
    assert z.numpy().mean() == pytest.approx(10, abs=0.02)
    assert z.numpy().std() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_bernoulli_is_true_as_often_as_it_says(p: float):
    drawn = lg.Key(5).bernoulli(p, (50_000,))
    assert drawn.dtype == np.bool_
    assert drawn.numpy().mean() == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 50_000))


@pytest.mark.parametrize("n", [0, 1, 2, 7, 1000])
def test_a_permutation_has_every_number_once(n: int):
    order = lg.Key(6).permutation(n)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(n))


def test_all_permutations_are_equally_likely():
    counts: dict[bytes, int] = {}
    for key in lg.Key(7).split(6000):
        order = key.permutation(4).tobytes()
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 24
    assert stats.chisquare(list(counts.values())).pvalue > 0.001


@pytest.mark.parametrize("shape", [(), (0,), (1,), (3, 0, 2), (2, 3)])
def test_draws_have_the_shape_asked_for(shape: tuple[int, ...]):
    key = lg.Key(8)
    for drawn in (key.bits(shape), key.uniform(shape), key.normal(shape), key.bernoulli(0.5, shape)):
        assert drawn.shape == shape
        assert not drawn.requires_grad


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_draws_have_the_dtype_asked_for(dtype: Any):
    assert lg.Key(0).uniform((3,), dtype=dtype).dtype == dtype
    assert lg.Key(0).uniform((3,), low=-1, high=1, dtype=dtype).dtype == dtype
    assert lg.Key(0).normal((3,), mean=1, std=2, dtype=dtype).dtype == dtype


@pytest.mark.parametrize(
    "draw",
    [
        lambda k: k.uniform((5,)),
        lambda k: k.uniform((5,), -1, 1, np.float64),
        lambda k: k.normal((4, 3)),
        lambda k: k.bernoulli(0.3, (7,)),
        lambda k: k.bits((3,)),
        lambda k: k.fold_in(5).split(3)[2].uniform(()),
    ],
)
def test_traced_draws_are_the_eager_ones(draw: Any):
    graph = trace(lambda w: draw(lg.Key.of_words(w)), lg.Key(0).words)
    for seed in (0, 11, 2**63 + 5):
        (got,) = interpret(graph, lg.Key(seed).words.numpy())
        expected = draw(lg.Key(seed)).numpy()
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)


def test_a_step_number_can_be_folded_in_while_tracing():
    graph = trace(lambda n: lg.Key(3).fold_in(n).uniform((2,)), lg.tensor(0))
    for n in (0, 5):
        np.testing.assert_array_equal(interpret(graph, np.int64(n))[0], lg.Key(3).fold_in(n).uniform((2,)).numpy())


# --- the stream of keys of a thread ------------------------------------------------------------------------------


def test_a_seed_starts_the_keys_anew():
    lg.seed(5)
    first = [lg.next_key() for _ in range(3)]
    lg.seed(5)
    assert [lg.next_key() for _ in range(3)] == first
    assert len(set(first)) == 3
    lg.seed(6)
    assert lg.next_key() != first[0]


def test_inside_of_a_block_keys_come_from_its_key_alone():
    lg.seed(1)
    outside = [lg.next_key(), lg.next_key()]
    lg.seed(1)
    before = lg.next_key()
    with lg.use_key(lg.Key(9)):
        inside = [lg.next_key(), lg.next_key()]
        with lg.use_key(lg.Key(9)):
            again = lg.next_key()
        inside.append(lg.next_key())
    after = lg.next_key()
    assert [before, after] == outside
    assert inside == [lg.Key(9).fold_in(i) for i in range(3)]
    assert again == inside[0]


def test_a_block_ends_also_when_something_goes_wrong():
    lg.seed(2)
    expected = lg.next_key()
    lg.seed(2)
    with pytest.raises(ZeroDivisionError), lg.use_key(lg.Key(9)):
        _ = 1 / 0
    assert lg.next_key() == expected


def test_seeding_inside_of_a_block_is_for_after_it():
    with lg.use_key(lg.Key(9)):
        lg.seed(4)
        assert lg.next_key() == lg.Key(9).fold_in(0)
    assert lg.next_key() == lg.Key(4).fold_in(0)


def test_each_thread_has_keys_of_its_own():
    lg.seed(3)
    found: list[lg.Key] = []

    def work() -> None:
        lg.seed(8)
        found.append(lg.next_key())

    with lg.use_key(lg.Key(1)):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert lg.next_key() == lg.Key(1).fold_in(0)
    assert lg.next_key() == lg.Key(3).fold_in(0)
    assert found == [lg.Key(8).fold_in(0)]
