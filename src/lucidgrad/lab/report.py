"""Write down what the lab found: one HTML page that needs nothing else, and the numbers and pictures behind it."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lucidgrad.atomic import atomic_write
from lucidgrad.files.container import versions
from lucidgrad.lab.answers import Answer, answers
from lucidgrad.lab.experiment import Experiment
from lucidgrad.lab.figures import Picture, evidence, pictures
from lucidgrad.lab.result import Result
from lucidgrad.lab.table import HEADINGS, UNITS, table_rows
from lucidgrad.page import Image, address, png_image, to_json
from lucidgrad.page import render as render_page
from lucidgrad.plot import Boundary, boundary_animation, png_bytes

FORMAT = 1
"""Of measurements.json; a larger number where an old reader would go wrong."""


@dataclass
class Report:
    """What was written.

    Parameters
    ----------
    folder
        Where.
    files
        Names of the files in it, the page first.
    answers
        The questions with their answers.
    """

    folder: Path
    files: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)

    @property
    def page(self) -> Path:
        """The HTML page."""
        return self.folder / "report.html"


def write_report(experiment: Experiment, folder: str | os.PathLike[str], *, command: str = "") -> Report:
    """Write ``report.html``, ``measurements.json``, ``runs/*.csv`` and ``figures/*.png`` (and a GIF) into a folder.

    Each file appears whole or not at all. Those of an earlier report in the same folder that this one lacks are
    removed; no other file is touched.

    Parameters
    ----------
    experiment
        From ``run_lab``.
    folder
        Made when it is not there.
    command
        What was typed to get it, for the page.

    Raises
    ------
    OSError
        When the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> from lucidgrad.lab import Experiment, default_settings, load_task, write_report
    >>> task = load_task("xor")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(Experiment(task, default_settings(task)), folder).files  # of an experiment that did not begin
    ['report.html', 'measurements.json']
    """
    report = Report(Path(folder), ["report.html", "measurements.json"])
    report.answers = _answers(experiment)
    old = files_of_earlier_report(report.folder)
    (report.folder / "figures").mkdir(parents=True, exist_ok=True)
    (report.folder / "runs").mkdir(exist_ok=True)
    images = [_keep(report, picture, png_bytes(picture.draw())) for picture in pictures(experiment)]
    images += _animation(report, experiment)
    for i, result in enumerate(experiment.results):
        _write(report, f"runs/{i + 1:02}-{slug(result)}.csv", history_csv(result).encode())
    page = render(experiment, report.answers, images, command)
    with atomic_write(report.page) as file:
        file.write(page.encode())
    record = {**measurements(experiment, report.answers), "command": command, "files": report.files}
    with atomic_write(report.folder / "measurements.json") as file:
        file.write(to_json(record).encode())
    for name in set(old) - set(report.files):
        (report.folder / name).unlink(missing_ok=True)
    return report


def measurements(experiment: Experiment, answered: Iterable[Answer] | None = None) -> dict[str, Any]:
    """Everything that was set and measured, as plain data."""
    data, settings = experiment.task.data, experiment.settings
    return {
        "format": FORMAT,
        "lucidgrad": versions()["lucidgrad"],
        "machine": {"python": platform.python_version(), "numpy": np.__version__, "cores": os.cpu_count()},
        "task": {
            "name": data.name,
            "notice": experiment.task.notice,
            "description": data.description,
            "train_samples": len(data.x_train),
            "test_samples": 0 if data.x_test is None else len(data.x_test),
            "in_features": data.in_features,
            "classes": list(data.class_names),
        },
        "settings": asdict(settings),
        "interrupted": experiment.interrupted,
        "planned": experiment.planned,
        "results": [result.record() for result in experiment.results],
        "answers": [asdict(answer) for answer in (_answers(experiment) if answered is None else answered)],
    }


def history_csv(result: Result) -> str:
    """The history of a run, an epoch a row; dicts by path become a column each, such as ``max_abs_weight 0.weight``."""
    rows = [_flat(row) for row in result.history]
    for row, norms in zip(rows, result.gradient_norms[1:], strict=False):
        row |= {f"gradient_norm {path}": norm for path, norm in norms.items()}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def slug(result: Result) -> str:
    """A name for the run's files, of letters, digits and dashes."""
    words = f"{result.trial.group} {result.trial.label} seed {result.trial.seed}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def render(experiment: Experiment, answered: Iterable[Answer], images: Iterable[Image], command: str) -> str:
    """The HTML page."""
    e = evidence(experiment)
    best = experiment.results[experiment.best] if e.networks else None
    return render_page(
        "lucidgrad.lab",
        images,
        experiment=experiment,
        data=experiment.task.data,
        settings=experiment.settings,
        measured=measurements(experiment, ()),
        answers=list(answered),
        headings=list(zip(HEADINGS, UNITS, strict=True)),
        rows=table_rows(e),
        best=best,
        best_accuracy="" if best is None else e.percent(best.test_accuracy),
        seconds=sum(result.seconds for result in experiment.results),
        command=command,
    )


def _answers(experiment: Experiment) -> list[Answer]:
    e = evidence(experiment)
    return answers(e.results, test_samples=e.test_samples, train_samples=e.train_samples)


def _keep(report: Report, picture: Picture, png: bytes) -> Image:
    _write(report, f"figures/{picture.name}.png", png)
    return png_image(picture.name, picture.caption, picture.section, png)


def _animation(report: Report, experiment: Experiment) -> list[Image]:
    """How the boundaries of the best network of each depth moved, side by side."""
    if not experiment.frames:
        return []
    e, data = evidence(experiment), experiment.task.data
    places = [experiment.results.index(e.best_of_depth(layers).first) for layers in e.depths[:3]]
    moments = sorted(set.intersection(*(set(experiment.frames[i]) for i in places))) if places else []
    if not moments:
        return []
    name = "figures/boundary.gif"
    boundary_animation(
        [[_titled(experiment, i, moment) for i in places] for moment in moments],
        data.x_train,
        data.y_train,
        report.folder / name,
        names=data.class_names,
        titles=[f"epoch {moment}" for moment in moments],
    )
    report.files.append(name)
    gif = (report.folder / name).read_bytes()
    width, height = (int.from_bytes(gif[at : at + 2], "little") for at in (6, 8))  # of the GIF's screen descriptor
    caption = "The decision boundaries while the networks train: the best network of each number of layers."
    return [Image("boundary", caption, "networks", address("gif", gif), width, height)]


def _titled(experiment: Experiment, i: int, moment: int) -> Boundary:
    """A frame with the accuracy of its moment."""
    result, frame = experiment.results[i], experiment.frames[i][moment]
    if moment == 0:
        return Boundary(frame.extent, frame.probabilities, result.trial.label)
    accuracy = result.history["validation_accuracy"][moment - 1]
    return Boundary(frame.extent, frame.probabilities, f"{result.trial.label}: {100 * accuracy:.0f} %")


def _write(report: Report, name: str, content: bytes) -> None:
    with atomic_write(report.folder / name) as file:
        file.write(content)
    report.files.append(name)


def files_of_earlier_report(folder: Path) -> list[str]:
    """The pictures and histories that the measurements in the folder name; none where they are not ours."""
    try:
        names = json.loads((folder / "measurements.json").read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    if not isinstance(names, list):
        return []
    ours = re.compile(r"figures/[a-z0-9_]+\.(png|gif)|runs/[a-z0-9-]+\.csv")
    return [name for name in names if isinstance(name, str) and ours.fullmatch(name)]


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in row.items():
        flat |= {f"{key} {path}": v for path, v in value.items()} if isinstance(value, dict) else {key: value}
    return flat
