"""``lucidgrad lab``: train perceptrons of one, two and three layers, and answer the lab's questions."""

from __future__ import annotations

import shlex
import sys
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lucidgrad.cli.values import integers, name, names
from lucidgrad.errors import ArgumentError, counted
from lucidgrad.functional import ACTIVATIONS
from lucidgrad.interrupt import INTERRUPTED
from lucidgrad.lab import TASKS, Experiment, Settings, Task, default_settings, load_task, run_lab, write_report
from lucidgrad.lab.progress import LabProgress
from lucidgrad.lab.report import Report, measurements
from lucidgrad.lab.settings import LEARNING_RATES, SCHEDULES
from lucidgrad.page import to_json

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 130
"""Characters in a line where the output is no terminal."""


_SUITS_THE_TASK = "what suits the task"
_what = partial(typer.Option, rich_help_panel="What is compared")
_how = partial(typer.Option, rich_help_panel="How it is trained")
_where = partial(typer.Option, rich_help_panel="Where it comes from and goes to")


def lab(
    task: Annotated[
        str | None,
        _what(
            help=f"What to learn: {', '.join(TASKS)}. Without it: MNIST where it is found or can be fetched, else the "
            "digits that come along.",
            show_default=False,
        ),
    ] = None,
    layers: Annotated[str, _what(metavar="N,N,...", help="Numbers of layers to compare.")] = "1,2,3",
    widths: Annotated[
        str | None,
        _what(
            metavar="N,N,...",
            help="Hidden units. A network of L layers takes the last L - 1; of too few, the first is repeated.",
            show_default="256,128, or what suits the task",
        ),
    ] = None,
    activations: Annotated[
        str, _what(metavar="NAME,NAME,...", help=f"Activations to compare, of {', '.join(ACTIVATIONS)}.")
    ] = "relu,tanh,sigmoid",
    networks_only: Annotated[
        bool, _what("--networks-only", help="No depth series, and no descent over the whole set.")
    ] = False,
    quick: Annotated[bool, _what("--quick", help="Fewer epochs, and of a large data set a part.")] = False,
    optimizer: Annotated[
        str, _how(help=f"How the compared networks are updated: {', '.join(LEARNING_RATES)}.")
    ] = "adamw",
    learning_rate: Annotated[
        float | None, _how(help="Its (highest) learning rate.", show_default="what suits optimizer and task")
    ] = None,
    schedule: Annotated[str, _how(help=f"What becomes of the learning rate: {', '.join(SCHEDULES)}.")] = "one_cycle",
    epochs: Annotated[int | None, _how(min=1, help="Of the compared networks.", show_default=_SUITS_THE_TASK)] = None,
    batch_size: Annotated[int | None, _how(min=1, help="Samples in a minibatch.", show_default=_SUITS_THE_TASK)] = None,
    dropout: Annotated[
        float | None,
        _how(min=0, max=0.99, help="Share of hidden units dropped.", show_default="0.1 for images, else 0"),
    ] = None,
    weight_decay: Annotated[float, _how(min=0, help="Of adamw.")] = 0.01,
    seed: Annotated[int, _how(min=0, help="Same seed, same numbers.")] = 0,
    seeds: Annotated[int, _how(min=1, help="Train each compared network with so many seeds.")] = 1,
    dtype: Annotated[str, _how(help="Of the weights: float32 or float64.")] = "float32",
    data: Annotated[
        Path | None,
        _where(metavar="FOLDER", help="Where the files of mnist or fashion are.", show_default="the usual places"),
    ] = None,
    no_download: Annotated[bool, _where("--no-download", help="Never ask the network for data.")] = False,
    output: Annotated[Path, _where(metavar="FOLDER", help="Where the report goes.")] = Path("lab-report"),
    as_json: Annotated[bool, _where("--json", help="Print all measurements as JSON, and nothing else.")] = False,
) -> None:
    """Train perceptrons of one, two and three layers, measure them, and answer the lab's questions.

    Writes report.html, which needs nothing else, and the numbers and pictures it is made of.
    """
    chosen = None if task is None else name("--task", task, TASKS)
    changes: dict[str, Any] = {
        "layers": integers("--layers", layers),
        "activations": names("--activations", activations, ACTIVATIONS),
        "schedule": name("--schedule", schedule, SCHEDULES),
        "weight_decay": weight_decay,
        "seed": seed,
        "seeds": seeds,
        "dtype": name("--dtype", dtype, ("float32", "float64")),
    }
    if name("--optimizer", optimizer, LEARNING_RATES) != "adamw":
        changes["optimizer"] = name("--optimizer", optimizer, LEARNING_RATES)
    given = {"learning_rate": learning_rate, "epochs": epochs, "batch_size": batch_size, "dropout": dropout}
    changes |= {option: value for option, value in given.items() if value is not None}
    if widths is not None:
        changes["widths"] = integers("--widths", widths)
    if networks_only:
        changes |= {"depths": (), "descent_epochs": 0}
    loaded = load_task(chosen, data, download=not no_download)
    settings = _settings(loaded, quick, changes)
    output.mkdir(parents=True, exist_ok=True)  # now: a folder that cannot be is better known before the training
    _run(loaded, settings, output, as_json)


