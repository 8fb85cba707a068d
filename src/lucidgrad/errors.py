"""The exceptions of lucidgrad, and the one shape of their messages: what was expected, what came, what to do."""

from __future__ import annotations


class LucidgradError(Exception):
    """Every error that lucidgrad raises on purpose is one of these, so one ``except`` catches them all."""


class ShapeError(LucidgradError, ValueError):
    """Arrays whose shapes do not fit together."""


class DtypeError(LucidgradError, TypeError):
    """An array of a kind of number that the operation has no meaning for."""


class ArgumentError(LucidgradError, ValueError):
    """An argument outside of what the function can mean by it."""


class GradientError(LucidgradError, RuntimeError):
    """A gradient that was asked for and does not exist, or can no longer be computed rightly."""


class AnomalyError(LucidgradError, FloatingPointError):
    """The first NaN or infinity of a computation, with the op and the source line that made it."""


class TracingError(LucidgradError, TypeError):
    """A number was asked for while a function is being traced, when there are only shapes."""


class DataError(LucidgradError, ValueError):
    """A data file or an array of data that is not what it says it is."""


class DownloadError(LucidgradError, OSError):
    """A data set that is neither on this machine nor to be had from where it is published."""


class CheckpointError(LucidgradError, OSError):
    """A checkpoint that cannot be written, or cannot be trusted when it is read."""


class ModelFileError(LucidgradError, OSError):
    """A model file that cannot be written, or cannot be trusted when it is read."""


class OnnxError(LucidgradError, ValueError):
    """A network that has no form in ONNX, or an ONNX file that is not one lucidgrad can compute."""


class DependencyError(LucidgradError, ImportError):
    """An optional library that is not installed, with the command that installs it."""


class DivergenceError(LucidgradError, ArithmeticError):
    """Training that went to NaN or infinity, with the epoch and the step where it was seen."""


class ReplayError(LucidgradError, RuntimeError):
    """Steps of training that, done once more, come out another way than they did."""


def explain(expected: str, got: str, try_: str) -> str:
    """Put the three parts of a message together: what was expected, what came, and what to do.

    >>> print(explain("Linear(in_features=784) expected inputs of shape (batch, 784)", "(64, 28, 28)",
    ...               "Flatten them first: x.reshape(len(x), 784)"))
    Linear(in_features=784) expected inputs of shape (batch, 784), got (64, 28, 28).
    Flatten them first: x.reshape(len(x), 784).
    """
    return f"{expected}, got {got}. {try_.rstrip('.')}."
