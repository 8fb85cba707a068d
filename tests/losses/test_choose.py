"""What ``loss=`` of training takes, and why the 0-1 loss is not among it."""

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import losses, metrics
from lucidgrad.errors import ArgumentError, GradientError, ShapeError
from lucidgrad.losses import LOSSES, CrossEntropy, Huber, as_loss


@pytest.mark.parametrize("name", list(LOSSES))
def test_a_name_a_class_and_a_function_mean_the_same_loss(name: str):
    for given in (name, LOSSES[name], getattr(losses, name), LOSSES[name]()):
        assert repr(as_loss(given)) == repr(LOSSES[name]())


def test_a_loss_is_taken_as_it_is():
    loss = Huber("sum", delta=3.0)
    assert as_loss(loss) is loss


def test_a_mistyped_name_is_recognised():
    with pytest.raises(ArgumentError, match=r"got 'crossentropy'. Did you mean 'cross_entropy'\?"):
        as_loss("crossentropy")
    with pytest.raises(ArgumentError, match=r"got 'xyz'. The names are 'absolute_error', 'squared_error'"):
        as_loss("xyz")


@pytest.mark.parametrize("given", [None, 3, dict, [CrossEntropy]])
def test_what_is_no_loss_is_refused(given):
    with pytest.raises(ArgumentError, match="a Loss, its name, or a function"):
        as_loss(given)


@pytest.mark.parametrize(
    "given",
    [
        "zero_one",
        "accuracy",
        "top_5",
        "f1",
        metrics.zero_one_loss,
        metrics.accuracy,
        metrics.f1,
        metrics.ZeroOne(),
        metrics.ZeroOne,
        metrics.METRICS["precision"],
    ],
)
def test_what_counts_cannot_be_trained_on_and_says_why(given):
    with pytest.raises(
        GradientError, match=r"slope is 0 almost everywhere.*undefined at.*jumps.*CrossEntropy.*Logistic"
    ):
        as_loss(given)


def fourth_power(predictions, targets):
    return (predictions - targets) ** 4


def mean_fourth_power(predictions, targets):
    return ((predictions - targets) ** 4).mean()


P, T, W = [1.0, 2.0, 4.0], [0.0, 0.0, 1.0], [1.0, 2.0, 0.0]


def test_a_function_of_ones_own_gives_the_loss_of_each_sample():
    loss = as_loss(fourth_power)
    assert loss.per_sample(P, T).tolist() == [1.0, 16.0, 81.0]
    assert float(loss(P, T, W)) == pytest.approx(11.0)
    x = lg.Tensor(P)
    assert lg.grad(loss(x, T), x).tolist() == pytest.approx([4 / 3, 32 / 3, 36.0])


def test_a_function_of_ones_own_may_give_the_mean_but_then_not_weigh():
    loss = as_loss(mean_fourth_power)
    assert float(loss(P, T)) == pytest.approx(98 / 3)
    total, weight = loss.sums(P, T)
    assert (float(total), weight) == (pytest.approx(98.0), 3.0)
    for ask in (lambda: loss(P, T, W), lambda: loss.per_sample(P, T)):
        with pytest.raises(ArgumentError, match="one number for each sample instead of their mean"):
            ask()


def test_a_function_that_leaves_the_tensors_is_refused():
    with pytest.raises(ShapeError, match=r"expected to return a Tensor.*got float.*without float"):
        as_loss(lambda p, t: 1.0)(P, T)
    with pytest.raises(ShapeError, match=r"got a Tensor of shape \(2,\)"):
        as_loss(lambda p, t: p[:2])(P, T)
    with pytest.raises(ShapeError, match="got float"):
        as_loss(metrics.mean_absolute_error)(P, T)


def test_a_function_of_ones_own_is_traced_like_any_loss():
    loss = as_loss(fourth_power)
    inputs = [np.asarray(a, np.float32) for a in (P, T, W)]
    graph = lg.compiler.trace(loss, *map(lg.tensor, inputs))
    (result,) = lg.compiler.interpret(graph, *inputs)
    assert float(result) == float(loss(*map(lg.tensor, inputs)))
