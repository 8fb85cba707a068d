"""Values of options as they are typed: lists with commas, and names out of a set."""

from __future__ import annotations

from collections.abc import Iterable

import typer


def integers(option: str, text: str) -> tuple[int, ...]:
    """``"256,128"`` as (256, 128)."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a list of whole numbers such as 256,128", param_hint=option
        ) from None


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
