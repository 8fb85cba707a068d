"""Losses and their gradients beside PyTorch's, in float64, and by which factor a definition differs."""

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import losses

torch = pytest.importorskip("torch")
functional = torch.nn.functional

RNG = np.random.default_rng(77)
N, C = 9, 5
LABELS = RNG.integers(0, C, N)
SHARES = RNG.dirichlet(np.ones(C), N)
CLASS_WEIGHT = RNG.uniform(0.2, 3, C)
LOGITS = 3 * RNG.normal(size=(N, C))
SCORES = 2 * RNG.normal(size=N)
COLUMNS = RNG.normal(size=(N, 3))
TARGETS = RNG.normal(size=(N, 3))
BITS = RNG.integers(0, 2, (N, 3))
COUNTS = RNG.poisson(2.0, (N, 3))
TOLERANCE = {"rtol": 1e-10, "atol": 1e-12}


def assert_same(ours, theirs, predictions):
    """Both functions of the predictions have the same value and the same gradient."""
    x = lg.Tensor(predictions, dtype=np.float64)
    y = torch.tensor(predictions, requires_grad=True)
    a, b = ours(x), theirs(y)
    np.testing.assert_allclose(a.numpy(), b.detach().numpy(), **TOLERANCE)
    np.testing.assert_allclose(lg.grad(a.sum(), x).numpy(), torch.autograd.grad(b.sum(), y)[0].numpy(), **TOLERANCE)


# Ours with its targets, and PyTorch's function with its targets and options. All are sums over columns on both sides.
ELEMENTWISE = {
    "absolute": (losses.AbsoluteError, {}, COLUMNS, TARGETS, lambda p, t, r: functional.l1_loss(p, t, reduction=r)),
    "squared": (losses.SquaredError, {}, COLUMNS, TARGETS, lambda p, t, r: functional.mse_loss(p, t, reduction=r)),
    "huber": (
        losses.Huber,
        {"delta": 0.8},
        COLUMNS,
        TARGETS,
        lambda p, t, r: functional.huber_loss(p, t, delta=0.8, reduction=r),
    ),
    "poisson": (
        losses.Poisson,
        {},
        COLUMNS,
        COUNTS,
        lambda p, t, r: functional.poisson_nll_loss(p, t, reduction=r),
    ),
    "poisson of means": (
        losses.Poisson,
        {"log_input": False},
        np.exp(COLUMNS),
        COUNTS,
        lambda p, t, r: functional.poisson_nll_loss(p, t, log_input=False, eps=0.0, reduction=r),
    ),
    "logistic": (
        losses.Logistic,
        {},
        COLUMNS,
        BITS,
        lambda p, t, r: functional.binary_cross_entropy_with_logits(p, t, reduction=r),
    ),
    "logistic of probabilities": (
        losses.Logistic,
        {},
        COLUMNS,
        SHARES[:, :3],
        lambda p, t, r: functional.binary_cross_entropy_with_logits(p, t, reduction=r),
    ),
}
elementwise = pytest.mark.parametrize(
    ("kind", "options", "predictions", "targets", "theirs"), ELEMENTWISE.values(), ids=ELEMENTWISE
)


@elementwise
def test_sums_of_elementwise_losses(kind, options, predictions, targets, theirs):
    t = torch.tensor(targets, dtype=torch.float64)
    assert_same(lambda p: kind("sum", **options)(p, targets), lambda p: theirs(p, t, "sum"), predictions)


@elementwise
def test_means_differ_by_the_number_of_columns(kind, options, predictions, targets, theirs):
    t = torch.tensor(targets, dtype=torch.float64)
    assert_same(lambda p: kind(**options)(p, targets), lambda p: theirs(p, t, "mean") * 3, predictions)
    one, t1 = predictions[:, 0], t[:, 0]
    assert_same(lambda p: kind(**options)(p, targets[:, 0]), lambda p: theirs(p, t1, "mean"), one)


@elementwise
def test_weights_of_elementwise_losses(kind, options, predictions, targets, theirs):
    weight = RNG.uniform(0, 2, N)
    t, w = torch.tensor(targets, dtype=torch.float64), torch.tensor(weight)
    per_sample = lambda p: theirs(p, t, "none").sum(1)  # noqa: E731
    assert_same(lambda p: kind(**options).per_sample(p, targets), per_sample, predictions)
    assert_same(lambda p: kind("sum", **options)(p, targets, weight), lambda p: per_sample(p) @ w, predictions)
    assert_same(lambda p: kind(**options)(p, targets, weight), lambda p: per_sample(p) @ w / w.sum(), predictions)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("targets", [LABELS, SHARES], ids=["labels", "probabilities"])
