"""What a language has to have words for: each illness, and what stands around them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """What is said about an illness; braces name pieces of its evidence, ``epoch`` or ``layer``."""

    name: str
    finding: str
    remedy: str


@dataclass(frozen=True)
class Language:
    """All words of the doctor in one language: ``messages`` by illness, and the ``terms`` that stand in evidence.

    ``epoch`` stands in heading and ``healthy`` for one epoch, ``epochs`` for several.
    """

    heading: str
    healthy: str
    epoch: str
    epochs: str
    remedy: str
    terms: dict[str, str]
    messages: dict[str, Message]
