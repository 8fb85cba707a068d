"""The page of a recorded step in a browser: a file that is stepped through with the keyboard, safe, for everyone."""

from __future__ import annotations

import numpy as np
import pytest

import lucidgrad as lg

NASTY = '</script><img src=x onerror="document.title=1">'


def train(*callbacks, engine="native"):
    lg.seed(0)
    x, y = lg.data.xor(24, seed=0)
    model = lg.nn.Sequential(lg.nn.Linear(2, 3), lg.functional.tanh, lg.nn.Linear(3, 2))
    return lg.fit(
        model, x, y, loss="cross_entropy", optimizer=lg.optim.Adam(0.05), epochs=2, batch_size=6, engine=engine,
        callbacks=callbacks,
    )  # fmt: skip


class StopAfter(lg.training.Callback):
    def __init__(self, steps):
        self.steps = steps

    def on_step_end(self, run):
        if run.step == self.steps:
            run.stop("enough")


@pytest.fixture(scope="module")
def recording():
    return lg.record(train(), epoch=2, batch=3)


@pytest.fixture
def opened(page, recording, tmp_path):
    recording.save(tmp_path / "step.html")
    page.goto((tmp_path / "step.html").as_uri())
    return page


def at(page):
    return int(page.input_value("#slider"))


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)


def test_every_frame_is_shown_as_it_was_recorded(opened, recording):
    for i, frame in enumerate(recording.frames):
        assert at(opened) == i
        assert opened.inner_text("#name") == frame.title["en"]
        assert opened.inner_text("#text") == frame.text["en"]
        assert opened.locator(".formula > div").all_inner_texts() == frame.formulas
        assert opened.locator("#tables figure").count() == len(frame.tables)
        assert i == 0 or frame.title["en"] in opened.inner_text("#said")
        press(opened, "ArrowRight")
    assert at(opened) == len(recording.frames) - 1
    assert opened.is_disabled("#next")


def test_keys_go_on_back_to_the_ends_to_layers_and_to_phases(opened, recording):
    press(opened, "ArrowRight", "ArrowRight", "ArrowLeft")
    assert at(opened) == 1
    press(opened, "End")
    assert at(opened) == len(recording.frames) - 1
    press(opened, "Home", "ArrowLeft")
    assert at(opened) == 0
    for key, phase in zip("12345", ("data", "forward", "backward", "update", "result"), strict=True):
        press(opened, key)
        assert opened.get_attribute("body", "data-phase") == phase
    press(opened, "2", "ArrowDown")
    assert "1 · tanh" in opened.inner_text("#phase")
    press(opened, "ArrowDown", "ArrowUp", "ArrowUp")
    assert "0 · Linear" in opened.inner_text("#phase")
    press(opened, "4", "ArrowDown")  # both parameters of the first layer lie behind
    assert opened.inner_text("#name") == "Update 2.weight"


def test_the_graph_shows_what_is_computed_now_and_nothing_before_its_time(opened, recording):
    chart = recording.step.chart
    titles = [v.title for v in chart.vertices]
    z, loss, weight = titles.index("linear"), len(titles) - 1, titles.index("0.weight")

    def state(number):
        found = opened.get_attribute(f'[data-language="en"] [data-vertex="{number}"]', "class")
        return set((found or "").split())

    assert state(z) == set()
    assert state(weight) == {"valued", "now"}
    assert not opened.locator(f'[data-language="en"] [data-vertex="{z}"] .value').first.is_visible()
    press(opened, "2")
    assert state(z) == {"valued", "now"}
    assert opened.locator('[data-language="en"] path.forward.now').count() == 3
    press(opened, "3")
    assert state(loss) == {"valued", "graded", "now"}
    assert state(weight) == {"valued"}
    press(opened, "4")
    assert state(weight) == {"valued", "graded", "now"}
    assert opened.locator('[data-language="en"] [data-vertex]:not(.valued)').count() == 0
    press(opened, "2", "ArrowDown", "ArrowDown")
    box, pane = opened.locator('[data-language="en"] .now[data-vertex]').bounding_box(), opened.locator("#graph")
    assert pane.bounding_box()["y"] <= box["y"] <= pane.bounding_box()["y"] + pane.bounding_box()["height"]


