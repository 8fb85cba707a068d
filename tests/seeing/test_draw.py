"""The computational graph as a picture: what is in it is right, and nothing in it lies over something else."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.compiler import trace
from lucidgrad.seeing.scene import PADDING, text_width


@pytest.fixture
def network():
    lg.seed(0)
    x, y = lg.data.xor(4, seed=0)
    layers = [lg.nn.Linear(2, 3), lg.functional.tanh, lg.nn.Linear(3, 3), lg.functional.relu, lg.nn.Linear(3, 2)]
    return lg.nn.Sequential(*layers), x, y


def vertex(picture, title):
    return next(v for v in picture.chart.vertices if v.title == title)


def overlap(a, b):
    return abs(a.x - b.x) < (a.width + b.width) / 2 - 0.01 and abs(a.y - b.y) < (a.height + b.height) / 2 - 0.01


def pictures(model, x, y):
    loss = lg.losses.CrossEntropy()(model(x), y)
    yield lg.draw(model, x, y, loss="cross_entropy")
    yield lg.draw(model, x, y, loss="cross_entropy", expand=False, language="ko")
    yield lg.draw(loss)
    yield lg.draw(loss, model=model)
    yield lg.draw(model, x, y, loss="cross_entropy", direction="right")
    yield lg.draw(model, x, y, loss="cross_entropy", direction="right", expand=False, language="ko")
    yield lg.draw(loss, direction="right", detail="numbers")
    deep = lg.nn.Sequential(*[lg.nn.Residual(lg.nn.Sequential(lg.nn.Linear(2, 2), lg.functional.gelu)) for _ in "ab"])
    yield lg.draw(deep, x, y, loss="cross_entropy", expand=True)


def test_gradients_in_the_picture_are_those_of_backward(network):
    model, x, y = network
    picture = lg.draw(model, x, y, loss="cross_entropy")
    lg.losses.CrossEntropy()(model(x), y).backward()
    for path, parameter in model.parameters().items():
        np.testing.assert_array_equal(vertex(picture, path).gradient, parameter.grad.numpy())


def test_a_gradient_times_the_factor_on_an_edge_is_the_gradient_before_it(network):
    model, x, y = network
    picture = lg.draw(model, x, y, loss="cross_entropy")
    for edge in picture.chart.edges:
        if edge.target.title in ("tanh", "relu", "divide"):
            np.testing.assert_allclose(edge.target.gradient * edge.numbers, edge.source.gradient, rtol=1e-6)
        if edge.target.title == "linear" and edge.place == 0 and edge.backward:
            np.testing.assert_allclose(edge.target.gradient @ edge.numbers, edge.source.gradient, rtol=1e-5, atol=1e-8)


def test_factors_are_written_in_the_symbols_of_the_picture(network):
    model, x, y = network
    picture = lg.draw(model, x, y, loss="cross_entropy")
    factors = {edge.derivative: edge.factor for edge in picture.chart.edges if edge.backward}
    assert factors["∂a₁/∂z₁"] == "1 − a₁²"
    assert factors["∂z₂/∂W₂"] == "a₁"
    assert factors["∂z₂/∂a₁"] == "W₂"
    assert factors["∂ℓ/∂z₃"] == "softmax(z₃) − onehot(y)"
    assert "∂z₁/∂x" not in factors


def test_every_vjp_of_the_op_table_has_a_written_factor():
    from lucidgrad.ops import TABLE
    from lucidgrad.seeing.factors import form

    names = {"0": "a", "1": "b", "2": "c", "y": "y"}
    differentiable = [op for op in TABLE.values() if isinstance(op.vjp, tuple) and op.name != "cross_entropy_slope"]
    assert len(differentiable) > 25
    for op in differentiable:
        for place, rule in enumerate(op.vjp):
            assert rule is None or form(op, place, names, {}), op


def test_layers_are_boxes_around_what_is_theirs_alone(network):
    model, x, y = network
    picture = lg.draw(model, x, y, loss="cross_entropy")
    scene = picture.scene
    assert [layer.title for layer in picture.chart.layers] == [
        "0 · Linear", "1 · tanh", "2 · Linear", "3 · relu", "4 · Linear", "CrossEntropy",
    ]  # fmt: skip
    for k, frame in scene.frames.items():
        for v, box in scene.boxes.items():
            assert overlap(frame, box) == (v.layer == k)


def test_no_box_label_or_frame_overlaps_another_and_text_stays_inside(network):
    for picture in pictures(*network):
        scene = picture.scene
        solid = [*scene.boxes.values(), *(box for box in scene.labels.values() if box.texts)]
        assert not any(overlap(a, b) for a, b in itertools.combinations(solid, 2))
        assert not any(overlap(a, b) for a, b in itertools.combinations(scene.frames.values(), 2))
        for box in solid:
            assert all(text_width(t.text) <= box.width - 2 * PADDING + 0.01 for t in box.texts)
            assert box.width / 2 - 0.1 <= box.x <= scene.width - box.width / 2 + 0.1


def test_lines_go_in_the_direction_of_the_picture_from_box_to_box(network):
    seen = set()
    for picture in pictures(*network):
        seen.add(picture.direction)
        for edge, points in picture.scene.routes.items():
            along = [p[picture.direction == "down"] for p in points]
            assert along == sorted(along)
            source, target = picture.scene.boxes[edge.source], picture.scene.boxes[edge.target]
            if picture.direction == "down":
                assert points[0] == (source.x, source.y + source.height / 2)
                assert points[-1] == (target.x, target.y - target.height / 2)
            else:
                assert points[0] == (source.x + source.width / 2, source.y)
                assert points[-1] == (target.x - target.width / 2, target.y)
    assert seen == {"down", "right"}


def test_a_picture_to_the_right_is_low_and_says_the_same(network):
    model, x, y = network
    down, right = (lg.draw(model, x, y, loss="cross_entropy", direction=d, detail="summary") for d in ("down", "right"))
    assert right.scene.height < down.scene.height / 2
    assert right.scene.width > right.scene.height

    def words(picture):
        parts = [*picture.scene.boxes.values(), *picture.scene.labels.values(), *picture.scene.frames.values()]
        return sorted(" ".join(t.text for t in box.texts) for box in parts)

    assert words(right) == words(down)


def test_the_ops_of_the_loss_stand_in_a_frame_with_its_name(network):
    model, x, y = network

    def fourth_power(predictions, targets):
        return (predictions - targets) ** 4

    for loss, name in (("cross_entropy", "CrossEntropy"), (fourth_power, "fourth_power"), (lambda p, t: p * p, "loss")):
        targets = y if loss == "cross_entropy" else np.zeros((4, 2))
        chart = lg.draw(model, x, targets, loss=loss).chart
        place, layer = next((k, layer) for k, layer in enumerate(chart.layers) if layer.is_loss)
        assert layer.title == name
        inside = [v for v in chart.operations() if v.layer == place]
        assert chart.vertices[-1] in inside
        assert not any(v.title in ("linear", "relu") for v in inside)
        assert len(inside) >= 2
        folded = lg.draw(model, x, targets, loss=loss, expand=False)
        assert folded.chart.vertices[-1].title == name
        assert folded.chart.vertices[-1].value == chart.vertices[-1].value
        assert 'class="frame loss"' in lg.draw(model, x, targets, loss=loss).svg


def test_the_picture_is_well_formed_and_says_what_it_is(network, tmp_path):
    for picture in pictures(*network):
        picture.save(tmp_path / "graph.svg")
        root = ET.parse(tmp_path / "graph.svg").getroot()
        assert root.get("role") == "img"
        assert root.get("aria-label")
        assert picture._repr_svg_() == picture.svg


def test_a_collapsed_picture_has_one_box_a_layer_with_its_result_and_gradient(network):
    model, x, y = network
    small, large = (lg.draw(model, x, y, loss="cross_entropy", expand=e) for e in (False, True))
    assert not small.scene.frames
    assert not [v for v in small.chart.vertices if v.kind == "parameter"]
    np.testing.assert_array_equal(vertex(small, "1 · tanh").gradient, vertex(large, "tanh").gradient)
    assert len(small.chart.vertices) < len(large.chart.vertices)


def test_large_networks_are_collapsed_unless_asked_otherwise():
    model = lg.nn.Sequential(*[lg.nn.Linear(2, 2) for _ in range(30)])
    x, y = lg.data.xor(4, seed=0)
    assert {v.kind for v in lg.draw(model, x, y, loss="cross_entropy").chart.vertices} >= {"layer"}
    assert len(lg.draw(model, x, y, loss="cross_entropy", expand=True).chart.vertices) > 90


def test_a_model_is_left_as_it_was(network):
    model, x, _ = network
    before = [set(vars(m)) for m in model.modules().values()]
    with pytest.raises(lg.errors.ShapeError):
        lg.draw(model, np.zeros((4, 5)))
    lg.draw(model, x)
    assert [set(vars(m)) for m in model.modules().values()] == before


def test_outputs_that_are_no_single_number_have_values_and_no_gradients(network):
    model, x, _ = network
    assert all(v.gradient is None for v in lg.draw(model, x).chart.vertices)


def test_graphs_are_drawn_without_numbers():
    graph = trace(lambda x: (x * 2).tanh().sum(), lg.tensor([1.0, 2.0]))
    picture = lg.draw(graph)
    assert [v.title for v in picture.chart.vertices] == ["input", "multiply", "tanh", "sum"]
    assert all(v.value is None for v in picture.chart.vertices)


def test_an_array_used_twice_is_one_box():
    x = lg.Tensor([1.0, 2.0])
    picture = lg.draw((x * x).sum(), names={"x": x})
    assert [v.symbol for v in picture.chart.vertices].count("x") == 1
    assert len([e for e in picture.chart.edges if e.source.symbol == "x"]) == 2


def test_korean_words_are_korean(network):
    model, x, y = network
    svg = lg.draw(model, x, y, loss="cross_entropy", language="ko").svg
    assert "계산 그래프" in svg
    assert "역전파" in svg
    assert "backward:" not in svg


def test_errors_say_what_can_be_drawn(network):
    model, x, _ = network
    with pytest.raises(lg.errors.ArgumentError, match="draw expected a tensor, a model"):
        lg.draw("a picture")
    with pytest.raises(lg.errors.ArgumentError, match="expected tensors by their symbols as names, got a int as 'w'"):
        lg.draw(lg.Tensor(1.0) * 2, names={"w": 5})
    with pytest.raises(lg.errors.ArgumentError, match="draw expected a model with inputs"):
        lg.draw(model)
    with pytest.raises(lg.errors.ArgumentError, match="targets together with a loss"):
        lg.draw(model, x, loss="cross_entropy")
    with pytest.raises(lg.errors.ArgumentError, match="language expected one of"):
        lg.draw(model, x, language="fr")
    with pytest.raises(lg.errors.ArgumentError, match="direction expected one of"):
        lg.draw(model, x, direction="up")
    with pytest.raises(lg.errors.GradientError):
        lg.draw(lg.tensor(1.0))