def test_cross_entropy(smoothing, weighted, targets):
    options = {"label_smoothing": smoothing, "class_weight": CLASS_WEIGHT if weighted else None}
    t = torch.tensor(targets)
    w = torch.tensor(CLASS_WEIGHT) if weighted else None

    def theirs(p, reduction):
        return functional.cross_entropy(p, t, weight=w, label_smoothing=smoothing, reduction=reduction)

    ours = losses.CrossEntropy(**options)
    assert_same(lambda p: ours.per_sample(p, targets), lambda p: theirs(p, "none"), LOGITS)
    assert_same(lambda p: losses.CrossEntropy("sum", **options)(p, targets), lambda p: theirs(p, "sum"), LOGITS)

    # The mean: ours divides by the weight of all shares, PyTorch's by that of the labels, or for shares by the batch.
    shares = np.eye(C)[targets] if targets.ndim == 1 else targets
    smoothed = (1 - smoothing) * shares + smoothing / C
    class_weight = CLASS_WEIGHT if weighted else np.ones(C)
    our_weight = (smoothed @ class_weight).sum()
    their_weight = (shares @ class_weight).sum() if targets.ndim == 1 else N
    factor = their_weight / our_weight
    assert_same(lambda p: ours(p, targets), lambda p: theirs(p, "mean") * factor, LOGITS)
    if not weighted or (not smoothing and targets.ndim == 1):
        assert factor == pytest.approx(1.0)


def test_cross_entropy_with_sample_weights():
    weight = RNG.uniform(0, 2, N)
    t, w, c = torch.tensor(LABELS), torch.tensor(weight), torch.tensor(CLASS_WEIGHT)
    ours = losses.CrossEntropy(class_weight=CLASS_WEIGHT)
    assert_same(
        lambda p: ours(p, LABELS, weight),
        lambda p: functional.cross_entropy(p, t, weight=c, reduction="none") @ w / (w @ c[t]),
        LOGITS,
    )


def test_hinge_of_two_classes():
    signs = 2 * BITS[:, 0] - 1
    t = torch.tensor(signs, dtype=torch.float64)
    assert_same(lambda p: losses.Hinge().per_sample(p, signs), lambda p: (1 - t * p).clamp(min=0), SCORES)


def test_hinge_of_several_classes_is_that_of_crammer_and_singer():
    t = torch.tensor(LABELS)

    def theirs(p):
        own = p.gather(1, t[:, None]).squeeze(1)
        others = p.masked_fill(functional.one_hot(t, C).bool(), -torch.inf)
        return (1 + others.max(dim=1).values - own).clamp(min=0)

    assert_same(lambda p: losses.Hinge().per_sample(p, LABELS), theirs, LOGITS)
    # PyTorch's own is Weston and Watkins', divided by the number of classes: the same for two of them, by that factor.
    two = torch.tensor(BITS[:, 0])
    assert_same(
        lambda p: losses.Hinge()(p, BITS[:, 0]), lambda p: functional.multi_margin_loss(p, two) * 2, LOGITS[:, :2]
    )


def test_quantile():
    q = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    t = torch.tensor(TARGETS)
    assert_same(
        lambda p: losses.Quantile(q=(0.1, 0.5, 0.9)).per_sample(p, TARGETS),
        lambda p: torch.maximum(q * (t - p), (q - 1) * (t - p)).sum(1),
        COLUMNS,
    )


def test_log_cosh():
    t = torch.tensor(TARGETS)
    assert_same(
        lambda p: losses.LogCosh().per_sample(p, TARGETS), lambda p: torch.log(torch.cosh(p - t)).sum(1), COLUMNS
    )


def test_losses_and_metrics_of_scikit_learn():
    from sklearn import metrics as sk

    assert float(losses.hinge(LOGITS, LABELS)) == pytest.approx(
        sk.hinge_loss(LABELS, LOGITS, labels=np.arange(C)), rel=1e-12
    )
    assert float(losses.quantile(COLUMNS, TARGETS, q=0.3)) == pytest.approx(
        3 * sk.mean_pinball_loss(TARGETS, COLUMNS, alpha=0.3), rel=1e-12
    )
