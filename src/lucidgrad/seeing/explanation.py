"""What explain gives: the chain rule as data, as text, and as formulas, in English and in Korean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad.seeing.equations import element_text, number_in_product
from lucidgrad.seeing.latex import array_latex, latex_of
from lucidgrad.seeing.readable import lines, number, shape_text
from lucidgrad.seeing.words import Words

WIDE = 100  # characters of a line of text; longer products are broken


@dataclass(frozen=True)
class Factor:
    """One factor of the chain rule.

    Attributes
    ----------
    derivative
        ``∂a₁/∂z₁``.
    formula
        What it is, ``1 − a₁²``; empty for an op whose derivative has no short form.
    value
        Its number; for whole arrays an array of them, or None where no array holds it.

    Examples
    --------
    >>> from lucidgrad.seeing.explanation import Factor
    >>> Factor("∂L/∂v", "1 − L²", 0.42).formula
    '1 − L²'
    """

    derivative: str
    formula: str
    value: Any


@dataclass(frozen=True)
class Path:
    """Factors from the loss to the parameter, and their product: the part of the gradient that comes this way.

    Attributes
    ----------
    factors
        From the loss on.
    product
        A number for one element of the parameter, else an array in its shape.

    Examples
    --------
    >>> from lucidgrad.seeing.explanation import Factor, Path
    >>> Path((Factor("∂L/∂v", "1 − L²", 0.42), Factor("∂v/∂w", "x", 2.0)), 0.84).symbols
    '∂L/∂v · ∂v/∂w'
    """

    factors: tuple[Factor, ...]
    product: Any

    @property
    def symbols(self) -> str:
        """The product in symbols."""
        return " · ".join(f.derivative for f in self.factors) or "1"


@dataclass(frozen=True)
class Equation:
    """An equation in symbols, and the value of its left side.

    Attributes
    ----------
    text
        Both sides: ``v = w · x``.
    value
        An array in the shape of what is computed.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.seeing.explanation import Equation
    >>> equation = Equation("v = w · x", np.asarray(1.0))
    >>> equation.left, equation.right
    ('v', 'w · x')
    """

    text: str
    value: Any

    @property
    def left(self) -> str:
        """What is computed."""
        return self.text.partition(" = ")[0]

    @property
    def right(self) -> str:
        """What from."""
        return self.text.partition(" = ")[2]


@dataclass(frozen=True, repr=False)
class Explanation:
    """The chain rule for one parameter or one element of it. Print it; notebooks show it as formulas.

    Attributes
    ----------
    symbol
        What the gradient is after: ``W₁``.
    title
        Its path in the model, ``0.weight``, or the symbol again.
    index
        The element, or None for all of it.
    gradient
        The gradient, as ``backward`` gives it: in the shape of the parameter, or of the element, ().
    forward
        The equations on the way from the parameter to the loss.
    backward
        The equations of the gradients on the way back.
    factors
        Each factor of the chain rule once, from the loss on.
    paths
        The paths that are written out, each with factors and their product: numbers for one element, else arrays.
    count
        The number of all paths.
    total
        The sum of their products.
    digits
        Significant digits of numbers in the text.
    words
        The language of the text.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> w, x = lg.Tensor(0.5), lg.tensor(2.0)
    >>> explanation = lg.explain((w * x).tanh(), wrt=w, names={"w": w, "x": x})
    >>> explanation
    <Explanation of ∂L/∂w along 1 paths>
    >>> [factor.formula for factor in explanation.factors]
    ['1 − L²', 'x']
    """

    symbol: str
    title: str
    index: tuple[int, ...] | None
    gradient: Any
    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]
    factors: tuple[Factor, ...]
    paths: tuple[Path, ...]
    count: int
    total: Any
    digits: int
    words: Words

    @property
    def name(self) -> str:
        """``∂L/∂W₁[1,0]``."""
        return f"∂L/∂{element_text(self.symbol, self.index or ())}"

    @property
    def rest(self) -> float:
        """For one element: the sum of the products of the paths that are not written out."""
        return float(self.total) - sum(float(p.product) for p in self.paths)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        return f"<Explanation of {self.name} along {self.count} paths>"

    def _number(self, value: Any) -> str:
        return number(float(value), self.digits)

    def _heading(self) -> str:
        if self.index is None:
            shape = shape_text(np.shape(self.gradient))
            return self.words("of array", name=self.name, title=self.title, shape=shape)
        title = element_text(self.title, self.index)
        return self.words("of number", name=self.name, title=title, value=self._number(self.gradient))

    def _lines(self) -> Iterator[str]:
        yield self._heading()
        yield from ("", self.words("forward pass"))
        for equation in self.forward:
            yield from self._equation(equation)
        if self.index is None:
            yield from self._matrices()
        else:
            yield from self._numbers()

    def _matrices(self) -> Iterator[str]:
        yield from ("", self._way())
        for path in self.paths:
            yield from _broken(f"  {self.name} = ", [f.derivative for f in path.factors])
        if self.count > len(self.paths):
            yield f"  {self.words('further paths', count=f'{self.count - len(self.paths):,}')}"
        yield from ("", self.words("backward pass"))
        for equation in self.backward:
            yield from self._equation(equation)
        text = "".join(e.right for e in self.backward)
        notes = self.words.notes(text)
        if notes:
            yield from ("", *notes)

    def _numbers(self) -> Iterator[str]:
        yield from ("", self.words("factors"))
        yield from (f"  {f.derivative} = {f.formula}" for f in self.factors if f.formula)
        yield from ("", self._way())
        for path in self.paths:
            yield from _broken("  ", [f.derivative for f in path.factors])
            numbers = [number_in_product(f.value, self.digits) for f in path.factors]
            yield from _broken("    = ", numbers, f" = {self._number(path.product)}")
        if self.count > len(self.paths):
            left = self.count - len(self.paths)
            yield f"  {self.words('sum of further paths', count=f'{left:,}', value=self._number(self.rest))}"
        if self.count > 1:
            yield from ("", self.words("together"))
            terms = [number_in_product(p, self.digits) for p in self._terms()]
            yield from _broken(f"  {self.name} = ", terms, f" = {self._number(self.gradient)}", " + ")

    def _terms(self) -> list[float]:
        return [float(p.product) for p in self.paths] + ([self.rest] if self.count > len(self.paths) else [])

    def _way(self) -> str:
        if self.count <= 1:
            return self.words("one path" if self.count else "no path")
        largest = self.index is not None and self.count > len(self.paths)
        return self.words("largest paths" if largest else "paths", count=f"{self.count:,}", shown=len(self.paths))

    def _equation(self, equation: Equation) -> Iterator[str]:
        values = lines(equation.value, self.words.summary) if np.ndim(equation.value) else []
        if not values:
            shown = self._number(equation.value)
            yield f"  {equation.text}" + (f" = {shown}" if equation.right != shown else "")
            return
        yield f"  {equation.text}"
        indent = " " * (len(equation.left) + 2)
        yield from (f"{indent} {'=' if i == 0 else ' '} {line}" for i, line in enumerate(values))

    @property
    def latex(self) -> str:
        """The formulas in LaTeX, without dollar signs."""
        rows = [*self._latex_rows()]
        return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"

    def _latex_rows(self) -> Iterator[str]:
        name = latex_of(self.name)
        if self.index is None:
            for path in self.paths:
                yield rf"{name} &= {latex_of(path.symbols)}"
            for equation in self.backward:
                yield from _latex_equation(equation, self.digits)
            return
        for factor in self.factors:
            if factor.formula:
                yield f"{latex_of(factor.derivative)} &= {latex_of(factor.formula)}"
        for i, path in enumerate(self.paths):
            yield f"{name if i == 0 else ''} &{'=' if i == 0 else '+'} {latex_of(path.symbols)}"
        if self.count > len(self.paths):
            yield r"&+ \cdots"
        for i, path in enumerate(self.paths):
            product = " · ".join(number_in_product(f.value, self.digits) for f in path.factors) or "1"
            yield f"&{'=' if i == 0 else '+'} {latex_of(product)}"
        if self.count > len(self.paths):
            yield f"&+ {latex_of(number_in_product(self.rest, self.digits))}"
        yield f"&= {latex_of(self._number(self.gradient))}"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex}$"

    def _repr_markdown_(self) -> str:
        return f"**{self._heading()}**\n\n$$\n{self.latex}\n$$\n"


def _latex_equation(equation: Equation, digits: int) -> Iterator[str]:
    yield f"{latex_of(equation.left)} &= {latex_of(equation.right)}"
    value = array_latex(equation.value, digits)
    if value is not None and value != latex_of(equation.right):
        yield f"&= {value}"


def _broken(start: str, parts: list[str], end: str = "", sign: str = " · ") -> Iterator[str]:
    """Parts joined by a sign, on several lines where they are long; the lines after the first are set in."""
    line = start
    indent = " " * max(len(start) - 3, 3)
    for i, part in enumerate(parts or ["1"]):
        piece = part if i == 0 else sign + part
        if len(line) + len(piece) > WIDE and line.strip():
            yield line
            line = indent + piece
        else:
            line += piece
    yield line + end