def _settings(task: Task, quick: bool, changes: dict[str, Any]) -> Settings:
    try:
        return default_settings(task, quick=quick, **changes)
    except ArgumentError as error:
        raise typer.BadParameter(str(error)) from None


def _run(task: Task, settings: Settings, output: Path, as_json: bool) -> None:
    console = _console()
    if not as_json:
        _introduce(console, task)
    experiment = run_lab(task, settings, LabProgress() if LabProgress.is_wanted() else None)
    if not experiment.results:
        print("lucidgrad: interrupted before a network had completed an epoch: nothing to report", file=sys.stderr)
        raise typer.Exit(INTERRUPTED)
    with _drawing():
        report = write_report(experiment, output, command=shlex.join(["lucidgrad", *sys.argv[1:]]))
    if as_json:
        print(to_json({**measurements(experiment, report.answers), "files": report.files}), end="")
    else:
        _tell(console, experiment, report)
    if experiment.interrupted:
        raise typer.Exit(INTERRUPTED)


def _drawing() -> AbstractContextManager[object]:
    """A line while the figures are drawn, where somebody sees it."""
    from rich.console import Console

    return Console(stderr=True).status("drawing the figures") if LabProgress.is_wanted() else nullcontext()


def _console() -> Console:
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False, markup=False)


def _introduce(console: Console, task: Task) -> None:
    data = task.data
    if task.notice:
        console.print(task.notice, style="yellow")
    where = "" if data.source is None else f" from {data.source}"
    test = 0 if data.y_test is None else len(data.y_test)
    console.print(
        f"The lab on {data.name}{where}: {len(data.x_train):,} training and {test:,} test samples of "
        f"{counted(data.in_features, 'number')}, {counted(len(data.class_names), 'class', 'classes')}."
    )


def _tell(console: Console, experiment: Experiment, report: Report) -> None:
    from lucidgrad.lab.figures import evidence
    from lucidgrad.lab.table import rich_table

    console.print(rich_table(evidence(experiment), console.width))
    for answer in report.answers:
        console.print(answer.question, style="bold")
        console.print(fill(answer.verdict, console.width, initial_indent="  ", subsequent_indent="  "))
        for reason in answer.reasons:
            console.print(fill(reason, console.width, initial_indent="  - ", subsequent_indent="    "), style="dim")
        console.print()
    if experiment.interrupted:
        done = f"{len(experiment.results)} of {experiment.planned} networks"
        console.print(f"Interrupted: all this is about {done}.", style="yellow")
    beside = counted(len(report.files) - 1, "file")
    console.print(f"The report: {report.page} (and {beside} beside it)", soft_wrap=True)
