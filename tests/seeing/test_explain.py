"""The chain rule written out: the printed factors, multiplied and added up, are the gradient of backward."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lucidgrad as lg
from lucidgrad.functional import gelu, log_softmax, relu, sigmoid, softmax, softplus, tanh
from lucidgrad.ops import TABLE, Op, shapes

logsumexp = TABLE["logsumexp"]
ACTIVATIONS = (relu, tanh, sigmoid, softplus, gelu)


def network(seed=0, widths=(2, 3, 2), activation=tanh):
    lg.seed(seed)
    layers = [lg.nn.Linear(a, b, bias_init=lg.nn.init.normal) for a, b in pairwise(widths)]
    return lg.nn.Sequential(*[part for layer in layers for part in (layer, activation)][:-1])


def backward(model, x, y, loss):
    lg.losses.as_loss(loss)(model(x), y).backward()
    return {path: p.grad.numpy() for path, p in model.parameters().items()}


def numbers_of(product):
    return [float(n.strip("()").replace("−", "-").replace("∞", "inf")) for n in product.split(" · ")]


def multiplied_out(text):
    """For each path of a printed explanation: how many symbols it has, its numbers, and what they are said to give."""
    joined = re.sub(r"\n +(?=[·+])", " ", text)
    products = re.findall(r"^ +(∂.*)\n +=? ?([^∂\n]*) = (\S+)$", joined, re.MULTILINE)
    return [
        (len(symbols.split(" · ")), numbers_of(numbers), *numbers_of(value)) for symbols, numbers, value in products
    ]


def check_element(explanation, gradient, rest=0.0):
    """What is printed multiplies and adds up to the gradient, as closely as its digits say."""
    paths = multiplied_out(str(explanation))
    assert len(paths) == min(explanation.count, len(explanation.paths))
    size = 1e-30
    total = rest
    for factors, numbers, value in paths:
        assert len(numbers) == factors
        error = (factors + 1) * 10.0 ** (1 - explanation.digits)
        assert np.prod(numbers) == pytest.approx(value, rel=error, abs=1e-30)
        total += np.prod(numbers)
        size += abs(value) * error
    assert total == pytest.approx(float(gradient), abs=size + 1e-5 * abs(float(gradient)) + 1e-7)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_printed_factors_multiplied_out_are_the_gradient(data):
    widths = tuple(data.draw(st.lists(st.integers(1, 3), min_size=2, max_size=4)))
    loss = data.draw(st.sampled_from(["cross_entropy", "squared_error", "huber", "log_cosh"]))
    seed = data.draw(st.integers(0, 99))
    model = network(seed, (*widths, 3), data.draw(st.sampled_from(ACTIVATIONS)))
    random = np.random.default_rng(seed)
    rows = data.draw(st.integers(1, 3))
    x = random.normal(size=(rows, widths[0])).astype(np.float32)
    y = random.integers(0, 3, rows) if loss == "cross_entropy" else random.normal(size=(rows, 3)).astype(np.float32)
    grads = backward(model, x, y, loss)
    path = data.draw(st.sampled_from(sorted(grads)))
    index = tuple(data.draw(st.integers(0, n - 1)) for n in grads[path].shape)
    whole = lg.explain(model, x, y, loss=loss, wrt=path)
    np.testing.assert_array_equal(whole.gradient, grads[path])
    np.testing.assert_allclose(
        sum(p.product for p in lg.explain(model, x, y, loss=loss, wrt=path, most=10**4).paths),
        grads[path], rtol=1e-4, atol=1e-6,
    )  # fmt: skip
    explanation = lg.explain(model, x, y, loss=loss, wrt=(path, index), digits=7, most=5000)
    assert explanation.rest == pytest.approx(0, abs=1e-12)
    check_element(explanation, grads[path][index])


# A program for each kind of op between a parameter and the loss: w (2, 3), v (3,), x (2, 3).
PROGRAMS = {
    "used twice": lambda w, v, x: (tanh(x @ w.mT) @ w).sum(),
    "product with itself": lambda w, v, x: (w * w).mean(),
    "broadcast row": lambda w, v, x: ((w + v) * x).sum(),
    "broadcast column": lambda w, v, x: (w[:, :1] * x).sum(),
    "quotient": lambda w, v, x: (x / (w * w + 1) - v).sum(),
    "power": lambda w, v, x: ((v * v + 1) ** w).sum(),
    "softmax": lambda w, v, x: (softmax(w, axis=-1) * x).sum(),
    "log softmax": lambda w, v, x: (log_softmax(w + v, axis=0) * x).sum(),
    "logsumexp": lambda w, v, x: logsumexp(w * x, axis=1).mean(),
    "extremes": lambda w, v, x: w.max(axis=1).sum() + (w * x).min(),
    "product": lambda w, v, x: w.prod(axis=0).sum(),
    "moved": lambda w, v, x: (w.reshape(3, 2).mT * x + lg.concatenate([w, w * v])[1:3]).sum(),
    "padded": lambda w, v, x: (w.pad(((0, 1), (1, 0)), value=2.0) ** 2).sum(),
    "stretched": lambda w, v, x: (v.broadcast_to((2, 3)) * w * x).sum(),
    "picked twice": lambda w, v, x: (w[np.array([0, 0, 1])] * v).sum(),
    "chosen": lambda w, v, x: lg.where(x > 0, w, v * 2).sum() + lg.maximum(w, v).sum() + abs(w).sum(),
    "functions": lambda w, v, x: ((w * w).sqrt() + w.exp() + (w * w + 1).log() + w.sin().cos()).sum(),
    "batches": lambda w, v, x: (w.reshape(2, 1, 3) @ lg.stack([x.mT, x.mT]) @ x.reshape(1, 2, 3)).sum(),
    "clipped": lambda w, v, x: (w.clip(-0.5, 0.5) - v).sum() * 0.5,
    "a curvature": lambda w, v, x: (lg.grad((w**3 * x).sum(), w, create_graph=True) * v).sum(),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_kind_of_op_has_the_right_factors(name):
    random = np.random.default_rng(0)
    w, v = lg.Tensor(random.normal(size=(2, 3))), lg.Tensor(random.normal(size=3))
    x = lg.tensor(random.normal(size=(2, 3)))
    loss = PROGRAMS[name](w, v, x)
    grads = lg.grad(loss, [w, v] if name == "broadcast row" else [w])
    for parameter, gradient in zip((w, v), grads, strict=False):
        for index in np.ndindex(parameter.shape):
            explanation = lg.explain(loss, wrt=(parameter, index), names={"w": w, "v": v, "x": x}, most=500, digits=7)
            check_element(explanation, gradient.numpy()[index])
        whole = lg.explain(loss, wrt=parameter, most=500)
        np.testing.assert_allclose(sum(p.product for p in whole.paths), gradient.numpy(), rtol=1e-5, atol=1e-6)


def evaluated(equation, arrays):
    """The value of a printed equation of matrices, read as a program."""
    python = equation
    for name in sorted(arrays, key=len, reverse=True):
        letters = "" if "∂" in name else "(?![a-zA-Z₀-₉])"
        python = re.sub(f"(?<![a-zA-Z/]){re.escape(name)}{letters}", f"A[{list(arrays).index(name)}]", python)
    python = re.sub(r"Σ([₀₁₋]+)\(", lambda m: f"add({m[1].translate(str.maketrans('₀₁₋', '01-'))!r}, ", python)
    for sign, meaning in {"⊙": "*", " · ": " @ ", "−": "-", "ᵀ": ".T", "²": "**2", "2 A": "2*A"}.items():
        python = python.replace(sign, meaning)
    python = re.sub(r"\[(A\[\d+\] > 0)\]", r"(\1)", python)
    known = {"A": list(arrays.values()), "add": added, "softmax": lambda z: softmax(lg.tensor(z), axis=-1).numpy()}
    return eval(python, known)


def added(axes, array):
    axis = -1 if axes == "-1" else tuple(map(int, axes))
    return array.sum(axis=axis, keepdims=axis == -1)


@pytest.mark.parametrize("activation", [tanh, relu, lambda x: softmax(x, axis=-1), lambda x: log_softmax(x, axis=-1)])
def test_the_equations_of_matrices_are_programs_that_give_the_gradients(activation):
    x, y = lg.data.xor(4, seed=0)
    model = network(0, (2, 3, 2), activation)
    loss = lg.losses.CrossEntropy()(model(x), y)
    explanation = lg.explain(loss, wrt="0.weight", model=model)
    chart = lg.draw(loss, model=model).chart
    arrays = {v.symbol: v.value for v in chart.vertices if v.symbol not in ("L", "y")}
    onehot = np.eye(2)[np.asarray(y)]
    for equation in explanation.backward:
        text = equation.right.replace("onehot(y)", "ONEHOT")
        known = {**arrays, "ONEHOT": onehot}
        if "stretch(" in text:
            shape = (*np.shape(equation.value)[:1], 1)[: np.ndim(equation.value)]
            inner = re.search(r"stretch\(([^()]*)\)", text)
            known["STRETCHED"] = np.broadcast_to(np.reshape(known.get(inner[1], 1), shape if known.get(
                inner[1], np.ones(())).size > 1 else ()), equation.value.shape)  # fmt: skip
            text = text.replace(inner[0], "STRETCHED")
        np.testing.assert_allclose(evaluated(text, known), equation.value, rtol=1e-4, atol=1e-6, err_msg=equation.text)
        arrays = {**arrays, equation.left: equation.value}
    assert explanation.backward[-1].text == "∂L/∂W₁ = (∂L/∂z₁)ᵀ · x"


def test_textbook_equations_of_a_perceptron():
    x, y = lg.data.xor(4, seed=0)
    explanation = lg.explain(network(), x, y, loss="cross_entropy", wrt="0.bias")
    assert [e.text for e in explanation.backward] == [
        "∂L/∂v = 1/4",
        "∂L/∂ℓ = stretch(∂L/∂v)",
        "∂L/∂z₂ = stretch(∂L/∂ℓ) ⊙ (softmax(z₂) − onehot(y))",
        "∂L/∂a = ∂L/∂z₂ · W₂",
        "∂L/∂z₁ = ∂L/∂a ⊙ (1 − a²)",
        "∂L/∂b₁ = Σ₀(∂L/∂z₁)",
    ]
    assert [e.text for e in explanation.forward][:3] == ["z₁ = x · W₁ᵀ + b₁", "a = tanh(z₁)", "z₂ = a · W₂ᵀ + b₂"]
    assert "∂L/∂b₁ = ∂L/∂v · ∂v/∂ℓ · ∂ℓ/∂z₂ · ∂z₂/∂a · ∂a/∂z₁ · ∂z₁/∂b₁" in str(explanation)


def test_of_many_paths_the_largest_are_written_out_and_the_rest_is_added():
    x, y = lg.data.spirals(24, seed=0)
    model = network(0, (2, 8, 8, 3), relu)
    everything = lg.explain(model, x, y, loss="cross_entropy", wrt=("0.weight", (1, 0)), most=24 * 8 * 3)
    some = lg.explain(model, x, y, loss="cross_entropy", wrt=("0.weight", (1, 0)), most=5)
    assert some.count == len(everything.paths) == len(x) * 8 * 3
    sizes = sorted((abs(p.product) for p in everything.paths), reverse=True)
    assert [abs(p.product) for p in some.paths] == sizes[:5]
    assert f"and {some.count - 5:,} further paths, together" in str(some)
    check_element(some, some.gradient, rest=some.rest)
    check_element(everything, some.gradient)


def test_a_dead_unit_is_seen_as_a_factor_of_zero():
    w, x = lg.Tensor([[-1.0]]), lg.tensor([[2.0]])
    explanation = lg.explain(relu(x @ w).sum(), wrt=(w, (0, 0)), names={"w": w, "x": x})
    assert [f.value for f in explanation.paths[0].factors] == [1, 0, 2]
    assert explanation.gradient == 0


def test_an_op_from_outside_has_numbers_without_a_formula():
    total = Op("running", lambda a: a * a.sum(), shapes.elementwise, (lambda g, y, a: g * a.sum() + (g * a).sum(),))
    w = lg.Tensor([1.0, 2.0, 3.0])
    loss = (total(w) ** 2).sum()
    (gradient,) = lg.grad(loss, [w])
    check_element(lg.explain(loss, wrt=(w, 1), digits=7), gradient.numpy()[1])
    assert "running′(" in str(lg.explain(loss, wrt=w))


def test_a_tensor_on_the_way_can_be_asked_for():
    w = lg.Tensor([1.0, 2.0])
    hidden = w * 3.0
    explanation = lg.explain((hidden**2).sum(), wrt=(hidden, -1), names={"h": hidden})
    assert (explanation.name, float(explanation.gradient)) == ("∂L/∂h[1]", 12.0)


def test_an_element_that_the_loss_does_not_use_has_no_path():
    w = lg.Tensor([1.0, 2.0])
    explanation = lg.explain(w[:1].sum(), wrt=(w, 1))
    assert (explanation.count, float(explanation.gradient)) == (0, 0.0)
    assert "No path leads there" in str(explanation)


def formulas(explanation):
    inside = explanation.latex.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
    inside = re.sub(r"\\begin\{bmatrix\}.*?\\end\{bmatrix\}", "M", inside)
    return [row.replace("&", "") for row in inside.split(" \\\\\n")]


@pytest.mark.parametrize("wrt", ["0.weight", ("0.weight", (1, 0)), ("2.bias", 1)])
def test_the_latex_is_understood(wrt):
    from matplotlib.mathtext import MathTextParser

    x, y = lg.data.xor(4, seed=0)
    explanation = lg.explain(network(activation=gelu), x, y, loss="cross_entropy", wrt=wrt)
    parser = MathTextParser("path")
    for formula in formulas(explanation):
        parser.parse(f"${formula}$")
    assert explanation.latex in explanation._repr_markdown_()
    assert explanation._repr_latex_() == f"$\\displaystyle {explanation.latex}$"


def test_latex_reads_as_a_textbook():
    x, y = lg.data.xor(4, seed=0)
    latex = lg.explain(network(), x, y, loss="cross_entropy", wrt="0.weight").latex
    assert r"\frac{\partial L}{\partial W_{1}} &= (\frac{\partial L}{\partial z_{1}})^{\top} \cdot x" in latex
    assert r"\frac{\partial L}{\partial z_{1}} &= \frac{\partial L}{\partial a} \odot (1 - a^{2})" in latex
    w = lg.Tensor(2.0)
    assert r"\frac{\partial L}{\partial \mathrm{w\_in}}" in lg.explain(w * 3.0, wrt=w, names={"w_in": w}).latex


def test_korean_explanations_are_korean():
    x, y = lg.data.xor(4, seed=0)
    whole = lg.explain(network(), x, y, loss="cross_entropy", wrt="0.weight", language="ko")
    one = lg.explain(network(), x, y, loss="cross_entropy", wrt=("0.weight", (0, 0)), language="ko", most=2)
    assert "기울기" in whole._repr_markdown_()
    for text in map(str, (whole, one)):
        assert "순전파" in text
        assert not re.search(r"\b(paths|Forward|gradient|Together)\b", text)
    assert "그 밖의 경로" in str(one)


def test_errors_say_what_can_be_explained():
    x, y = lg.data.xor(4, seed=0)
    model = network()
    asked = {"loss": "cross_entropy", "language": "en"}
    with pytest.raises(lg.errors.ArgumentError, match="explain expected a loss, a single number"):
        lg.explain(model, x, wrt="0.weight")
    with pytest.raises(
        lg.errors.ArgumentError, match=r"one of \['0.weight', '0.bias', '2.weight', '2.bias'\], got '0.w'"
    ):
        lg.explain(model, x, y, wrt="0.w", **asked)
    with pytest.raises(lg.errors.ArgumentError, match="a tensor of shape"):
        lg.explain(model, x, y, wrt=lg.Tensor(1.0), **asked)
    with pytest.raises(lg.errors.ArgumentError, match=r"an index into the shape \(3, 2\) of 0.weight, got \(3, 0\)"):
        lg.explain(model, x, y, wrt=("0.weight", (3, 0)), **asked)
    with pytest.raises(lg.errors.ArgumentError, match="a tensor that gradients come back to"):
        lg.explain(model, x, y, wrt="x", **asked)
    with pytest.raises(lg.errors.ArgumentError, match="explain expected most of 1 or more"):
        lg.explain(model, x, y, wrt="0.weight", most=0, **asked)
    with pytest.raises(lg.errors.ArgumentError, match="language expected one of"):
        lg.explain(model, x, y, wrt="0.weight", loss="cross_entropy", language="fr")
    with pytest.raises(lg.errors.ArgumentError, match="explain expected a tensor, a model with its inputs"):
        lg.explain("loss", wrt="w")
    wide = network(0, (2, 200, 200, 3))
    with pytest.raises(lg.errors.ArgumentError, match="at most 200,000 partial derivatives"):
        lg.explain(wide, *lg.data.spirals(300, seed=0), loss="cross_entropy", wrt=("0.weight", (0, 0)))


def test_a_batch_of_one_row_is_drawn_and_explained():
    x, y = lg.data.xor(4, seed=0)
    explanation = lg.explain(network(), x[:1], y[:1], loss="cross_entropy", wrt=("2.bias", 0))
    assert "softmax(z₂) − onehot(" in str(explanation)
    lg.draw(network(), x[:1], y[:1], loss="cross_entropy")
