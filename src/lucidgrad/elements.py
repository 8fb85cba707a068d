"""What a tensor tells of its elements: as a NumPy array, to NumPy's functions, as Python numbers, and as text."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.errors import DtypeError, GradientError, TracingError, explain
from lucidgrad.graph import Value
from lucidgrad.operators import Operators
from lucidgrad.ops import TABLE, arithmetic, linalg
from lucidgrad.ops.op import Op
from lucidgrad.ops.promotion import FLOAT32


class Elements(Operators):
    """Reading elements; while a function is traced there are none, and asking for them is an error that says so."""

    __slots__ = ()

    @property
    @abstractmethod
    def raw(self) -> Any:
        """What the tensor holds: a read-only NumPy array, or a Value while a function is traced."""

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=np.int64))

    def numpy(self) -> np.ndarray[Any, np.dtype[Any]]:
        """The elements as a read-only NumPy array of the same shape, not copied. Copy it to change it.

        Raises
        ------
        TracingError
            While a function is traced, when there are no elements.
        """
        if isinstance(self.raw, Value):
            raise TracingError(
                f"expected a tensor with elements, got {self.raw.spec} of a function that is being traced. "
                "Inside a traced function use tensor operations only (lucidgrad.where instead of if), "
                "and read numbers after it has run."
            )
        return self.raw  # type: ignore[no-any-return]

    def item(self) -> Any:
        """The single element as a Python number."""
        return self.numpy().item()

    def tolist(self) -> Any:
        """The elements as nested Python lists."""
        return self.numpy().tolist()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray[Any, np.dtype[Any]]:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    _ufuncs: ClassVar[dict[Any, Op]] = {
        row.forward: row for row in TABLE.values() if isinstance(row.forward, np.ufunc)
    } | {np.matmul: linalg.matmul, np.power: arithmetic.power}

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """``np.exp(x)`` and ``array + x`` go through the op table; writing into arrays does not go at all."""
        if options.get("out") is not None:
            raise GradientError(
                explain(
                    "an array expected to stay as it is",
                    f"an in-place {ufunc.__name__} with a Tensor",
                    "Compute a new one, for example p.data = p.data - 0.1 * p.grad",
                )
            )
        op = self._ufuncs.get(ufunc)
        if op is None or method != "__call__" or options:
            raise DtypeError(
                explain(
                    "a NumPy function with a row in the op table",
                    f"np.{ufunc.__name__} ({method})",
                    "Use the tensor's own method, or x.numpy() where no gradient is needed",
                )
            )
        return self.matmul(*inputs) if op is linalg.matmul else self.apply(op, inputs, {})

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return self.numpy().__index__()

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("a scalar Tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Self]:
        return (self[i] for i in range(len(self)))

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else repr(self)

    def __repr__(self) -> str:
        if isinstance(self.raw, Value):
            return f"Tensor({self.raw}: {self.raw.spec})"
        text = np.array2string(self.raw, separator=", ", prefix="Tensor(")
        suffix = "" if self.dtype in (FLOAT32, np.int64, np.bool_) else f", dtype={self.dtype.name}"
        return f"Tensor({text}{suffix})"
