"""One scale for all columns, and labels as vectors."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lucidgrad.data import Standardize, one_hot, standardize
from lucidgrad.data import transforms as transforms_of_package
from lucidgrad.errors import ArgumentError, DataError, DtypeError, ShapeError


def samples(shape, seed=0):
    return np.random.default_rng(seed).normal(3.0, 2.0, shape)


def test_every_column_gets_mean_0_and_standard_deviation_1():
    z = Standardize.fit(samples((500, 7))).transform(samples((500, 7)), dtype=np.float64)
    assert np.allclose(z.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(z.std(axis=0), 1, atol=1e-12)


def test_other_samples_are_scaled_by_the_training_samples():
    train, test = standardize(samples((100, 3)), samples((50, 3), seed=1))
    expected = (samples((50, 3), seed=1) - samples((100, 3)).mean(axis=0)) / samples((100, 3)).std(axis=0)
    assert train.dtype == test.dtype == np.float32
    assert np.allclose(test, expected, atol=1e-5)


@pytest.mark.parametrize("value", [0.1, 0.0, -7.25, 1e30, 3.3e-38])
def test_a_constant_column_becomes_0_and_not_nan(value):
    x = np.full((1000, 2), value, np.float32)
    x[:, 1] = np.arange(1000)
    scaler = Standardize.fit(x)
    assert scaler.scale[0] == 1.0
    assert np.array_equal(scaler.transform(x)[:, 0], np.zeros(1000))


def test_numbers_so_small_that_their_squares_vanish_do_not_divide_by_0():
    assert np.isfinite(Standardize.fit(np.array([0.0, 1e-200])).transform(np.array([0.0, 1e-200]))).all()


def test_a_large_mean_does_not_swallow_the_spread():
    x = 1e8 + np.array([[0.0], [1.0], [2.0]])
    assert Standardize.fit(x).scale[0] == pytest.approx(np.sqrt(2 / 3), rel=1e-9)


def test_the_state_is_two_arrays_from_which_it_is_made_again():
    x = samples((20, 4))
    fitted = Standardize.fit(x)
    again = Standardize(mean=fitted.mean, scale=fitted.scale)
    assert np.array_equal(fitted.transform(x), again.transform(x))


def test_numbers_and_lists_are_a_mean_and_a_scale_too():
    assert Standardize(5, 2).transform([9, 5]).tolist() == [2.0, 0.0]
    made = Standardize([5, 1], [2, 1])
    assert (made.mean.dtype, made.scale.dtype) == (np.float64, np.float64)
    assert made.transform([[9, 1]]).tolist() == [[2.0, 0.0]]
    with pytest.raises(DataError, match=r"expected samples of shape \(\), as it was fitted, got \(2,\)"):
        Standardize(5, 6).transform([[1.0, 2.0]])


@pytest.mark.parametrize(
    ("mean", "scale", "got"),
    [
        ("5", 6, "<U1 and int64"),
        (5, None, "int64 and object"),
        ([5.0, 6.0], 1.0, r"shapes \(2,\) and \(\)"),
        (5, 0, "a mean of 5 with a scale of 0"),
        ([0.0, 1.0], [1.0, -2.0], "a mean of 1 with a scale of -2"),
        (np.nan, 1, "a mean of nan with a scale of 1"),
        (1, np.inf, "a mean of 1 with a scale of inf"),
    ],
)
def test_what_is_no_mean_and_scale_is_told_at_once(mean, scale, got):
    with pytest.raises(ArgumentError, match=f"finite means and positive scales of one shape, got {got}"):
        Standardize(mean, scale)


def test_there_is_a_way_back():
    x = samples((20, 4))
    scaler = Standardize.fit(x)
    assert np.allclose(scaler.inverse(scaler.transform(x, np.float64), np.float64), x, rtol=1e-12)


def test_images_and_single_columns_keep_their_shape():
    assert Standardize.fit(samples((9, 4, 5))).transform(samples((9, 4, 5))).shape == (9, 4, 5)
    assert Standardize.fit(samples((9,))).mean.shape == ()


def test_bytes_and_truth_values_are_numbers_too():
    assert Standardize.fit(np.array([[0], [255]], np.uint8)).transform(np.array([[255]], np.uint8)).tolist() == [[1.0]]
    assert Standardize.fit([[True], [False]]).mean.tolist() == [0.5]


@settings(derandomize=True, deadline=None)
@given(
    arrays(
        np.float64,
        array_shapes(min_dims=1, max_dims=2, max_side=9),
        elements=st.integers(-(10**9), 10**9).map(lambda i: i / 1000),
    )
)
def test_pieces_give_what_the_whole_gives(x):
    fitted = Standardize.fit(x)
    constant = x.max(axis=0) == x.min(axis=0)
    assert np.allclose(fitted.mean, x.mean(axis=0), rtol=1e-9, atol=1e-9)
    assert np.allclose(np.where(constant, 1.0, fitted.scale), np.where(constant, 1.0, x.std(axis=0)), atol=1e-7)


def test_arrays_on_disk_go_through_in_bounded_memory(tmp_path):
    x = np.memmap(tmp_path / "x.bin", np.float32, "w+", shape=(200_000, 20))  # 16 MB
    x[:] = np.arange(20)
    x[::2] += 1
    tracemalloc.start()
    fitted = Standardize.fit(x)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 3 * transforms_of_package._CHUNK_BYTES
    assert np.allclose(fitted.mean, np.arange(20) + 0.5)
    assert np.allclose(fitted.scale, 0.5)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.empty((0, 3)), r"at least one sample, got shape \(0, 3\)"),
        (np.array([["a"]]), "an array of real numbers, .* got <U1"),
        (np.array([[1j]]), "an array of real numbers, .* got complex128"),
        (np.array(3.0), r"an array of real numbers, .* of shape \(\)"),
        (np.array([[1.0, 2.0], [3.0, np.nan]]), r"finite numbers, got nan in row 1, column \(1,\)"),
        (np.array([1.0, -np.inf]), "finite numbers, got -inf in row 1, column 0"),
        (np.array([[1e200], [-1e200]]), "squares that float64 can hold, got 1e\\+200"),
    ],
)
def test_what_cannot_be_standardised_is_refused(x, message):
    with pytest.raises(DataError, match=message):
        Standardize.fit(x)


def test_samples_of_another_shape_are_refused():
    with pytest.raises(DataError, match=r"transform expected samples of shape \(3,\), as it was fitted, got \(4,\)"):
        Standardize.fit(samples((9, 3))).transform(samples((9, 4)))
    with pytest.raises(DataError, match="inverse expected samples"):
        Standardize.fit(samples((9, 3))).inverse(samples((9, 4)))


@pytest.mark.parametrize(
    ("dtype", "got"),
    [("klingon", "'klingon'"), (5, "5"), (int, "int64"), ("U5", "<U5"), (bool, "bool"), (complex, "complex128")],
)
def test_what_is_standardised_is_no_dtype_but_one_of_floats(dtype, got):
    scaler = Standardize.fit(samples((9, 3)))
    for way in ("transform", "inverse"):
        with pytest.raises(DtypeError, match=rf"{way}\(dtype\) expected a dtype of floats, got {got}. Use np.float32"):
            getattr(scaler, way)(samples((9, 3)), dtype)
    assert scaler.transform(samples((9, 3)), np.float64).dtype == np.float64


def test_rows_of_different_lengths_are_no_array():
    for ask in (Standardize.fit, Standardize.fit(samples((9, 3))).transform, one_hot):
        with pytest.raises(
            ShapeError, match=r"in a regular grid, got rows of different lengths: .*Give all rows the same"
        ):
            ask([[1, 2], [3]])


def test_labels_become_rows_with_a_single_1():
    rows = one_hot(np.array([2, 0, 1], np.uint8))
    assert rows.dtype == np.float32
    assert rows.tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert one_hot([True, False]).tolist() == [[0, 1], [1, 0]]
    assert one_hot([1], classes=4).tolist() == [[0, 1, 0, 0]]
    assert one_hot([], classes=4).shape == (0, 4)


@pytest.mark.parametrize(
    ("labels", "classes", "message"),
    [
        ([0, 3], 3, "labels from 0 to 2, got 3 at index 1"),
        ([0, -1], None, "labels from 0 to 0, got -1 at index 1"),
        ([0.0, 1.0], None, r"whole numbers of shape \(n,\), got float64 of shape \(2,\)"),
        ([[0], [1]], None, r"whole numbers of shape \(n,\), got int64 of shape \(2, 1\)"),
        (["cat"], None, r"whole numbers of shape \(n,\), got <U3"),
    ],
)
def test_labels_that_are_no_class_numbers_are_refused(labels, classes, message):
    with pytest.raises(DataError, match=message):
        one_hot(labels, classes)


def test_a_number_of_classes_must_be_a_whole_number():
    with pytest.raises(ArgumentError, match=r"one_hot\(classes\) expected a whole number of at least 1, got 0"):
        one_hot([0], classes=0)
