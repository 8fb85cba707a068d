"""Metrics of classes: what is read from logits, probabilities and labels, and the corner cases of counting."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn import metrics as sk

import lucidgrad as lg
from lucidgrad.errors import ArgumentError, DataError, DtypeError, ShapeError
from lucidgrad.metrics import (
    F1,
    ConfusionMatrix,
    LogLoss,
    Precision,
    TopK,
    accuracy,
    confusion_matrix,
    f1,
    log_loss,
    precision,
    recall,
    top_k_accuracy,
    zero_one_loss,
)
from tests.metrics.samples import logits, predicted, share, softmax

tried = settings(max_examples=40, deadline=None, derandomize=True)


def test_accuracy_reads_logits_one_logit_and_labels():
    assert accuracy([[0.1, 0.9], [0.8, 0.2]], [1, 1]) == 0.5
    for one in (np.array([0.5, -0.5, 2.0]), np.array([[0.5], [-0.5], [2.0]])):
        for right in ([1, 1, 1], [1.0, 1.0, 1.0], [[1], [1], [1]], [True, True, True]):
            assert accuracy(one, right) == pytest.approx(2 / 3)
    assert accuracy([0.5, -0.5], [1, -1]) == 1.0
    assert accuracy([3, 1, 2], [3, 1, 1]) == pytest.approx(2 / 3)
    assert accuracy([True, False], [1, 1]) == 0.5


def test_a_logit_of_zero_is_class_zero_and_equal_logits_are_the_first_class():
    assert accuracy([0.0], [0]) == 1.0
    assert accuracy([[1.0, 1.0]], [0]) == 1.0
    assert top_k_accuracy([[1.0, 1.0, 1.0]], [1], k=1) == 0.0
    assert top_k_accuracy([[1.0, 1.0, 1.0]], [1], k=2) == 1.0


def test_soft_targets_count_by_their_largest_class():
    assert accuracy([[2.0, 1.0], [0.0, 1.0]], [[0.7, 0.3], [0.6, 0.4]]) == 0.5


def test_a_prediction_that_is_no_number_is_never_right():
    assert accuracy([[np.nan, 0.0], [1.0, 0.0]], [0, 0]) == 0.5
    assert accuracy([np.nan, 1.0], [0, 1]) == 0.5
    assert zero_one_loss([[0.0, np.nan]], [1]) == 1.0
    assert top_k_accuracy([[0.0, np.nan]], [0], k=2) == 0.0
    with pytest.raises(DataError, match=r"predictions that are no NaN.*training diverged"):
        confusion_matrix([[0.0, np.nan]], [1])


@pytest.mark.parametrize(
    ("predictions", "targets", "error", "message"),
    [
        ([[0.0, 1.0]], [2], DataError, "labels from 0 to 1 for 2 columns of predictions, got 2 for sample 0"),
        ([[0.0, 1.0]], [0.0], DtypeError, "integer labels"),
        ([0.5, 0.5], [1, 2], DataError, r"0 and 1, or -1 and \+1, beside a single logit.*got \[1, 2\]"),
        ([[0.0, 1.0]], [[1.0, 1.0]], DataError, "add up to 1"),
        (np.zeros((2, 2, 2)), [0, 1], ShapeError, r"\(batch, classes\), \(batch, 1\) or \(batch,\)"),
        (np.zeros((2, 0)), [0, 1], ShapeError, r"got \(2, 0\)"),
        (0.5, 1, ShapeError, "a target for each prediction along the first axis"),
        ([[0.0, 1.0]], ["cat"], DtypeError, "encode text labels"),
    ],
)
def test_what_are_no_classes_is_explained(predictions, targets, error, message):
    with pytest.raises(error, match=message):
        accuracy(predictions, targets)


@tried
@given(logits(least=2))
def test_averages_are_those_of_scikit_learn(batch):
    p, t, w = batch
    functions = ((precision, sk.precision_score), (recall, sk.recall_score), (f1, sk.f1_score))
    for ours, theirs in functions:
        for average in (None, "macro", "micro", "weighted"):
            expected = share(theirs, average)(p, t, w)
            np.testing.assert_allclose(ours(p, t, w, average=average), expected, rtol=1e-12, atol=1e-12)


@tried
@given(logits())
def test_the_confusion_matrix_is_that_of_scikit_learn(batch):
    p, t, w = batch
    counts = confusion_matrix(p, t)
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, sk.confusion_matrix(t, predicted(p), labels=np.arange(4)))
    weighted = sk.confusion_matrix(t, predicted(p), labels=np.arange(4), sample_weight=w)
    np.testing.assert_allclose(confusion_matrix(p, t, w), weighted, rtol=1e-12)


@tried
@given(logits(classes=6, least=2))
def test_top_k_is_that_of_scikit_learn_for_every_k(batch):
    p, t, w = batch
    for k in range(1, 6):
        expected = sk.top_k_accuracy_score(t, p, k=k, sample_weight=w, labels=np.arange(6))
        assert top_k_accuracy(p, t, w, k=k) == pytest.approx(expected, abs=1e-12)
    assert top_k_accuracy(p, t, w, k=6) == 1.0


@tried
@given(logits(classes=2, least=2))
def test_log_loss_of_one_logit_is_that_of_scikit_learn(batch):
    p, t, w = batch
    one = p[:, 0]
    probability = 1 / (1 + np.exp(-one))
    expected = sk.log_loss(t, probability, sample_weight=w, labels=[0, 1])
    assert log_loss(one, t, w) == pytest.approx(expected, rel=1e-10)
    assert log_loss(one[:, None], t, w) == log_loss(one, t, w)
    assert log_loss(probability, t, w, probabilities=True) == pytest.approx(expected, rel=1e-12)
    pair = softmax(p)
    assert log_loss(pair, t, w, probabilities=True) == pytest.approx(log_loss(p, t, w), rel=1e-12)


def test_log_loss_is_the_cross_entropy_that_was_trained_on():
    rng = np.random.default_rng(2)
    p, soft = rng.normal(size=(9, 4)), rng.dirichlet(np.ones(4), 9)
    assert log_loss(p, soft) == pytest.approx(float(lg.losses.cross_entropy(p, soft)), rel=1e-14)
    one, t = p[:, 0], rng.uniform(size=9)
    assert log_loss(one, t) == pytest.approx(float(lg.losses.logistic(one, t)), rel=1e-14)


def test_log_loss_of_extreme_logits_is_finite_and_of_probability_zero_infinite():
    assert log_loss([[1e300, -1e300]], [0]) == 0.0
    assert log_loss([[1e5, 0.0]], [1]) == 1e5
    assert log_loss([-1e5], [1]) == 1e5
    assert log_loss([[1.0, -np.inf]], [0]) == 0.0
    assert log_loss([[1.0, 0.0]], [0], probabilities=True) == 0.0
    assert log_loss([[1.0, 0.0]], [1], probabilities=True) == np.inf
    assert log_loss([1.0, 0.0], [1, 0], probabilities=True) == 0.0


@pytest.mark.parametrize(
    ("predictions", "targets", "options", "error", "message"),
    [
        ([1, 0], [1, 0], {}, DtypeError, "logits or probabilities, got int64"),
        ([[2.0, 1.0]], [0], {"probabilities": True}, DataError, r"probabilities >= 0 that add up to 1.*\[2. 1.\]"),
        ([1.5], [0], {"probabilities": True}, DataError, "numbers from 0 to 1, the probability of class 1"),
        ([1.5], [-1], {}, DataError, r"targets expected numbers from 0 to 1.*\(y \+ 1\) / 2"),
        ([1.5, 2.0], [[0, 1], [1, 0]], {}, ShapeError, "targets in the shape of the predictions"),
    ],
)
def test_what_has_no_log_loss_is_explained(predictions, targets, options, error, message):
    with pytest.raises(error, match=message):
        log_loss(predictions, targets, **options)


def test_a_class_that_is_absent_has_shares_of_zero_and_no_part_in_the_mean():
    p, t = [0, 0, 2], [0, 2, 2]  # class 1 is neither there nor predicted
    for function in (precision, recall, f1):
        assert function(p, t, average=None)[1] == 0.0
    assert precision(p, t) == pytest.approx((0.5 + 1.0) / 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert recall([0, 1], [0, 0]) == pytest.approx(0.25)  # class 1 is predicted but not there: 0 / 0 is 0


def test_the_matrix_grows_with_the_labels_it_sees():
    metric = ConfusionMatrix()
    state = metric.update(metric.init(), [0, 1], [0, 1])
    assert state["counts"].shape == (2, 2)
    state = metric.update(state, [3, 0], [3, 3])
    expected = np.zeros((4, 4))
    expected[0, 0] = expected[1, 1] = expected[3, 3] = expected[3, 0] = 1
    np.testing.assert_array_equal(metric.result(state), expected)
    state = metric.update(state, [0], [0])
    assert metric.result(state)[0, 0] == 2


def test_the_number_of_classes_may_be_told():
    assert confusion_matrix([0], [0], classes=3).shape == (3, 3)
    assert confusion_matrix([1.5], [1]).tolist() == [[0, 0], [0, 1]]
    with pytest.raises(DataError, match="labels of 2 classes, got 3"):
        confusion_matrix([2], [0], classes=2)
    with pytest.raises(DataError, match=r"classes numbered from 0.*got class -1"):
        confusion_matrix([-1], [0])


def test_an_average_has_a_name():
    assert [Precision().name, F1("micro").name, F1(None).name] == ["precision", "f1_micro", "f1_per_class"]
    with pytest.raises(ArgumentError, match=r"average None, 'macro', 'micro' or 'weighted', got 'binary'.*\[1\]"):
        precision([0], [0], average="binary")


def test_top_k_needs_more_than_k_answers():
    with pytest.raises(ArgumentError, match="k >= 1"):
        TopK(0)
    with pytest.raises(ShapeError, match=r"top_5 expected logits .* at least 5 classes"):
        top_k_accuracy(np.zeros((2, 4)), [0, 1])
    with pytest.raises(ShapeError, match="at least 2 classes"):
        top_k_accuracy([0.5, 0.5], [0, 1], k=1)


def test_options_are_seen_in_the_repr():
    assert repr(TopK(3)) == "TopK(k=3)"
    assert repr(LogLoss(probabilities=True)) == "LogLoss(probabilities=True)"
    assert repr(F1("micro")) == "F1(average='micro')"
