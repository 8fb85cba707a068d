"""Registers: what they are called, which kind of number they hold, and how constants are written."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np

LANES = 16
NARROW = 8  # where a row has no more elements: half of each vector would be computed for nothing
F32, F64 = np.dtype(np.float32), np.dtype(np.float64)
I1, I8, I32, I64 = np.dtype(np.bool_), np.dtype(np.int8), np.dtype(np.int32), np.dtype(np.int64)
U8, U32, U64 = np.dtype(np.uint8), np.dtype(np.uint32), np.dtype(np.uint64)


class Pointer:
    """The dtype of addresses, which NumPy has no dtype for."""

    kind = "p"
    itemsize = 8
    name = "pointer"


PTR = Pointer()
Dtype = Any  # np.dtype or PTR


class Reg(NamedTuple):
    """A value in a register: its name or literal, its dtype, and how many lanes it has (1: a scalar)."""

    text: str
    dtype: Dtype
    lanes: int = 1

    @property
    def type(self) -> str:
        """Its type in LLVM's words."""
        return type_of(self.dtype, self.lanes)


Operand = Reg | int | float | bool


def type_of(dtype: Dtype, lanes: int = 1) -> str:
    """``float``, ``i64``, ``ptr``, ``<16 x float>`` ...; booleans are ``i1`` in registers."""
    name = _scalar_type(dtype)
    return name if lanes == 1 else f"<{lanes} x {name}>"


def _scalar_type(dtype: Dtype) -> str:
    if dtype.kind == "p":
        return "ptr"
    if dtype.kind == "f":
        return "float" if dtype.itemsize == 4 else "double"
    return "i1" if dtype.kind == "b" else f"i{8 * dtype.itemsize}"


def literal(value: Any, dtype: Dtype) -> str:
    """A scalar constant as LLVM writes it; floats by their bits, so that none is rounded."""
    if dtype.kind == "f":
        with np.errstate(all="ignore"):  # too large for the dtype: infinite, as in NumPy
            exact = float(np.asarray(value).astype(dtype))
        return f"0x{struct.unpack('<Q', struct.pack('<d', exact))[0]:016X}"
    if dtype.kind == "b":
        return "true" if value else "false"
    return str(int(value))
