"""What a data set says about itself."""

import numpy as np
import pytest

from lucidgrad.data import Dataset, digits, sine, xor
from lucidgrad.errors import DataError, ShapeError


def test_a_data_set_tells_how_large_the_network_must_be():
    classes = Dataset("xor", *xor(8), class_names=("same", "different"))
    assert (classes.in_features, classes.out_features) == (2, 2)
    curve = Dataset("sine", *sine(8))
    assert (curve.in_features, curve.out_features) == (1, 1)
    assert repr(curve) == "Dataset('sine': 8 train samples, 1 feature, 1 output, float32)"


def test_a_validation_part_is_split_off_the_training_samples_alone():
    data = digits()
    x_train, x_validation, _, y_validation = data.split(0.25, seed=3)
    assert len(x_train) + len(x_validation) == len(data.x_train)
    assert np.bincount(y_validation).min() >= 34
    assert np.array_equal(data.split(0.25, seed=3)[1], x_validation)
    assert not np.array_equal(data.split(0.25, seed=4)[1], x_validation)
    x_train, x_validation, *_ = Dataset("sine", *sine(10)).split(0.3)
    assert (len(x_train), len(x_validation)) == (7, 3)


def test_samples_without_targets_are_refused():
    with pytest.raises(DataError, match="a target for each train sample, got 3 samples and 2 targets"):
        Dataset("odd", np.zeros((3, 1)), np.zeros(2))
    with pytest.raises(DataError, match="a target for each test sample, got 1 sample and 2 targets"):
        Dataset("odd", np.zeros((3, 1)), np.zeros(3), np.zeros((1, 1)), np.zeros(2))


def test_what_is_no_array_of_samples_is_refused_and_lists_become_arrays():
    message = r"Dataset\('x'\) expected arrays of samples x_train and targets y_train, got x_train=5. Give x of shape"
    with pytest.raises(DataError, match=message):
        Dataset("x", 5, 6)
    with pytest.raises(DataError, match="got y_train=None"):
        Dataset("x", [[1.0]], None)
    with pytest.raises(DataError, match="x_test and targets y_test, got y_test=4"):
        Dataset("x", [[1.0]], [0], [[1.0]], 4)
    with pytest.raises(ShapeError, match="expected numbers in a regular grid, got rows of different lengths"):
        Dataset("x", [[1.0], [1.0, 2.0]], [0, 1])
    made = Dataset("x", [[1.0, 2.0]], [0], [[1.0, 2.0]], [0])
    assert repr(made) == "Dataset('x': 1 train + 1 test samples, 2 features, 1 output, float64)"
    assert made.y_test.dtype == np.int64


def test_half_a_test_part_is_refused():
    with pytest.raises(DataError, match="x_test and y_test together, got only x_test"):
        Dataset("odd", np.zeros((3, 1)), np.zeros(3), x_test=np.zeros((1, 1)))
    with pytest.raises(DataError, match="x_test and y_test together, got only y_test"):
        Dataset("odd", np.zeros((3, 1)), np.zeros(3), y_test=np.zeros(1))


def test_the_digits_are_always_at_hand_and_always_split_alike():
    data, again = digits(), digits()
    assert data.x_train.shape == (1438, 64)
    assert data.x_test.shape == (359, 64)
    assert data.x_train.dtype == np.float32
    assert data.y_train.dtype == np.int64
    assert (data.x_train.min(), data.x_train.max()) == (0.0, 1.0)
    assert np.array_equal(data.x_test, again.x_test)
    assert np.bincount(data.y_test, minlength=10).min() >= 34
    assert data.image_shape == (8, 8)
    assert len(data.feature_names) == data.in_features
    assert data.source is None
