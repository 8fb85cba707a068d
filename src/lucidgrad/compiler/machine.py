"""From LLVM's assembly language to machine code in this process, and the machine it is for.

The only module that knows llvmlite. Where llvmlite is missing, ``available()`` says so and nothing else here works.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from lucidgrad.errors import LucidgradError

# Pieces of code for machines below this one, to show that results do not depend on it.
BASELINE = "x86-64"
AVX2 = "haswell"


class NativeError(LucidgradError):
    """LLVM refused what the compiler wrote: a mistake in lucidgrad, to be reported with the graph that led to it."""


@cache
def available() -> bool:
    """Whether llvmlite is installed: without it everything trains eagerly."""
    return find_spec("llvmlite") is not None


def description() -> str:
    """What compiles, and for what: one line for ``lucidgrad --version`` and for reports."""
    if not available():
        return "native engine: none, because llvmlite is not installed; everything runs eagerly"
    import llvmlite
    import llvmlite.binding as llvm

    version = ".".join(map(str, llvm.llvm_version_info))
    target = host()
    width = "AVX-512" if target.wide else "AVX2" if target.registers == 8 else "baseline vectors"
    chosen = f", chosen by LUCIDGRAD_CPU={target.cpu}" if os.environ.get("LUCIDGRAD_CPU") else ""
    return f"native engine: llvmlite {llvmlite.__version__} (LLVM {version}), code for {target.cpu} ({width}{chosen})"


@dataclass(frozen=True)
class Target:
    """What code is made for: a CPU by LLVM's name for it, and its features as LLVM writes them (``+avx2,-sse4a``)."""

    cpu: str
    features: str = ""

    @property
    def wide(self) -> bool:
        """Whether it has 32 registers of 16 floats."""
        return "+avx512f" in self.features or self.cpu in ("skylake-avx512", "x86-64-v4", "znver4")

    @property
    def registers(self) -> int:
        """How many vectors of 16 floats the registers hold."""
        return 32 if self.wide else 8 if self.cpu == AVX2 or "+avx" in self.features else 4

    def vectors(self, dtype: np.dtype[Any]) -> int:
        """How many vectors of 16 elements the registers hold: tiles of a matrix product are chosen by it."""
        return self.registers * 4 // dtype.itemsize


@cache
def host() -> Target:
    """The machine that runs this process, or a CPU that it includes: the one that LUCIDGRAD_CPU names ("haswell")."""
    import llvmlite.binding as llvm

    chosen = os.environ.get("LUCIDGRAD_CPU")
    if chosen:
        return Target(chosen)
    features = llvm.get_host_cpu_features()
    return Target(llvm.get_host_cpu_name(), features.flatten())


class Library:
    """Machine code in memory: the addresses of its functions. It lives as long as this object."""

    def __init__(self, engine: Any, text: str, names: Sequence[str]) -> None:
        self._engine = engine
        self.text = text
        self._addresses = {name: engine.get_function_address(name) for name in names}

    def address(self, name: str) -> int:
        """Where a function begins."""
        return int(self._addresses[name])

    def function(self, name: str, arguments: Sequence[Any], returns: Any = None, keeps_lock: bool = False) -> Any:
        """A function as something Python can call; while it runs, other Python threads run too, or (quicker) wait."""
        kind = ctypes.PYFUNCTYPE if keeps_lock else ctypes.CFUNCTYPE
        made: Any = kind(returns, *arguments)(self._addresses[name])
        made.library = self  # the code stays as long as the function does
        return made


def address(array: Any) -> int:
    """Where the elements of a NumPy array begin: ``array.ctypes.data``, in a third of the time where it may change."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array))
    except (TypeError, ValueError, BufferError):  # read-only, with gaps, or empty
        return int(array.ctypes.data)


_lock = threading.Lock()  # LLVM's objects are not for several threads at a time
# Code holds no addresses and no data, so that whoever needs the same again (another seed, another fold) shares it.
KEPT = 64
_kept: OrderedDict[tuple[str, tuple[str, ...], Target], Library] = OrderedDict()


def compile_text(text: str, names: Sequence[str], target: Target | None = None) -> Library:
    """Machine code of a module; the last ones are kept, and given again for the same text.

    Parameters
    ----------
    text
        The module in LLVM's assembly language.
    names
        Its functions that Python is to find.
    target
        None: this machine.

    Notes
    -----
    Vectors, tiles and shared addresses are written out by us. All that is left to LLVM's optimiser is to test at the
    end of a loop instead of at its beginning; its level -O1 took twice the time for code that ran no faster.
    """
    target = target or host()
    key = text, tuple(names), target
    with _lock:
        library = _kept.get(key)
        if library is None:
            library = _kept[key] = _compile(text, names, target)
        _kept.move_to_end(key)
        if len(_kept) > KEPT:
            _kept.popitem(last=False)
        return library


def _compile(text: str, names: Sequence[str], target: Target) -> Library:
    import llvmlite.binding as llvm
    from llvmlite.binding.newpassmanagers import NewPassManager

    _initialise()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=target.cpu, features=target.features, opt=1, jit=True, codemodel="jitdefault"
    )
    try:
        module = llvm.parse_assembly(text)
        module.verify()
    except RuntimeError as error:
        raise NativeError(
            f"expected assembly that LLVM accepts, got: {error}. This is a mistake in lucidgrad."
        ) from None
    passes = llvm.create_new_module_pass_manager()
    passes.add_loop_rotate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=1)))
    # llvmlite 0.50 forgets to free the passes: the method that does is hidden by its base class.
    NewPassManager._dispose(passes)
    passes.detach()
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return Library(engine, text, names)


@cache
def _initialise() -> None:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
