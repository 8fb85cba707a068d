"""Running the forward of a row, so that nobody can change the result, and failures are said in the row's terms."""

from __future__ import annotations

from typing import Any

import numpy as np

from lucidgrad.ops.op import Op


def compute(op: Op, values: tuple[Any, ...], attrs: dict[str, Any], quiet: bool) -> np.ndarray[Any, np.dtype[Any]]:
    """The output for arrays and numbers; ``quiet`` where NumPy's warnings are off already."""
    try:
        if quiet:
            output = op.forward(*values, **attrs)
        else:
            with np.errstate(all="ignore"):  # IEEE 754 as it is; detect_anomaly finds the first NaN
                output = op.forward(*values, **attrs)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        op.explain_failure(values, attrs, error)
        raise
    if type(output) is not np.ndarray:
        output = np.asarray(output)
    output.setflags(write=False)
    return output  # type: ignore[no-any-return]
