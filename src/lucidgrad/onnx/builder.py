"""What the ONNX rules of the op table speak to: it makes nodes, and puts constants where nodes need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lucidgrad.errors import OnnxError, explain
from lucidgrad.onnx.library import onnx_library
from lucidgrad.ops.indexing import ARRAY
from lucidgrad.ops.shapes import kept, normalize_axes

Dtype = np.dtype[Any]
INT64, BOOL = np.dtype(np.int64), np.dtype(np.bool_)
_QUESTIONS = {"Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not", "And", "Or"}
_END = 2**63 - 1


@dataclass(frozen=True)
class Batch:
    """A size that is so many times the number of samples."""

    times: int


@dataclass(frozen=True)
class Ref:
    """An array of the exported network: its name, and what is known of it.

    ``shape`` is for one number of samples; ``sizes`` says which of its sizes follow that number, where it is known.
    """

    name: str
    shape: tuple[int, ...]
    dtype: Dtype
    sizes: tuple[int | Batch, ...] | None = None


class Builder:
    """Collects the nodes and constants of a network."""

    def __init__(self) -> None:
        self._onnx = onnx_library()
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray[Any, Dtype]] = {}
        self._of_bytes: dict[Any, Ref] = {}
        self._reserved: set[str] = set()
        self.samples: Ref | None = None
        """An array whose first size is the number of samples."""
        self._batch: Ref | None = None

    def __call__(self, operator: str, *inputs: Ref | None, domain: str = "", **attributes: Any) -> Ref:
        """Add a node; the first input says dtype and shape where nothing better is known.

        Questions give truth values, and ``Where`` what it chooses from.
        """
        name = self.reserve(f"{operator.lower()}_{len(self.nodes)}")
        names = [x.name if x else "" for x in inputs]
        while names and not names[-1]:
            names.pop()
        self.nodes.append(self._onnx.helper.make_node(operator, names, [name], name=name, domain=domain, **attributes))
        known = next(x for x in inputs if x is not None)
        dtype = BOOL if operator in _QUESTIONS else known.dtype
        if operator == "Where" and inputs[1] is not None:
            dtype = inputs[1].dtype
        return Ref(name, known.shape, dtype)

    def reserve(self, name: str) -> str:
        """A name that nothing else has: the one that is wanted, or that with lines behind it."""
        while name in self._reserved:
            name += "_"
        self._reserved.add(name)
        return name

    # --- constants --------------------------------------------------------------------------------------------

    def constant(self, array: Any, name: str | None = None) -> Ref:
        """An array as it is; one of the same bytes is not stored twice, unless it has a name of its own."""
        array = np.asarray(array, order="C")
        key = name or (array.dtype.str, array.shape, array.tobytes())
        if key not in self._of_bytes:
            unique = self.reserve(name or f"constant_{len(self.constants)}")
            self.constants[unique] = array
            self._of_bytes[key] = Ref(unique, array.shape, array.dtype)
        return self._of_bytes[key]

    def like(self, x: Ref, number: float) -> Ref:
        """A number of the dtype of x."""
        return self.constant(np.array(number, x.dtype))

    def integers(self, values: Any) -> Ref:
        """A list of int64, as axes and sizes are given."""
        return self.constant(np.array(values, np.int64))

    # --- what rules have in common ----------------------------------------------------------------------------

    def cast(self, x: Ref, dtype: Dtype) -> Ref:
        """X in another dtype."""
        if x.dtype == dtype:
            return x
        return Ref(self("Cast", x, to=self.code(dtype)).name, x.shape, dtype)

    def code(self, dtype: Dtype) -> int:
        """What ONNX calls a dtype; that of Python objects stands for strings."""
        return int(self._onnx.helper.np_dtype_to_tensor_dtype(dtype))

    def truth(self, x: Ref) -> Ref:
        """Whether elements are not 0."""
        return self.cast(x, np.dtype(np.bool_))

    def alike(self, *xs: Ref) -> list[Ref]:
        """All in one dtype."""
        from lucidgrad.ops.promotion import common_dtype

        dtype = common_dtype(list(xs), needs_float=False)
        return [x if dtype is None else self.cast(x, dtype) for x in xs]

    def clip(self, x: Ref, low: float | None, high: float | None) -> Ref:
        """Within bounds, of which each may be missing."""
        return self("Clip", x, *(None if bound is None else self.like(x, bound) for bound in (low, high)))

    def batch(self) -> Ref:
        """The number of samples, known only when the network runs: (1,)."""
        if self._batch is None:
            assert self.samples is not None  # sizes depend on an input, which is there first
            self._batch = self("Slice", self("Shape", self.samples), self.integers([0]), self.integers([1]))
        return self._batch

    def standardize(self, x: Ref, mean: Any, scale: Any) -> Ref:
        """(x - mean) / scale in float64, as ``Standardize`` computes."""
        double = np.dtype(np.float64)
        shifted = self("Sub", self.cast(x, double), self.constant(np.asarray(mean, double)))
        return self("Div", shifted, self.constant(np.asarray(scale, double)))

    def shape(self, sizes: Any) -> Ref:
        """Sizes for Expand and Reshape, some of them known only when the network runs."""
        if not any(isinstance(n, Batch) for n in sizes):
            return self.integers(sizes)
        parts = []
        for n in sizes:
            one = self.integers([n.times if isinstance(n, Batch) else n])
            parts.append(self("Mul", self.batch(), one) if isinstance(n, Batch) else one)
        return self("Concat", *parts, axis=0)

    def reshape(self, x: Ref, sizes: Any) -> Ref:
        """Another shape; a single size that is not known follows from the others."""
        if sum(isinstance(n, Batch) for n in sizes) == 1 and all(isinstance(n, Batch) or n > 0 for n in sizes):
            sizes = [-1 if isinstance(n, Batch) else n for n in sizes]
        return self("Reshape", x, self.shape(sizes), allowzero=int(0 in sizes))

    def reduce(self, operator: str, x: Ref, *, axis: Any = None, keepdims: bool = False) -> Ref:
        """A reduction over axes: None means all, () none."""
        if operator in ("ReduceSum", "ReduceProd") and x.dtype.kind in "bi":
            x = self.cast(x, INT64)
        axes = normalize_axes(axis, len(x.shape))
        if not axes and operator != "ReduceLogSumExp":
            return self("Identity", x)
        if not axes:
            return self("Log", self("Exp", x))
        return self(operator, x, self.integers(axes), keepdims=int(keepdims))

    def arg(self, operator: str, x: Ref, *, axis: int | None = None, keepdims: bool = False) -> Ref:
        """The place of an extreme along one axis, or in the whole array."""
        if axis is None:
            flat = self("Reshape", x, self.integers([-1]))
            found = self(operator, flat, axis=0, keepdims=0)
            return self("Reshape", found, self.integers(kept(x.shape, None) if keepdims else []))
        return self(operator, x, axis=axis, keepdims=int(keepdims))

    def over_axis(self, operator: str, x: Ref, axis: Any) -> Ref:
        """Softmax over one axis, or over several that are joined for it."""
        axes = normalize_axes(axis, len(x.shape))
        if len(axes) == 1:
            return self(operator, x, axis=axes[0])
        top = self("ReduceMax", x, self.integers(axes), keepdims=1) if axes else x
        z = self("Sub", x, top)
        e = self("Exp", z)
        total = self("ReduceSum", e, self.integers(axes), keepdims=1) if axes else e
        return self("Div", e, total) if operator == "Softmax" else self("Sub", z, self("Log", total))

    def getitem(self, x: Ref, *indices: Ref, key: Any) -> Ref:
        """Slices and integers, then new axes; one array of indices where all else is whole."""
        if indices:
            return self._gather(x, indices, key)
        steps, squeezed, new, axis, place = [], [], [], 0, 0
        rest = len(x.shape) - sum(isinstance(part, int | slice) for part in key)
        for part in key:
            if part is None:
                new.append(place)
                place += 1
            elif part is Ellipsis:
                axis, place = axis + rest, place + rest
            else:
                if part != slice(None):
                    steps.append((*_range(part), axis))
                if isinstance(part, int):
                    squeezed.append(axis)
                else:
                    place += 1
                axis += 1
        if steps:
            starts, ends, strides, axes = (self.integers(list(column)) for column in zip(*steps, strict=True))
            x = self("Slice", x, starts, ends, axes, strides)
        if squeezed:
            x = self("Squeeze", x, self.integers(squeezed))
        return self("Unsqueeze", x, self.integers(new)) if new else self("Identity", x)

    def _gather(self, x: Ref, indices: tuple[Ref, ...], key: Any) -> Ref:
        others = [part for part in key if not isinstance(part, str)]
        if len(indices) > 1 or any(part is not Ellipsis and part != slice(None) for part in others):
            raise OnnxError(
                explain("an exported index expected one array beside whole axes", f"{key}", "Index in several steps")
            )
        at = key.index(ARRAY)
        if Ellipsis in key[:at]:
            at -= len(key) - len(x.shape)
        index = indices[0] if indices[0].dtype in (INT64, np.int32) else self.cast(indices[0], INT64)
        return self("Gather", x, index, axis=at)


def _range(part: Any) -> tuple[int, int, int]:
    """Start, end and step of a slice, or of the slice that an integer stands for, as ONNX has them."""
    if isinstance(part, int):
        return part, part + 1 if part != -1 else _END, 1
    step = 1 if part.step is None else part.step
    start = (0 if step > 0 else _END) if part.start is None else part.start
    stop = (_END if step > 0 else -_END) if part.stop is None else part.stop
    return start, stop, step
