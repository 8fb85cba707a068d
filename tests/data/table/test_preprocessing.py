"""Tables of any library and of columns of any kind become numbers and codes, and say what they became."""

from __future__ import annotations

import json
import re
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas
import polars
import pytest

from lucidgrad.data.table import KINDS, TablePreprocessing, guess_kinds, table_of
from lucidgrad.errors import ArgumentError, DataError

rng = np.random.default_rng(3)
N = 60
COLUMNS: dict[str, Any] = {
    "size": [None if i % 7 == 0 else float(i * i) for i in range(N)],
    "count": [i % 9 for i in range(N)],
    "town": [None if i % 11 == 0 else ["Bonn", "Köln", "Ulm"][i % 3] for i in range(N)],
    "sold": [None if i % 13 == 0 else date(2020, 1, 1) + timedelta(days=17 * i) for i in range(N)],
    "new": [i % 4 == 0 for i in range(N)],
    "unit": ["m"] * N,
    "nothing": [None] * N,
    "customer": [f"c-{i:05}" for i in range(N)],
    "order_id": [7 * i + 3 for i in range(N)],
    "remark": [f"the parcel number {i} came late and was open" for i in range(N)],
}
KIND_OF = {
    "size": "numeric", "count": "numeric", "town": "categorical", "sold": "date", "new": "boolean",
    "unit": "constant", "nothing": "empty", "customer": "id", "order_id": "id", "remark": "text",
}  # fmt: skip


def arrow() -> Any:
    return polars.DataFrame(COLUMNS).to_arrow()


FRAMES = {
    "dict": lambda: COLUMNS,
    "pandas": lambda: pandas.DataFrame(COLUMNS),
    "pandas, convert_dtypes": lambda: pandas.DataFrame(COLUMNS).convert_dtypes(),
    "polars": lambda: polars.DataFrame(COLUMNS),
    "polars, lazy": lambda: polars.DataFrame(COLUMNS).lazy(),
    "arrow": arrow,
}


@pytest.mark.parametrize("library", FRAMES)
def test_the_same_table_of_any_library_gives_the_same_arrays(library):
    table = FRAMES[library]()
    assert {c.name: c.kind for c in guess_kinds(table)} == KIND_OF
    fitted = TablePreprocessing.fit(table)
    numbers, codes = fitted.transform(table)
    expected = TablePreprocessing.fit(COLUMNS)
    assert fitted.numeric_names == expected.numeric_names
    for made, wanted in zip((numbers, codes), expected.transform(COLUMNS), strict=True):
        np.testing.assert_array_equal(made, wanted)
    assert numbers.dtype == np.float32
    assert codes.dtype == np.int64
    assert np.isfinite(numbers).all()


def test_every_kind_is_guessed_with_its_reason():
    reasons = {c.name: c.reason for c in guess_kinds(COLUMNS)}
    assert reasons["town"] == "text with 3 different values"
    assert reasons["unit"] == "only one value: 'm'"
    assert reasons["customer"] == "nearly every value is different: 60 of 60"
    assert reasons["order_id"] == "whole numbers, all different, under the name of an id"
    assert reasons["remark"] == "sentences of 9 words, 60 of 60 different"
    assert set(KIND_OF.values()) <= set(KINDS)


def test_text_that_is_numbers_or_dates_is_taken_for_them_and_what_is_malformed_for_missing():
    table = {
        "price": ["1.5", "2", "1e3", "?", "n/a"] * 20,
        "mostly": [*map(str, range(98)), "oops", "12,5"],
        "iso": ["2024-02-29T12:30:00"] * 50 + ["2023-01-01"] * 50,
        "german": ["29.02.2024", "31.12.2023"] * 50,
        "american": ["02/29/2024", "12/31/2023"] * 50,
    }
    columns = {c.name: c for c in guess_kinds(table)}
    assert [columns[name].kind for name in table] == ["numeric", "numeric", "date", "date", "date"]
    assert columns["mostly"].reason == "text that is numbers, 2.0% of them malformed and taken as missing"
    assert columns["german"].format == "%d.%m.%Y"
    assert columns["american"].format == "%m/%d/%Y"
    fitted = TablePreprocessing.fit(table)
    assert fitted.numeric_names[:4] == ["price", "price is missing", "mostly", "mostly is missing"]
    told = r"column 'mostly' expected numbers, as in training, got 'oops' and 1 more\. They count as missing"
    with pytest.warns(UserWarning, match=told):
        a, _ = fitted.transform(table)
    same = {**table, "german": [datetime(2024, 2, 29), datetime(2023, 12, 31)] * 50}
    with pytest.warns(UserWarning, match=told):
        np.testing.assert_array_equal(fitted.transform(same)[0], a)


