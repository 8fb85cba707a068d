"""What the page of a step says, in English and in Korean; both are on the page, and a key changes between them."""

from __future__ import annotations

from typing import Any

PHRASES: dict[str, tuple[str, str]] = {
    # the phases
    "data": ("Minibatch", "미니배치"),
    "forward": ("Forward", "순전파"),
    "backward": ("Backward", "역전파"),
    "update": ("Update", "갱신"),
    "result": ("Result", "결과"),
    # titles and explanations
    "data_title": ("The minibatch", "미니배치"),
    "data_text": (
        "Epoch {epoch}, minibatch {batch}: {count} samples, in an order that follows from the seed.",
        "에포크 {epoch}의 미니배치 {batch}에는 표본이 {count}개 있습니다. 순서는 시드에서 정해집니다.",
    ),
    "samples": ("They are number {rows}.", "표본 번호는 {rows}입니다."),
    "forward_text": (
        "The op {op} computes {y} from {inputs}.",
        "연산 {op}: {inputs}에서 {y}의 값을 계산합니다.",
    ),
    "loss_text": (
        "The last op of the way forward gives the loss: how wrong the predictions are, as one number.",
        "순전파의 마지막 연산이 손실을 냅니다. 예측이 얼마나 틀렸는지를 나타내는 숫자 하나입니다.",
    ),
    "seed_text": (
        "The way back begins at the loss: the derivative of L after itself is 1.",
        "역전파는 손실에서 출발합니다. L을 자기 자신으로 미분하면 1입니다.",
    ),
    "backward_text": (
        "The gradient ∇{y} is known. The chain rule multiplies it by the derivative of {op} after each input.",
        "∇{y}의 값은 이미 알고 있습니다. 연쇄 법칙에 따라 여기에 {op}의 입력별 미분을 곱합니다.",
    ),
    "adds_text": (
        "{names} is used in several places: the parts of its gradient are added up.",
        "{names}: 여러 곳에 쓰이므로 각 경로의 기울기를 모두 더합니다.",
    ),
    "norm_text": (
        "The gradients together have the norm {norm}; at most {limit} is allowed. {factor} times each.",
        "전체 기울기의 노름은 {norm}, 허용되는 최댓값은 {limit}입니다. 모든 기울기에 곱하는 값은 {factor}입니다.",
    ),
    "norm_fine_text": (
        "The gradients together have the norm {norm}. At most {limit} is allowed, so they stay as they are.",
        "전체 기울기의 노름은 {norm}입니다. 허용되는 최댓값 {limit} 이하이므로 그대로 둡니다.",
    ),
    "wrapped_text": (
        "Before the optimiser gets to see the gradients, {wrapper} changes them.",
        "옵티마이저에 넘기기 전에 {wrapper}에서 기울기를 먼저 다듬습니다.",
    ),
    "wrapped_title": ("Gradients on their way", "기울기 다듬기"),
    "update_title": ("Update {path}", "{path} 갱신"),
    "update_text": (
        "The optimiser's rule gives {symbol} new values from its gradient. {changed} of {count} numbers change.",
        "옵티마이저의 규칙에 따라 기울기로 {symbol}의 새 값을 구합니다. 숫자 {count}개 가운데 {changed}개가 바뀝니다.",
    ),
    "minimiser_text": (
        "{optimizer} minimises the loss by itself: it goes forward and backward often; the first time is shown.",
        "{optimizer}: 순전파와 역전파를 되풀이하며 손실을 스스로 최소화합니다. 여기서는 첫 번째만 봅니다.",
    ),
    "buffers_title": ("Running statistics", "이동 통계량"),
    "buffers_text": (
        "On the way forward the layer has also updated what it uses for predictions later.",
        "순전파 도중에, 나중에 예측할 때 쓸 통계량도 함께 갱신되었습니다.",
    ),
    "result_title": ("After the step", "스텝을 마치고"),
    "result_text": (
        "On the same minibatch the loss was {before} before the update and is {after} now.",
        "같은 미니배치에서 손실은 갱신 전 {before}, 갱신 후 {after}입니다.",
    ),
    "same_text": (
        "These are the numbers of the run, bit for bit: it ran op by op too.",
        "실제 학습의 숫자와 비트 하나까지 같습니다. 그 학습도 연산을 하나씩 실행했기 때문입니다.",
    ),
    "native_run_text": (
        "The run did this step in machine code, which keeps nothing of what lies between.",
        "실제 학습은 이 스텝을 기계어로 실행했고, 도중의 값은 남기지 않았습니다.",
    ),
    "own_text": (
        "Parameters and loss are those of the run in machine code, bit for bit.",
        "매개변수와 손실은 기계어로 실행한 실제 학습의 값과 비트까지 같습니다.",
    ),
    "replay_text": (
        "Values and gradients between them come from an eager replay from the same parameters, equal up to rounding.",
        "그 사이의 값과 기울기는 같은 매개변수에서 다시 실행하여 얻었고, 반올림 차이가 있을 수 있습니다.",
    ),
    "loss_native_text": (
        "The replay has {eager} here; the run itself had {own}.",
        "다시 실행하여 얻은 값은 {eager}, 실제 학습의 값은 {own}입니다.",
    ),
    "update_native_text": (
        "What stands after the update is the run's own; the one element is worked out with the replayed gradient.",
        "갱신 후의 값은 실제 학습의 값이고, 원소 하나의 계산에는 다시 실행하여 얻은 기울기를 썼습니다.",
    ),
    "differs_text": (
        "The eager replay differs by at most {parameters} in the parameters and by {loss} in the loss: rounding.",
        "다시 실행하여 얻은 값과의 차이는 매개변수에서 최대 {parameters}, 손실에서 {loss}, 모두 반올림 차이입니다.",
    ),
    "equal_text": (
        "The eager replay has the very same.",
        "다시 실행하여 얻은 값도 똑같습니다.",
    ),
    "stopped_text": (
        "The loss is {loss}, no finite number: the run has left the update out, and stopped.",
        "손실이 {loss}, 곧 유한한 수가 아니므로 실제 학습은 갱신을 하지 않고 멈췄습니다.",
    ),
    "checked_text": (
        "Checked: {count} replayed epochs have the losses and weights of the run's history.",
        "확인함: 다시 실행한 에포크 {count}개의 손실과 가중치가 학습 기록과 일치합니다.",
    ),
    # roles of tables
    "input": ("in", "입력"),
    "output": ("out", "출력"),
    "gradient": ("gradient", "기울기"),
    "part": ("gradient so far", "지금까지의 기울기"),
    "before": ("before", "갱신 전"),
    "after": ("after", "갱신 후"),
    "change": ("change", "변화량"),
    "factor": ("factor", "연쇄 법칙의 인수"),
    "targets": ("targets", "정답"),
    "inputs": ("inputs", "입력"),
    "weights": ("weights of the samples", "표본 가중치"),
    "run_loss": ("loss of the run", "실제 학습의 손실"),
    # the page itself
    "title": ("A training step in slow motion", "슬로 모션으로 보는 학습 스텝"),
    "where": ("epoch {epoch} · minibatch {batch} · step {step}", "에포크 {epoch} · 미니배치 {batch} · 스텝 {step}"),
    "native": (
        "native run, eager replay",
        "네이티브 실행, 중간값은 재현",
    ),
    "eager": ("eager run", "즉시 실행"),
    "graph": ("Computational graph", "계산 그래프"),
    "formula": ("Formula", "수식"),
    "example": ("One element", "원소 하나로 보면"),
    "numbers": ("Numbers", "숫자"),
    "code": ("Native kernel", "네이티브 커널"),
    "code_text": (
        "LLVM assembly of the kernel in which these numbers arise when the step runs as machine code.",
        "이 스텝을 기계어로 실행할 때 이 숫자를 계산하는 커널의 LLVM 어셈블리입니다.",
    ),
    "no_code": (
        "No kernel stores or computes these numbers in this form: the compiler's passes have rewritten this op.",
        "이 숫자를 그대로 계산하는 커널은 없습니다. 컴파일러 패스가 이 연산을 다른 형태로 바꾸었습니다.",
    ),
    "no_program": (
        "There is no native program of this step: {reason}.",
        "이 스텝의 네이티브 프로그램이 없습니다: {reason}.",
    ),
    "left_out": ("{count} more lines are left out.", "{count}줄은 생략했습니다."),
    "first": ("First", "처음"),
    "previous": ("Back", "이전"),
    "next": ("Next", "다음"),
    "last": ("Last", "마지막"),
    "play": ("Play", "재생"),
    "pause": ("Pause", "멈춤"),
    "help": ("Keys", "단축키"),
    "close": ("Close", "닫기"),
    "language": ("한국어", "English"),
    "language_key": ("to Korean and back", "영어로 바꾸기, 되돌리기"),
    "position": ("{at} of {count}", "{count}개 중 {at}번째"),
    "arrows_key": ("one op forward, one back", "다음 연산, 이전 연산"),
    "layers_key": ("next layer, previous layer", "다음 층, 이전 층"),
    "phases_key": (
        "jump to minibatch, forward, backward, update, result",
        "미니배치, 순전파, 역전파, 갱신, 결과로 이동",
    ),
    "ends_key": ("first, last", "처음, 마지막"),
    "play_key": ("play, pause", "재생, 멈춤"),
    "code_key": ("show the native kernel", "네이티브 커널 보기"),
    "zoom_key": ("zoom the graph; 0: as it was", "그래프 확대, 축소; 0: 원래대로"),
    "help_key": ("this help", "이 도움말"),
    "parameter": ("parameter", "매개변수"),
    "norm_before": ("norm before", "갱신 전 노름"),
    "norm_after": ("norm after", "갱신 후 노름"),
    "norm_change": ("norm of change", "변화량 노름"),
    "norm_gradient": ("norm of ∇", "∇의 노름"),
    "mean": ("mean", "평균"),
    "deviation": ("deviation", "표준편차"),
    "least": ("least", "최솟값"),
    "largest": ("largest", "최댓값"),
    "zeros": ("zeros", "0의 비율"),
    "whole": ("the whole array, neighbours taken together", "배열 전체 (이웃한 값은 묶음)"),
    "zoom_in": ("Zoom in", "확대"),
    "zoom_out": ("Zoom out", "축소"),
    "fit": ("Whole graph", "그래프 전체"),
    "no_script": ("This page needs JavaScript to show the step.", "이 페이지를 보려면 자바스크립트가 필요합니다."),
    "heat": ("negative … 0 … positive", "음수 … 0 … 양수"),
}

LANGUAGES = ("en", "ko")


def phrase(name: str, **values: Any) -> dict[str, str]:
    """A phrase in both languages, with its blanks filled in.

    >>> phrase("position", at=2, count=9)
    {'en': '2 of 9', 'ko': '9개 중 2번째'}
    """
    return {language: text.format(**values) for language, text in zip(LANGUAGES, PHRASES[name], strict=True)}


def same(text: str) -> dict[str, str]:
    """What is written alike in both languages, such as a formula."""
    return dict.fromkeys(LANGUAGES, text)


def joined(*parts: dict[str, str]) -> dict[str, str]:
    """Sentences one after the other."""
    return {language: " ".join(part[language] for part in parts) for language in LANGUAGES}
