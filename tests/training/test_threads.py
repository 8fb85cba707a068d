"""Small networks stay on one thread, and the setting of the process is put back whatever happens."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

import lucidgrad as lg
from lucidgrad import nn, optim
from lucidgrad.errors import ArgumentError
from lucidgrad.training import Callback
from lucidgrad.training.threads import blas_threads, blas_threads_for


def in_use() -> int:
    # SciPy, once another test has loaded it, brings a BLAS of its own, which is not the one of NumPy's products.
    return min(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


class Spy(Callback):
    def __init__(self) -> None:
        self.seen: set[int] = set()

    def on_step_end(self, run: lg.Run) -> None:
        self.seen.add(in_use())


def train(**options: object) -> set[int]:
    spy = Spy()
    x, y = np.ones((8, 3)), np.zeros((8, 1))
    optimizer = optim.SGD(0.1)
    lg.fit(nn.Linear(3, 1), x, y, loss="squared_error", optimizer=optimizer, epochs=1, callbacks=[spy], **options)
    return spy.seen


def test_a_small_network_trains_on_one_thread_and_others_find_the_setting_as_it_was() -> None:
    before = in_use()
    assert train() == {1}
    assert in_use() == before


def test_the_number_of_threads_can_be_chosen() -> None:
    assert train(threads=2) == {2}
    for wrong in (0, 1.5, True):
        with pytest.raises(ArgumentError, match="threads expected an integer >= 1"):
            train(threads=wrong)


def test_large_products_keep_the_threads_that_blas_is_set_to() -> None:
    model = nn.Linear(1024, 1024)
    assert blas_threads_for(model, 1) == 1
    assert blas_threads_for(model, 4096) is None
    before = in_use()
    with blas_threads(None):
        assert in_use() == before


def test_an_exception_puts_the_setting_back() -> None:
    before = in_use()
    with pytest.raises(RuntimeError), blas_threads(1):
        raise RuntimeError
    assert in_use() == before


def test_blocks_of_several_threads_put_the_setting_back_in_whatever_order_they_end() -> None:
    before = in_use()
    first_in, second_in, first_out, second_out = (threading.Event() for _ in range(4))

    def first() -> None:
        with blas_threads(1):
            first_in.set()
            second_in.wait(10)
        first_out.set()
        second_out.wait(10)  # still alive, as a worker of a pool is, when the other puts the setting back

    def second() -> None:
        first_in.wait(10)
        with blas_threads(1):
            second_in.set()
            first_out.wait(10)
        second_out.set()

    workers = [threading.Thread(target=f) for f in (first, second)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert in_use() == before
