"""What is trained: the networks that are measured, and the data for them."""

from __future__ import annotations

import gzip
import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Case:
    """A network of linear layers with relu between them and softmax cross-entropy, and how it is trained.

    Parameters
    ----------
    key
        How it is named on the command line.
    sizes
        Features, hidden units, classes.
    batch, rows
        Rows of a minibatch and of an epoch.
    optimizer, learning_rate
        SGD without momentum, or Adam as Kingma and Ba (2015) recommend it.
    goal
        How many times as fast as the fastest peer an epoch is to be.
    dense
        Trained on made-up inputs without zeros, whatever there is: of those of MNIST, four of five are zero.
    """

    key: str
    sizes: tuple[int, ...]
    batch: int
    rows: int
    optimizer: Literal["SGD", "Adam"]
    learning_rate: float
    goal: float
    dense: bool = False

    @property
    def network(self) -> str:
        """As ``784-128-10``."""
        return "-".join(map(str, self.sizes))

    @property
    def title(self) -> str:
        """The network and how it is trained, in a line."""
        return f"{self.network}, batch {self.batch}, {self.rows:,} rows, {self.optimizer}" + ", no zeros" * self.dense

    @property
    def layers(self) -> list[tuple[int, int]]:
        """Inputs and outputs of each layer."""
        return list(pairwise(self.sizes))

    @property
    def arithmetic(self) -> int:
        """Multiplications and additions in the matrix products of an epoch.

        Forward, gradient of the weights, and of the inputs of each layer but the first.
        """
        products = [inputs * outputs for inputs, outputs in self.layers]
        return 2 * self.rows * (3 * sum(products) - products[0])


CASES = (
    Case("tiny", (2, 16, 16, 3), 16, 4_096, "SGD", 0.1, 10),
    Case("linear", (784, 10), 32, 60_000, "SGD", 0.1, 4),
    Case("mlp-sgd", (784, 128, 10), 64, 60_000, "SGD", 0.2, 3),
    Case("mlp-adam", (784, 128, 10), 64, 60_000, "Adam", 1e-3, 2.5),
    Case("mlp-dense", (784, 128, 10), 64, 60_000, "SGD", 0.02, 1.5, dense=True),
    Case("deep-sgd", (784, 256, 128, 10), 64, 60_000, "SGD", 0.2, 2),
    Case("deep-adam", (784, 256, 128, 10), 64, 60_000, "Adam", 1e-3, 2),
    Case("table", (54, 256, 256, 256, 7), 512, 131_072, "Adam", 1e-3, 1.5),
    Case("wide", (784, 1024, 1024, 10), 256, 15_360, "Adam", 1e-3, 1.15),
)


def case_named(key: str) -> Case:
    """The case of this key."""
    return next(c for c in CASES if c.key == key)


@dataclass(frozen=True)
class Data:
    """Float32 inputs and int64 labels in C order, and where they are from."""

    x: Array
    y: Array
    x_test: Array
    y_test: Array
    source: str


def load(case: Case) -> Data:
    """The data of a case: MNIST where a case has its 784 inputs and the files are there, else made up."""
    if case.sizes[0] == 784 and not case.dense and (folder := mnist_folder()):
        return _mnist(folder, case.rows)
    if case.sizes[0] == 2:
        return _made_up(case, _spirals, "spirals")
    if case.dense:
        return _made_up(case, _teacher, "made up, without zeros")
    missing = (
        "MNIST is not on this machine" if case.sizes[0] == 784 else "the time of an epoch depends on the shape alone"
    )
    return _made_up(case, _teacher, f"made up, of the shape of the real ones: {missing}")


def mnist_folder() -> Path | None:
    """Where the four files of MNIST are: in the folder LUCIDGRAD_DATA names or its subfolder ``mnist``."""
    named = os.environ.get("LUCIDGRAD_DATA")
    folders = [Path(named), Path(named) / "mnist"] if named else []
    return next((f for f in folders if (f / "train-images-idx3-ubyte.gz").exists()), None)


def _mnist(folder: Path, rows: int) -> Data:
    """Read without lucidgrad, so that every peer pays the same for it."""

    def images(part: str) -> Array:
        data = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
        return np.frombuffer(data, np.uint8, offset=16).reshape(-1, 784)

    def labels(part: str) -> Array:
        data = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
        return np.frombuffer(data, np.uint8, offset=8).astype(np.int64)

    def scaled(pixels: Array) -> Array:
        return np.multiply(pixels, np.float32(1 / 255), dtype=np.float32)

    x, y = scaled(images("train")[:rows]), labels("train")[:rows]
    return Data(x, y, scaled(images("t10k")), labels("t10k"), "MNIST")


def _made_up(case: Case, draw: Any, source: str) -> Data:
    test = min(10_000, case.rows)
    x, y = draw(np.random.default_rng(0), case.rows + test, case.sizes[0], case.sizes[-1])
    return Data(x[: case.rows], y[: case.rows], x[case.rows :], y[case.rows :], source)


def _spirals(rng: np.random.Generator, rows: int, _: int, classes: int) -> tuple[Array, Array]:
    """One arm for each class."""
    y = rng.integers(0, classes, rows)
    radius = rng.random(rows)
    angle = 4 * radius + 2 * np.pi * y / classes + rng.normal(0, 0.15, rows)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype(np.float32), y


def _teacher(rng: np.random.Generator, rows: int, features: int, classes: int) -> tuple[Array, Array]:
    """Labels that a random network of two layers gives to normal inputs."""
    x = rng.standard_normal((rows, features), np.float32)
    hidden = np.tanh(x @ rng.standard_normal((features, 16), np.float32) / np.float32(features**0.5))
    return x, np.argmax(hidden @ rng.standard_normal((16, classes), np.float32), axis=1)
