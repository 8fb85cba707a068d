"""Pictures in Korean: every word is translated, and every letter is drawn."""

from __future__ import annotations

import ast
import string
import warnings
from pathlib import Path

import numpy as np
import pytest

import lucidgrad as lg
from lucidgrad import plot
from lucidgrad.errors import ArgumentError
from lucidgrad.plot.language import KOREAN
from lucidgrad.training import History

FOLDER = Path(plot.__file__).parent


@pytest.fixture
def korean():
    plot.set_language("ko")
    yield
    plot.set_language("en")


def own_words() -> set[str]:
    """The strings in the package's sources that are given to word() or dress()."""
    found = set()
    for path in FOLDER.glob("*.py"):
        for call in (n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Call)):
            name = getattr(call.func, "id", "")
            given = (
                call.args[:1] if name == "word" else [k.value for k in call.keywords if k.arg in ("x", "y", "title")]
            )
            if name in ("word", "dress"):
                found |= {n.value for g in given for n in ast.walk(g) if isinstance(n, ast.Constant)}
    return {text for text in found if isinstance(text, str) and text}


def test_every_word_that_pictures_bring_along_has_a_translation_with_the_same_values():
    assert own_words() - KOREAN.keys() == set()
    for english, korean in KOREAN.items():
        fields = [{f for _, f, _, _ in string.Formatter().parse(t) if f} for t in (english, korean)]
        assert fields[0] == fields[1]


def test_labels_are_korean_when_asked_for(korean):
    axes = plot.loss_curves({"모델": History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}])}).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("에포크", "손실 (nat)", "학습")
    axes = plot.decision_boundary(lg.nn.Linear(2, 2), np.eye(2), np.array([0, 1]), points=5).axes[0]
    assert axes.get_xlabel() == "특성 1"
    assert [t.get_text() for t in axes.figure.legends[0].get_texts()] == ["클래스 0", "클래스 1"]


def test_an_unknown_language_is_an_error():
    with pytest.raises(ArgumentError, match="language expected one of en, ko, got 'fr'"):
        plot.set_language("fr")


def test_every_letter_of_every_korean_word_is_in_the_font_that_comes_along(korean):
    from matplotlib import font_manager

    known = font_manager.get_font(FOLDER / "fonts" / "LucidHangul-Bold.ttf").get_charmap()
    letters = {c for text in KOREAN.values() for c in text if ord(c) > 0x3000}
    assert letters
    assert {c for c in letters if ord(c) not in known} == set()


@pytest.mark.parametrize("title", ["과적합", "학습률 η와 손실 ∂L/∂w", "ㄱ"])
def test_korean_titles_are_drawn_without_a_missing_glyph_also_in_english_pictures(title):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns about each glyph that no font has
        drawn = plot.png_bytes(plot.confusion_matrix([[5, 1], [0, 6]], title=title))
        other = plot.png_bytes(plot.confusion_matrix([[5, 1], [0, 6]], title="뷘" + title[1:]))
    assert drawn != other


def test_a_letter_that_no_font_has_is_told():
    with pytest.warns(UserWarning, match=r"missing from font\(s\).*Lucid Hangul"):
        plot.png_bytes(plot.confusion_matrix([[5, 1], [0, 6]], title="똠뾁漢"))


def test_drawing_korean_changes_no_setting_of_matplotlib(korean):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    plot.png_bytes(plot.confusion_matrix([[5, 1], [0, 6]], title="한글"))
    assert dict(mpl.rcParams) == before
