"""What having and importing lucidgrad costs, beside its peers: seconds of the import, memory, size on the disk.

python -m benchmarks.footprint
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, requires

from benchmarks.timing import in_turn, machine, table

MODULES = {
    "python alone": "sys",
    "NumPy": "numpy",
    "lucidgrad": "lucidgrad",
    "scikit-learn": "sklearn.neural_network",
    "PyTorch": "torch",
    "JAX": "jax.numpy",
}
DISTRIBUTIONS = {
    "NumPy": "numpy",
    "lucidgrad": "lucidgrad",
    "scikit-learn": "scikit-learn",
    "PyTorch": "torch",
    "JAX": "jax",
}
PEAK = "import resource, {}; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"


def needed(name: str, seen: set[str]) -> set[str]:
    """A distribution and all that it requires, as far as it is installed."""
    if name not in seen:
        try:
            wanted = requires(name) or []
        except PackageNotFoundError:
            return seen
        seen.add(name)
        for requirement in wanted:
            if "extra ==" not in requirement:
                needed(re.split(r"[\s<>=!~;\[(]", requirement)[0].lower(), seen)
    return seen


def megabytes(names: set[str]) -> float:
    files = (f.locate() for name in names for f in distribution(name).files or [])
    return sum(f.stat().st_size for f in files if f.is_file()) / 1e6


def main(rounds: int = 7) -> None:
    modules = {n: m for n, m in MODULES.items() if importlib.util.find_spec(m.split(".")[0])}
    ways = {
        name: lambda m=module: subprocess.run([sys.executable, "-c", f"import {m}"], check=True)
        for name, module in modules.items()
    }
    print(f"{machine()}\n")
    print(table("import in a fresh process", in_turn(ways, rounds), "NumPy"))
    print("\n| imported | memory of the process, MB | on the disk with what it needs, MB |\n|---|---|---|")
    for name, module in modules.items():
        peak = subprocess.run([sys.executable, "-c", PEAK.format(module)], check=True, capture_output=True, text=True)
        size = f"{megabytes(needed(DISTRIBUTIONS[name], set())):.0f}" if name in DISTRIBUTIONS else ""
        print(f"| {name} | {peak.stdout.strip()} | {size} |")


if __name__ == "__main__":
    main()
