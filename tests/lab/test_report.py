from __future__ import annotations

import base64
import csv
import dataclasses
import io
import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lucidgrad.lab import Experiment, Settings, Task, default_settings, load_task, run_lab, write_report
from lucidgrad.lab.figures import evidence, pictures, styles
from lucidgrad.lab.report import files_of_earlier_report, history_csv, measurements, slug, to_json
from lucidgrad.lab.table import rich_table, table_rows

VOID = {"meta", "img", "link", "br", "hr", "input", "source"}


class Page(HTMLParser):
    """The tags of a page, and whether they are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert len(dict(attributes)) == len(attributes), f"{tag} has an attribute twice"
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def digits_lab(small_digits):
    settings = Settings(
        layers=(1, 2),
        widths=(8,),
        activations=("tanh", "relu"),
        epochs=2,
        batch_size=40,
        seeds=2,
        descent_epochs=1,
        full_batch_epochs=2,
        depths=(1, 2),
        depth_width=4,
        depth_epochs=1,
    )
    return run_lab(small_digits, settings)


@pytest.fixture(scope="module")
def report(digits_lab, tmp_path_factory):
    return write_report(digits_lab, tmp_path_factory.mktemp("digits"), command="lucidgrad lab --task digits")


@pytest.fixture(scope="module")
def plane_report(tmp_path_factory):
    task = load_task("xor")
    settings = default_settings(task, activations=("tanh",), epochs=6, depths=(), descent_epochs=0, widths=(6,))
    return write_report(run_lab(task, settings), tmp_path_factory.mktemp("xor"))


def page_of(report) -> Page:
    return Page(report.page.read_text(encoding="utf-8"))


def images_of(page: Page) -> list[bytes]:
    return [base64.b64decode(image["src"].split(",", 1)[1], validate=True) for image in page.all("img")]


def test_the_page_is_well_formed_and_needs_nothing_from_outside(report):
    text = report.page.read_text(encoding="utf-8")
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert page.all("html") == [{"lang": "en"}]
    assert [len(page.all(tag)) for tag in ("head", "title", "body", "main", "h1")] == [1] * 5
    assert not page.all("script")
    assert not page.all("link")
    assert "url(" not in text
    assert "@import" not in text
    addresses = [a[name] for _, a in page.tags for name in ("src", "href", "srcset", "data") if name in a]
    assert addresses
    assert all(address.startswith("data:image/png;base64,") for address in addresses)


def test_every_image_of_the_page_decodes_and_says_what_it_shows(report):
    from PIL import Image

    page = page_of(report)
    for attributes, content in zip(page.all("img"), images_of(page), strict=True):
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            assert image.format == "PNG"
            shown = int(attributes["width"]) / int(attributes["height"])
            assert shown == pytest.approx(image.width / image.height, rel=0.01)
        assert len(attributes["alt"]) > 30


def test_all_figures_that_were_asked_for_are_there(report):
    names = {Path(name).stem for name in report.files if name.startswith("figures/")}
    assert names == {
        *("accuracy", "loss", "max_weight", "first_layer_1", "first_layer_2"),
        *("confusion", "worst_mistakes", "descent", "depth"),
    }
    assert len(images_of(page_of(report))) == len(names)


def test_every_file_that_is_named_is_there_and_no_other(report):
    found = {str(p.relative_to(report.folder).as_posix()) for p in report.folder.rglob("*") if p.is_file()}
    assert found == set(report.files)


def test_the_page_quotes_the_table_and_the_answers(report, digits_lab):
    text = " ".join("".join(page_of(report).text).split())
    for row in table_rows(evidence(digits_lab)):
        for cell in row.cells:
            assert cell in text
    for answer in report.answers:
        assert answer.question in text
        assert " ".join(answer.verdict.split()) in text
    assert "lucidgrad lab --task digits" in text
    assert "Handwritten digits of 43 people" in text


def test_the_measurements_are_complete(report, digits_lab):
    record = json.loads((report.folder / "measurements.json").read_text())
    assert record["task"]["name"] == "digits"
    assert record["settings"]["activations"] == ["tanh", "relu"]
    assert record["files"] == report.files
    assert [a["question"] for a in record["answers"]] == [a.question for a in report.answers]
    assert len(record["results"]) == len(digits_lab.results) == record["planned"]
    for entry, result in zip(record["results"], digits_lab.results, strict=True):
        assert entry["test_accuracy"] == result.test_accuracy
        assert entry["label"] == result.trial.label
        assert [row["epoch"] for row in entry["history"]] == [*range(1, result.trial.epochs + 1)]
        assert {"training_accuracy", "validation_loss", "max_abs_weight", "learning_rate"} <= set(entry["history"][0])


def test_each_run_is_a_csv_file_of_its_epochs(report, digits_lab):
    names = [name for name in report.files if name.endswith(".csv")]
    assert len(names) == len(digits_lab.results)
    assert names[0] == "runs/01-main-1-layer-seed-0.csv"
    for name, result in zip(names, digits_lab.results, strict=True):
        rows = list(csv.DictReader(io.StringIO((report.folder / name).read_text())))
        assert len(rows) == len(result.history)
        last = rows[-1]
        assert float(last["validation_accuracy"]) == result.history.last["validation_accuracy"]
        assert float(last["max_abs_weight 0.weight"]) == result.history.last["max_abs_weight"]["0.weight"]
        assert float(last["gradient_norm 0.weight"]) == result.gradient_norms[-1]["0.weight"]


def test_a_two_feature_task_gets_its_boundaries_still_and_moving(plane_report):
    from PIL import Image

    assert {"figures/boundaries.png", "figures/boundary.gif", "figures/confusion.png"} <= set(plane_report.files)
    assert not any("first_layer" in name or "worst" in name for name in plane_report.files)
    kinds = [image["src"].split(";")[0] for image in page_of(plane_report).all("img")]
    assert kinds.count("data:image/gif") == 1
    with Image.open(plane_report.folder / "figures" / "boundary.gif") as gif:
        assert gif.n_frames == 7  # before training, and after each of 6 epochs


def test_a_second_report_removes_the_first_ones_files_and_nobody_elses(small_digits, tmp_path):
    settings = Settings(layers=(1, 2), widths=(4,), activations=("tanh",), epochs=1, depths=(), descent_epochs=0)
    experiment = run_lab(small_digits, settings)
    first = write_report(experiment, tmp_path)
    assert (tmp_path / "figures" / "first_layer_2.png").exists()
    (tmp_path / "figures" / "mine.png").write_bytes(b"mine")
    (tmp_path / "notes.txt").write_text("mine")
    experiment.results, experiment.models = experiment.results[:1], experiment.models[:1]
    second = write_report(experiment, tmp_path)
    assert set(second.files) < set(first.files)
    left = {str(p.relative_to(tmp_path).as_posix()) for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {*second.files, "figures/mine.png", "notes.txt"}


@pytest.mark.parametrize("content", ['{"files": 3}', '{"files": ["../outside.png", "/a/figures/a.png", 3]}', "[]", "{"])
def test_a_measurements_file_of_somebody_else_removes_nothing(tmp_path, content):
    (tmp_path / "measurements.json").write_text(content)
    assert files_of_earlier_report(tmp_path) == []


def test_names_are_escaped_on_the_page(small_digits, tmp_path):
    data = dataclasses.replace(
        small_digits.data,
        name="<b>bold</b>",
        description='"quoted" & <script>alert(1)</script>',
        class_names=tuple("<&>\"'/01234")[:10],
    )
    settings = Settings(layers=(1,), epochs=1, depths=(), descent_epochs=0)
    report = write_report(run_lab(Task(data, notice="<i>note</i>"), settings), tmp_path, command="a && b <c>")
    page = page_of(report)
    assert not page.all("script")
    assert not page.all("b")
    assert not page.all("i")
    assert "<i>note</i>" in "".join(page.text)


def test_an_interrupted_experiment_says_how_much_was_done(digits_lab, tmp_path):
    experiment = dataclasses.replace(
        digits_lab, results=digits_lab.results[:1], models=digits_lab.models[:1], interrupted=True
    )
    text = "".join(page_of(write_report(experiment, tmp_path)).text)
    assert f"1 of {digits_lab.planned} planned networks were trained" in text


def test_an_experiment_interrupted_among_its_extras_can_be_reported(digits_lab, tmp_path):
    extras = [i for i, r in enumerate(digits_lab.results) if r.trial.group in ("descent", "depth")][:2]
    experiment = Experiment(
        digits_lab.task,
        digits_lab.settings,
        [digits_lab.results[i] for i in extras],
        [digits_lab.models[i] for i in extras],
        planned=14,
    )
    report = write_report(experiment, tmp_path)
    assert "figures/descent.png" in report.files
    assert not page_of(report).all("table")


def test_numbers_that_are_not_finite_are_null_in_json(small_digits, tmp_path):
    settings = Settings(
        layers=(1, 2),
        widths=(4,),
        activations=("tanh",),
        optimizer="sgd",
        learning_rate=1e38,
        schedule="constant",
        epochs=2,
        depths=(),
        descent_epochs=0,
    )
    experiment = run_lab(small_digits, settings)
    report = write_report(experiment, tmp_path)
    record = json.loads((tmp_path / "measurements.json").read_text(), parse_constant=pytest.fail)
    assert record["results"][1]["test_loss"] is None
    assert "(diverged)" in "".join(page_of(report).text)
    assert report.answers[0].verdict.startswith("Not measured")


def test_json_has_no_words_for_nan():
    assert json.loads(to_json({"a": [float("nan"), (1.5, float("-inf"))], "b": {"c": "NaN"}})) == {
        "a": [None, [1.5, None]],
        "b": {"c": "NaN"},
    }


def test_measurements_need_no_report(digits_lab):
    record = measurements(digits_lab)
    assert record["format"] == 1
    assert len(record["answers"]) == 6


def test_a_history_is_a_table_with_a_column_for_each_weight(result):
    rows = list(csv.DictReader(io.StringIO(history_csv(result((8,), "relu", 0.9)))))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert "max_abs_weight 2.weight" in rows[0]
    assert slug(result((8,), "relu", 0.9, seed=3)) == "main-2-layers-relu-seed-3"


def test_the_table_shows_means_and_deviations_and_marks_the_best(digits_lab):
    rows = table_rows(evidence(digits_lab))
    assert [row.cells[0] for row in rows] == [
        "1 layer",
        "2 layers, tanh",
        "2 layers, relu",
        "2 layers, no activation",
    ]
    assert "±" in rows[0].cells[4]
    assert "±" not in rows[3].cells[4]  # the control has one seed
    accuracies = [float(row.cells[4].split(" ")[0]) for row in rows[:3]]
    assert [row.is_best for row in rows[:3]] == [a == max(accuracies) for a in accuracies]


@pytest.mark.parametrize(("width", "columns"), [(160, 10), (70, 6), (20, 6)])
def test_a_narrow_terminal_gets_fewer_columns(digits_lab, width, columns):
    assert len(rich_table(evidence(digits_lab), width).columns) == columns


def test_colour_tells_the_activation_and_dashes_the_depth(digits_lab):
    look = styles(evidence(digits_lab).networks)
    assert look["2 layers, tanh"].colour != look["2 layers, relu"].colour
    assert look["2 layers, tanh"].dash == look["2 layers, relu"].dash != look["1 layer"].dash


def test_captions_are_sentences(digits_lab):
    captions = [picture.caption for picture in pictures(digits_lab)]
    assert all(caption.endswith(".") and caption[0].isupper() for caption in captions)
    assert len(set(captions)) == len(captions)