def test_numbers_before_and_after_stand_in_tables_with_heat(opened, recording):
    press(opened, "4")
    step, path = recording.step, "0.weight"
    tables = {
        (f.locator("b").inner_text(), f.locator(".role").inner_text()): f.locator("td").all_inner_texts()
        for f in opened.locator("#tables figure").all()
    }
    for key, wanted in ((("W₁", "before"), step.parameters_before), (("W₁′", "after"), step.parameters_after)):
        shown = [float(text.replace("−", "-")) for text in tables[key]]
        np.testing.assert_allclose(shown, wanted[path].numpy().ravel(), rtol=1e-2)
    assert opened.locator("td.mark").count() == len(tables)
    assert "rgb" in opened.locator("td").first.get_attribute("style")


def shown_exactly(page, name, role):
    """An array as the page has it: every number with all its digits stands in the title of its cell."""
    for found in page.locator("#tables figure").all():
        if (found.locator("b").inner_text(), found.locator(".role").inner_text()) == (name, role):
            return np.array([cell.get_attribute("title") for cell in found.locator("td").all()], np.float32)
    raise AssertionError(f"no table {name}, {role}")


@pytest.mark.parametrize("engine", ["native", "eager"])
def test_parameters_and_loss_on_the_page_have_the_bits_of_the_run(page, recording, tmp_path, engine):
    shown = recording if engine == "native" else lg.record(train(engine=engine), epoch=2, batch=3, kernels=False)
    shown.save(tmp_path / "step.html")
    page.goto((tmp_path / "step.html").as_uri())
    step = 6  # batch 3 of epoch 2, of four an epoch
    before, after = (train(StopAfter(n), engine=engine) for n in (step, step + 1))
    press(page, "4")
    for path in before.parameters:
        symbol = recording.step.chart.vertices[[v.title for v in recording.step.chart.vertices].index(path)].symbol
        for name, role, run in ((symbol, "before", before), (f"{symbol}′", "after", after)):
            own = run.parameters[path].numpy()
            np.testing.assert_array_equal(shown_exactly(page, name, role), own.ravel(), strict=True)
        press(page, "ArrowRight")
    assert page.get_attribute("body", "data-phase") == "result"
    assert shown_exactly(page, "L", "loss of the run").tolist() == [after.batch_loss]


def test_a_page_of_a_native_run_calls_the_values_between_what_they_are(opened, recording):
    for language, replayed in (("en", "eager replay"), ("ko", "다시 실행하여")):
        press(opened, "1")
        assert replayed in opened.inner_text("#text")
        press(opened, "End")
        assert replayed in opened.inner_text("#text")
        assert {"en": "native run, eager replay", "ko": "중간값은 재현"}[language] in opened.inner_text("#where")
        press(opened, "l")
    eager = lg.record(train(engine="eager"), kernels=False)
    assert "replay" not in eager.frames[0].text["en"]
    assert "bit for bit" in eager.frames[-1].text["en"]


def test_the_kernel_stands_beside_it_on_request(opened, recording):
    press(opened, "2")
    assert not opened.is_visible("#code")
    press(opened, "k")
    assert opened.inner_text("#code-text").startswith("define")
    assert "matmul" in opened.inner_text("#code-words")
    assert opened.get_attribute("#code-button", "aria-expanded") == "true"
    press(opened, "1")
    assert "No kernel stores" in opened.inner_text("#code-words")
    press(opened, "k")
    assert not opened.is_visible("#code")


def test_the_language_changes_with_a_key_and_so_does_the_graph(opened, recording):
    press(opened, "3", "l")
    assert opened.get_attribute("html", "lang") == "ko"
    assert opened.inner_text("#text") == recording.frames[at(opened)].text["ko"]
    assert "역전파" in opened.inner_text("#phase")
    assert opened.is_visible('.picture[data-language="ko"]')
    assert not opened.is_visible('.picture[data-language="en"]')
    opened.click("#language-button")
    assert opened.get_attribute("html", "lang") == "en"


def test_a_page_can_begin_in_korean(page, recording, tmp_path):
    korean = lg.record(recording.replayed.run, language="ko", kernels=False, path=tmp_path / "step.html")
    page.goto((tmp_path / "step.html").as_uri())
    assert page.inner_text("h1") == "슬로 모션으로 보는 학습 스텝"
    assert page.inner_text("#name") == korean.frames[0].title["ko"]


