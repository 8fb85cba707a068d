"""``lucidgrad train``: from a table in a file to a model file and a report."""

from __future__ import annotations

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lucidgrad.cli.tables import Delimiter, Encoding, Missing, console, opened, show_measured, warn
from lucidgrad.cli.values import check_output, integers, name
from lucidgrad.data.table.column import SCALINGS
from lucidgrad.errors import ArgumentError, counted, explain
from lucidgrad.page import to_json
from lucidgrad.tables import Plan, Trained, Wishes, make_plan
from lucidgrad.tables import train as train_plan
from lucidgrad.tables.report import number, percent, write_report
from lucidgrad.tables.split import LEAST_TO_TEST, TEST_FRACTION, VALIDATION_FRACTION
from lucidgrad.tables.target import TASKS

if TYPE_CHECKING:
    from rich.console import Console

MOST_COLUMNS = 40
MOST_IMPORTANT = 10
_taken = partial(typer.Option, rich_help_panel="What columns are taken for")
_split = partial(typer.Option, rich_help_panel="Which rows are held back")
_how = partial(typer.Option, rich_help_panel="How it is trained")
_AUTO = "the estimator's"


def train(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="CSV, TSV or Parquet, packed (gz, bz2, xz, zst) or not.", show_default=False
        ),
    ],
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to predict.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option(
            *("--output", "-o"), metavar="FILE", help="The model file.", show_default="DATA's name with .lucidgrad"
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The HTML report.", show_default="the model's name with .html"),
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write no report.")] = False,
    task: Annotated[
        str | None, _taken(help="classification or regression.", show_default="guessed by the target")
    ] = None,
    numeric: Annotated[str | None, _taken(metavar="COLUMN,...", help="Numbers.", show_default=False)] = None,
    categorical: Annotated[str | None, _taken(metavar="COLUMN,...", help="Categories.", show_default=False)] = None,
    date: Annotated[str | None, _taken(metavar="COLUMN,...", help="Dates.", show_default=False)] = None,
    ignore: Annotated[str | None, _taken(metavar="COLUMN,...", help="Left out.", show_default=False)] = None,
    weight: Annotated[
        str | None, _taken(metavar="COLUMN", help="How much each row counts.", show_default=False)
    ] = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    missing: Missing = None,
    test_fraction: Annotated[
        float | None,
        _split(
            min=0.0,
            max=0.9,
            help="The share of the rows that neither training nor stopping sees, and that is measured; 0: none.",
            show_default=f"{TEST_FRACTION}, from {LEAST_TO_TEST} rows on",
        ),
    ] = None,
    test_file: Annotated[
        Path | None, _split(metavar="FILE", help="Rows to measure on, in a file of their own.", show_default=False)
    ] = None,
    validation_fraction: Annotated[
        float | None,
        _split(
            min=0.001,
            max=0.9,
            help="The share of the other rows that says when to stop.",
            show_default=f"{VALIDATION_FRACTION}",
        ),
    ] = None,
    validation_file: Annotated[
        Path | None,
        _split(metavar="FILE", help="Rows that say when to stop, in a file of their own.", show_default=False),
    ] = None,
    stratify: Annotated[
        bool | None,
        _split("--stratify/--no-stratify", help="Keep classes in proportion.", show_default="yes, for classes"),
    ] = None,
    group: Annotated[
        str | None, _split(metavar="COLUMN", help="Rows of a group stay together; no input.", show_default=False)
    ] = None,
    time: Annotated[
        str | None,
        _split(
            metavar="COLUMN", help="The latest rows are held back, and those of one time together.", show_default=False
        ),
    ] = None,
    scaling: Annotated[str, _how(help=f"Of numbers: {', '.join(SCALINGS)}.")] = "robust",
    layers: Annotated[
        str | None, _how(metavar="N,N,...", help="Units of each hidden layer.", show_default="128,128")
    ] = None,
    epochs: Annotated[int | None, _how(min=1, help="At most.", show_default=_AUTO)] = None,
    batch_size: Annotated[int | None, _how(min=1, help="Rows in a batch.", show_default="by the rows")] = None,
    learning_rate: Annotated[float | None, _how(min=0.0, help="Of AdamW.", show_default=_AUTO)] = None,
    dropout: Annotated[float | None, _how(min=0, max=0.95, help="Share left out.", show_default=_AUTO)] = None,
    patience: Annotated[
        int | None, _how(min=1, help="Epochs without progress before it stops.", show_default=_AUTO)
    ] = None,
    class_weight: Annotated[
        str | None, _how(help="balanced: rare classes count as much as frequent ones.", show_default="none")
    ] = None,
    seed: Annotated[int, _how(min=0, max=2**32 - 1, help="Same seed, same model.")] = 0,
    engine: Annotated[str, _how(help="auto, native or eager.")] = "auto",
    threads: Annotated[int | None, _how(min=1, help="At most.", show_default="all cores")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was guessed and measured as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors and warnings alone.")] = False,
) -> None:
    """Learn to predict a column of a table from the others; write a model and a report.

    What the columns are, and whether classes or numbers are to be predicted, is guessed and shown with the reasons.

    Exit codes: 0 done, 1 an error that is explained, 2 a command that was not understood, 130 after Ctrl-C.
    """
    _check_shares(("test", test_fraction, test_file), ("validation", validation_fraction, validation_file))
    _check_split((validation_file, test_file, test_fraction), group, time, stratify)
    kinds = _kinds({"numeric": numeric, "categorical": categorical, "date": date, "ignored": ignore}, target)
    wishes = Wishes(
        target=target,
        task=None if task is None else name("--task", task, TASKS),
        kinds=kinds,
        test=test_fraction,
        validation=VALIDATION_FRACTION if validation_fraction is None else validation_fraction,
        stratify=stratify,
        group=group,
        time=time,
        weight=weight,
        seed=seed,
    )
    given = {
        "scaling": name("--scaling", scaling, SCALINGS),
        "hidden_layer_sizes": None if layers is None else integers("--layers", layers),
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "dropout": dropout,
        "patience": patience,
        "class_weight": None if class_weight is None else name("--class-weight", class_weight, ("balanced",)),
        "random_state": seed,
        "engine": name("--engine", engine, ("auto", "native", "eager")),
        "threads": threads,
        "progress": False if quiet or as_json else None,
    }
    settings = {key: value for key, value in given.items() if value is not None or key == "progress"}
    model_path, report_path = _places(
        [p for p in (data, validation_file, test_file) if p], output, None if no_report else report, no_report
    )
    plan = make_plan(
        opened(data, delimiter, encoding, missing),
        wishes,
        *(
            None if path is None else opened(path, delimiter, encoding, missing)
            for path in (validation_file, test_file)
        ),
    )
    if plan.task == "regression" and "class_weight" in settings:
        raise ArgumentError(explain("--class-weight expected classes", "numbers to predict", "Leave it out"))
    where = console()
    if as_json or quiet:
        warn(plan.notes)
    else:
        show_plan(where, plan)
    trained = train_plan(plan, settings)
    command = shlex.join(["lucidgrad", *sys.argv[1:]])
    _write(trained, model_path, report_path, command)
    if as_json:
        print(
            to_json({**record(trained), "model": str(model_path), "report": report_path and str(report_path)}), end=""
        )
    elif not quiet:
        _tell(where, trained)
        where.print(f"The model: {model_path}", soft_wrap=True)
        if report_path is not None:
            where.print(f"The report: {report_path}", soft_wrap=True)


def _check_shares(*parts: tuple[str, float | None, Path | None]) -> None:
    for part, fraction, file in parts:
        if fraction is not None and file is not None:
            raise typer.BadParameter(
                f"the share is that of --{part}-file: leave one of the two out", param_hint=f"--{part}-fraction"
            )


def _check_split(
    parts: tuple[Path | None, Path | None, float | None], group: str | None, time: str | None, stratify: bool | None
) -> None:
    """Refuse the options that say how rows are split, where the files of the other parts leave none to be split."""
    validation_file, test_file, test_fraction = parts
    if validation_file is None or (test_file is None and test_fraction != 0):
        return
    other = "--test-fraction 0" if test_file is None else "--test-file"
    proportions = "no-stratify" if stratify is False else "stratify"
    for option, choice in (("group", group), ("time", time), (proportions, stratify)):
        if choice is not None:
            raise typer.BadParameter(
                f"{other} and --validation-file leave no rows to be split: leave it out", param_hint=f"--{option}"
            )


def _kinds(told: dict[str, str | None], target: str) -> dict[str, str]:
    """What columns are, by name."""
    kinds: dict[str, str] = {}
    for kind, text in told.items():
        for column in [] if text is None else text.split(","):
            option = "--ignore" if kind == "ignored" else f"--{kind}"
            if column == target:
                raise typer.BadParameter(f"{column!r} is the target", param_hint=option)
            if kinds.setdefault(column, kind) != kind:
                raise typer.BadParameter(f"{column!r} is also --{kinds[column]}", param_hint=option)
    return kinds


def _places(inputs: list[Path], output: Path | None, report: Path | None, no_report: bool) -> tuple[Path, Path | None]:
    """Where model and report go."""
    stem = inputs[0].name.split(".")[0] or "model"
    model = Path(f"{stem}.lucidgrad") if output is None else output
    page = None if no_report else model.with_suffix(".html") if report is None else report
    for path in (model, *([page] if page else [])):
        check_output(path, inputs)
    if page is not None and page.resolve() == model.resolve():
        got, try_ = f"{page} for both", f"End the model's name in .lucidgrad: --output {stem}.lucidgrad"
        raise ArgumentError(explain("the model and the report expected a file each", got, try_))
    return model, page


def _write(trained: Trained, model: Path, report: Path | None, command: str) -> None:
    from lucidgrad.io.model_file import save

    save(trained.estimator, model, metrics=trained.metrics, measured_on={trained.part: trained.measured.rows})
    if report is not None:
        write_report(trained, report, command=command, model=str(model))


def show_plan(where: Console, plan: Plan) -> None:
    """What was guessed, with reasons."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    source = plan.source
    rows = plan.columns[0].rows
    size = f"{counted(rows, 'row')}, {counted(len(source.names), 'column')}"
    where.print(f"{source.path}: {size}, {source.description}", soft_wrap=True)
    where.print(f"Target {plan.wishes.target}: {plan.task} ({plan.task_reason})", style="bold", soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("column", "taken for", "because"):
        table.add_column(heading, overflow="fold")
    for heading in ("missing", "different"):
        table.add_column(heading, justify="right")
    for column in plan.columns[:MOST_COLUMNS]:
        gone = percent(column.missing / max(column.rows, 1)) if column.missing else ""
        kind = column.kind if column.is_used else f"{column.kind} (left out)"
        style = None if column.is_used else "dim"
        table.add_row(column.name, kind, column.reason, gone, f"{column.distinct:,}", style=style)
    where.print(table)
    if len(plan.columns) > MOST_COLUMNS:
        kinds: dict[str, int] = {}
        for column in plan.columns[MOST_COLUMNS:]:
            kinds[column.kind] = kinds.get(column.kind, 0) + 1
        rest = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
        where.print(f"and {counted(len(plan.columns) - MOST_COLUMNS, 'more column')}: {rest}", style="dim")
    for part in plan.split:
        where.print(f"{part}.", soft_wrap=True)
    for note in plan.notes:
        where.print(f"Note: {note}.", style="yellow", soft_wrap=True)


def _tell(where: Console, trained: Trained) -> None:
    """What was measured."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    where.print(f"\nTrained in {trained.seconds:.1f} s. {trained.learned_how}", soft_wrap=True)
    where.print(f"Measured on {trained.measured_on}:\n", soft_wrap=True)
    show_measured(where, trained.measured, trained.training)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("most important columns", overflow="fold")
    table.add_column("importance", justify="right")
    for one in trained.importance[:MOST_IMPORTANT]:
        table.add_row(one.column, f"{number(one.rise)} ± {number(one.deviation)}")
    where.print(table)
    where.print(f"Importance: {trained.importance_note}.\n", style="dim")


def record(trained: Trained) -> dict[str, Any]:
    """Everything that was guessed and measured, as plain data."""
    plan = trained.plan
    return {
        "task": plan.task,
        "task_reason": plan.task_reason,
        "target": plan.wishes.target,
        "columns": [
            {key: getattr(c, key) for key in ("name", "kind", "reason", "missing", "distinct", "is_used")}
            for c in plan.columns
        ],
        "rows": plan.rows,
        "split": {"test": plan.test_split, "validation": plan.stop_split},
        "notes": plan.notes,
        "epochs": len(trained.estimator.history_),
        "seconds": trained.seconds,
        "refit": trained.refit,
        "measured_on": trained.part,
        "measured": trained.measured.record(),
        "training": trained.training.record(),
        "importance": [vars(one) for one in trained.importance],
    }
