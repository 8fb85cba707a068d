from __future__ import annotations

import subprocess
import sys

import pytest

import lucidgrad as lg
from lucidgrad.plot import Boundary, boundary_panels, loss_curves, png_bytes, save_png, set_language
from lucidgrad.plot.style import line_style
from lucidgrad.training import History

HISTORY = History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}])


def test_a_png_is_written_whole_and_is_the_same_bytes_again(tmp_path):
    target = tmp_path / "loss.png"
    save_png(loss_curves({"a": HISTORY}), target)
    assert target.read_bytes().startswith(b"\x89PNG\r\n")
    assert target.read_bytes() == png_bytes(loss_curves({"a": HISTORY}))
    assert list(tmp_path.iterdir()) == [target]


def brightness(colour: str) -> float:
    """Relative luminance, from 0 to 1 (WCAG 2.2)."""
    levels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in levels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_every_line_is_seen_on_white_and_eight_of_them_are_told_apart_without_colour():
    styles = [line_style(i) for i in range(8)]
    assert min(1.05 / (brightness(style.colour) + 0.05) for style in styles) > 2
    assert len({(style.dash, style.marker) for style in styles}) == 8


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        save_png(loss_curves({"a": HISTORY}), tmp_path / "nowhere" / "loss.png")


@pytest.mark.parametrize("panels", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_no_title_is_cut_off_where_a_picture_is_drawn_once(panels, language):
    x = lg.data.standardize(lg.data.circles(300, noise=0.08, seed=0)[0])[0]
    boundary = Boundary.of(lg.nn.Linear(2, 2, key=lg.Key(0)), x, points=9, title="층 하나: 51 %")
    set_language(language)
    try:
        figure = boundary_panels([boundary] * panels, x, [0, 1] * 150)
        png_bytes(figure)
    finally:
        set_language("en")
    for axes in (axes for axes in figure.axes if axes.get_visible()):
        title = axes._left_title.get_window_extent(figure.canvas.get_renderer())
        assert title.y1 <= figure.bbox.height


def test_a_notebook_can_show_a_figure():
    assert loss_curves({"a": HISTORY})._repr_png_().startswith(b"\x89PNG")


def test_importing_plot_loads_no_matplotlib_and_drawing_loads_no_pyplot():
    code = (
        "import sys, lucidgrad.plot as p; from lucidgrad.training import History;"
        "assert 'matplotlib' not in sys.modules;"
        "p.png_bytes(p.loss_curves({'a': History([{'epoch': 1, 'loss': 2.0}])}));"
        "assert 'matplotlib' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
