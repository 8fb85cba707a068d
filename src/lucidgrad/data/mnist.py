"""MNIST and Fashion-MNIST: found on this machine or fetched, and every byte checked against what was published."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from lucidgrad.data.dataset import Dataset
from lucidgrad.data.download import RemoteFile, UnavailableError, download
from lucidgrad.data.idx import idx_sha256, read_idx
from lucidgrad.errors import ArgumentError, DataError, DownloadError, explain

Bytes: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]

ENVIRONMENT_VARIABLES = ("LUCIDGRAD_DATA", "GRADLET_DATA")
"""Where a user says, for all programs at once, in which folder data sets are; looked at in this order."""

_PARTS: Mapping[str, Literal["images", "labels"]] = {
    "train-labels": "labels",
    "t10k-labels": "labels",
    "train-images": "images",
    "t10k-images": "images",
}
"""The small files first: where there is no network, it is seen at once."""


@dataclass(frozen=True)
class Publication:
    """Four IDX files that were published together: how to know them, where they may lie, who gives them out."""

    name: str
    title: str
    description: str
    class_names: tuple[str, ...]
    files: Mapping[str, RemoteFile]
    mirrors: tuple[str, ...]
    subfolders: tuple[str, ...]
    system_folders: tuple[str, ...] = ()


def _published(**sha256: str) -> Mapping[str, RemoteFile]:
    """The files of a publication by part. Both publications have 60,000 and 10,000 images of 28 x 28 bytes."""
    files = {}
    for part, kind in _PARTS.items():
        n = 60_000 if part.startswith("train") else 10_000
        rank, size_bytes = (3, 16 + n * 28 * 28) if kind == "images" else (1, 8 + n)
        files[part] = RemoteFile(f"{part}-idx{rank}-ubyte.gz", sha256[part.replace("-", "_")], size_bytes)
    return files


MNIST = Publication(
    name="mnist",
    title="MNIST",
    description=(
        "70,000 handwritten digits of 28 x 28 pixels (LeCun, Cortes and Burges, The MNIST database of handwritten "
        "digits, 1998; CC BY-SA 3.0)."
    ),
    class_names=tuple("0123456789"),
    files=_published(
        train_images="ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        train_labels="65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        t10k_images="0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        t10k_labels="ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    subfolders=("mnist", "MNIST/raw"),
)

FASHION_MNIST = Publication(
    name="fashion_mnist",
    title="Fashion-MNIST",
    description=(
        "70,000 pictures of clothes of 28 x 28 pixels (Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv:1708.07747, "
        "2017; MIT licence, Zalando SE)."
    ),
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    # Of the bytes inside of the published files, whose MD5 sums (of the gzip files) stand in their README.
    files=_published(
        train_images="c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        train_labels="bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        t10k_images="5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        t10k_labels="0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    subfolders=("fashion_mnist", "fashion-mnist", "FashionMNIST/raw"),
    # Of the package dataset-fashion-mnist of Debian and Ubuntu.
    system_folders=("/usr/share/datasets/fashion-mnist",),
)

_PUBLICATIONS = (MNIST, FASHION_MNIST)


def mnist(folder: str | os.PathLike[str] | None = None, *, download: bool = True, scaled: bool = True) -> Dataset:
    """The 70,000 handwritten digits of MNIST.

    The four files are looked for in ``folder`` alone when it is given; otherwise in the folder that the environment
    variable ``LUCIDGRAD_DATA`` (or ``GRADLET_DATA``) names, then in the user's cache. They may be gzip or not, named
    ``train-images-idx3-ubyte`` or ``train-images.idx3-ubyte``, and lie in the folder itself or in its subfolder
    ``mnist``. What is missing is downloaded (11 MB) to the first of these folders. The SHA-256 of every file is
    checked, whether it was fetched or found.

    Parameters
    ----------
    folder
        The only folder to look in.
    download
        ``False`` never asks the network.
    scaled
        ``True`` gives float32 from 0 to 1, ``False`` the bytes from 0 to 255 as uint8.

    Returns
    -------
    Dataset
        ``x`` (n, 784), ``y`` int64 (n,) from 0 to 9; 60,000 samples to train on and 10,000 to test.

    Raises
    ------
    DownloadError
        When a file is not on this machine and cannot be had; says which files belong into which folder.
    DataError
        When a file on this machine is damaged, or is not the one that was published.
    ArgumentError
        When ``folder`` is no path.

    Examples
    --------
    >>> from lucidgrad.data import mnist
    >>> mnist("where they are", download=False)
    Traceback (most recent call last):
    lucidgrad.errors.DownloadError: mnist() expected the files train-labels-idx1-ubyte.gz, ...
    """
    return _load(MNIST, folder, download, scaled)


def fashion_mnist(
    folder: str | os.PathLike[str] | None = None, *, download: bool = True, scaled: bool = True
) -> Dataset:
    """The 70,000 pictures of clothes of Fashion-MNIST, which are harder to tell apart than digits.

    Looked for, checked and given as those of ``mnist``; the subfolder is ``fashion_mnist`` or ``fashion-mnist``, the
    folder of Debian's package dataset-fashion-mnist comes after the user's cache, and a download is 31 MB.

    Parameters
    ----------
    folder
        The only folder to look in.
    download
        ``False`` never asks the network.
    scaled
        ``True`` gives float32 from 0 to 1, ``False`` the bytes from 0 to 255 as uint8.

    Returns
    -------
    Dataset
        ``x`` (n, 784), ``y`` int64 (n,) from 0 to 9; 60,000 samples to train on and 10,000 to test.

    Raises
    ------
    DownloadError, DataError, ArgumentError
        As ``mnist``.

    Examples
    --------
    >>> from lucidgrad.data import fashion_mnist
    >>> fashion_mnist("where they are", download=False)
    Traceback (most recent call last):
    lucidgrad.errors.DownloadError: fashion_mnist() expected the files train-labels-idx1-ubyte.gz, ...
    """
    return _load(FASHION_MNIST, folder, download, scaled)


def _load(publication: Publication, folder: Any, may_download: bool, scaled: bool) -> Dataset:
    if not isinstance(folder, str | os.PathLike | None):
        got = f"{folder!r}, of the type {type(folder).__name__}"
        raise ArgumentError(
            explain(f"{publication.name}(folder) expected the path of a folder", got, "Name one, or leave it out")
        )
    places = [Path(folder).expanduser()] if folder is not None else _usual_places()
    with ThreadPoolExecutor() as pool:  # unpacking and checking leave Python's lock free
        searches = {part: pool.submit(_find, publication, part, places, folder is not None) for part in _PARTS}
        hits = {part: search.result() for part, search in searches.items()}
    found = {part: hit for part, hit in hits.items() if hit is not None}
    if missing := [part for part in _PARTS if part not in found]:
        destination = places[0] / publication.subfolders[0]
        for part, path in _fetch(publication, missing, destination, may_download).items():
            found[part] = _read_checked(publication, part, path), path
    arrays = {part: array for part, (array, _) in found.items()}
    x_train, x_test = (_flattened(arrays[part], scaled) for part in ("train-images", "t10k-images"))
    return Dataset(
        name=publication.name,
        x_train=x_train,
        y_train=arrays["train-labels"].astype(np.int64),
        x_test=x_test,
        y_test=arrays["t10k-labels"].astype(np.int64),
        feature_names=tuple(f"pixel_{row}_{column}" for row in range(28) for column in range(28)),
        class_names=publication.class_names,
        image_shape=(28, 28),
        description=publication.description,
        source=found["train-images"][1].parent,
    )


def _usual_places() -> list[Path]:
    """The folder of the environment, where one is set, and the user's cache."""
    from platformdirs import user_cache_path

    named = [Path(os.environ[name]).expanduser() for name in ENVIRONMENT_VARIABLES if os.environ.get(name)]
    return [*named, user_cache_path("lucidgrad", appauthor=False)]


