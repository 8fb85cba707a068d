"""Pictures whose layers fold and unfold: in Chromium, without a network, by mouse and keyboard."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad.compiler import trace
from lucidgrad.functional import gelu, relu, tanh


@pytest.fixture
def network():
    lg.seed(0)
    x, y = lg.data.xor(4, seed=0)
    return lg.nn.Sequential(lg.nn.Linear(2, 3), tanh, lg.nn.Linear(3, 3), relu, lg.nn.Linear(3, 2)), x, y


def training_step(w, b, x):
    slope = lg.grad(((x @ w + b).tanh() ** 2).sum(), [w, b])
    for _ in range(6):  # as an optimiser: many small ops
        w, b = w - 0.1 * slope[0] / (slope[0] * slope[0] + 1.0).sqrt(), b - 0.1 * slope[1] / (b * b + 1.0).sqrt()
    return w, b


def arguments():
    return lg.Tensor(np.ones((3, 4))), lg.Tensor(np.ones(4)), lg.tensor(np.ones((5, 3)))


def shown(page, selector):
    """What is seen of it: for each its box on the page, its text, and the layer it stands for."""
    return page.eval_on_selector_all(
        selector,
        """found => found.filter(g => g.style.display !== 'none').map(g => {
             const b = g.getBoundingClientRect();
             return {x: b.x, y: b.y, width: b.width, height: b.height, text: g.textContent, whole: g.dataset.whole};
           })""",
    )


def height(page):
    return page.locator("svg").bounding_box()["height"]


def check_nothing_overlaps(page):
    """Of what is seen no boxes or labels lie over each other, and all lines end at one."""
    boxes = shown(page, "[data-row]:has(> g)")
    for a, b in itertools.combinations(boxes, 2):
        across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
        down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
        assert min(across, down) < 2
    ends = page.eval_on_selector_all(
        "[data-line]",
        """edges => edges.filter(g => g.style.display !== 'none').map(g => {
             const line = g.querySelector('.forward'), at = line.getScreenCTM(), n = line.getTotalLength();
             return [0, n].map(t => { const p = line.getPointAtLength(t).matrixTransform(at); return [p.x, p.y]; });
           })""",
    )
    assert ends
    for x, y in itertools.chain.from_iterable(ends):
        assert any(
            b["x"] - 6 < x < b["x"] + b["width"] + 6 and b["y"] - 6 < y < b["y"] + b["height"] + 6 for b in boxes
        )


def test_layers_fold_by_mouse_and_unfold_by_keyboard(network, page, tmp_path):
    model, x, y = network
    picture = lg.draw(model, x, y, loss="cross_entropy")
    picture.save(tmp_path / "graph.html")
    page.goto((tmp_path / "graph.html").as_uri())
    before = height(page)
    assert len(shown(page, "[data-turn][data-in]")) == 6
    check_nothing_overlaps(page)
    page.locator('[data-turn="2"][data-in]').click(position={"x": 6, "y": 6})
    assert [g["whole"] for g in shown(page, "[data-whole]")] == ["2"]
    assert "2 · Linear" in shown(page, "[data-whole]")[0]["text"]
    assert page.locator("text=2.weight").first.is_hidden()
    assert height(page) < before
    check_nothing_overlaps(page)
    page.locator('[data-whole="2"]').focus()
    page.keyboard.press("Enter")
    assert shown(page, "[data-whole]") == []
    assert height(page) == before
    page.keyboard.press(" ")  # the focus stays with the layer
    assert len(shown(page, "[data-whole]")) == 1


def test_all_layers_fold_at_once_and_the_frame_says_which_state_it_is_in(network, page):
    model, x, y = network
    page.set_content(lg.draw(model, x, y, loss="cross_entropy", language="ko")._repr_html_())
    page.get_by_role("button", name="모두 접기").click()
    assert len(shown(page, '[data-whole][aria-expanded="false"]')) == 6
    assert shown(page, '[data-in][aria-expanded="true"]') == []
    check_nothing_overlaps(page)
    assert height(page) < 900  # a network of three layers on a screen
    page.get_by_role("button", name="모두 펼치기").click()
    assert len(shown(page, '[data-in][aria-expanded="true"]')) == 6


def test_layers_of_a_picture_to_the_right_fold_sideways(network, page, tmp_path):
    model, x, y = network
    picture = lg.draw(model, x, y, loss="cross_entropy", direction="right")
    picture.save(tmp_path / "graph.html")
    page.goto((tmp_path / "graph.html").as_uri())
    check_nothing_overlaps(page)
    before = page.locator("svg").bounding_box()
    page.locator('[data-turn="2"][data-in]').click(position={"x": 6, "y": 6})
    after = page.locator("svg").bounding_box()
    assert after["width"] < before["width"]
    assert after["height"] == before["height"]
    check_nothing_overlaps(page)
    page.get_by_role("button", name="Fold all", exact=True).click()
    check_nothing_overlaps(page)
    folded = [g["x"] for g in shown(page, "[data-whole]")]
    assert len(folded) == 6
    assert folded == sorted(folded)
    page.get_by_role("button", name="Unfold all").click()
    assert page.locator("svg").bounding_box() == before


def test_two_pictures_on_a_page_fold_by_themselves(network, page):
    model, x, y = network
    one = lg.draw(model, x, y, loss="cross_entropy")
    other = lg.draw(model, x)
    page.set_content(one.html + other.html)
    page.get_by_role("button", name="Fold all", exact=True).first.click()
    assert len(shown(page, "[data-whole]")) == 6


@pytest.mark.parametrize("kind", ["graph", "tensor", "residual"])
def test_large_pictures_begin_folded_whatever_they_are_of(kind, page, network):
    _, x, y = network
    if kind == "graph":
        picture = lg.draw(trace(training_step, *arguments()))
    elif kind == "tensor":
        deep = lg.nn.Sequential(*[part for _ in range(8) for part in (lg.nn.Linear(2, 2), gelu)])
        picture = lg.draw(lg.losses.CrossEntropy()(deep(x), y))
    else:
        blocks = [lg.nn.Residual(lg.nn.Sequential(lg.nn.Linear(2, 2), gelu)) for _ in range(6)]
        picture = lg.draw(lg.nn.Sequential(*blocks), x, y, loss="cross_entropy")
    page.set_content(picture.html)
    assert len(shown(page, "[data-whole]")) >= 5
    assert shown(page, "[data-turn][data-in]") == []
    check_nothing_overlaps(page)
    page.get_by_role("button", name="Unfold all").click()
    check_nothing_overlaps(page)


def test_ops_are_grouped_where_there_are_no_layers():
    w, b, x = arguments()
    picture = lg.draw(((x @ w + b).tanh() @ w.mT).sum(), names={"w": w, "b": b, "x": x}, expand=False)
    groups = [layer.name for layer in picture._whole.layers]
    assert groups == ["matmul, add, tanh", "transpose, matmul"]
    assert [v.kind for v in picture.chart.vertices] == ["parameter", "layer", "layer", "loss"]
    np.testing.assert_array_equal(picture.chart.vertices[1].value, np.tanh(np.full((5, 4), 4, np.float32)))


def test_what_was_compiled_is_drawn():
    def step(w, b, x):
        return ((x @ w + b).tanh()).sum()

    jitted = lg.jit(step)
    pytest.importorskip("llvmlite")
    w, b, x = arguments()
    titles = [v.title for v in lg.draw(jitted.program(w, b, x)).chart.vertices]
    assert {"matmul", "add", "tanh", "sum"} <= set(titles)
    lg.seed(0)
    x, y = lg.data.xor(40, seed=0)
    model = lg.nn.Sequential(lg.nn.Linear(2, 4), relu, lg.nn.Linear(4, 2))
    run = lg.fit(model, x, y, loss="cross_entropy", optimizer=lg.optim.Adam(1e-3), epochs=1, batch_size=8)
    report = lg.compile_report(run, measure=False)
    picture = lg.draw(report)
    assert len(picture.chart.vertices) < len(report.program.graph.instructions) / 3
    assert len(lg.draw(report.graphs[0][1], expand=True).chart.vertices) > 60
    assert lg.draw(lg.jit(lambda x: x.tanh().sum()), w).chart.vertices[-1].title == "sum"


def test_a_picture_without_layers_needs_no_script():
    w = lg.Tensor(2.0)
    picture = lg.draw((w * 3.0).tanh())
    assert picture.html == picture.svg


def test_three_layers_fit_a_screen_with_a_line_for_each_array(network):
    model, x, y = network
    heights = {
        d: lg.draw(model, x, y, loss="cross_entropy", detail=d).scene.height for d in ("numbers", "summary", "names")
    }
    assert heights["names"] < heights["summary"] < 0.6 * heights["numbers"]
    picture = lg.draw(model, x, y, loss="cross_entropy")
    assert picture.scene.height == heights["summary"]
    texts = [t.text for box in picture.scene.boxes.values() for t in box.texts]
    assert "W₁  0.weight  3 × 2" in texts
    gradient = next(v.gradient for v in picture.chart.vertices if v.title == "0.weight")
    assert any(t.startswith("∇ mean ") and f"{gradient.mean():.3g}" in t for t in texts)
    with pytest.raises(lg.errors.ArgumentError, match="detail expected one of"):
        lg.draw(model, x, y, loss="cross_entropy", detail="everything")


def test_directions_differ_in_more_than_colour(network):
    model, x, y = network
    svg = lg.draw(model, x, y, loss="cross_entropy").svg
    assert "stroke-dasharray" in svg.split(".backward{")[1].split("}")[0]
    assert "stroke-dasharray" not in svg.split(".forward{")[1].split("}")[0]
    backward = svg.count('class="backward"') - 1  # one is in the key
    assert svg.count("marker-start") == backward == 13
