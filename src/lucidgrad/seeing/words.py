"""The words of pictures and pages, in English and in Korean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lucidgrad.errors import ArgumentError, explain
from lucidgrad.seeing.chart import Vertex

_EN = {
    "mean": "mean",
    "span": "from",
    "data": "data",
    "parameter": "parameter",
    "input": "input",
    "constant": "constant",
    "title": "Computational graph",
    "forward": "forward: values",
    "backward": "backward: gradients ∇ and chain-rule factors",
    "described": "{ops} operations and {parameters} parameters; the result is {result}",
    "parameters": "{count} parameters inside",
}
_KO = {
    "mean": "평균",
    "span": "…",
    "data": "데이터",
    "parameter": "매개변수",
    "input": "입력",
    "constant": "상수",
    "title": "계산 그래프",
    "forward": "순전파: 값",
    "backward": "역전파: 기울기 ∇와 연쇄 법칙의 인수",
    "described": "연산 {ops}개, 매개변수 {parameters}개, 결과는 {result}",
    "parameters": "안에 매개변수 {count}개",
}
LANGUAGES = {"en": _EN, "ko": _KO}


@dataclass(frozen=True)
class Words:
    """The words of one language."""

    language: str
    table: dict[str, str]

    def __call__(self, name: str, **values: Any) -> str:
        """A phrase with its blanks filled in."""
        return self.table[name].format(**values)

    @property
    def summary(self) -> tuple[str, str]:
        """How a large array is summed up."""
        return self.table["mean"], self.table["span"]

    def op(self, vertex: Vertex) -> str:
        """What a box is called; names of ops and paths of parameters are the same in every language."""
        return self.table.get(vertex.title, vertex.title) if vertex.kind in ("data", "parameter") else vertex.title


def words_of(language: str) -> Words:
    """The words of a language."""
    if language not in LANGUAGES:
        raise ArgumentError(
            explain(f"language expected one of {tuple(LANGUAGES)}", repr(language), "language='en' is usual")
        )
    return Words(language, LANGUAGES[language])
