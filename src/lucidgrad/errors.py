"""The exceptions of lucidgrad, and the one shape of their messages: what was expected, what came, what to do."""

from __future__ import annotations


class LucidgradError(Exception):
    """Every error that lucidgrad raises on purpose is one of these, so one ``except`` catches them all.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> try:
    ...     lg.nn.Linear(0, 1)
    ... except lg.errors.LucidgradError as error:
    ...     type(error)
    <class 'lucidgrad.errors.ArgumentError'>
    """


class ShapeError(LucidgradError, ValueError):
    """Arrays whose shapes do not fit together.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.Tensor([1.0, 2.0]) + lg.Tensor([1.0, 2.0, 3.0])
    Traceback (most recent call last):
        ...
    lucidgrad.errors.ShapeError: expected shapes that broadcast (...), got (2,) and (3,). Reshape one of them, ...
    """


class DtypeError(LucidgradError, TypeError):
    """An array of a kind of number that the operation has no meaning for.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.Embedding(3, 2)(lg.tensor([0.5]))
    Traceback (most recent call last):
        ...
    lucidgrad.errors.DtypeError: Embedding expected integers, got dtype float32. Convert the numbers: ...
    """


class ArgumentError(LucidgradError, ValueError):
    """An argument outside of what the function can mean by it.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.nn.Dropout(50)
    Traceback (most recent call last):
        ...
    lucidgrad.errors.ArgumentError: Dropout expected a probability p from 0 to 1, got 50. Dropout(0.5) drops ...
    """


class GradientError(LucidgradError, RuntimeError):
    """A gradient that was asked for and does not exist, or can no longer be computed rightly.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.tensor([1.0]).backward()
    Traceback (most recent call last):
        ...
    lucidgrad.errors.GradientError: expected a tensor computed from tensors that require gradients, got ...
    """


class AnomalyError(LucidgradError, FloatingPointError):
    """The first NaN or infinity of a computation, with the op and the source line that made it.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> with lg.detect_anomaly():
    ...     lg.Tensor(-1.0).sqrt()
    Traceback (most recent call last):
        ...
    lucidgrad.errors.AnomalyError: sqrt made NaN from finite numbers (in <module>, <doctest ...>, line 2). ...
    """


class TracingError(LucidgradError, TypeError):
    """A number was asked for while a function is being traced, when there are only shapes.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.compiler.trace(lambda x: x if x > 0 else -x, lg.tensor(1.0))
    Traceback (most recent call last):
        ...
    lucidgrad.errors.TracingError: expected a tensor with elements, got bool[] of a function that is being traced. ...
    """


class DataError(LucidgradError, ValueError):
    """A data file or an array of data that is not what it says it is.

    Examples
    --------
    >>> from lucidgrad.losses import CrossEntropy
    >>> CrossEntropy()([[0.0, 0.0]], [2])
    Traceback (most recent call last):
        ...
    lucidgrad.errors.DataError: CrossEntropy expected labels from 0 to 1 for 2 columns of predictions, got 2 ...
    """


class DownloadError(LucidgradError, OSError):
    """A data set that is neither on this machine nor to be had from where it is published.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.data.mnist("nowhere", download=False)
    Traceback (most recent call last):
        ...
    lucidgrad.errors.DownloadError: mnist() expected the files train-labels-idx1-ubyte.gz, ...
    """


class CheckpointError(LucidgradError, OSError):
    """A checkpoint that cannot be written, or cannot be trusted when it is read.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.io.checkpoint.load("nowhere")
    Traceback (most recent call last):
        ...
    lucidgrad.errors.CheckpointError: nowhere expected to be readable, got ...
    """


class ModelFileError(LucidgradError, OSError):
    """A model file that cannot be written, or cannot be trusted when it is read.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.load("nowhere.lucidgrad")
    Traceback (most recent call last):
        ...
    lucidgrad.errors.ModelFileError: nowhere.lucidgrad expected to be a file that can be read, got ...
    """


class OnnxError(LucidgradError, ValueError):
    """A network that has no form in ONNX, or an ONNX file that is not one lucidgrad can compute.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> lg.onnx.load("nowhere.onnx")
    Traceback (most recent call last):
        ...
    lucidgrad.errors.OnnxError: nowhere.onnx expected to be a file that can be read, got ...
    """


class DependencyError(LucidgradError, ImportError):
    """An optional library that is not installed, with the command that installs it.

    Examples
    --------
    It is an ImportError too, so that optional parts can be left out as usual:

    >>> import lucidgrad as lg
    >>> issubclass(lg.errors.DependencyError, ImportError)
    True
    """


class DivergenceError(LucidgradError, ArithmeticError):
    """Training that went to NaN or infinity, with the epoch and the step where it was seen.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> x, y = [[1.0], [2.0]], [[0.0], [0.0]]
    >>> lg.fit(lg.nn.Linear(1, 1, key=lg.Key(0)), x, y, loss="squared_error", optimizer=lg.optim.SGD(1e20), epochs=9,
    ...        callbacks=[lg.training.NaNGuard()])
    Traceback (most recent call last):
        ...
    lucidgrad.errors.DivergenceError: training expected finite numbers, got a loss of inf in epoch 2, step 2. ...
    """


class ReplayError(LucidgradError, RuntimeError):
    """Steps of training that, done once more, come out another way than they did.

    Examples
    --------
    >>> import lucidgrad as lg
    >>> from lucidgrad.training.replay import replay
    >>> x, y = lg.data.xor(20, seed=0)
    >>> run = lg.fit(lg.nn.Linear(2, 2), x, y, loss="cross_entropy", optimizer=lg.optim.SGD(0.1), epochs=1)
    >>> x *= 2
    >>> replay(run)
    Traceback (most recent call last):
        ...
    lucidgrad.errors.ReplayError: replaying expected the data that the run was trained on, got arrays ...
    """


def explain(expected: str, got: str, try_: str) -> str:
    """Put the three parts of a message together: what was expected, what came, and what to do.

    Parameters
    ----------
    expected
        The beginning: who expected what.
    got
        What came instead, as the reader would write it.
    try_
        What to do, a sentence; it may come without its full stop.

    Examples
    --------
    >>> from lucidgrad.errors import explain
    >>> print(explain("Linear(in_features=784) expected inputs of shape (batch, 784)", "(64, 28, 28)",
    ...               "Flatten them first: x.reshape(len(x), 784)"))
    Linear(in_features=784) expected inputs of shape (batch, 784), got (64, 28, 28).
    Flatten them first: x.reshape(len(x), 784).
    """
    return f"{expected}, got {got}. {try_.rstrip('.')}."


def counted(n: int, one: str, several: str = "") -> str:
    """So many of something in words, in the singular where it is one.

    Parameters
    ----------
    n
        How many.
    one
        What stands behind a 1: a noun, with its verb where it has one.
    several
        What stands behind any other number; ``""``: ``one`` with an s.

    Examples
    --------
    >>> from lucidgrad.errors import counted
    >>> counted(1, "row"), counted(1200, "row"), counted(0, "class", "classes")
    ('1 row', '1,200 rows', '0 classes')
    >>> counted(1, "row is left out", "rows are left out")
    '1 row is left out'
    """
    return f"{n:,} {one if n == 1 else several or one + 's'}"
