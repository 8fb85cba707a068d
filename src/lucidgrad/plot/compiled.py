"""What the compiler has made of a network: fewer instructions, kernels and their times, and who does what when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lucidgrad.compiler.fuse import Kernel
from lucidgrad.compiler.report import Report
from lucidgrad.compiler.stages import Task
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.plot.language import word
from lucidgrad.plot.series import HATCHES, bars
from lucidgrad.plot.style import COLOURS, INK, QUIET, dress, heading, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_KINDS = {"product": "blue", "sum": "orange", "element by element": "green", "copy": "sky"}
_LEAST = 1e-9  # seconds: shorter than any task, so that nothing is divided by 0


def instructions_by_pass(report: Report, *, title: str = "") -> Figure:
    """How many instructions are left after each pass, and in how many kernels they end.

    Parameters
    ----------
    report
        What ``lucidgrad.compile_report`` gives.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> from lucidgrad.plot import instructions_by_pass
    >>> square = lg.jit(lambda x: (x * 1 + 0 * x).sum())
    >>> figure = instructions_by_pass(lg.compile_report(square, lg.Tensor(np.ones(4)), measure=False))
    >>> [text.get_text() for text in figure.axes[0].get_xticklabels()][0]
    'traced'
    """
    names = [word("traced") if name == "traced" else name for name, _ in report.graphs]
    counts = [len(graph.instructions) for _, graph in report.graphs]
    kernels = len(report.program.plan.kernels)
    return bars([*names, word("kernels")], {"": [*counts, kernels]}, y_label="instructions", title=title)


def kernel_times(report: Report, *, most: int = 12, title: str = "") -> Figure:
    """The share of each kernel in the time of a step, longest first; a line marks what its arithmetic alone would take.

    Parameters
    ----------
    report
        What ``lucidgrad.compile_report`` gives, with ``measure=True``. Each kernel is timed by itself, in one thread.
    most
        How many to show; the others are added up.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When nothing was measured.

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> from lucidgrad.plot import kernel_times
    >>> report = lg.compile_report(lg.nn.Linear(64, 10), np.zeros((32, 64)), threads=1)
    >>> kernel_times(report).axes[0].get_yticklabels()[0].get_text()
    'kernel0: matmul 32x64 64x10'
    """
    seconds = _measured(report)
    if most < 1:
        raise ArgumentError(explain("most expected at least 1", f"{most}", "Show at least one kernel"))
    tasks = sorted((t for stage in report.program.stages for t in stage), key=lambda t: -seconds[t.name])
    total = max(sum(seconds.values()), _LEAST)
    shown, rest = tasks[:most], tasks[most:]
    figure = new_figure(width=8.6, height=1.3 + 0.29 * (len(shown) + bool(rest)))
    axes = dress(figure.subplots(), x="share of the step's time (%)")
    for place, task in enumerate(shown):
        kind = _kind(task)
        share = 100 * seconds[task.name] / total
        bar = axes.barh(place, share, 0.72, color=COLOURS[_KINDS[kind]], hatch=_hatch(kind), edgecolor="white")
        axes.bar_label(bar, [_time(seconds[task.name])], fontsize=8.5, color=INK, padding=3)
        if task.name in report.floors:
            axes.vlines(
                100 * report.floors[task.name] / total, place - 0.42, place + 0.42, color=COLOURS["black"], linewidth=2
            )
    names = [f"{task.name}: {_words(task)}" for task in shown]
    if rest:
        left = sum(seconds[task.name] for task in rest)
        bar = axes.barh(len(shown), 100 * left / total, 0.72, color=QUIET, edgecolor="white")
        axes.bar_label(bar, [_time(left)], fontsize=8.5, color=INK, padding=3)
        names.append(word("{count} more", count=len(rest)))
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.grid(visible=False, axis="y")
    _legend(figure, _kinds_of(shown), floor=word("arithmetic alone") if report.floors else "")
    heading(figure, title)
    return figure


def stage_timeline(report: Report, *, title: str = "") -> Figure:
    """A step, thread by thread: who does which part of which kernel, and where the threads wait for each other.

    The lengths are reckoned from the time of each kernel by itself, shared out evenly; where a program has few rows
    they are not all of the same length, and meeting takes time of its own.

    Parameters
    ----------
    report
        What ``lucidgrad.compile_report`` gives, with ``measure=True``.
    title
        Over the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ArgumentError
        When nothing was measured.

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> from lucidgrad.plot import stage_timeline
    >>> report = lg.compile_report(lg.nn.Linear(64, 10), np.zeros((256, 64)), threads=2)
    >>> [text.get_text() for text in stage_timeline(report).axes[0].get_yticklabels()]
    ['thread 1', 'thread 2']
    """
    seconds = _measured(report)
    program = report.program
    figure = new_figure(height=1.9 + 0.55 * program.threads)
    axes = dress(figure.subplots(), x="microseconds in a step", grid=False)
    began = 0.0
    for number, stage in enumerate(program.stages):
        ended = max(
            _draw_stage(axes, stage, seconds, thread, program.threads, began) for thread in range(program.threads)
        )
        if number < len(program.stages) - 1 and program.threads > 1:
            axes.axvline(ended, color=COLOURS["vermilion"], linestyle="--", linewidth=1.8)
        began = ended
    names = [word("thread {number}", number=i + 1) for i in range(program.threads)]
    axes.set_yticks(range(program.threads), names)
    axes.set_ylim(program.threads - 0.5, -0.5)
    axes.set_xlim(0, began)
    waits = program.threads > 1 and len(program.stages) > 1
    kinds = _kinds_of([task for stage in program.stages for task in stage])
    _legend(figure, kinds, barrier=word("the threads wait") if waits else "")
    heading(figure, title)
    return figure


def _draw_stage(
    axes: Axes, stage: Sequence[Task], seconds: dict[str, float], thread: int, threads: int, began: float
) -> float:
    """A thread's bars of a stage, from microsecond ``began`` on; where they end."""
    for task in stage:
        if task.share is None and thread > 0:
            continue
        length = 1e6 * seconds[task.name] / (1 if task.share is None else threads)
        kind = _kind(task)
        axes.barh(thread, length, 0.7, left=began, color=COLOURS[_KINDS[kind]], hatch=_hatch(kind), edgecolor="white")
        began += length
    return began


