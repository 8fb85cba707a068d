"""The onnx library, which only those need who exchange networks."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lucidgrad.errors import DependencyError, explain


def onnx_library() -> Any:
    """The library with its parts ``helper``, ``numpy_helper`` and ``checker``."""
    try:
        onnx = import_module("onnx")
        for part in ("checker", "helper", "numpy_helper"):
            import_module(f"onnx.{part}")
    except ImportError as error:
        raise DependencyError(
            explain(
                "ONNX files expected the library onnx", f"none ({error})", "Install it: pip install lucidgrad[onnx]"
            )
        ) from None
    return onnx
