"""Layers and activations against PyTorch: values and gradients, in float64 to the last digits, float32 at extremes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import functional as F
from lucidgrad.functional import ACTIVATIONS
from lucidgrad.nn import BatchNorm, Embedding, LayerNorm, Linear, Module, Residual, Sequential

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
TF = torch.nn.functional

# Name: ours, and PyTorch's.
PAIRS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "identity": (F.identity, lambda x: x),
    "relu": (F.relu, TF.relu),
    "leaky_relu": (F.leaky_relu, TF.leaky_relu),
    "leaky_relu(0.3)": (partial(F.leaky_relu, negative_slope=0.3), partial(TF.leaky_relu, negative_slope=0.3)),
    "elu": (F.elu, TF.elu),
    "elu(0.5)": (partial(F.elu, alpha=0.5), partial(TF.elu, alpha=0.5)),
    "selu": (F.selu, TF.selu),
    "gelu": (F.gelu, TF.gelu),
    "gelu(tanh)": (partial(F.gelu, approximate=True), partial(TF.gelu, approximate="tanh")),
    "silu": (F.silu, TF.silu),
    "mish": (F.mish, TF.mish),
    # Not softplus, which is the identity above its threshold of 20.
    "softplus": (F.softplus, lambda x: torch.logaddexp(x, torch.zeros_like(x))),
    "softsign": (F.softsign, TF.softsign),
    "tanh": (F.tanh, torch.tanh),
    "sigmoid": (F.sigmoid, torch.sigmoid),
    "log_sigmoid": (F.log_sigmoid, TF.logsigmoid),
    # Not hardsigmoid, whose slope is the float32 nearest to 1/6 also in float64.
    "hard_sigmoid": (F.hard_sigmoid, lambda x: TF.relu6(x + 3) / 6),
    "softmax": (F.softmax, partial(torch.softmax, dim=-1)),
    "softmax(0)": (partial(F.softmax, axis=0), partial(torch.softmax, dim=0)),
    "log_softmax": (F.log_softmax, partial(torch.log_softmax, dim=-1)),
    "log_softmax(0)": (partial(F.log_softmax, axis=0), partial(torch.log_softmax, dim=0)),
}
EVERY_PAIR = pytest.mark.parametrize(("ours", "theirs"), PAIRS.values(), ids=PAIRS.keys())


def value_and_gradient(f: Callable[[Any], Any], x: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    point = lg.tensor(x, dtype=x.dtype, requires_grad=True)
    y = f(point)
    return y.numpy(), lg.grad((y * direction).sum(), point).numpy()


def theirs_value_and_gradient(f: Any, x: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    point = torch.tensor(x, requires_grad=True)
    y = f(point)
    (y * torch.tensor(direction)).sum().backward()
    return y.detach().numpy(), point.grad.numpy()


def test_every_activation_is_compared() -> None:
    assert ACTIVATIONS.keys() <= PAIRS.keys()


@EVERY_PAIR
def test_activations_agree_in_float64(ours: Any, theirs: Any) -> None:
    rng = np.random.default_rng(1)
    x, direction = rng.normal(0, 5, (50, 7)), rng.normal(size=(50, 7))
    for a, b in zip(
        value_and_gradient(ours, x, direction), theirs_value_and_gradient(theirs, x, direction), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)


@EVERY_PAIR
def test_activations_agree_at_extremes_and_at_zero_in_float32(ours: Any, theirs: Any) -> None:
    sizes = np.array([0.0, -0.0, 1e-30, 0.5, -0.5, 20, -20, 88, -88, 89, -89, 1e4, -1e4], np.float32)
    x = np.stack([sizes, sizes[::-1]], axis=1)
    direction = np.tile(np.array([1.0, 0.5], np.float32), (len(sizes), 1))
    for a, b in zip(
        value_and_gradient(ours, x, direction), theirs_value_and_gradient(theirs, x, direction), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_masked_softmax_agrees() -> None:
    x = np.array([[0.5, -np.inf, 2.0], [-np.inf, -np.inf, 1.0]])
    direction = np.random.default_rng(0).normal(size=x.shape)
    for a, b in zip(
        value_and_gradient(F.softmax, x, direction),
        theirs_value_and_gradient(partial(torch.softmax, dim=-1), x, direction),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12)


# --- layers -------------------------------------------------------------------------------------------------------


def copy_weights(theirs: Any, ours: Module) -> None:
    """Move theirs away from where they start, and give ours the same."""
    rng = np.random.default_rng(5)
    with torch.no_grad():
        for p in theirs.parameters():
            p.add_(torch.tensor(rng.normal(0, 0.3, tuple(p.shape))))
    state = {name: t.numpy() for name, t in theirs.state_dict().items() if not name.endswith("num_batches_tracked")}
    ours.load_state(state)


def residual(inner: Any) -> Any:
    class TheirResidual(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Any) -> Any:
            return x + self.inner(x)

    return TheirResidual()


F64: dict[str, Any] = {"dtype": np.float64}
T64: dict[str, Any] = {"dtype": torch.float64}
LAYERS: dict[str, tuple[Callable[[], Module], Callable[[], Any], tuple[int, ...]]] = {
    "Linear": (lambda: Linear(4, 3, **F64), lambda: torch.nn.Linear(4, 3, **T64), (6, 4)),
    "Linear, three axes": (lambda: Linear(4, 3, **F64), lambda: torch.nn.Linear(4, 3, **T64), (6, 2, 4)),
    "Linear without bias": (
        lambda: Linear(4, 3, bias=False, **F64),
        lambda: torch.nn.Linear(4, 3, bias=False, **T64),
        (6, 4),
    ),
    "BatchNorm": (
        lambda: BatchNorm(4, momentum=0.3, eps=1e-3, **F64),
        lambda: torch.nn.BatchNorm1d(4, momentum=0.3, eps=1e-3, **T64),
        (6, 4),
    ),
    "LayerNorm": (lambda: LayerNorm(4, **F64), lambda: torch.nn.LayerNorm(4, **T64), (6, 2, 4)),
    "Residual": (lambda: Residual(Linear(4, 4, **F64)), lambda: residual(torch.nn.Linear(4, 4, **T64)), (6, 4)),
    "Sequential": (
        lambda: Sequential(Linear(4, 8, **F64), BatchNorm(8, **F64), F.tanh, Linear(8, 2, **F64)),
        lambda: torch.nn.Sequential(
            torch.nn.Linear(4, 8, **T64),
            torch.nn.BatchNorm1d(8, **T64),
            torch.nn.Tanh(),
            torch.nn.Linear(8, 2, **T64),
        ),
        (6, 4),
    ),
}


@pytest.mark.parametrize(("ours", "theirs", "shape"), LAYERS.values(), ids=LAYERS.keys())
def test_layers_agree_in_training_then_in_evaluation(ours: Any, theirs: Any, shape: tuple[int, ...]) -> None:
    mine, other = ours(), theirs()
    copy_weights(other, mine)
    rng = np.random.default_rng(2)
    for training in (True, True, False):  # twice, so that running statistics move on from where they were
        mine.train(training)
        other.train(training)
        compare(mine, other, rng.normal(2.0, 3.0, shape), rng)


def compare(mine: Module, other: Any, x: np.ndarray, rng: np.random.Generator) -> None:
    """Outputs, gradients of the input and of each parameter, and the state afterwards."""
    point, their_point = lg.tensor(x, dtype=np.float64, requires_grad=True), torch.tensor(x, requires_grad=True)
    y, their_y = mine(point), other(their_point)
    direction = rng.normal(size=y.shape)
    np.testing.assert_allclose(y.numpy(), their_y.detach().numpy(), rtol=1e-11, atol=1e-12)
    parameters = mine.parameters()
    grads = lg.grad((y * direction).sum(), [point, *parameters.values()])
    other.zero_grad()
    (their_y * torch.tensor(direction)).sum().backward()
    their_parameters = dict(other.named_parameters())
    expected = [their_point.grad, *(their_parameters[path].grad for path in parameters)]
    for g, their_g, path in zip(grads, expected, ["input", *parameters], strict=True):
        np.testing.assert_allclose(g.numpy(), their_g.numpy(), rtol=1e-9, atol=1e-11, err_msg=path)
    for path, array in mine.state().items():
        np.testing.assert_allclose(array, other.state_dict()[path].numpy(), rtol=1e-12, atol=1e-14, err_msg=path)


def test_embedding_agrees_also_where_an_index_is_repeated() -> None:
    mine, other = Embedding(7, 3, **F64), torch.nn.Embedding(7, 3, **T64)
    copy_weights(other, mine)
    indices = np.random.default_rng(0).integers(7, size=(5, 4))
    direction = np.random.default_rng(1).normal(size=(5, 4, 3))
    y, their_y = mine(indices), other(torch.tensor(indices))
    np.testing.assert_array_equal(y.numpy(), their_y.detach().numpy())
    (their_y * torch.tensor(direction)).sum().backward()
    gradient = lg.grad((y * direction).sum(), mine.weight).numpy()
    np.testing.assert_allclose(gradient, other.weight.grad.numpy(), rtol=1e-12)
