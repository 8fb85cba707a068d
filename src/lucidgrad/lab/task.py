"""What the lab can be run on: data to learn, and in which way they can be looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from lucidgrad import data
from lucidgrad.data import Dataset
from lucidgrad.errors import ArgumentError, DownloadError, explain

FEATURE_SAMPLES = 400
"""Samples of a two-feature task to train on, and as many to test on."""

Folder: TypeAlias = "str | os.PathLike[str] | None"


@dataclass(frozen=True, eq=False)
class Task:
    """A data set to learn.

    Parameters
    ----------
    data
        With a test part.
    notice
        What has to be said about how this data set came to be chosen; empty for nothing.

    Examples
    --------
    >>> from lucidgrad.lab import load_task
    >>> task = load_task("xor")
    >>> task.name, task.is_plane, task.has_images
    ('xor', True, False)
    """

    data: Dataset
    notice: str = ""

    @property
    def name(self) -> str:
        """Of the data set."""
        return self.data.name

    @property
    def has_images(self) -> bool:
        """Whether a sample can be looked at as an image."""
        return self.data.image_shape is not None

    @property
    def is_plane(self) -> bool:
        """Whether a sample is a point of the plane, so that decision boundaries can be drawn."""
        return self.data.in_features == 2


def load_task(name: str | None = None, folder: Folder = None, *, download: bool = True) -> Task:
    """Load the data of a task.

    Parameters
    ----------
    name
        One of ``TASKS``. None: MNIST where it is found or can be fetched, otherwise the digits that come with
        scikit-learn, which ``notice`` then says.
    folder
        Where the files of ``mnist`` and ``fashion`` are. One that is named has to hold them (or take a download): there
        is no falling back then.
    download
        Whether missing files may be fetched.

    Raises
    ------
    ArgumentError
        For a name that is not in ``TASKS``.
    DownloadError, DataError
        When the files are missing, or are not what was published.

    Examples
    --------
    >>> from lucidgrad.lab import load_task
    >>> load_task("spirals").data
    Dataset('spirals': 400 train + 400 test samples, 2 features, 3 classes, float32)
    """
    if name is not None:
        if name not in TASKS:
            raise ArgumentError(explain("task expected one of " + ", ".join(TASKS), repr(name), "Choose one of these"))
        return Task(TASKS[name](folder, download))
    try:
        return Task(data.mnist(folder, download=download))
    except DownloadError as error:
        if folder is not None:
            raise
        reason = str(error).split(", got ")[-1].split(". Try")[0]
        return Task(
            data.digits(),
            "MNIST was not found on this machine"
            + (f" and could not be fetched ({reason})" if download else ", and fetching it was forbidden")
            + ". The lab runs on the 1,797 digits of 8 x 8 pixels that come with scikit-learn instead. For MNIST: "
            "lucidgrad data "
            "mnist, or --data FOLDER.",
        )


def _plane(name: str, draw: Callable[..., tuple[data.dataset.Array, data.dataset.Array]], **options: float) -> Dataset:
    """The same law drawn twice, to train and to test."""
    train, test = (draw(FEATURE_SAMPLES, seed=seed, **options) for seed in (0, 1))
    classes = int(train[1].max()) + 1
    return Dataset(
        name,
        *train,
        *test,
        feature_names=("feature 1", "feature 2"),
        class_names=tuple(f"class {c}" for c in range(classes)),
        description=(draw.__doc__ or "").splitlines()[0],
    )


TASKS: dict[str, Callable[[Folder, bool], Dataset]] = {
    "mnist": lambda folder, download: data.mnist(folder, download=download),
    "digits": lambda folder, download: data.digits(),
    "fashion": lambda folder, download: data.fashion_mnist(folder, download=download),
    "spirals": lambda folder, download: _plane("spirals", data.spirals, classes=3, turns=0.8, noise=0.03),
    "moons": lambda folder, download: _plane("moons", data.moons, noise=0.12),
    "circles": lambda folder, download: _plane("circles", data.circles, noise=0.1),
    "xor": lambda folder, download: _plane("xor", data.xor, noise=0.15),
}
"""By the name that the command line uses: functions of a folder and of whether to download."""
