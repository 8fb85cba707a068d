"""Checkpoints that can be trusted: whole or not there, checked before use, and never the only one at risk.

A checkpoint is two files. ``step-00000120-<hash>.safetensors`` holds the arrays; its name carries the beginning of
its SHA-256, so a new one never overwrites bytes that something still points to. ``step-00000120.json`` is the
manifest: the rest of the state, size and SHA-256 of the file of arrays, what it was written with, and in front the
SHA-256 of all that follows it. The manifest is renamed into place last, when everything else is on the disk: it is
the commit point. Files are read whole and verified; they are never mapped, and no code is ever taken from them.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import warnings
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lucidgrad.atomic import atomic_write
from lucidgrad.errors import ArgumentError, CheckpointError, explain
from lucidgrad.io.manifest import bytes_of, content_of, damaged, manifest_of
from lucidgrad.io.tree import Array, Tree, flatten, unflatten

PathLike: TypeAlias = str | os.PathLike[str]

_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_STEP = re.compile(r"step-(\d{8,})")
_TENSORS = re.compile(r"(?P<name>.+)-(?P<hash>[0-9a-f]{16})\.safetensors")
# What lucidgrad.atomic calls a file that is being written: the beginning of its name, and 16 random digits.
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{16}\.tmp")


def save(folder: PathLike, name: int | str, tree: Tree, *, keep: int | None = None) -> Path:
    """Write a checkpoint. When this returns it is on the disk; when it raises, what was there before still is.

    Parameters
    ----------
    folder
        Where; made when it is not there. It belongs to one writer at a time.
    name
        The number of a step: ``step-00000120``, one of a series that ``load(folder)`` takes the newest of. Or a name
        of letters, digits and ``_-.``, such as ``"best"``, for one that stands by itself. An earlier checkpoint of
        the same name is replaced, in one act.
    tree
        What to keep: see ``flatten``.
    keep
        How many steps to keep. Older ones are removed after the new one is on the disk. None: all.

    Returns
    -------
    The path of the manifest.

    Raises
    ------
    CheckpointError
        When the disk is full, failing, or closed to us; an OSError with its ``errno``.
    ArgumentError
        When the tree holds something else than arrays and plain values.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from lucidgrad.io import checkpoint
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for step in (1, 2, 3):
    ...         path = checkpoint.save(folder, step, {"w": np.full(2, step), "loss": 1 / step}, keep=2)
    ...     print(path.name, [p.name for p in checkpoint.steps(folder)])
    ...     print(checkpoint.load(folder)[0])
    step-00000003.json ['step-00000002.json', 'step-00000003.json']
    {'w': array([3, 3]), 'loss': 0.3333333333333333}
    """
    folder, stem = Path(folder), _stem(name)
    given: Any = keep
    if given is not None and not (isinstance(given, int | np.integer) and given >= 1):
        raise ArgumentError(explain("keep expected at least 1 checkpoint", f"{keep}", "Use None to keep all"))
    tensors, manifest = _encode(tree)
    path = folder / f"{stem}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _commit(path, tensors, manifest)
        _remove_replaced(path)
        if keep is not None:
            _prune(folder, keep, stem)
    except OSError as error:
        raise _unwritable(path, error) from error
    return path


def load(path: PathLike) -> tuple[Tree, Path]:
    """Read a checkpoint, or the newest of a folder that is whole.

    Parameters
    ----------
    path
        A manifest (``.../step-00000120.json``), or a folder: of its steps the one with the largest number. A damaged
        or unfinished one is passed over with a warning that says which and why. Times of files mean nothing here, so
        checkpoints can be copied.

    Returns
    -------
    The tree, as it was saved (its arrays can be written to), and the path of the manifest it came from.

    Raises
    ------
    CheckpointError
        When the file, or every checkpoint of the folder, is missing or damaged; it lists what was found.

    Examples
    --------
    >>> import tempfile
    >>> from lucidgrad.io.checkpoint import load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in (1, 2, "best"):
    ...         _ = save(folder, name, {"saved as": name})
    ...     load(folder)[0], load(f"{folder}/best.json")[0]
    ({'saved as': 2}, {'saved as': 'best'})
    """
    path = Path(path)
    if not path.is_dir():
        return _read(path), path
    problems = []
    for stem in _step_stems(path)[::-1]:
        manifest = path / f"{stem}.json"
        try:
            tree = _read(manifest)
        except CheckpointError as error:
            problems.append(f"{manifest.name}: {error}")
            continue
        for problem in problems:
            warnings.warn(f"a checkpoint was passed over, {manifest.name} is used. {problem}", RuntimeWarning, 2)
        return tree, manifest
    raise _none_in(path, problems)


def steps(folder: PathLike) -> list[Path]:
    """The manifests of the steps in a folder, by number, the newest last. They are not checked.

    Parameters
    ----------
    folder
        Where checkpoints were saved; one that is not there has none.

    Examples
    --------
    >>> import tempfile
    >>> from lucidgrad.io.checkpoint import save, steps
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in (20, 3, "best"):
    ...         _ = save(folder, name, {})
    ...     [path.name for path in steps(folder)]
    ['step-00000003.json', 'step-00000020.json']
    """
    folder = Path(folder)
    return [p for stem in _step_stems(folder) if (p := folder / f"{stem}.json").is_file()]


def written_with(path: PathLike) -> dict[str, str]:
    """What the checkpoint of this manifest was written with: versions and machine, as ``environment()`` gives them.

    Parameters
    ----------
    path
        The manifest: ``.../step-00000120.json``.

    Raises
    ------
    CheckpointError
        When it is missing or damaged.

    Examples
    --------
    >>> import tempfile
    >>> from lucidgrad.io.checkpoint import environment, save, written_with
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written_with(save(folder, 1, {})) == environment()
    True
    """
    return dict(content_of(Path(path))["written_with"])


def environment() -> dict[str, str]:
    """What bits depend on beside the state: versions of the libraries, how NumPy multiplies, the kind of processor.

    Examples
    --------
    >>> from lucidgrad.io.checkpoint import environment
    >>> list(environment())
    ['lucidgrad', 'numpy', 'safetensors', 'python', 'blas', 'machine', 'processors']
    """
    from importlib.metadata import version  # takes longer to load than the rest of this module

    import safetensors

    build: Any = np.show_config(mode="dicts")
    blas = build.get("Build Dependencies", {}).get("blas", {})
    return {
        "lucidgrad": version("lucidgrad"),
        "numpy": np.__version__,
        "safetensors": safetensors.__version__,
        "python": platform.python_version(),
        "blas": f"{blas.get('name')} {blas.get('version')}",
        "machine": f"{platform.machine()} {(build.get('SIMD Extensions', {}).get('found') or ['baseline'])[-1]}",
        "processors": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
    }


def clean(folder: PathLike) -> list[Path]:
    """Remove what writers that died have left half-written; call it before the first ``save`` of a run.

    Only hidden temporaries are removed, never a checkpoint, nor a part of one that may be on its way in a copy.

    Parameters
    ----------
    folder
        Where checkpoints are saved; it need not be there.

    Returns
    -------
    The paths that were removed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lucidgrad.io.checkpoint import clean, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = save(folder, 1, {})
    ...     (Path(folder) / ".step-00000002.json.0123456789abcdef.tmp").touch()
    ...     [path.name for path in clean(folder)]
    ['.step-00000002.json.0123456789abcdef.tmp']
    """
    folder = Path(folder)
    found = [p for p in folder.iterdir() if _TEMPORARY.fullmatch(p.name)] if folder.is_dir() else []
    for path in found:
        path.unlink(missing_ok=True)
    return found


# --- writing --------------------------------------------------------------------------------------------------------


def _stem(name: int | str) -> str:
    if isinstance(name, str) and _NAME.fullmatch(name) and not _STEP.fullmatch(name):
        return name
    if isinstance(name, int | np.integer) and name >= 0:
        return f"step-{name:08d}"
    raise ArgumentError(
        explain(
            "a checkpoint expected the number of a step, or a name of letters, digits and _-.", repr(name), "Rename it"
        )
    )


def _encode(tree: Tree) -> tuple[bytes, bytes]:
    """The bytes of the two files."""
    from safetensors.numpy import save as encode_tensors

    arrays, plain = flatten(tree)
    tensors = encode_tensors(arrays)
    described = {"bytes": len(tensors), "sha256": hashlib.sha256(tensors).hexdigest()}
    return tensors, manifest_of({"written_with": environment(), "tensors": described, "tree": plain})


def _commit(manifest_path: Path, tensors: bytes, manifest: bytes) -> None:
    """Write the arrays, then the manifest that makes them count. What fails on the way leaves nothing behind."""
    tensors_path = _tensors_path(manifest_path, hashlib.sha256(tensors).hexdigest())
    is_new = not tensors_path.exists()
    try:
        for path, data in ((tensors_path, tensors), (manifest_path, manifest)):
            with atomic_write(path) as file:
                file.write(data)
    except BaseException:
        if is_new and not _may_need(manifest_path, tensors_path):
            tensors_path.unlink(missing_ok=True)
        raise


def _may_need(manifest_path: Path, tensors_path: Path) -> bool:
    """Whether a manifest is there that points to these arrays, or that cannot tell."""
    try:
        return manifest_path.exists() and _tensors_path_of(manifest_path) == tensors_path
    except CheckpointError:
        return True


def _remove_replaced(manifest_path: Path) -> None:
    """Remove the arrays of an earlier checkpoint of the same name."""
    current = _tensors_path_of(manifest_path)
    for path in manifest_path.parent.iterdir():
        match = _TENSORS.fullmatch(path.name)
        if match and match["name"] == manifest_path.stem and path != current:
            path.unlink(missing_ok=True)


def _prune(folder: Path, keep: int, just_written: str) -> None:
    """Remove steps beyond the newest ``keep``; never the one just written, which is known to be whole."""
    committed = [path.stem for path in steps(folder)]
    kept = {*committed[-keep:], just_written}
    older = [stem for stem in _step_stems(folder) if stem not in kept and _number(stem) < _number(committed[-1])]
    for stem in older:
        (folder / f"{stem}.json").unlink(missing_ok=True)  # first: without it the rest does not count
        for path in folder.glob(f"{stem}-*.safetensors"):
            if _TENSORS.fullmatch(path.name):
                path.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> CheckpointError:
    raised = CheckpointError(
        explain(
            f"saving the checkpoint {path} expected a folder with space that can be written to",
            f"{type(error).__name__}: {error}",
            "Free or open it up and resume from the checkpoint before this one, which is as it was",
        )
    )
    raised.errno = error.errno
    return raised


# --- finding --------------------------------------------------------------------------------------------------------


def _step_stems(folder: Path) -> list[str]:
    """The names of all steps of which there is at least a part, by number."""
    found = set()
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _TENSORS.fullmatch(path.name)
        stem = match["name"] if match else path.stem if path.suffix == ".json" else ""
        if _STEP.fullmatch(stem):
            found.add(stem)
    return sorted(found, key=_number)


def _number(stem: str) -> int:
    return int(stem.removeprefix("step-"))


def _tensors_path(manifest_path: Path, sha256: str) -> Path:
    return manifest_path.with_name(f"{manifest_path.stem}-{sha256[:16]}.safetensors")


def _tensors_path_of(manifest_path: Path) -> Path:
    return _tensors_path(manifest_path, content_of(manifest_path)["tensors"]["sha256"])


def _none_in(folder: Path, problems: list[str]) -> CheckpointError:
    found = "\n  ".join(problems) or "no files named step-<number>.json"
    return CheckpointError(
        f"loading expected a checkpoint that is whole in {folder}, got none. There are:\n  {found}\n"
        "Name another folder, or a checkpoint such as best.json by its file."
    )


# --- reading --------------------------------------------------------------------------------------------------------


def _read(manifest_path: Path) -> Tree:
    """The tree of one checkpoint, after all of its bytes have been checked."""
    content = content_of(manifest_path)
    declared = content["tensors"]
    tensors_path = _tensors_path(manifest_path, declared["sha256"])
    data = bytes_of(tensors_path, declared["bytes"])
    if hashlib.sha256(data).hexdigest() != declared["sha256"]:
        raise damaged(tensors_path, "bytes that have changed since")
    return unflatten(_decode_tensors(data, tensors_path), content["tree"])


def _decode_tensors(data: bytes, path: Path) -> dict[str, Array]:
    from safetensors import SafetensorError
    from safetensors.numpy import load as decode

    try:
        return decode(data)
    except (SafetensorError, KeyError, ValueError) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from None
