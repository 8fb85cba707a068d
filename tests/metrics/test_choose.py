"""What ``metrics=`` of training takes."""

import numpy as np
import pytest

from lucidgrad import metrics
from lucidgrad.errors import ArgumentError
from lucidgrad.metrics import METRICS, TopK, as_metric


def largest_error(predictions, targets):
    return np.abs(predictions - targets).max()


def test_a_function_of_ones_own_sees_the_whole_set():
    name, metric = as_metric(largest_error)
    state = metric.init()
    for p, t in (([1.0, 2.0], [1.0, 5.0]), ([4.0], [3.5])):
        state = metric.update(state, p, t, np.ones(len(p)))
    assert (name, metric.result(state)) == ("largest_error", 3.0)
    assert type(metric.result(state)) is float


def test_a_function_of_ones_own_may_give_an_array():
    _, metric = as_metric(lambda p, t: p - t)
    assert metric([3.0], [1.0]).tolist() == [2.0]
    with pytest.raises(ArgumentError, match="expected at least one sample"):
        metric.result(metric.init())


def test_any_callable_will_do():
    class Bias:
        def __call__(self, predictions, targets):
            return (predictions - targets).mean()

    name, metric = as_metric(Bias())
    assert (name, metric([1.0, 3.0], [0.0, 0.0])) == ("Bias", 2.0)


def test_top_k_has_a_name_for_every_k():
    name, metric = as_metric("top_3")
    assert (name, metric.name) == ("top_3", "top_3")
    assert isinstance(metric, TopK)


def test_a_confusion_matrix_may_be_asked_for_by_its_function():
    name, metric = as_metric(metrics.confusion_matrix)
    assert (name, metric([0, 1], [0, 0]).tolist()) == ("confusion_matrix", [[1.0, 1.0], [0.0, 0.0]])


def test_names_are_those_of_the_metrics():
    assert all(metric.name == name for name, metric in METRICS.items())


def test_a_mistyped_name_is_recognised():
    with pytest.raises(ArgumentError, match=r"got 'accurracy'. Did you mean 'accuracy'\?"):
        as_metric("accurracy")
    with pytest.raises(ArgumentError, match=r"got 'xyz'. The names are 'accuracy', 'zero_one'"):
        as_metric("xyz")


@pytest.mark.parametrize("given", [None, 3, dict, ["accuracy"]])
def test_what_is_no_metric_is_refused(given):
    with pytest.raises(ArgumentError, match="metrics expected names, Metrics, or functions"):
        as_metric(given)
