"""What a row of the op table is: everything known about one operation on arrays, in one place.

A row does not know what it is applied to. It finds its first operand that has ``apply`` and asks it: an eager
Tensor computes and remembers, a Tensor over a graph Value records an instruction, and plain NumPy arrays, which
have no ``apply``, are simply computed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lucidgrad.errors import ArgumentError, DtypeError, LucidgradError, explain


class Spec(NamedTuple):
    """What is known of an array before there is one: its shape and its dtype.

    Attributes
    ----------
    shape, dtype
        As an array has them.

    Examples
    --------
    >>> import numpy as np
    >>> from lucidgrad.ops import Spec
    >>> print(Spec((2, 3), np.dtype(np.float32)))
    float32[2, 3]
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def __str__(self) -> str:
        return f"{self.dtype.name}[{', '.join(map(str, self.shape))}]"


# A vjp rule (vector-Jacobian product): (g, y, *inputs, **attrs) -> the cotangent of one input. It is written in
# operators and methods of its arguments, so that it works eagerly, traced, and differentiated once more.
Rule = Callable[..., Any]
# A shape rule: (*specs, **attrs) -> Spec. A Python number among the inputs is handed on as it is.
ShapeRule = Callable[..., Spec]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Op:
    """A row of the op table.

    Parameters
    ----------
    name
        What graphs, errors and drawings call it.
    forward
        ``(*arrays, **attrs) -> array``: the operation in NumPy. Inputs are arrays or Python numbers.
    shape
        ``(*specs, **attrs) -> Spec``: shape and dtype of the output from those of the inputs. See ``shapes.py``.
    vjp
        One rule for each input, or None where an input has no gradient (indices, conditions). The rule of input
        ``i`` is called as ``vjp[i](g, y, *inputs, **attrs)`` and returns the cotangent of that input; where
        broadcasting stretched the input, the walk backwards sums the result back, so that no rule has to.
        An op of any number of inputs has one rule for all, called as ``vjp(i, g, y, *inputs, **attrs)``.
        None: the op has no gradient at all (comparisons, argmax).
    same_dtype_from
        The inputs from this position on have to agree in dtype; they are promoted as ``promotion.py`` says.
        By default all; None: each is left as it is.
    needs_float
        Integers and booleans among those are turned into floats first.
    codegen
        How a compiled program computes the row: one of the kinds in ``codegen.py``. None: not at all, so that a
        program with this op runs eagerly.
    onnx
        How an exported network computes the row: the name of the ONNX operator of the same meaning, or a rule
        ``(b, *inputs, **attrs) -> output`` in nodes of the builder it is given, ``b("Clip", x, low, high)``. None: it
        has no place in an exported network.

    Examples
    --------
    An op from outside of the package works everywhere the built-in ones do:

    >>> import lucidgrad as lg
    >>> from lucidgrad.ops import Op, shapes
    >>> cube = Op("cube", forward=lambda x: x * x * x, shape=shapes.elementwise, vjp=(lambda g, y, x: 3 * g * x * x,))
    >>> x = lg.Tensor([1.0, 2.0])
    >>> cube(x).sum().backward()
    >>> x.grad
    Tensor([ 3., 12.])
    """

    name: str
    forward: Callable[..., Any]
    shape: ShapeRule
    vjp: Sequence[Rule | None] | Rule | None = None
    same_dtype_from: int | None = 0
    needs_float: bool = False
    codegen: Any | None = None
    onnx: str | Callable[..., Any] | None = None

    def __call__(self, *inputs: Any, **attrs: Any) -> Any:
        """Apply the op to Tensors, arrays and numbers; the first operand with ``apply`` decides how.

        Parameters
        ----------
        inputs
            What the op is applied to.
        attrs
            Its options by name.
        """
        for operand in inputs:
            if hasattr(operand, "apply"):
                return operand.apply(self, inputs, attrs)
        return self.forward(*inputs, **attrs)

    def rule(self, i: int) -> Rule | None:
        """The vjp rule for input ``i``, or None where there is no gradient.

        Parameters
        ----------
        i
            Counted from 0.
        """
        if self.vjp is None:
            return None
        if callable(self.vjp):
            return partial(self.vjp, i)
        return self.vjp[i]

    def spec(self, inputs: Sequence[Any], attrs: dict[str, Any]) -> Spec:
        """Shape and dtype of the output for these arrays (anything with ``dtype``) and numbers; raises if none fits.

        Parameters
        ----------
        inputs
            What the op would be applied to.
        attrs
            Its options by name.
        """
        return self.shape(*[Spec(x.shape, x.dtype) if hasattr(x, "dtype") else x for x in inputs], **attrs)

    def explain_failure(self, inputs: Sequence[Any], attrs: dict[str, Any], error: Exception) -> None:
        """NumPy could not compute the op: say why in terms of shapes, of indices, or of dtypes.

        Parameters
        ----------
        inputs, attrs
            What it was applied to, and its options by name.
        error
            What NumPy raised.

        Raises
        ------
        ShapeError, ArgumentError, DtypeError
            When the shapes do not fit, an index is outside, or the op has no meaning for these numbers. Nothing is
            raised when none of these is the reason.
        """
        if isinstance(error, LucidgradError):
            return
        self.spec(inputs, attrs)  # raises when the shapes do not fit, and says it better than NumPy
        if isinstance(error, IndexError):
            raise ArgumentError(
                explain(f"{self.name} expected indices inside of its arrays", str(error), "Count from 0")
            ) from error
        dtypes = [x.dtype for x in inputs if hasattr(x, "dtype")]
        if any(dtype.kind != "f" for dtype in dtypes):
            raise DtypeError(
                explain(
                    f"{self.name} expected numbers it is defined for",
                    f"{' and '.join(dtype.name for dtype in dtypes)} ({error})",
                    "Convert to floats first: x.astype(np.float32)",
                )
            ) from error

    def __repr__(self) -> str:
        return f"<op {self.name}>"
