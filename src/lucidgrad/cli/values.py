"""Values of options as they are typed: lists with commas, names out of a set, and files to write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from lucidgrad.errors import ArgumentError, explain


def integers(option: str, text: str) -> tuple[int, ...]:
    """``"256,128"`` as (256, 128), each at least 1."""
    try:
        made = tuple(int(part) for part in text.split(","))
    except ValueError:
        made = (0,)
    if min(made) < 1:
        raise typer.BadParameter(
            f"{text!r} is not a list of whole numbers of at least 1, such as 256,128", param_hint=option
        )
    return made


def names(option: str, text: str, known: Iterable[str]) -> tuple[str, ...]:
    """``"relu,tanh"`` as ("relu", "tanh"), each of them known."""
    return tuple(name(option, part, known) for part in text.split(","))


def name(option: str, text: str, known: Iterable[str]) -> str:
    """A name that has to be known; dashes and underscores are the same."""
    choices = {choice.replace("-", "_"): choice for choice in known}
    plain = text.strip().lower().replace("-", "_")
    if plain not in choices:
        raise typer.BadParameter(f"{text!r} is none of {', '.join(choices.values())}", param_hint=option)
    return choices[plain]


def check_output(output: Path, inputs: Iterable[Path]) -> None:
    """ArgumentError where a command could not write, or would write over what it reads: told before its work."""
    if output.is_dir() or not output.parent.is_dir():
        got = "a folder" if output.is_dir() else f"a place in {output.parent}, which is not there"
        raise ArgumentError(explain("the output expected the name of a file", f"{output}: {got}", "Name another"))
    if output.resolve() in [path.resolve() for path in inputs]:
        raise ArgumentError(explain("the output expected another file", f"{output}, an input", "Name another"))
