"""How long a fresh process takes to import lucidgrad, beside NumPy alone and the peers that are installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

from timing import in_turn, machine, table


def main() -> None:
    names = [
        n
        for n in ("lucidgrad", "numpy", "sklearn.neural_network", "torch")
        if importlib.util.find_spec(n.split(".")[0])
    ]
    ways = {
        f"import {name}": lambda name=name: subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
        for name in names
    }
    ways = {"python alone": lambda: subprocess.run([sys.executable, "-c", "pass"], check=True), **ways}
    print(f"{machine()}\n")
    print(table("fresh process", in_turn(ways, 9), "import numpy"))


if __name__ == "__main__":
    main()
