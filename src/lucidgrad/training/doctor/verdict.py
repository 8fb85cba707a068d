"""What the doctor says: illnesses by name, with the numbers they were seen in; put into words of either language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.training.doctor.language import Language
from lucidgrad.training.doctor.language_en import ENGLISH
from lucidgrad.training.doctor.language_ko import KOREAN

LANGUAGES: dict[str, Language] = {"en": ENGLISH, "ko": KOREAN}


def language_of(code: str) -> Language:
    """The words of a language, by its code."""
    if code not in LANGUAGES:
        raise ArgumentError(explain(f"language expected one of {', '.join(LANGUAGES)}", repr(code), "Use 'en' or 'ko'"))
    return LANGUAGES[code]


@dataclass(frozen=True)
class Verdict:
    """One illness of a run.

    Parameters
    ----------
    illness
        Its name, a key of ``CHECKS``.
    evidence
        The numbers it was seen in, by name.
    epoch
        The epoch it was seen in, counted from 1, where it has one.
    layer
        The path of the layer it sits in, where it has one.

    Examples
    --------
    >>> from lucidgrad.training.doctor import Verdict
    >>> verdict = Verdict("dead_relu", {"dead": 60, "units": 64, "share": 60 / 64}, layer="0")
    >>> print(verdict.name("en"), "|", verdict.name("ko"))
    dead ReLUs | 죽은 ReLU
    >>> print(verdict.finding("en"))
    After layer 0, 60 of 64 ReLUs (94%) give 0 for every sample that was looked at: no gradient reaches their weights.
    """

    illness: str
    evidence: dict[str, Any] = field(default_factory=dict)
    epoch: int | None = None
    layer: str | None = None

    def name(self, language: str = "en") -> str:
        """What the illness is called.

        Parameters
        ----------
        language
            ``"en"`` or ``"ko"``.
        """
        return language_of(language).messages[self.illness].name

    def finding(self, language: str = "en") -> str:
        """What was seen, with its numbers.

        Parameters
        ----------
        language
            ``"en"`` or ``"ko"``.
        """
        words = language_of(language)
        return self._filled(words.messages[self.illness].finding, words)

    def remedy(self, language: str = "en") -> str:
        """What helps.

        Parameters
        ----------
        language
            ``"en"`` or ``"ko"``.
        """
        words = language_of(language)
        return self._filled(words.messages[self.illness].remedy, words)

    def _filled(self, template: str, words: Language) -> str:
        evidence = {k: words.terms.get(v, v) if isinstance(v, str) else v for k, v in self.evidence.items()}
        return template.format_map({**evidence, "epoch": self.epoch, "layer": self.layer})


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """All verdicts on a run, causes before their consequences; empty (and false) when nothing is wrong.

    Printing it gives the text in ``language``; ``text("ko")`` that of another one.

    Parameters
    ----------
    verdicts
        What was found.
    epochs
        How many the run has had.
    language
        ``"en"`` or ``"ko"``.

    Examples
    --------
    >>> from lucidgrad.training.doctor import Diagnosis, Verdict
    >>> Diagnosis(epochs=5)
    Nothing to find fault with in this run of 5 epochs.
    >>> diagnosis = Diagnosis((Verdict("dead_relu", {"dead": 60, "units": 64, "share": 60 / 64}, layer="0"),), epochs=5)
    >>> len(diagnosis), diagnosis.illnesses
    (1, ['dead_relu'])
    """

    verdicts: tuple[Verdict, ...] = ()
    epochs: int = 0
    language: str = "en"

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self.verdicts)

    def __len__(self) -> int:
        return len(self.verdicts)

    @property
    def illnesses(self) -> list[str]:
        """The names of what was found, each once."""
        return list(dict.fromkeys(v.illness for v in self.verdicts))

    def text(self, language: str | None = None) -> str:
        """The diagnosis in words.

        Parameters
        ----------
        language
            ``"en"`` or ``"ko"``. None: that of the diagnosis.

        Raises
        ------
        ArgumentError
            For another language.
        """
        code = language or self.language
        words = language_of(code)
        epochs = words.epoch if self.epochs == 1 else words.epochs.format(n=self.epochs)
        if not self.verdicts:
            return words.healthy.format(epochs=epochs)
        lines = [words.heading.format(count=len(self.verdicts), epochs=epochs)]
        for i, verdict in enumerate(self.verdicts, 1):
            lines.append(f"{i}. {verdict.name(code)}: {verdict.finding(code)}")
            lines.append(f"   {words.remedy}: {verdict.remedy(code)}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text()

    def _repr_markdown_(self) -> str:
        return self.text().replace("\n   ", "\n\n   ")
