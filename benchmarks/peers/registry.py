"""Which frameworks there are, and whether they are installed: known without loading any."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import shutil
from dataclasses import dataclass
from typing import Any

from benchmarks.peers.peer import Trainer


@dataclass(frozen=True)
class Peer:
    """A framework, or a way to use one.

    Parameters
    ----------
    name
        As it is called in tables.
    module
        The file beside this one that drives it.
    imports, distribution
        What is imported and what is installed.
    options
        Further arguments of the file's ``prepare``.
    trains
        False: it can only predict.
    """

    name: str
    module: str
    imports: str
    distribution: str
    options: tuple[tuple[str, Any], ...] = ()
    trains: bool = True

    def available(self) -> bool:
        """Whether it can be imported."""
        return importlib.util.find_spec(self.imports) is not None

    def version(self) -> str:
        """Of the installed distribution."""
        try:
            return importlib.metadata.version(self.distribution).partition("+")[0]
        except importlib.metadata.PackageNotFoundError:
            return "from a folder"

    def prepare(self, case: Any, data: Any, threads: int, seed: int = 0) -> Trainer:
        """Load the framework and set it up for a case."""
        driver = importlib.import_module(f"benchmarks.peers.{self.module}")
        trainer: Trainer = driver.prepare(case, data, threads, seed, **dict(self.options))
        return trainer


class _Native(Peer):
    """lucidgrad's engine of machine code, where this version has one."""

    def available(self) -> bool:
        if not super().available():
            return False
        import lucidgrad

        return "engine" in inspect.signature(lucidgrad.fit).parameters


class _Tinygrad(Peer):
    """tinygrad, where there is clang, with which it compiles for the CPU."""

    def available(self) -> bool:
        return super().available() and shutil.which("clang") is not None


PEERS: dict[str, Peer] = {
    "native": _Native("lucidgrad", "lucidgrad_fit", "lucidgrad", "lucidgrad", (("engine", "native"),)),
    "eager": Peer("lucidgrad, eager", "lucidgrad_fit", "lucidgrad", "lucidgrad", (("engine", "eager"),)),
    "torch": Peer("PyTorch eager", "torch_eager", "torch", "torch"),
    "torch-compile": Peer("torch.compile", "torch_compiled", "torch", "torch"),
    "jax": Peer("JAX jit + scan", "jax_scan", "jax", "jax"),
    "tinygrad": _Tinygrad("tinygrad", "tinygrad_jit", "tinygrad", "tinygrad"),
    "sklearn": Peer("scikit-learn", "sklearn_mlp", "sklearn", "scikit-learn"),
}
