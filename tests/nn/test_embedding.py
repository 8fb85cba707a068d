"""Embedding: rows of a table, with gradients that add up where a row is looked up twice."""

from __future__ import annotations

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, DtypeError
from lucidgrad.functional import one_hot
from lucidgrad.nn import Embedding


@pytest.mark.parametrize("kind", [np.uint8, np.int32, np.int64])
def test_it_is_the_product_of_one_hot_vectors_and_the_weight(kind: type) -> None:
    layer = Embedding(5, 3)
    indices = np.array([[0, 4], [2, 2]], kind)
    expected = one_hot(indices, 5) @ layer.weight
    np.testing.assert_array_equal(layer(indices).numpy(), expected.numpy())


def test_a_row_looked_up_twice_gets_both_gradients() -> None:
    layer = Embedding(3, 2)
    gradient = lg.grad(layer([1, 1, 2]).sum(), layer.weight)
    np.testing.assert_array_equal(gradient.numpy(), [[0, 0], [2, 2], [1, 1]])


def test_an_empty_batch_gives_an_empty_batch() -> None:
    assert Embedding(3, 2)(np.zeros((0, 4), np.int64)).shape == (0, 4, 2)


def test_numbers_outside_of_the_table_are_refused_also_negative_ones() -> None:
    with pytest.raises(ArgumentError, match=r"Embedding\(num_embeddings=3\) expected integers from 0 to 2, got -1\."):
        Embedding(3, 2)([0, -1])
    with pytest.raises(ArgumentError, match=r"from 0 to 2, got 3\. Number the things from 0"):
        Embedding(3, 2)([0, 3])


@pytest.mark.parametrize("x", [np.array([1.0]), np.array([True])])
def test_only_integers_are_looked_up(x: np.ndarray) -> None:
    with pytest.raises(DtypeError, match=r"Embedding expected integers, got dtype .*\. Convert the numbers: x\.astype"):
        Embedding(3, 2)(x)


def test_the_weights_start_as_standard_normal_numbers() -> None:
    weight = Embedding(200, 100, key=lg.Key(0)).weight.numpy()
    assert abs(weight.mean()) < 0.03
    assert abs(weight.std() - 1) < 0.02