def test_what_is_told_overrules_the_guess():
    columns = guess_kinds(COLUMNS, {"count": "categorical", "size": "ignored", "order_id": "numeric"})
    kinds = {c.name: (c.kind, c.reason) for c in columns}
    assert kinds["count"] == ("categorical", "as told")
    assert kinds["size"] == ("ignored", "as told")
    assert kinds["order_id"] == ("numeric", "as told")
    with pytest.raises(ArgumentError, match=r"kinds expected names of columns \(size, count, .*\), got 'sice'\. Check"):
        guess_kinds(COLUMNS, {"sice": "numeric"})
    with pytest.raises(ArgumentError, match=r"kinds expected one of numeric, .* for the column 'size', got 'number'"):
        guess_kinds(COLUMNS, {"size": "number"})


@pytest.mark.parametrize("scaling", ["robust", "quantile", "standard"])
def test_numbers_are_brought_to_one_size_and_missing_ones_are_marked(scaling):
    x = np.exp(rng.normal(size=1000) * 3)
    x[:50] = np.nan
    fitted = TablePreprocessing.fit({"x": x}, scaling=scaling)
    numbers, _ = fitted.transform({"x": x})
    z, missing = numbers.T
    assert missing.sum() == 50
    assert (missing[:50] == 1).all()
    assert (z[:50] == z[0]).all()
    if scaling == "standard":
        assert abs(z[50:].mean()) < 1e-5
        assert z[50:].std() == pytest.approx(1, rel=1e-5)
    else:
        assert abs(np.median(z[50:])) < 0.05
        assert np.abs(z).max() < 8
        np.testing.assert_array_equal(np.argsort(z[50:], kind="stable"), np.argsort(x[50:], kind="stable"))
    beyond, _ = fitted.transform({"x": [np.inf, -np.inf, 1e300, np.nan]})
    assert np.isfinite(beyond).all()
    assert (beyond[0, 0], beyond[1, 0]) == (z.max(), z[50:].min())


def test_categories_have_places_and_so_have_missing_rare_and_unseen_ones():
    town = ["Bonn"] * 500 + ["Köln"] * 400 + ["Ulm"] + [None] * 99
    fitted = TablePreprocessing.fit({"town": town})
    (column,) = fitted.columns
    assert column.encoding == {"encoding": "categorical", "categories": ["Bonn", "Köln"], "rare": 1}
    assert fitted.places == [4]
    _, codes = fitted.transform({"town": ["Köln", "Bonn", "Ulm", "Trier", None, "", float("nan")]})
    assert codes.ravel().tolist() == [3, 2, 1, 1, 0, 0, 0]


def test_a_category_is_the_same_as_a_number_as_text_and_as_a_pandas_category():
    train = pandas.DataFrame({"code": pandas.Categorical([1, 2, 2, 1])})
    fitted = TablePreprocessing.fit(train, kinds={"code": "categorical"})
    for same in ([1, 2], [1.0, 2.0], ["1", "2"], np.array([1, 2], np.int8)):
        assert fitted.transform({"code": same})[1].ravel().tolist() == [2, 3], same


def test_dates_become_places_on_circles_and_time_elapsed():
    days = [date(2019, 1, 1) + timedelta(days=i) for i in range(800)]
    fitted = TablePreprocessing.fit({"day": days})
    assert fitted.numeric_names == [
        "day elapsed", "day year", "day sine of year", "day cosine of year", "day sine of month", "day cosine of month",
        "day sine of week", "day cosine of week", "day weekend",
    ]  # fmt: skip
    by_name = dict(zip(fitted.numeric_names, fitted.transform({"day": days})[0].T, strict=True))
    assert by_name["day weekend"][:7].tolist() == [0, 0, 0, 0, 1, 1, 0]  # 2019-01-01 was a Tuesday
    assert by_name["day elapsed"].std() == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(by_name["day sine of week"][:-7], by_name["day sine of week"][7:], atol=1e-6)
    assert np.ptp(np.diff(by_name["day elapsed"])) < 1e-4
    later = TablePreprocessing.fit({"at": [datetime(2020, 1, 1, h) for h in range(24)]})
    assert "at sine of day" in later.numeric_names


