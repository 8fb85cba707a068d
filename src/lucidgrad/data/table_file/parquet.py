"""Parquet: the names of its columns, and rows of it, with what polars finds wrong with a file in our words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lucidgrad.errors import DataError, explain

if TYPE_CHECKING:
    import polars

PARQUET_ROWS = 1 << 18
"""Read at once: a slice of a file in row groups costs as much as the group it is in."""


def parquet_names(path: Path) -> tuple[str, ...]:
    """The names of the columns of a file, in order."""
    import polars

    with parquet_errors(path):
        return tuple(polars.scan_parquet(path, glob=False).collect_schema().names())


def read_parquet(path: Path, names: Sequence[str], start: int | None, rows: int | None) -> polars.DataFrame:
    """These columns of all rows, or of ``rows`` of them from row ``start`` on; categories as text."""
    import polars

    with parquet_errors(path):
        lazy = polars.scan_parquet(path, glob=False).select(list(names))
        frame = (lazy if start is None else lazy.slice(start, rows)).collect()
    kinds = (polars.Categorical, polars.Enum)
    return frame.with_columns(polars.col(n).cast(polars.String) for n, t in frame.schema.items() if t in kinds)


class parquet_errors:  # noqa: N801 - a context manager
    """What polars finds wrong with a file, in our words."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        import polars

        if isinstance(error, polars.exceptions.PolarsError):
            got = " ".join(str(error).split())[:200]
            raise DataError(explain(f"{self.path} expected a sound Parquet file", got, "Write it again")) from error
