"""The formulas of pictures and explanations as LaTeX: they are written once, as text, and translated here."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from lucidgrad.seeing.readable import is_small, number

_LOW = str.maketrans("₀₁₂₃₄₅₆₇₈₉₋", "0123456789-")
_SIGNS = {
    "−": "-",
    "·": r" \cdot ",
    "⊙": r" \odot ",
    "≥": r" \ge ",
    "≤": r" \le ",
    "ℓ": r"\ell",
    "θ": r"\theta",
    "γ": r"\gamma",
    "β": r"\beta",
    "π": r"\pi",
    "²": "^{2}",
    "ᵀ": r"^{\top}",
    "′": r"^{\prime}",
    "Σ": r"\sum",
    "∂": r"\partial ",
    "⋯": r" \cdots ",
    "∞": r"\infty",
    "%": r"\%",
    "#": r"\#",
    "&": r"\&",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "$": r"\$",
    "^": r"\hat{}",
    "~": r"\sim ",
    "\\": r"\backslash ",
}
_SYMBOL = r"(?:[^\W\d_])[^\W²ᵀ₀₁₂₃₄₅₆₇₈₉₋]*[₀₁₂₃₄₅₆₇₈₉₋]*(?:\[[\d,]+\])?|%\d+"
_TOKEN = re.compile(
    rf"∂(?P<above>{_SYMBOL})/∂(?P<below>{_SYMBOL})"
    r"|(?P<mantissa>\d(?:\.\d+)?)e(?P<exponent>−?\d+)"
    r"|√(?P<root>\w)"
    r"|\^\((?P<raised>[^()]*)\)|\^ ?(?P<power>[\w.−]+)"
    r"|(?P<word>[^\W\d_²ᵀ₀₁₂₃₄₅₆₇₈₉][^\W²ᵀ₀₁₂₃₄₅₆₇₈₉]*)(?P<low>[₀₁₂₃₄₅₆₇₈₉₋]*)"
    r"|(?P<lower>[₀₁₂₃₄₅₆₇₈₉₋]+)"
    r"|(?P<sign>.)",
    re.DOTALL,
)


def latex_of(text: str) -> str:
    r"""A formula in LaTeX.

    >>> print(latex_of("(∂L/∂z₁)ᵀ · x"))
    (\frac{\partial L}{\partial z_{1}})^{\top} \cdot x
    """
    return re.sub(r"  +", " ", _TOKEN.sub(_token, text)).strip()


def _token(found: re.Match[str]) -> str:
    got = found.groupdict()
    if got["above"]:
        return rf"\frac{{\partial {latex_of(got['above'])}}}{{\partial {latex_of(got['below'])}}}"
    if got["mantissa"]:
        return rf"{got['mantissa']} \times 10^{{{got['exponent'].replace('−', '-')}}}"
    if got["root"]:
        return rf"\sqrt{{{latex_of(got['root'])}}}"
    if got["raised"] or got["power"]:
        return f"^{{{latex_of(got['raised'] or got['power'])}}}"
    if got["word"]:
        low = f"_{{{got['low'].translate(_LOW)}}}" if got["low"] else ""
        return _word(got["word"]) + low
    if got["lower"]:
        return f"_{{{got['lower'].translate(_LOW)}}}"
    return _SIGNS.get(got["sign"], got["sign"])


def _word(word: str) -> str:
    """A symbol of one letter as it is, the name of a function or of a tensor upright."""
    if len(word) == 1:
        return _SIGNS.get(word, word)
    letters = "".join(_SIGNS.get(c, c) for c in word)
    return rf"\mathrm{{{letters}}}"


def array_latex(value: Any, digits: int) -> str | None:
    """A small array as a matrix; None for a large one."""
    array = np.asarray(value)
    if not array.ndim:
        return latex_of(number(array[()], digits))
    if not is_small(array.shape):
        return None
    rows = [" & ".join(latex_of(number(x, digits)) for x in row) for row in np.atleast_2d(array)]
    return r"\begin{bmatrix} " + r" \\ ".join(rows) + r" \end{bmatrix}"
