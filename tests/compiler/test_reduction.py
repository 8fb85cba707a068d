"""Short rows are reduced 16 at a time, and each has the bits that it has alone."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="machine code is made with llvmlite")

import lucidgrad as lg


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
@pytest.mark.parametrize("name", ["sum", "max", "min", "prod"])
def test_a_short_row_has_the_bits_it_has_alone(name: str, dtype: type) -> None:
    rng = np.random.default_rng(3)
    call = lg.jit(lambda x: getattr(x, name)(axis=-1))
    for columns in (1, 2, 3, 4, 5, 8, 9, 16, 17):
        x = (rng.standard_normal((37, columns)) * 3).astype(dtype)
        if np.dtype(dtype).kind == "f":
            x.reshape(-1)[:: columns + 2] = rng.choice(
                [np.nan, np.inf, -np.inf, -0.0, 1e30], len(x.reshape(-1)[:: columns + 2])
            )
        together = call(lg.tensor(x)).numpy()
        alone = np.concatenate([call(lg.tensor(x[i : i + 1])).numpy() for i in range(len(x))])
        assert together.tobytes() == alone.tobytes(), columns
        if np.dtype(dtype).kind == "i":
            assert (together == getattr(x, name)(axis=-1)).all()


def test_more_axes_and_kept_ones() -> None:
    x = np.random.default_rng(0).standard_normal((3, 21, 5)).astype(np.float32)
    for keepdims in (False, True):
        made = lg.jit(lambda t, k=keepdims: t.max(axis=2, keepdims=k) * 2)(lg.tensor(x)).numpy()
        assert (made == 2 * x.max(axis=2, keepdims=keepdims)).all()
