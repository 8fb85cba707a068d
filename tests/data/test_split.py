"""A part held back, with the classes in proportion."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lucidgrad.data import split_indices, train_validation_split
from lucidgrad.errors import ArgumentError, DataError


@settings(derandomize=True, deadline=None)
@given(n=st.integers(2, 300), fraction=st.floats(0.01, 0.99), seed=st.integers(0, 5))
def test_every_sample_is_in_one_part(n, fraction, seed):
    assume(0 < int(n * fraction + 0.5) < n)
    train, validation = split_indices(n, fraction, seed=seed)
    assert sorted([*train, *validation]) == list(range(n))
    assert list(train) == sorted(train)
    assert list(validation) == sorted(validation)
    assert abs(len(validation) - n * fraction) <= 0.5


def test_a_seed_says_which_samples():
    parts = [split_indices(100, 0.3, seed=seed)[1].tolist() for seed in (0, 0, 1)]
    assert parts[0] == parts[1] != parts[2]


@settings(derandomize=True, deadline=None)
@given(
    sizes=st.lists(st.integers(2, 40), min_size=1, max_size=6), fraction=st.floats(0.05, 0.95), seed=st.integers(0, 3)
)
def test_every_class_is_in_both_parts_and_in_proportion(sizes, fraction, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    n, held_back = len(labels), int(len(labels) * fraction + 0.5)
    assume(len(sizes) <= held_back <= n - len(sizes))
    train, validation = split_indices(n, fraction, seed=seed, stratify=labels)
    shares = np.bincount(labels[validation], minlength=len(sizes))
    assert len(validation) == held_back
    assert shares.min() >= 1
    assert np.bincount(labels[train], minlength=len(sizes)).min() >= 1
    # Largest remainders: no share is a whole sample off, save where a class must be kept in both parts.
    quotas = [Fraction(size * held_back, n) for size in sizes]
    if all(1 <= quota <= size - 1 for quota, size in zip(quotas, sizes, strict=True)):
        assert all(abs(share - quota) < 1 for share, quota in zip(shares.tolist(), quotas, strict=True))


def test_the_largest_remainders_get_the_samples_left_over():
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    _, validation = split_indices(100, 0.17, stratify=labels)
    # The quotas are 8.5, 5.1 and 3.4: of 17 samples, 16 go by whole numbers and the last to the remainder of 0.5.
    assert np.bincount(labels[validation]).tolist() == [9, 5, 3]


def test_a_class_of_two_has_one_in_each_part():
    labels = np.array([0] * 98 + [1] * 2)
    for seed in range(5):
        train, validation = split_indices(100, 0.05, seed=seed, stratify=labels)
        assert labels[train].sum() == labels[validation].sum() == 1
        train, validation = split_indices(100, 0.95, seed=seed, stratify=labels)
        assert labels[train].sum() == labels[validation].sum() == 1


def test_arrays_are_split_along_with_their_labels():
    x, y = np.arange(40).reshape(20, 2), np.array(["even", "odd"] * 10)
    x_train, x_validation, y_train, y_validation = train_validation_split(x, y, 0.25, seed=2, stratify=True)
    assert x_train.shape == (15, 2)
    assert np.array_equal(np.where(x_train[:, 0] % 4 == 0, "even", "odd"), y_train)
    assert np.array_equal(np.where(x_validation[:, 0] % 4 == 0, "even", "odd"), y_validation)
    by_labels = train_validation_split(x, np.zeros(20), 0.25, seed=2, stratify=y)
    assert np.array_equal(by_labels[0], x_train)
    by_chance = train_validation_split(x, y, 0.25, seed=2, stratify=False)
    assert np.array_equal(by_chance[0], train_validation_split(x, y, 0.25, seed=2)[0])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: split_indices(1, 0.5), ArgumentError, r"split_indices\(n\) expected a whole number of at least 2"),
        (lambda: split_indices(10, 1.0), ArgumentError, "a fraction between 0 and 1, got 1.0"),
        (lambda: split_indices(10, 0), ArgumentError, "a fraction between 0 and 1, got 0"),
        (lambda: split_indices(10, "0.2"), ArgumentError, "a fraction between 0 and 1, got '0.2'"),
        (lambda: split_indices(10, 0.01), ArgumentError, "both parts to have samples, got 10 and 0 of 10"),
        (lambda: split_indices(10, 0.99), ArgumentError, "both parts to have samples, got 0 and 10 of 10"),
        (lambda: split_indices(4, stratify=[0, 1]), DataError, r"labels of shape \(4,\), got \(2,\)"),
        (
            lambda: split_indices(4, 0.5, stratify=["a", "a", "a", "b"]),
            DataError,
            "at least 2 members in every class, one for each part, got 1 of class b.",
        ),
        (
            lambda: split_indices(4, 0.5, stratify=[0.1, 0.2, 0.3, 0.3]),
            DataError,
            r"got 1 of class 0.1 \(and 1 more class\)",
        ),
        (
            lambda: split_indices(20, 0.05, stratify=[0, 1] * 10),
            DataError,
            "a validation part of at least 2 samples, one for each class, got 1. Give a fraction from 0.1 to 0.9",
        ),
        (lambda: split_indices(20, 0.95, stratify=[0, 1] * 10), DataError, "a training part of at least 2 samples"),
        (
            lambda: split_indices(4, 0.5, stratify=np.array([None, "a", "a", None], object)),
            DataError,
            "labels that can be sorted",
        ),
        (
            lambda: train_validation_split(np.zeros(3), np.zeros(4)),
            DataError,
            r"a target for each sample, got x of shape \(3,\) and y of shape \(4,\)",
        ),
        (lambda: train_validation_split(1, 2), DataError, "a target for each sample"),
    ],
)
def test_splits_that_cannot_be_made_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
