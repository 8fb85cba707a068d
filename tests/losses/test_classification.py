"""Losses for classes: their options, and what is said when the targets are something else."""

import math

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, DataError, DtypeError, ShapeError
from lucidgrad.losses import CrossEntropy, Hinge, Logistic

LOGITS = np.random.default_rng(3).normal(size=(4, 3))


def test_the_gradient_of_cross_entropy_is_probabilities_minus_one_hot():
    x = lg.Tensor(LOGITS, dtype=np.float64)
    gradient = lg.grad(CrossEntropy("sum")(x, [0, 1, 2, 2]), x)
    softmax = np.exp(LOGITS) / np.exp(LOGITS).sum(1, keepdims=True)
    np.testing.assert_allclose(gradient.numpy(), softmax - np.eye(3)[[0, 1, 2, 2]], rtol=1e-13, atol=1e-16)


def test_class_weights_count_a_sample_by_its_label_also_in_the_mean():
    weight = np.array([1.0, 5.0, 0.5])
    labels = np.array([0, 1, 2, 1])
    by_class = CrossEntropy(class_weight=weight)(LOGITS, labels)
    assert float(by_class) == pytest.approx(float(CrossEntropy()(LOGITS, labels, weight[labels])), rel=1e-14)


def test_a_soft_target_is_a_mixture_of_labelled_samples():
    share = np.array([0.2, 0.3, 0.5])
    mixed = CrossEntropy(class_weight=[1, 2, 4])(LOGITS[:1], share[None])
    labelled = CrossEntropy(class_weight=[1, 2, 4])(LOGITS[[0, 0, 0]], [0, 1, 2], share)
    assert float(mixed) == pytest.approx(float(labelled), rel=1e-14)


def test_one_hot_integers_are_probabilities():
    labels = [0, 2, 1, 2]
    assert float(CrossEntropy()(LOGITS, np.eye(3, dtype=int)[labels])) == pytest.approx(
        float(CrossEntropy()(LOGITS, labels))
    )


def test_a_column_of_labels_is_taken_as_labels():
    assert float(CrossEntropy()(LOGITS, [[0], [2], [1], [2]])) == float(CrossEntropy()(LOGITS, [0, 2, 1, 2]))


@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        ([0, 1, 2, 3], DataError, "labels from 0 to 2 for 3 columns of predictions, got 3 for sample 3"),
        ([0, -1, 2, 3], DataError, "got -1 for sample 1.*np.unique"),
        ([0.0, 1.0, 2.0, 1.0], DtypeError, r"integer labels of shape \(batch,\), got dtype float64.*astype"),
        ([0, 1, 2], ShapeError, r"expected labels of shape \(4,\), or targets \(4, 3\), got \(3,\)"),
        (np.zeros((4, 2), int), ShapeError, r"got \(4, 2\)"),
        (np.full((4, 3), 0.4), DataError, r"add up to 1 in each row, got \[0.4 0.4 0.4\] for sample 0"),
        ([[0.5, 0.7, -0.2]] * 4, DataError, "probabilities >= 0"),
        ([["cat"]] * 4, DtypeError, "encode text labels as integers"),
    ],
)
def test_targets_that_are_no_classes_are_explained(targets, error, message):
    with pytest.raises(error, match=message):
        CrossEntropy()(LOGITS, targets)


def test_a_label_out_of_range_is_found_in_every_integer_dtype():
    for dtype in (np.uint8, np.int8, np.int16, np.uint32, np.int64):
        with pytest.raises(DataError, match="got 3 for sample 2"):
            CrossEntropy()(LOGITS, np.array([0, 1, 3, 2], dtype))


def test_a_single_logit_is_sent_to_the_logistic_loss():
    for shape in ((4,), (4, 1), (4, 2, 3)):
        with pytest.raises(ShapeError, match=r"logits \(batch, classes\) with classes >= 2.*For a single logit"):
            CrossEntropy()(np.zeros(shape), [0, 1, 0, 1])


def test_class_weights_are_one_number_for_each_class():
    with pytest.raises(ShapeError, match="2 classes as class_weight"):
        CrossEntropy(class_weight=[1, 2])(LOGITS, [0, 1, 1, 0])
    with pytest.raises(ArgumentError, match=r"class_weight expected a number for each class, \(classes,\)"):
        CrossEntropy(class_weight=2.0)
    with pytest.raises(ArgumentError, match="class_weight expected finite numbers >= 0"):
        CrossEntropy(class_weight=[1.0, -1.0])
    with pytest.raises(ArgumentError, match="CrossEntropy expected a sample of positive weight"):
        CrossEntropy(class_weight=[1.0, 0.0, 0.0])(LOGITS, [1, 1, 2, 2])


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, math.nan])
def test_smoothing_leaves_something_to_the_label(smoothing):
    with pytest.raises(ArgumentError, match=r"label_smoothing in \[0, 1\)"):
        CrossEntropy(label_smoothing=smoothing)


def test_signs_are_sent_from_the_logistic_loss_to_zero_and_one():
    with pytest.raises(DataError, match=r"targets from 0 to 1, got numbers from -1 to 1.*\(y \+ 1\) / 2"):
        Logistic()([0.5, 0.5], [-1, 1])


def test_labels_of_several_classes_are_not_taken_for_two():
    with pytest.raises(DataError, match=r"-1 and \+1, or 0 and 1"):
        Hinge()([0.5, 0.5, 0.5], [0, 1, 2])
    with pytest.raises(DataError, match=r"got \[-1.0, 0.0, 1.0\]"):
        Hinge()([0.5, 0.5, 0.5], [-1, 0, 1])


def test_hinge_asks_for_a_margin_of_one_over_the_best_other_class():
    scores = lg.Tensor([[3.0, 2.5, 0.0], [3.0, 1.0, 0.0]])
    assert Hinge().per_sample(scores, [0, 0]).tolist() == [0.5, 0.0]
    gradient = lg.grad(Hinge("sum")(scores, [0, 0]), scores)
    assert gradient.tolist() == [[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]


def test_values_are_not_looked_for_while_traced():
    for loss, targets in ((CrossEntropy(), [0, 9, 2, 1]), (Logistic(), [[-3.0] * 3] * 4)):
        graph = lg.compiler.trace(loss, lg.tensor(LOGITS), lg.tensor(targets))
        assert graph.outputs[0].shape == ()
