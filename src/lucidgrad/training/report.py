"""compile_report: what the compiler has made of a run, a model, or a function."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.compiler.buffers import ARRAY, ROWS
from lucidgrad.compiler.jitted import Jitted
from lucidgrad.compiler.layout import Place
from lucidgrad.compiler.machine import NativeError, available
from lucidgrad.compiler.program import Program
from lucidgrad.compiler.report import Report
from lucidgrad.errors import ArgumentError, explain
from lucidgrad.nn import Module
from lucidgrad.training.engine import WORTH_THREADS, native_threads, step_work
from lucidgrad.training.native import Steps, walkable
from lucidgrad.training.predictor import forward_graph, held
from lucidgrad.training.run import Run


def compile_report(what: Any, *arguments: Any, threads: int | None = None, measure: bool = True) -> Report:
    """What is compiled, how, and how near it is to what the machine can do: print it.

    Parameters
    ----------
    what, *arguments
        A Run that ``fit`` has returned: a step of its training. A Module, followed by inputs: its way forward. What
        ``jit`` has made, followed by arguments: the program for arguments like these.
    threads
        None: as many as would be chosen.
    measure
        Whether the step, and each task of it, is also timed (some tenths of a second).

    Returns
    -------
    Report
        The graph before and after each pass; stages and barriers; kernels with their tiles, work and times; memory;
        threads and why; the time of a step against the arithmetic floor.

    Raises
    ------
    NativeError
        Where llvmlite is not installed.
    UnsupportedOpError, TracingError
        Where it cannot be compiled, naming the op.
    ArgumentError
        When ``what`` is none of these, or a run that has not begun.

    Examples
    --------
    >>> import numpy as np, lucidgrad as lg
    >>> report = lg.compile_report(lg.nn.Linear(784, 10), np.zeros((32, 784)), threads=1, measure=False)
    >>> print(report.stages_text())
    stage 1
      kernel0   matmul (32, 784) x (784, 10) in tiles of ..., then add -> %5: float32[32, 10]; one thread; at least ...
    """
    if not available():
        raise NativeError("compile_report expected llvmlite, which is not installed: everything runs eagerly.")
    if isinstance(what, Run):
        return _of_run(what, threads, measure)
    if isinstance(what, Module) and len(arguments) == 1:
        return _of_model(what, np.asarray(arguments[0]), threads, measure)
    if isinstance(what, Jitted):
        return Report(what.program(*arguments), "as always for a function", measure)
    raise ArgumentError(
        explain(
            "compile_report expected a Run, a model and its inputs, or a jitted function and its arguments",
            f"{type(what).__name__} and {len(arguments)} more",
            "compile_report(fit(...)), compile_report(model, x), compile_report(jit(f), *arguments)",
        )
    )


def _of_run(run: Run, threads: int | None, measure: bool) -> Report:
    samples = run.samples
    if samples is None:
        raise ArgumentError(explain("compile_report expected a run that has begun", "one that has not", "Call fit"))
    size = min(run.batch_size or len(samples), len(samples))
    chosen = native_threads(run.model, size) if threads is None else threads
    sources = [walkable(a) for a in (samples.x, samples.y, samples.weight) if a is not None]
    return Report(Steps(run, sources, size, chosen).program, _why(run.model, size, threads), measure)


def _of_model(model: Module, x: np.ndarray[Any, Any], threads: int | None, measure: bool) -> Report:
    tensors = held(model)
    dtype = x.dtype if x.dtype.kind != "f" else tensors[0].dtype if tensors else np.dtype(np.float32)
    chosen = native_threads(model, len(x)) if threads is None else threads
    inputs = [Place(ARRAY, panels=True)] * len(tensors) + [Place(ROWS)]
    program = Program(forward_graph(model, x.shape, dtype), inputs, [Place(ROWS)], threads=chosen)
    return Report(program, _why(model, len(x), threads), measure)


def _why(model: Module, rows: int, asked: int | None) -> str:
    if asked is not None:
        return "as asked for"
    work, least = step_work(model, rows) / 1e6, WORTH_THREADS / 1e6
    return (
        f"because a step has some {work:.3g} million operations; threads pay from {least:.2g} million on, "
        "on cores that have nothing else to do (else one works alone)"
    )