def test_space_plays_and_any_other_key_stops(page, recording, tmp_path):
    recording.save(tmp_path / "step.html")
    page.clock.install()
    page.goto((tmp_path / "step.html").as_uri())
    press(page, " ")
    page.clock.run_for(4000)
    assert at(page) == 2
    press(page, "ArrowRight")
    page.clock.run_for(4000)
    assert at(page) == 3
    press(page, "End", " ")  # again from the beginning
    assert at(page) == 0
    page.clock.run_for(1_000_000)
    assert at(page) == len(recording.frames) - 1
    assert page.get_attribute("#play", "aria-pressed") == "false"


def test_help_lists_the_keys_and_keeps_them_to_itself(opened):
    press(opened, "?")
    assert opened.is_visible("#help")
    assert opened.locator("#help dt").count() == opened.locator("#help dd").count() == 9
    press(opened, "ArrowRight", "Escape")
    assert not opened.is_visible("#help")
    assert at(opened) == 0


def test_everything_is_reached_and_named_without_a_mouse(opened):
    seen = []
    for _ in range(20):
        press(opened, "Tab")
        seen.append(opened.evaluate("document.activeElement.id || document.activeElement.dataset.phase"))
    assert {"code-button", "language-button", "help-button", "slider", "graph", "next", "play"} <= set(seen)
    unnamed = "[...document.querySelectorAll('button')].filter(b => !b.textContent.trim() && !b.ariaLabel).length"
    assert opened.evaluate(unnamed) == 0
    assert opened.get_attribute("#said", "aria-live") == "polite"
    opened.locator("#slider").focus()
    press(opened, "ArrowRight")
    assert at(opened) == 1
    assert opened.get_attribute("#slider", "aria-valuetext") == "Forward: z₁ = linear"


def test_on_paper_all_frames_stand_one_after_the_other(opened, recording):
    opened.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    opened.emulate_media(media="print")
    assert opened.locator("#paper section").count() == len(recording.frames)
    assert opened.locator("#paper section").last.is_visible()
    assert not opened.is_visible("#graph")
    opened.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert opened.locator("#paper section").count() == 0


def test_names_of_a_stranger_are_text_and_never_code(page, tmp_path):
    layer = type(NASTY, (lg.nn.Linear,), {})
    model = lg.nn.Sequential(layer(2, 2), lg.functional.relu, lg.nn.Linear(2, 2))
    rule = type("Rule", (), {"__call__": lambda self, step: 0.1, "__repr__": lambda self: NASTY})()
    x, y = lg.data.xor(8, seed=0)
    run = lg.fit(model, x, y, loss="cross_entropy", optimizer=lg.optim.SGD(rule), epochs=1, engine="eager")
    recording = lg.record(run, path=tmp_path / "step.html", kernels=False)
    assert NASTY not in recording.html
    page.goto((tmp_path / "step.html").as_uri())
    press(page, "2")
    assert NASTY in page.inner_text("#phase")
    assert NASTY in page.inner_text("#where")
    assert page.locator("img").count() == 0
    assert page.title().startswith("A training step")


def test_layers_as_one_box_each_follow_the_ops_in_them(page, tmp_path, recording):
    lg.record(recording.replayed.run, path=tmp_path / "step.html", expand=False, kernels=False)
    page.goto((tmp_path / "step.html").as_uri())
    press(page, "2")
    now = '[data-language="en"] [data-vertex].now'
    assert "0 · Linear" in page.get_attribute(now, "aria-label")
    press(page, "ArrowRight")
    assert "1 · tanh" in page.get_attribute(now, "aria-label")
    press(page, "End")
    assert page.locator('[data-language="en"] [data-vertex]:not(.valued)').count() == 0


def test_a_notebook_shows_the_page_in_a_frame_of_its_own(page, recording):
    page.set_content(recording._repr_html_())
    inside = page.frame_locator("iframe")
    assert inside.locator("#name").inner_text() == recording.frames[0].title["en"]
    assert repr(recording) == f"<Recording of epoch 2, minibatch 3: {len(recording.frames)} frames>"
