from __future__ import annotations

import numpy as np
import pytest

from lucidgrad.errors import ArgumentError, ShapeError
from lucidgrad.plot import confusion_matrix, first_layer_weights, images, worst_mistakes


def titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.images and axes.get_title()]


def test_samples_are_shown_as_images_in_their_order_with_what_is_to_be_said():
    samples = np.arange(12, dtype=float).reshape(3, 4) / 12
    figure = images(samples, (2, 2), titles="abc", most=2, title="ink")
    assert titles(figure) == ["a", "b"]
    assert figure.axes[1].images[0].get_array().tolist() == samples[1].reshape(2, 2).tolist()
    assert figure.get_suptitle() == "ink"


@pytest.mark.parametrize(
    ("shape", "options", "error", "message"),
    [
        ((2, 5), {}, ShapeError, r"shape \(n, 4\) for images of \(2, 2\), at least one, got \(2, 5\)"),
        ((0, 4), {}, ShapeError, r"got \(0, 4\)"),
        ((2, 4), {"titles": "abc"}, ArgumentError, "2 samples and 3 titles"),
        ((2, 4), {"most": 0}, ArgumentError, "got most=0"),
    ],
)
def test_images_want_samples_of_their_shape_and_a_title_for_each(shape, options, error, message):
    with pytest.raises(error, match=message):
        images(np.zeros(shape), (2, 2), **options)


def test_a_confusion_matrix_writes_the_counts_where_they_belong():
    figure = confusion_matrix([[5, 1, 0], [0, 6, 0], [2, 0, 9]], names=("cat", "dog", "owl"), title="Which for which")
    axes = figure.axes[0]
    written = {(text.get_position(), text.get_text()) for text in axes.texts}
    assert written == {((0, 0), "5"), ((1, 0), "1"), ((1, 1), "6"), ((0, 2), "2"), ((2, 2), "9")}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cat", "dog", "owl"]
    assert axes.get_xlabel() == "predicted class"
    assert axes.images[0].get_array()[0].tolist() == pytest.approx([5 / 6, 1 / 6, 0])


def test_a_class_without_samples_has_an_empty_row():
    assert confusion_matrix([[0, 0], [1, 2]]).axes[0].images[0].get_array()[0].tolist() == [0, 0]


@pytest.mark.parametrize(("counts", "names"), [([[1, 2]], ()), ([[1, 2], [3, 4]], ("a",))])
def test_a_confusion_matrix_is_square_and_every_class_has_a_name(counts, names):
    with pytest.raises(ShapeError, match=r"counts of shape \(classes, classes\) and a name for each class"):
        confusion_matrix(counts, names=names)


def test_the_worst_mistake_is_the_one_whose_true_class_was_given_the_least_probability():
    images = np.arange(16, dtype=float).reshape(4, 4) / 16
    p = [[0.45, 0.55], [0.9, 0.1], [0.95, 0.05], [0.2, 0.8]]
    figure = worst_mistakes(images, [0, 1, 1, 1], p, (2, 2), names=("a", "b"))
    assert titles(figure) == ["b taken for a\n95 % sure", "b taken for a\n90 % sure", "a taken for b\n55 % sure"]
    assert figure.axes[0].images[0].get_array().tolist() == images[2].reshape(2, 2).tolist()


def test_no_more_mistakes_are_shown_than_asked_for():
    figure = worst_mistakes(np.zeros((9, 4)), np.ones(9, int), np.tile([0.9, 0.1], (9, 1)), (2, 2), most=5)
    assert len(titles(figure)) == 5


def test_without_mistakes_the_figure_says_so():
    figure = worst_mistakes(np.zeros((2, 4)), [0, 0], [[0.9, 0.1], [0.8, 0.2]], (2, 2))
    assert [text.get_text() for text in figure.axes[0].texts] == ["none: all 2 samples were told right"]


def test_images_classes_and_probabilities_belong_together():
    with pytest.raises(ShapeError, match="got 2, 1 and 2"):
        worst_mistakes(np.zeros((2, 4)), [0], [[0.9, 0.1], [0.8, 0.2]], (2, 2))
    with pytest.raises(ArgumentError, match="most expected at least 1, got 0"):
        worst_mistakes(np.zeros((1, 4)), [0], [[0.9, 0.1]], (2, 2), most=0)


def test_each_unit_of_the_first_layer_is_an_image_on_one_symmetric_scale():
    weight = np.array([[1.0, 0, 0, 0], [0, -2.0, 0, 0], [0, 0, 0, 0.5]])
    figure = first_layer_weights(weight, (2, 2), names="abc")
    assert titles(figure) == ["a", "b", "c"]
    images = [axes.images[0] for axes in figure.axes if axes.images and axes.get_title()]
    assert images[1].get_array().tolist() == [[0, -2], [0, 0]]
    limits = {image.get_clim() for image in images}
    ((low, high),) = limits
    assert low == -high


def test_of_many_units_those_with_the_largest_weights_are_shown():
    weight = np.diag(np.arange(1.0, 10.0))
    assert titles(first_layer_weights(weight, (3, 3), most=3)) == ["8", "7", "6"]


def test_weights_of_zero_can_be_drawn():
    assert titles(first_layer_weights(np.zeros((1, 4)), (2, 2))) == ["0"]


def test_the_first_layer_has_as_many_weights_as_the_image_pixels():
    with pytest.raises(ShapeError, match=r"\(units, 6\) for images of \(2, 3\), got \(3, 4\)"):
        first_layer_weights(np.zeros((3, 4)), (2, 3))
    with pytest.raises(ArgumentError, match="most expected at least 1"):
        first_layer_weights(np.zeros((3, 6)), (2, 3), most=0)