def _measured(report: Report) -> dict[str, float]:
    if not report.seconds:
        raise ArgumentError(
            explain(
                "a picture of times expected a report that was measured",
                "one made with measure=False",
                "Call compile_report(...) with measure=True, which is the default",
            )
        )
    return report.seconds


def _kind(task: Task) -> str:
    if not isinstance(task.work, Kernel):
        return "copy"
    anchor = task.work.anchor
    if anchor is None:
        return "element by element"
    return "product" if anchor.op.name == "matmul" else "sum"


def _kinds_of(tasks: Sequence[Task]) -> list[str]:
    present = set(map(_kind, tasks))
    return [kind for kind in _KINDS if kind in present]


def _hatch(kind: str) -> str:
    return HATCHES[list(_KINDS).index(kind)]


def _words(task: Task) -> str:
    """What a task begins with, such as ``matmul 64x784 784x128``."""
    if not isinstance(task.work, Kernel):
        source, _ = task.work
        return f"{word('copy')} {_size(source.shape)}"
    anchor = task.work.anchor
    if anchor is None:
        return f"{word('element by element')} {_size(task.work.shape)}".strip()
    sizes = [_size(x.shape) for x in anchor.inputs if hasattr(x, "shape")]
    return " ".join([anchor.op.name, *sizes])


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _time(seconds: float) -> str:
    return f"{1e6 * seconds:.3g} µs"


def _legend(figure: Figure, kinds: Sequence[str], *, floor: str = "", barrier: str = "") -> None:
    """The colours of the kinds of tasks, and what the lines mean that have a name here."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = [
        Patch(facecolor=COLOURS[_KINDS[k]], hatch=_hatch(k), edgecolor="white", label=word(k)) for k in kinds
    ]
    if floor:
        handles.append(Line2D([], [], color=COLOURS["black"], linewidth=2, label=floor))
    if barrier:
        handles.append(Line2D([], [], color=COLOURS["vermilion"], linestyle="--", linewidth=1.8, label=barrier))
    figure.legend(handles=handles, loc="outside lower left", ncols=5, frameon=False, fontsize=9)
