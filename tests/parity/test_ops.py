"""Every row of the op table against PyTorch in float64: values and gradients of the very samples of the contract."""

from typing import Any

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.ops import TABLE
from tests.ops.samples import SAMPLES, Sample

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


def over_axes(f: Any) -> Any:
    """A PyTorch reduction in our spelling; ``axis=()`` reduces nothing, while PyTorch would reduce all."""

    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        axes = tuple(range(x.ndim)) if axis is None else axis
        return x.clone() if axes == () else f(x, axes, keepdims)

    return reduce


def prod(x: Any, axes: Any, keepdims: bool) -> Any:
    axes = sorted((a % x.ndim for a in ((axes,) if isinstance(axes, int) else axes)), reverse=True)
    for a in axes:
        x = torch.prod(x, a, keepdim=keepdims)
    return x


def arg(f: Any) -> Any:
    def find(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
        return f(x, axis, keepdim=keepdims) if axis is not None or not keepdims else f(x).reshape((1,) * x.ndim)

    return find


def softmax(x: Any, axis: Any) -> Any:
    axes = tuple(range(x.ndim)) if axis is None else axis
    return torch.ones_like(x) if axes == () else (x - torch.logsumexp(x, axes, keepdim=True)).exp()


def getitem(x: Any, *indices: Any, key: Any) -> Any:
    rest = iter(indices)
    index = tuple(next(rest) if part == "array" else part for part in key)
    return x[index]


def put(g: Any, *indices: Any, key: Any, shape: Any) -> Any:
    """The transpose of getitem, by PyTorch's own gradient of it."""
    x = torch.zeros(shape, dtype=g.dtype, requires_grad=True)
    (dx,) = torch.autograd.grad(getitem(x, *indices, key=key), x, g, create_graph=True)
    return dx


def pad(x: Any, padding: Any, value: float = 0.0) -> Any:
    return torch.nn.functional.pad(x, [n for pair in reversed(padding) for n in pair], value=value)


NUMPY = {"max": torch.amax, "min": torch.amin, "sum": torch.sum, "logsumexp": torch.logsumexp, "prod": prod}
SAME_NAME = [
    "add", "subtract", "multiply", "divide", "negative", "absolute", "sign", "less", "less_equal", "greater",
    "greater_equal", "not_equal", "logical_not", "exp", "expm1", "log", "log1p", "sqrt",
    "sin", "cos", "tanh", "sigmoid", "erf", "relu", "where", "matmul",
]  # fmt: skip
IN_TORCH: dict[str, Any] = {
    **{name: getattr(torch, name) for name in SAME_NAME},
    **{name: over_axes(f) for name, f in NUMPY.items()},
    "power": lambda a, b: a**b,
    "logical_and": lambda a, b: torch.logical_and(*map(torch.as_tensor, (a, b))),
    "logical_or": lambda a, b: torch.logical_or(*map(torch.as_tensor, (a, b))),
    "maximum": lambda a, b: torch.maximum(*map(as_tensor, (a, b))),
    "minimum": lambda a, b: torch.minimum(*map(as_tensor, (a, b))),
    "clip": lambda x, low, high: torch.clamp(x, low, high),
    "cast": lambda x, dtype: x.to(getattr(torch, dtype.name)),
    "equal": torch.eq,
    "softplus": torch.nn.functional.softplus,
    "softmax": softmax,
    "argmax": arg(torch.argmax),
    "argmin": arg(torch.argmin),
    "reshape": lambda x, shape: x.reshape(shape),
    "transpose": lambda x, order: x.permute(order),
    "broadcast_to": lambda x, shape: x.broadcast_to(shape),
    "pad": pad,
    "linear": torch.nn.functional.linear,
    "cross_entropy": lambda x, labels: torch.nn.functional.cross_entropy(x, labels.long(), reduction="none"),
    "cross_entropy_slope": lambda x, labels: (
        torch.softmax(x, -1) - torch.nn.functional.one_hot(labels.long(), x.shape[-1])
    ),
    "log_softmax": lambda x, axis: softmax(x, axis).log(),
    "concatenate": lambda *xs, axis: torch.cat(xs, axis),
    "getitem": getitem,
    "put": put,
}
NOT_IN_TORCH = {"random_bits", "shift_right", "fold_in"}  # tests/test_random.py holds them to the published stream


def is_in_torch(name: str, sample: Sample) -> bool:
    """PyTorch has no negative steps, counts an integer beside arrays as no array, and wants booleans in where."""
    keys = sample.attrs.get("key", ())
    if "array" in keys and any(isinstance(part, int) for part in keys):
        return False
    steps = [part.step for part in keys if isinstance(part, slice)]
    left_number = not isinstance(sample.inputs[0], np.ndarray) and name not in ("add", "subtract", "multiply", "divide")
    mixed = name == "where" and sample.inputs[0].dtype != bool
    return not (any(s is not None and s < 0 for s in steps) or (left_number and name != "power") or mixed)


CASES = [
    pytest.param(name, s, id=f"{name}: {s.name}") for name in IN_TORCH for s in SAMPLES[name] if is_in_torch(name, s)
]


def as_tensor(x: Any) -> Any:
    return x if isinstance(x, torch.Tensor) else torch.tensor(x, dtype=torch.float64)


def test_every_row_is_compared_or_said_not_to_be_in_pytorch():
    assert set(IN_TORCH) | NOT_IN_TORCH == set(TABLE)


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_values_and_gradients_agree_with_pytorch(name: str, sample: Sample):
    ours = [lg.Tensor(x, dtype=x.dtype) if isinstance(x, np.ndarray) else x for x in sample.inputs]
    theirs = [
        torch.tensor(np.ascontiguousarray(x).reshape(x.shape)) if isinstance(x, np.ndarray) else x
        for x in sample.inputs
    ]
    varied = [i for i, x in enumerate(ours) if isinstance(x, lg.Tensor) and x.requires_grad]
    for i in varied:
        theirs[i].requires_grad_()
    y, z = TABLE[name](*ours, **sample.attrs), IN_TORCH[name](*theirs, **sample.attrs)
    np.testing.assert_allclose(y.numpy(), z.detach().numpy(), rtol=1e-12, atol=1e-12)
    if not (varied and y.requires_grad and z.requires_grad):
        return
    g = np.asarray(np.random.default_rng(1).normal(size=y.shape))
    grads = lg.grad(y, [ours[i] for i in varied], gradient=lg.tensor(g, dtype=y.dtype))
    expected = torch.autograd.grad(z, [theirs[i] for i in varied], torch.tensor(g).to(z.dtype), allow_unused=True)
    for a, b in zip(grads, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-12)


def test_the_tutorial_of_scalars_agrees_with_pytorch():
    def expression(x: Any, y: Any) -> Any:
        a = x * y + x**3 - 2 / y
        b = (a + x).tanh() * a.relu() + (y - 1).exp() / (1 + x * x)
        return (b - a) ** 2 + 3 * b

    ours = lg.Tensor(0.7, dtype=np.float64), lg.Tensor(-1.3, dtype=np.float64)
    theirs = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.7, -1.3)]
    z, w = expression(*ours), expression(*theirs)
    assert z.item() == pytest.approx(w.item(), rel=1e-14)
    first, second = lg.grad(z, ours), torch.autograd.grad(w, theirs, create_graph=True)
    assert [d.item() for d in first] == pytest.approx([d.item() for d in second], rel=1e-12)
    hessian = [[d.item() for d in lg.grad(dx, ours)] for dx in first]
    expected = [[d.item() for d in torch.autograd.grad(dx, theirs, retain_graph=True)] for dx in second]
    np.testing.assert_allclose(hessian, expected, rtol=1e-12)


def test_ties_and_kinks_are_shared_as_in_pytorch():
    values, others = [-1.0, 0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 2.0, 1.0]
    for f, h in [
        (lambda x: x.relu(), lambda x: x.relu()),
        (lambda x: x.abs(), lambda x: x.abs()),
        (lambda x: x.clip(0.0, 2.0), lambda x: x.clamp(0.0, 2.0)),
        (lambda x: x.max(), lambda x: torch.amax(x)),
        (lambda x: x.min(), lambda x: torch.amin(x)),
        (lambda x: lg.maximum(x, np.array(others)), lambda x: torch.maximum(x, torch.tensor(others).double())),
        (lambda x: lg.minimum(x, np.array(others)), lambda x: torch.minimum(x, torch.tensor(others).double())),
        (lambda x: x.prod(), lambda x: x.prod()),
        (lambda x: x**2, lambda x: x**2),
        (lambda x: x.sign(), lambda x: x.sign()),
    ]:
        ours = lg.Tensor(values, dtype=np.float64)
        theirs = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        (expected,) = torch.autograd.grad(h(theirs).sum(), theirs)
        assert lg.grad(f(ours).sum(), ours).tolist() == expected.tolist()