@pytest.mark.parametrize("scaling", ["robust", "quantile"])
def test_the_state_is_plain_and_makes_the_same_preprocessing(scaling):
    fitted = TablePreprocessing.fit(COLUMNS, scaling=scaling)
    state = fitted.state()
    json.dumps(state, default=lambda array: array.tolist())  # nothing but plain data and arrays
    again = TablePreprocessing.from_state(state)
    assert repr(again) == repr(fitted)
    for a, b in zip(again.transform(COLUMNS), fitted.transform(COLUMNS), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ArgumentError, match="a preprocessing expected version 1, got version 9"):
        TablePreprocessing.from_state({**state, "version": 9})
    with pytest.raises(ArgumentError, match="a preprocessing expected its state"):
        TablePreprocessing.from_state({})
    for none in (5, None, "state", [1]):
        with pytest.raises(ArgumentError, match=re.escape(f"expected its state, got {none!r}, of the type ")):
            TablePreprocessing.from_state(none)
    column = {**state["columns"][0], "encoding": 5}
    with pytest.raises(ArgumentError, match=r"an encoding expected its state, got 5\. Use what state\(\) gave"):
        TablePreprocessing.from_state({**state, "columns": [column]})
    bad = {**state, "columns": [{**state["columns"][0], "encoding": {"encoding": "os.system"}}]}
    with pytest.raises(ArgumentError, match=r"an encoding expected to be one of numeric, .*, got 'os.system'"):
        TablePreprocessing.from_state(bad)


def test_columns_are_found_by_name_and_those_that_are_missing_are_named():
    fitted = TablePreprocessing.fit(COLUMNS)
    turned = dict(reversed([*COLUMNS.items(), ("more", range(N))]))
    for a, b in zip(fitted.transform(turned), fitted.transform(COLUMNS), strict=True):
        np.testing.assert_array_equal(a, b)
    used = {name: COLUMNS[name] for name in ("size", "count", "town", "sold", "new")}
    fitted.transform(used)  # what is left out need not be there
    with pytest.raises(DataError, match=r"columns of training, which it lacks: 'count', 'town', got 'size', "):
        fitted.transform({name: v for name, v in used.items() if name not in ("count", "town")})
    with pytest.raises(DataError, match=r"the table expected 10 columns, as in training, got 3\. Pass a data frame"):
        fitted.transform(np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.zeros(3), r"Expected 2D array, got 1D array instead: .* got \(3,\)\. Reshape your data"),
        (np.zeros((2, 2), complex), "Complex data not supported"),
        ({"a": [1, 2], "b": [1]}, r"columns of one length, got \[1, 2\]"),
        (polars.DataFrame({"a": [[1], [2]]}), r"the column 'a' expected numbers, text, dates or booleans, got List"),
        ({"a": np.zeros((2, 2))}, r"the column 'a' expected one value a row, got shape \(2, 2\)"),
        ([[1, 2], [3]], "a table expected rows of one length"),
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "names that differ, got two columns 'a'"),
        ({1: [1], "1": [2]}, "names that differ, got two columns '1'"),
    ],
)
def test_what_is_no_table_is_explained(table, message):
    with pytest.raises(DataError, match=message):
        table_of(table)


def test_a_sparse_table_and_an_empty_one_are_explained():
    from scipy import sparse

    with pytest.raises(DataError, match=r"a table expected columns, got sparse data\. Use X.toarray\(\)"):
        table_of(sparse.eye(3).tocsr())
    with pytest.raises(DataError, match="a preprocessing expected at least 1 row, got 0 rows"):
        TablePreprocessing.fit({"a": []})
    with pytest.raises(ArgumentError, match="scaling expected one of robust, quantile, standard, got 'minmax'"):
        TablePreprocessing.fit({"a": [1, 2]}, scaling="minmax")


def test_a_weight_of_two_counts_a_row_twice():
    x, weight = rng.normal(size=40), rng.integers(1, 4, 40)
    for scaling in ("robust", "quantile", "standard"):
        once = TablePreprocessing.fit({"x": x}, scaling=scaling, sample_weight=weight.astype(float))
        twice = TablePreprocessing.fit({"x": np.repeat(x, weight)}, scaling=scaling)
        np.testing.assert_allclose(once.transform({"x": x})[0], twice.transform({"x": x})[0], rtol=1e-6)


def test_mixed_kinds_and_names_that_are_not_text():
    frame = pandas.DataFrame({0: [1, "a", None, 2.5] * 10, ("x", 1): range(40)})
    columns = guess_kinds(frame)
    assert [(c.name, c.kind, c.dtype) for c in columns] == [("0", "categorical", "mixed"), ("('x', 1)", "id", "number")]
    _, codes = TablePreprocessing.fit(frame).transform(frame)
    assert len(np.unique(codes)) == 4
