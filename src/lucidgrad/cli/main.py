"""``lucidgrad``: the commands, and what happens when one of them fails.

Exit codes: 0 when all went well, 1 for an error that lucidgrad or the system has explained, 2 for a command that was
not understood, 130 after Ctrl-C, 143 after a request to end (SIGTERM).
"""

from __future__ import annotations

import platform
import signal
import sys
import threading
from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any, NoReturn

import typer

from lucidgrad import interrupt
from lucidgrad.cli.data import data
from lucidgrad.cli.evaluate import evaluate
from lucidgrad.cli.export import export
from lucidgrad.cli.inspect import inspect
from lucidgrad.cli.lab import lab
from lucidgrad.cli.predict import predict
from lucidgrad.cli.train import train
from lucidgrad.errors import LucidgradError

app = typer.Typer(
    name="lucidgrad",
    help="A neural-network framework you can see through.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _interruptible(command: Callable[..., None]) -> Callable[..., None]:
    """The command, which tells that it was interrupted: Typer leaves without a word."""

    @wraps(command)
    def call(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except KeyboardInterrupt:
            sys.exit(_failed("interrupted", interrupt.INTERRUPTED))

    return call


for _command in (lab, train, predict, evaluate, data, inspect, export):
    app.command()(_interruptible(_command))


def main() -> None:
    """Run the command line; a failure is a line on standard error and an exit code, never a traceback."""
    before = signal.signal(signal.SIGTERM, _end) if threading.current_thread() is threading.main_thread() else None
    is_process = False
    try:
        try:
            is_process = interrupt.loaded()
            app()
        except BaseException as error:
            _leave(error)
    except KeyboardInterrupt:  # in the moment in which it left
        sys.exit(_failed("interrupted", interrupt.INTERRUPTED))
    finally:
        if is_process:
            interrupt.done()
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _leave(error: BaseException) -> NoReturn:
    """End with the exit code of what ended the command, and say what it was where nobody has."""
    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, SystemExit):
        if isinstance(getattr(error.__context__, "__cause__", None), KeyboardInterrupt):  # Typer's way to end by it
            _failed("interrupted", interrupt.INTERRUPTED)
        elif error.code == 1 and interrupt.came():
            sys.exit(interrupt.INTERRUPTED)
        raise error
    if isinstance(error, KeyboardInterrupt):
        sys.exit(_failed("interrupted", interrupt.INTERRUPTED))
    is_explained = isinstance(error, LucidgradError | OSError)
    if interrupt.came():
        what = message if is_explained else f"{type(error).__name__}: {message}"
        sys.exit(_failed(f"interrupted ({what})", interrupt.INTERRUPTED))
    if is_explained:
        sys.exit(_failed(message, 1))
    raise error


def _end(number: int, frame: Any) -> NoReturn:
    """Leave by way of everything that cleans up behind itself: half a file is not left behind."""
    sys.exit(_failed("asked to end", 128 + number))


def _failed(message: str, code: int) -> int:
    print(f"lucidgrad: {message}", file=sys.stderr)
    return code


def _version(wanted: bool) -> None:
    if wanted:
        import numpy

        from lucidgrad import __version__
        from lucidgrad.compiler.machine import description

        print(f"lucidgrad {__version__}")
        print(f"Python {platform.python_version()}, NumPy {numpy.__version__}")
        print(description())
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Show the versions and the engine, and leave."
        ),
    ] = False,
) -> None:
    """A neural-network framework you can see through."""
