from __future__ import annotations

import numpy as np
import pytest

from lucidgrad.errors import ArgumentError, ShapeError
from lucidgrad.plot import bars, lines


def test_lines_have_a_curve_for_each_label_and_ticks_where_was_measured():
    sizes = [8, 64, 512]
    figure = lines(sizes, {"a": [1, 2, 4], "b": [3, np.nan, 1]}, log_x=True, log_y=True, markers=True, title="times")
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["a", "b"]
    assert axes.lines[0].get_ydata() == pytest.approx([1, 2, 4])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["8", "64", "512"]
    assert axes.lines[0].get_linestyle() != axes.lines[1].get_linestyle()  # told apart without colour
    assert figure.get_suptitle() == "times"


@pytest.mark.parametrize(
    ("x", "curves", "error", "message"),
    [
        ([1, 2], {}, ArgumentError, "at least one curve, got none"),
        ([1, 2], {"a": [1]}, ShapeError, r"as many numbers for 'a', got \(2,\) and \(1,\)"),
    ],
)
def test_lines_want_as_many_numbers_as_places(x, curves, error, message):
    with pytest.raises(error, match=message):
        lines(x, curves)


def test_bars_stand_side_by_side_with_their_numbers_on_them_and_patterns_for_print():
    (axes,) = bars(["x", "y"], {"a": [1, 2], "b": [3, 4]}, form=".1f").axes
    assert [bar.get_height() for bar in axes.patches] == [1, 2, 3, 4]
    assert [text.get_text() for text in axes.texts] == ["1.0", "2.0", "3.0", "4.0"]
    assert axes.patches[0].get_hatch() != axes.patches[2].get_hatch()
    middles = [bar.get_x() + bar.get_width() / 2 for bar in axes.patches]
    assert np.mean(middles[0::2]) == pytest.approx(0)
    assert np.mean(middles[1::2]) == pytest.approx(1)


def test_bars_want_a_number_for_each_name():
    with pytest.raises(ArgumentError, match=r"a number for each of 2 names, got \{'a': 1\}"):
        bars(["x", "y"], {"a": [1]})
