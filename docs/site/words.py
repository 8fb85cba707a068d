"""The few words that the site itself says, in both languages."""

from __future__ import annotations

LANGUAGES = {"en": "English", "ko": "한국어"}

SECTIONS = {
    "data": "데이터",
    "layers": "층",
    "loss": "손실 함수",
    "gradients": "기울기",
    "update": "갱신",
    "compiled": "컴파일",
    "trained": "학습",
    "shipped": "내보내기",
    "shown": "그림으로 보기",
    "what": "오류",
}

WORDS = {
    "en": {
        "title": "lucidgrad",
        "reference": "API reference",
        "reference_intro": "Every public name, in the order of the story. The examples are run by the tests.",
        "what": "Errors",
        "untranslated": "",
    },
    "ko": {
        "title": "lucidgrad",
        "reference": "API 레퍼런스",
        "reference_intro": "공개된 이름을 이야기 순서대로 모았습니다. 설명은 영어이고 예제는 테스트에서 실행됩니다.",
        "what": "오류",
        "untranslated": "이 페이지는 아직 한국어로 옮기지 않아 영어 원문을 그대로 보여 드립니다.",
    },
}

# What the theme says, where it has no Korean of its own.
THEME = {
    "On this page": "이 페이지의 내용",
    "Next": "다음",
    "Previous": "이전",
    "Home": "처음으로",
    "Back to top": "맨 위로",
    "Skip to content": "본문으로 건너뛰기",
    "Search": "검색",
    "Contents": "목차",
}


def section_title(title: str, language: str) -> str:
    """What a section of the table of contents is called on the site."""
    if language == "ko":
        return SECTIONS.get(title, title.capitalize())
    return WORDS["en"].get(title, title.capitalize())
