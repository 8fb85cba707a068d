"""The words that pictures bring along, in the language that was chosen. Titles and names are the caller's."""

from __future__ import annotations

from typing import Any

from lucidgrad.errors import ArgumentError, explain

KOREAN = {
    "epoch": "에포크",
    "training": "학습",
    "validation": "검증",
    "loss": "손실",
    "loss (nats)": "손실 (nat)",
    "accuracy (%)": "정확도 (%)",
    "max |w|": "최대 |w|",
    "weight": "가중치",
    "weights": "가중치",
    "activation": "활성값",
    "layer {number} ({path})": "{number}번째 층 ({path})",
    "median": "중앙값",
    "middle half": "가운데 50 %",
    "middle nine tenths": "가운데 90 %",
    "before training": "학습 전",
    "after training": "학습 후",
    "hidden layers": "은닉층 수",
    "norm of the first layer's gradient": "첫째 층 기울기의 노름",
    "feature 1": "특성 1",
    "feature 2": "특성 2",
    "class {number}": "클래스 {number}",
    "samples": "샘플",
    "predicted class": "예측한 클래스",
    "true class": "실제 클래스",
    "share of the true class": "실제 클래스에서 차지하는 비율",
    "{true} taken for {predicted}\n{sure:.0f} % sure": "정답 {true}, 예측 {predicted}\n확신 {sure:.0f} %",
    "none: all {count} samples were told right": "없음: 샘플 {count}개를 모두 맞혔습니다",
    "mean predicted probability": "예측 확률의 평균",
    "share that was right": "실제로 맞은 비율",
    "perfect calibration": "완전한 보정",
    "this model": "이 모델",
    "number of samples": "샘플 수",
    "number of rows": "행 수",
    "true {name}": "실제 {name}",
    "predicted {name}": "예측한 {name}",
    "predicted less true": "예측값 - 실제값",
    "rise of the error when shuffled": "섞었을 때 오차의 증가",
    "expected calibration error {error:.3f}": "기대 보정 오차 {error:.3f}",
    "learning rate": "학습률",
    "loss before the step": "갱신 전 손실",
    "measured": "측정값",
    "smoothed": "매끄럽게 한 값",
    "suggested: {rate:.2g}": "추천: {rate:.2g}",
    "least: {rate:.2g}": "최소: {rate:.2g}",
    "instructions": "명령 수",
    "traced": "추적",
    "kernels": "커널",
    "product": "행렬 곱",
    "sum": "합산",
    "element by element": "원소별 계산",
    "copy": "복사",
    "{count} more": "나머지 {count}개",
    "share of the step's time (%)": "한 스텝에서 차지하는 시간 (%)",
    "arithmetic alone": "순수 연산 시간",
    "microseconds in a step": "한 스텝 안의 시간 (µs)",
    "thread {number}": "스레드 {number}",
    "the threads wait": "스레드가 서로 기다리는 곳",
}
LANGUAGES: dict[str, dict[str, str]] = {"en": {}, "ko": KOREAN}
_current = "en"


def set_language(language: str) -> None:
    """Label all pictures drawn from now on in English (``"en"``, as in the beginning) or Korean (``"ko"``).

    Parameters
    ----------
    language
        ``"en"`` or ``"ko"``.

    Raises
    ------
    ArgumentError
        When it is another.

    Examples
    --------
    >>> from lucidgrad import plot
    >>> plot.set_language("ko")
    >>> plot.confusion_matrix([[5, 1], [0, 6]]).axes[0].get_xlabel()
    '예측한 클래스'
    >>> plot.set_language("en")
    """
    global _current
    if language not in LANGUAGES:
        raise ArgumentError(explain("language expected one of en, ko", repr(language), "Use 'en' or 'ko'"))
    _current = language


def word(text: str, **values: Any) -> str:
    """``text`` in the current language, with ``values`` in its braces; what has no translation stays as it is."""
    found = LANGUAGES[_current].get(text, text)
    return found.format_map(values) if values else found