def _find(publication: Publication, part: str, places: list[Path], only_here: bool) -> tuple[Bytes, Path] | None:
    """The array of a part and the file it was read from, out of the first place that has it."""
    folders = list(places) if only_here else [*places, *map(Path, publication.system_folders)]
    for path in _candidates(publication, part, folders):
        if not path.is_file():
            continue
        try:
            return _read_checked(publication, part, path), path
        except _OtherPublicationError as error:
            if only_here:
                raise DataError(str(error)) from None
    return None


def _candidates(publication: Publication, part: str, folders: list[Path]) -> Iterator[Path]:
    dashed = publication.files[part].name.removesuffix(".gz")
    dotted = dashed.replace("-idx", ".idx")
    for folder in folders:
        for inner in (*(folder / subfolder for subfolder in publication.subfolders), folder):
            yield from (inner / f"{name}{suffix}" for name in (dashed, dotted) for suffix in ("", ".gz"))


class _OtherPublicationError(DataError):
    """The file is sound, but one of another data set that has files of the same names."""


def _read_checked(publication: Publication, part: str, path: Path) -> Bytes:
    array = read_idx(path, kind=_PARTS[part])
    expected, got = publication.files[part].sha256, idx_sha256(array)
    if got == expected:
        return array
    for other in _PUBLICATIONS:
        if other is not publication and got in (file.sha256 for file in other.files.values()):
            raise _OtherPublicationError(
                explain(
                    f"{path} expected the {part} of {publication.title}",
                    f"a file of {other.title}",
                    f"Put {publication.title} into a folder of its own, named {publication.subfolders[0]}",
                )
            )
    raise DataError(
        explain(
            f"{path} expected the published {part} of {publication.title}, of SHA-256 {expected}",
            got,
            "Remove the file, so that it is fetched again",
        )
    )


def _fetch(publication: Publication, missing: list[str], destination: Path, may_download: bool) -> dict[str, Path]:
    """Download the missing parts; where no mirror has them, say all that is missing and where it belongs."""
    reasons = "nothing there, and download=False forbids to fetch them"
    try:
        if may_download:
            return {part: download(publication.files[part], publication.mirrors, destination) for part in missing}
    except UnavailableError as error:
        reasons = f"nothing there, and from the mirrors {error.reasons}"
    files = [publication.files[part].name for part in missing]
    names = ", ".join(name for name in files if not (destination / name).exists())
    raise DownloadError(
        explain(
            f"{publication.name}() expected the files {names} in {destination}",
            reasons,
            f"Try again with a network, or put them there by hand (with or without gzip), or name the folder that has "
            f"them: {publication.name}(folder=...), or {ENVIRONMENT_VARIABLES[0]} in the environment",
        )
    )


def _flattened(images: Bytes, scaled: bool) -> np.ndarray[Any, np.dtype[Any]]:
    """(n, 28, 28) → (n, 784)."""
    flat = images.reshape(len(images), -1)
    return np.divide(flat, np.float32(255)) if scaled else flat
