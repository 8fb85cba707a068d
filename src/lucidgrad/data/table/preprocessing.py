"""TablePreprocessing: from a table of any columns to the two arrays that a network takes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from lucidgrad.data.table.column import SCALINGS, Column
from lucidgrad.data.table.encodings import (
    BooleanEncoding,
    CategoricalEncoding,
    DateEncoding,
    Encoding,
    NumericEncoding,
    encoding_of,
)
from lucidgrad.data.table.frame import Array, Table, table_of
from lucidgrad.data.table.guess import guess_kinds
from lucidgrad.data.table.read import is_word_for_missing, numbers_of
from lucidgrad.errors import ArgumentError, DataError, counted, explain

VERSION = 1


class TablePreprocessing:
    """What has to be done to a table before a network can take it: found by ``fit``, or read from a ``state``.

    Parameters
    ----------
    columns : list of Column
        All columns of the training table in their order, those left out too, each with its encoding as plain data.
    scaling : str
        One of ``SCALINGS``.
    named : bool
        Whether the training table had names, by which columns are then found.

    Attributes
    ----------
    numeric_names : list of str
        What each of the numbers is: ``"age"``, ``"age is missing"``, ``"born sine of year"``.
    categorical_names : list of str
        The column of each of the codes.
    places : list of int
        How many codes there are for each of these: 0 is for missing values, 1 for rare and unseen categories.

    Examples
    --------
    >>> from lucidgrad.data.table import TablePreprocessing
    >>> table = {"height": [1.6, 1.7, None, 1.8], "town": ["Bonn", "Köln", "Bonn", "Köln"]}
    >>> preprocessing = TablePreprocessing.fit(table, scaling="standard")
    >>> preprocessing.numeric_names, preprocessing.categorical_names, preprocessing.places
    (['height', 'height is missing'], ['town'], [4])
    >>> numbers, codes = preprocessing.transform({"town": ["Bonn", None, "Ulm"], "height": [1.7, None, 1.8]})
    >>> numbers.shape, codes.ravel().tolist()
    ((3, 2), [2, 0, 1])
    """

    def __init__(self, columns: Sequence[Column], scaling: str, named: bool) -> None:
        self.columns = list(columns)
        self.scaling = scaling
        self.named = named
        self._encodings: list[tuple[str, Encoding]] = [
            (c.name, encoding_of(c.encoding)) for c in self.columns if c.is_used
        ]
        self.numeric_names = [f"{name}{output}" for name, e in self._encodings for output in e.outputs]
        coded = [(name, e) for name, e in self._encodings if isinstance(e, CategoricalEncoding)]
        self.categorical_names = [name for name, _ in coded]
        self.places = [e.places for _, e in coded]

    @classmethod
    def fit(
        cls,
        frame: Any,
        *,
        kinds: Mapping[str, str] | None = None,
        scaling: str = "robust",
        least_rows: int | None = None,
        most_categories: int = 10_000,
        sample_weight: Array | None = None,
    ) -> TablePreprocessing:
        """Look at a training table.

        Parameters
        ----------
        frame
            A pandas or polars frame, an Arrow table, a dict of columns, or an array (rows, columns).
        kinds
            What columns are, by name, where the guess of ``guess_kinds`` is not right.
        scaling
            ``"robust"``: by the quartiles, and never beyond 8; ``"quantile"``: as in a normal distribution;
            ``"standard"``: by mean and standard deviation.
        least_rows
            Categories with fewer rows share one place. None: one row, and one more for every thousand rows of the
            table, up to five.
        most_categories
            The rarest beyond so many share it too.
        sample_weight : (rows,), optional
            How often each row counts for medians, means and quantiles, and for the order of categories.

        Raises
        ------
        DataError
            For what is no table, and one without rows.
        ArgumentError
            When ``kinds`` names a column that is not there, or there is no such kind or scaling.
        """
        if scaling not in SCALINGS:
            raise ArgumentError(
                explain(f"scaling expected one of {', '.join(SCALINGS)}", repr(scaling), "'robust' is usual")
            )
        table = table_of(frame)
        if not table.rows:
            raise DataError(
                explain("a preprocessing expected at least 1 row", "0 rows", "Check how the table was read")
            )
        least = min(5, 1 + table.rows // 1000) if least_rows is None else least_rows
        columns = []
        for column, values in zip(guess_kinds(table, kinds), table.columns, strict=True):
            known: dict[str, Any] = {}
            if column.is_used:
                known = _fit(column, values, scaling, (least, most_categories), sample_weight).state()
            columns.append(replace(column, encoding=known))
        return cls(columns, scaling, table.named)

    def transform(self, frame: Any, dtype: DTypeLike = np.float32) -> tuple[Array, Array]:
        """Turn a table into numbers and codes.

        Columns are found by their names, in any order; others are not looked at. An array has no names: its columns
        are taken in the order of the training table.

        Parameters
        ----------
        frame
            A table with the columns of training: what ``table_of`` takes.
        dtype
            Of the numbers, which are worked out in float64.

        Returns
        -------
        numbers : (rows, numeric) of ``dtype``
        codes : (rows, categorical) int64

        Raises
        ------
        DataError
            When a column is missing: all that are missing are named.
        """
        table = table_of(frame)
        found = self._columns_of(table)
        numbers = np.empty((table.rows, len(self.numeric_names)), dtype)
        codes = np.empty((table.rows, len(self.places)), np.int64)
        i = j = 0
        for name, encoding in self._encodings:
            if isinstance(encoding, NumericEncoding):
                _tell_of_text(name, found[name])
            made = encoding.encode(found[name])
            if isinstance(encoding, CategoricalEncoding):
                codes[:, j], j = made, j + 1
            else:
                width = made.shape[1]
                numbers[:, i : i + width], i = made, i + width
        return numbers, codes

    def _columns_of(self, table: Table) -> dict[str, Array]:
        """The columns of a table by the names of the training table."""
        if not (table.named and self.named):
            if len(table.columns) != len(self.columns):
                raise DataError(
                    explain(
                        f"the table expected {counted(len(self.columns), 'column')}, as in training",
                        f"{len(table.columns)}",
                        "Pass a data frame with the names of the columns, or the columns of the training table",
                    )
                )
            return {c.name: values for c, values in zip(self.columns, table.columns, strict=True)}
        found = dict(zip(table.names, table.columns, strict=True))
        lacking = [name for name, _ in self._encodings if name not in found]
        if lacking:
            shown = ", ".join(map(repr, lacking[:10])) + (f" and {len(lacking) - 10} more" if len(lacking) > 10 else "")
            raise DataError(
                explain(
                    f"the table expected the columns of training, which it lacks: {shown}",
                    f"{', '.join(map(repr, table.names[:10]))}" + (", ..." if len(table.names) > 10 else ""),
                    "Add them; a column whose values are not known may be all None",
                )
            )
        return found

    def inputs_of_columns(self) -> dict[str, list[int]]:
        """For each column that is used, its places in the numbers with the codes behind them.

        Examples
        --------
        >>> from lucidgrad.data.table import TablePreprocessing
        >>> table = {"height": [1.6, 1.7, None, 1.8], "town": ["Bonn", "Köln", "Bonn", "Köln"]}
        >>> TablePreprocessing.fit(table).inputs_of_columns()
        {'height': [0, 1], 'town': [2]}
        """
        places: dict[str, list[int]] = {}
        i, j = 0, len(self.numeric_names)
        for name, encoding in self._encodings:
            width = 1 if isinstance(encoding, CategoricalEncoding) else len(encoding.outputs)
            start = j if isinstance(encoding, CategoricalEncoding) else i
            places[name] = list(range(start, start + width))
            i, j = (i, j + 1) if isinstance(encoding, CategoricalEncoding) else (i + width, j)
        return places

    def state(self) -> dict[str, Any]:
        """All of it as dicts, lists, text, numbers, booleans, None and arrays: what ``from_state`` takes."""
        return {
            "version": VERSION,
            "scaling": self.scaling,
            "named": self.named,
            "columns": [asdict(column) for column in self.columns],
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> TablePreprocessing:
        """Make it again from its ``state``.

        Parameters
        ----------
        state
            What ``state`` gave; it may come from a file.

        Raises
        ------
        ArgumentError
            When it is not one, or of a newer version.
        """
        is_map = isinstance(state, Mapping)
        if not is_map or state.keys() != {"version", "scaling", "named", "columns"}:
            got = (
                f"a dict of {sorted(map(str, state))}"
                if is_map
                else f"{state!r:.100}, of the type {type(state).__name__}"
            )
            raise ArgumentError(explain("a preprocessing expected its state", got, "Use what state() gave"))
        if state["version"] != VERSION or state["scaling"] not in SCALINGS:
            got = f"version {state['version']!r}, scaling {state['scaling']!r}"
            raise ArgumentError(explain(f"a preprocessing expected version {VERSION}", got, "Use a newer lucidgrad"))
        try:
            columns = [Column(**column) for column in state["columns"]]
        except TypeError as error:
            raise ArgumentError(
                explain("a preprocessing expected columns", str(error), "Use what state() gave")
            ) from None
        return cls(columns, str(state["scaling"]), bool(state["named"]))

    def __repr__(self) -> str:
        used = sum(c.is_used for c in self.columns)
        return (
            f"TablePreprocessing({used} of {counted(len(self.columns), 'column')} used: "
            f"{counted(len(self.numeric_names), 'number')}, "
            f"{counted(len(self.places), 'code')}; scaling={self.scaling!r})"
        )


def _fit(column: Column, values: Array, scaling: str, categories: tuple[int, int], weight: Array | None) -> Encoding:
    if column.kind == "numeric":
        return NumericEncoding.fit(values, scaling, weight)
    if column.kind == "boolean":
        return BooleanEncoding.fit(values)
    if column.kind == "date":
        return DateEncoding.fit(values, column.format, weight)
    return CategoricalEncoding.fit(values, *categories, weight)


def _tell_of_text(name: str, values: Array) -> None:
    """Warn of text in a column of numbers that is neither a number nor a word for a missing one."""
    if values.dtype.kind != "O":
        return
    text = [v for v in values if isinstance(v, str) and not is_word_for_missing(v)]
    odd = [v for v, number in zip(text, numbers_of(np.array(text, object)), strict=True) if np.isnan(number)]
    if odd:
        warnings.warn(
            explain(
                f"column {name!r} expected numbers, as in training",
                f"{odd[0]!r} and {len(odd) - 1:,} more" if len(odd) > 1 else repr(odd[0]),
                "They count as missing; check that the column is the one it was",
            ),
            UserWarning,
            stacklevel=5,
        )
