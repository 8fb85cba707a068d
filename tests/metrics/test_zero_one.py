"""The 0-1 loss is reported; who asks for its gradient is told why there is none."""

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.errors import GradientError
from lucidgrad.metrics import accuracy, zero_one_loss

LOGITS = [[2.0, 1.0], [0.5, 3.0], [1.0, 0.0]]
WHY = r"the 0-1 loss.*piecewise constant.*slope is 0 almost everywhere.*undefined at.*CrossEntropy.*Logistic"


def test_it_is_one_minus_the_accuracy():
    assert zero_one_loss(LOGITS, [0, 0, 0]) == pytest.approx(1 - accuracy(LOGITS, [0, 0, 0]))
    assert zero_one_loss(LOGITS, [0, 0, 0], [1.0, 2.0, 1.0]) == 0.5
    assert zero_one_loss(lg.tensor(LOGITS), [0, 0, 0], lg.tensor([1.0, 2.0, 1.0])) == 0.5


def test_backward_through_it_explains():
    w = lg.Tensor(LOGITS)
    loss = zero_one_loss(w * 2.0, [0, 0, 0], [1.0, 2.0, 1.0])
    assert (float(loss), loss.dtype) == (0.5, np.float32)
    with pytest.raises(GradientError, match=WHY):
        loss.backward()
    assert w.grad is None


def test_its_gradient_explains_also_as_a_part_of_a_loss():
    w = lg.Tensor(LOGITS, dtype=np.float64)
    loss = zero_one_loss(w, [0, 0, 0])
    assert loss.dtype == np.float64
    with pytest.raises(GradientError, match=WHY):
        lg.grad(loss + 0.1 * (w * w).sum(), w)


def test_without_gradients_it_is_a_number_among_others():
    with lg.no_grad():
        assert float(zero_one_loss(lg.Tensor(LOGITS), [0, 0, 0]) * 3) == pytest.approx(1.0)


def test_it_is_traced_for_reports():
    w, labels = lg.Tensor(LOGITS), lg.tensor([0, 0, 0])
    graph = lg.compiler.trace(zero_one_loss, w, labels)
    (result,) = lg.compiler.interpret(graph, w.numpy(), labels.numpy())
    assert result == np.float32(1 / 3)
    with pytest.raises(GradientError, match=WHY):
        lg.compiler.trace(lambda p, t: lg.grad(zero_one_loss(p, t), p), w, labels)
