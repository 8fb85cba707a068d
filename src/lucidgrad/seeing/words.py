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
    "fold all": "Fold all",
    "unfold all": "Unfold all",
    "fold": "{layer}: fold into one box",
    "unfold": "{layer}: unfold",
    "of array": "{name}: the gradient of the loss L after {title} ({shape}), by the chain rule",
    "of number": "{name} = {value}: the gradient of the loss L after {title}, by the chain rule",
    "forward pass": "Forward",
    "backward pass": "Backward, from the loss on",
    "factors": "The factors",
    "one path": "Along the only path",
    "no path": "No path leads there: the loss does not use this element",
    "paths": "Along {count} paths",
    "largest paths": "Along {count} paths, of which these {shown} count most",
    "further paths": "and {count} further paths",
    "sum of further paths": "and {count} further paths, together {value}",
    "together": "Together",
    "note ⊙": "⊙ multiplies element by element",
    "note ·": "· is the product of matrices",
    "note ᵀ": "ᵀ swaps rows and columns",
    "note Σ": "Σ₀ adds up over axis 0",
    "note stretch": "stretch repeats along the axes that were summed over",
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
    "fold all": "모두 접기",
    "unfold all": "모두 펼치기",
    "fold": "{layer}: 상자 하나로 접기",
    "unfold": "{layer}: 펼치기",
    "of array": "{name}: {title}({shape})에 대한 손실 L의 기울기를 연쇄 법칙으로 구하기",
    "of number": "{name} = {value}: {title}에 대한 손실 L의 기울기를 연쇄 법칙으로 구하기",
    "forward pass": "순전파",
    "backward pass": "역전파: 손실에서 거꾸로",
    "factors": "곱할 편미분",
    "one path": "경로는 하나뿐",
    "no path": "이어지는 경로가 없음: 손실 계산에 쓰이지 않는 원소",
    "paths": "경로 {count}개",
    "largest paths": "경로 {count}개 가운데 영향이 가장 큰 {shown}개",
    "further paths": "그 밖의 경로 {count}개",
    "sum of further paths": "그 밖의 경로 {count}개의 합: {value}",
    "together": "모두 더하면",
    "note ⊙": "⊙: 원소끼리 곱하기",
    "note ·": "·: 행렬곱",
    "note ᵀ": "ᵀ: 전치",
    "note Σ": "Σ₀: 0번 축을 따라 더하기",
    "note stretch": "stretch: 합쳐진 축을 따라 값을 되풀이하기",
}
LANGUAGES = {"en": _EN, "ko": _KO}


@dataclass(frozen=True)
class Words:
    """The words of one language."""

    language: str
    table: dict[str, str]

    def __call__(self, phrase: str, **values: Any) -> str:
        """A phrase with its blanks filled in."""
        return self.table[phrase].format(**values)

    def notes(self, text: str) -> list[str]:
        """What the signs of equations mean, of those that are in a text."""
        return [self(f"note {sign}") for sign in ("⊙", "·", "ᵀ", "Σ", "stretch") if sign in text]

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
