"""The order of samples is a function of seed and epoch."""

import numpy as np
import pytest

from lucidgrad.data import batch_count, batches, epoch_order
from lucidgrad.errors import ArgumentError
from lucidgrad.random import Key


def test_an_epoch_visits_every_sample_once():
    order = epoch_order(1000, Key(0), epoch=0)
    assert order.dtype == np.int64
    assert sorted(order) == list(range(1000))


def test_an_order_depends_on_key_and_epoch_and_nothing_else():
    orders = {(seed, epoch): epoch_order(50, Key(seed), epoch).tolist() for seed in range(3) for epoch in range(3)}
    assert len({tuple(order) for order in orders.values()}) == 9
    # Epoch 2 is the same whether epochs 0 and 1 came before it or not.
    assert epoch_order(50, Key(1), 2).tolist() == orders[1, 2]


def test_without_shuffling_every_epoch_is_in_the_order_of_the_data():
    assert epoch_order(4, Key(0), 7, shuffle=False).tolist() == [0, 1, 2, 3]


def test_the_last_batch_is_short():
    assert [len(batch) for batch in batches(np.arange(10), 4)] == [4, 4, 2]
    assert batch_count(10, 4) == 3
    assert batch_count(8, 4) == 2
    assert batch_count(0, 4) == 0


def test_training_goes_on_in_the_middle_of_an_epoch():
    order = epoch_order(103, Key(5), epoch=4)
    whole = [batch.tolist() for batch in batches(order, 10)]
    for done in range(len(whole) + 1):
        assert [batch.tolist() for batch in batches(order, 10, start=done)] == whole[done:]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: epoch_order(-1, Key(0), 0), r"epoch_order\(n\) expected a whole number of at least 0, got -1"),
        (lambda: epoch_order(3, Key(0), -1), r"epoch_order\(epoch\) expected .* at least 0, got -1"),
        (
            lambda: epoch_order(3, 7, 0),
            r"epoch_order\(key\) expected a lucidgrad.Key, got 7, .* Make one of a seed: Key\(0",
        ),
        (lambda: epoch_order(3, "key", 0), r"epoch_order\(key\) expected a lucidgrad.Key, got 'key', of the type str"),
        (lambda: batches(np.arange(3), 0), r"batches\(batch_size\) expected .* at least 1, got 0. Use 1 or more"),
        (lambda: batches(np.arange(3), 1.5), r"batches\(batch_size\) expected a whole number .*, got 1.5"),
        (lambda: batches(np.arange(3), True), r"batches\(batch_size\) expected a whole number .*, got True"),
        (lambda: batches(np.arange(3), 1, start=-1), r"batches\(start\) expected .* at least 0, got -1"),
        (lambda: batch_count(-1, 1), r"batch_count\(n\)"),
        (lambda: batch_count(1, 0), r"batch_count\(batch_size\)"),
    ],
)
def test_numbers_that_mean_nothing_are_refused_at_the_call(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
