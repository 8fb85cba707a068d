"""Tables out of files: what is read, and that whatever is wrong with a file is told with its line and column."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lucidgrad.data import open_table, read_table
from lucidgrad.data.table_file import records, source
from lucidgrad.errors import ArgumentError, DataError, LucidgradError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def checked_zstd(content: bytes) -> bytes:
    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


def written(folder: Path, content: str | bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(folder: Path, content: str | bytes, name: str = "t.csv", **options: Any) -> Any:
    return read_table(written(folder, content, name), **options).rows()


# --- what is read -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_guessed(tmp_path, delimiter):
    text = f"a{delimiter}b{delimiter}c\n1{delimiter}x{delimiter}2.5\n3{delimiter}y{delimiter}\n"
    assert rows(tmp_path, text) == [(1, "x", 2.5), (3, "y", None)]


def test_the_delimiter_is_the_one_that_fits_the_rows_and_not_the_decimal_comma(tmp_path):
    assert rows(tmp_path, "a;b\n1,5;2,25\n-3,5;4\n") == [(1.5, 2.25), (-3.5, 4.0)]


def test_a_tsv_is_divided_by_tabs_alone(tmp_path):
    assert rows(tmp_path, "a\tb,c,d\n1\tx,y,z\n", "t.tsv") == [(1, "x,y,z")]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_packed_files_are_known_by_their_bytes_and_not_their_names(tmp_path, pack):
    assert rows(tmp_path, pack(b"a,b\n1,x\n")) == [(1, "x")]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, checked_zstd])
def test_a_packed_file_that_breaks_off_or_is_damaged_is_told(tmp_path, pack):
    whole = pack(b"a,b\n" + np.random.default_rng(0).bytes(3000).hex().encode())
    for bad in (whole[: len(whole) // 2], whole[:40] + b"\xff" * 60 + whole[100:]):
        with pytest.raises(DataError, match=r"t\.csv expected a whole \w+ file"):
            rows(tmp_path, bad)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_a_mark_at_the_beginning_tells_the_encoding(tmp_path, encoding):
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    table = read_table(written(tmp_path, mark + "größe,städte\n1,Köln\n".encode(encoding)))
    assert table.columns == ["größe", "städte"]
    assert table.rows() == [(1, "Köln")]


def test_another_encoding_can_be_named(tmp_path):
    text = "größe,ort\r\n1,Köln\r\n"
    assert rows(tmp_path, text.encode("cp1252"), encoding="cp1252") == [(1, "Köln")]
    assert rows(tmp_path, text.encode("utf-16"), encoding="utf-16") == [(1, "Köln")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_the_ways_of_every_system(tmp_path, end):
    assert rows(tmp_path, end.join(["a,b", "1,x", "2,y", ""])) == [(1, "x"), (2, "y")]
    assert rows(tmp_path, end.join(["a,b", "1,x", "2,y"])) == [(1, "x"), (2, "y")]


def test_quotations_hold_delimiters_lines_and_quotation_marks(tmp_path):
    text = 'name,size\n"a, b",1\n"two\nlines",2\n"she said ""yes""",3\n"",4\n'
    assert rows(tmp_path, text) == [("a, b", 1), ("two\nlines", 2), ('she said "yes"', 3), (None, 4)]


def test_a_quotation_mark_inside_of_a_field_is_a_letter(tmp_path):
    table = open_table(written(tmp_path, 'name,size\n"one\ntwo",1\n5" pipe,2\nsix",3\n'))
    batch = table.read()
    assert batch.frame.rows() == [("one\ntwo", 1), ('5" pipe', 2), ('six"', 3)]
    assert batch.lines.tolist() == [2, 4, 5]


def test_blank_lines_are_no_rows_and_rows_know_their_lines(tmp_path):
    batch = open_table(written(tmp_path, '\n\na,b\n1,x\n\n"2","y\nz"\n\n3,w\n\n')).read()
    assert batch.frame.rows() == [(1, "x"), (2, "y\nz"), (3, "w")]
    assert batch.lines.tolist() == [4, 6, 9]


def test_columns_are_numbers_codes_booleans_or_text_by_all_their_values(tmp_path):
    text = "n,code,flag,date,mixed,none\n1,007,true,2024-01-31,1,NA\n2,123,FALSE,2024-02-01,x,\n"
    table = read_table(written(tmp_path, text))
    assert table.rows() == [(1, "007", True, "2024-01-31", "1", None), (2, "123", False, "2024-02-01", "x", None)]
    assert table.dtypes[0] == polars.Int64
    assert table.dtypes[5] == polars.Float64


def test_words_for_missing_values_are_known_and_more_can_be_named(tmp_path):
    text = "a\n1\nNA\nnull\n?\n-999\n 2 \n"
    assert [a for (a,) in rows(tmp_path, text, missing=["-999"])] == [1, None, None, None, None, 2]
    # Where all are numbers otherwise too; NaN is a number to polars.
    assert [a for (a,) in rows(tmp_path, "a\n1\n-999\n3\n", missing=["-999"])] == [1, None, 3]
    assert [a for (a,) in rows(tmp_path, "a\n1.5\n-999\n3\n", missing=["-999.0", "-999"])] == [1.5, None, 3]
    assert [a for (a,) in rows(tmp_path, "a\n1.5\nNaN\n3\n")] == [1.5, None, 3]


def test_a_few_values_that_are_no_numbers_are_missing_and_told_with_their_line(tmp_path):
    path = written(tmp_path, "a,b\n" + "1,2\n" * 30 + "about 5,2\n" + "1,2\n" * 30)
    expected = r"t\.csv, column 'a': 1 value is no number and counts as missing; the first is 'about 5' on line 32"
    with pytest.warns(UserWarning, match=expected):
        table = read_table(path)
    assert table["a"].null_count() == 1
    assert table["a"].dtype == polars.Float64


def test_columns_without_a_name_get_one(tmp_path):
    assert open_table(written(tmp_path, ",b,\n0,1,2\n")).names == ("column_1", "b", "column_3")


def test_a_header_alone_is_a_table_without_rows(tmp_path):
    for text in ("a,b\n", "a,b"):
        table = read_table(written(tmp_path, text))
        assert table.columns == ["a", "b"]
        assert table.height == 0


def test_ten_thousand_columns(tmp_path):
    names = [f"c{i}" for i in range(10_000)]
    text = ",".join(names) + "\n" + "\n".join(",".join(map(str, range(k, k + 10_000))) for k in range(20))
    table = read_table(written(tmp_path, text))
    assert table.shape == (20, 10_000)
    assert table["c9999"].to_list() == list(range(9999, 10_019))


def test_columns_that_are_not_there_and_batches_of_nothing_are_refused(tmp_path):
    table = open_table(written(tmp_path, "town,people\nBonn,336465\n"))
    with pytest.raises(DataError, match=r"expected the column 'twon' to read, .*Did you mean 'town'\?"):
        table.read(["twon"])
    with pytest.raises(DataError, match="expected the column 'city' to read"):
        next(table.batches({"people": "number"}, others=["city"]))
    with pytest.raises(ArgumentError, match=r"batches\(rows\) expected a whole number of at least 1, got 0"):
        next(table.batches({"people": "number"}, rows=0))


def test_parquet_is_read_and_its_rows_are_numbered(tmp_path):
    frame = polars.DataFrame({"a": [1, 2, None], "b": ["x", "y", "z"]})
    frame.with_columns(c=polars.col("b").cast(polars.Categorical)).write_parquet(tmp_path / "t.parquet")
    table = open_table(tmp_path / "t.parquet")
    assert table.names == ("a", "b", "c")
    assert table.description == "Parquet"
    batch = table.read(["c", "a"])
    assert batch.frame.rows() == [("x", 1), ("y", 2), ("z", None)]
    assert batch.lines.tolist() == [1, 2, 3]
    assert table.place(2) == "row 2"
    batches = list(table.batches({"a": "number"}, others=["b"], rows=2))
    assert [b.frame.rows() for b in batches] == [[(1, "x"), (2, "y")], [(None, "z")]]
    assert batches[1].lines.tolist() == [3]


# --- in parts -----------------------------------------------------------------------------------------------------


def test_parts_are_the_whole_however_the_blocks_fall(tmp_path, monkeypatch):
    two = "ab\n"
    text = "id,text,x\n" + "".join(f'{i},"{two * (i % 3)}é",{i / 4}\n\n' for i in range(300))
    path = written(tmp_path, text)
    whole = open_table(path).read()
    for size in (64, 1001):
        monkeypatch.setattr(source, "BLOCK_BYTES", size)
        monkeypatch.setattr(source, "START_BYTES", 20)
        table = open_table(path)
        parts = list(table.batches({"x": "number", "id": "number", "text": "text"}, rows=11))
        assert max(p.frame.height for p in parts) <= 11
        joined = polars.concat([p.frame for p in parts]).select("id", "text", "x")
        assert joined.rows() == whole.frame.rows()
        assert np.concatenate([p.lines for p in parts]).tolist() == whole.lines.tolist()


def test_a_part_has_the_types_of_training_and_not_those_it_looks_like(tmp_path):
    path = written(tmp_path, "zip,flag,n\n12,1,1\n13,TRUE,x\n")
    table = open_table(path)
    (batch,) = table.batches({"zip": "text", "flag": "boolean", "n": "number"})
    assert batch.frame.rows() == [("12", None, 1.0), ("13", True, None)]
    assert "column 'n': 1 value is no number" in table.complaints()[1]


def test_a_column_of_numbers_that_are_none_is_refused(tmp_path):
    table = open_table(written(tmp_path, "n\n" + "x\n" * 20))
    with pytest.raises(DataError, match=r"t\.csv line 2, column 'n' expected a number as in training, got 'x'"):
        list(table.batches({"n": "number"}))


def test_a_missing_column_is_named_with_the_one_that_is_meant(tmp_path):
    table = open_table(written(tmp_path, "price,size\n1,2\n"))
    with pytest.raises(DataError, match=r"expected the column 'prize' as the target, got a table of price, size\. Did"):
        table.require(["prize"], "as the target")
    lone = open_table(written(tmp_path, "price:size\n1:2\n"))
    with pytest.raises(DataError, match="name what divides the fields with --delimiter"):
        lone.require(["size"], "as the target")
    headless = open_table(written(tmp_path, "5.1,3.5\n4.9,3.0\n"))
    with pytest.raises(DataError, match="The first line has to name the columns"):
        headless.require(["species", "x"], "as the target")


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected a table, got an empty file"),
        ("\n \n", "expected a table, got an empty file"),
        ("\ufeff", "expected a table, got an empty file"),
        ("a,b,a\n1,2,3\n", "line 1 expected a name of its own for each column, got 'a' for the columns 1 and 3"),
        ("a,b\n1,2\n3\n", r"line 3 expected 2 fields as in the header, got 1 \(there is nothing for 'b'\)"),
        ('a,b\n"x\ny",2\n3,4,5\n', r"line 4 expected 2 fields as in the header, got 3 \('5' is behind the last"),
        ('a,b\n5" x,2\n3,4,5\n', r"line 3 expected 2 fields as in the header, got 3"),
        ('a,b\n1,2\n"x,2\n3,4\n', "line 3 expected a quotation that ends in front of the next field, got one that is"),
        ('a,b\n1,2\n"x"y,2\n', "line 3 expected a quotation .* got something behind the closing one, on line 3"),
        (b"a,b\n1,2\n1,K\xf6ln\n", "line 3, column 'b' expected text in UTF-8, got the byte 0xF6"),
        (b'a,b\n5" x,2\nK\xf6ln,3\n', "line 3, column 'a' expected text in UTF-8, got the byte 0xF6"),
        (b"a,gr\xf6\n1,2\n", "line 1 expected names of columns in UTF-8, got the byte 0xF6"),
        (b"\xff\xfea\x00,\x00b\x00\n\x00\x00\xd8\x00", "expected text in utf-16-le"),
        (b"\x89HDF\x00\x00\x01", "expected text, got bytes that are none"),
        (b"PAR1" + bytes(50), "expected a sound Parquet file"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        rows(tmp_path, content)


def test_a_quotation_that_never_ends_takes_no_more_than_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "MOST_BYTES", 1 << 18)
    monkeypatch.setattr(source, "BLOCK_BYTES", 1 << 16)
    monkeypatch.setattr(source, "START_BYTES", 1 << 16)
    path = written(tmp_path, 'a,b\n1,2\n"x,2\n' + "3,4\n" * 300_000)
    with pytest.raises(DataError, match=r"line 3 expected a quotation that ends .* got one that is not closed"):
        read_table(path)
    path = written(tmp_path, "a,b\n1,2\n" + "3" * (1 << 20))
    with pytest.raises(DataError, match="line 3 expected"):
        read_table(path)


def test_no_such_file_a_folder_and_unknown_options_are_told(tmp_path):
    with pytest.raises(DataError, match="expected a table, got nothing by that name"):
        open_table(tmp_path / "none.csv")
    with pytest.raises(DataError, match="expected a table, got a folder"):
        open_table(tmp_path)
    path = written(tmp_path, "a,b\n1,2\n")
    with pytest.raises(ArgumentError, match="delimiter expected one character, got '::'"):
        open_table(path, delimiter="::")
    for name in ("klingon", "hex"):
        with pytest.raises(ArgumentError, match="encoding expected a name that Python knows"):
            open_table(path, encoding=name)


# --- hostile ------------------------------------------------------------------------------------------------------

field = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], include_characters="\n\r\t"), max_size=6)
tables = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(field, min_size=width, max_size=width), min_size=1, max_size=8)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.integers(8, 40))
def test_what_is_written_by_the_rules_is_read_back(tmp_path, table, delimiter, end, block):
    out = io.StringIO(newline="")
    names = [f"c{i}" for i in range(len(table[0]))]
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows([names, *table])
    path = written(tmp_path, out.getvalue())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "BLOCK_BYTES", block)
        patch.setattr(source, "START_BYTES", 32)
        parts = list(open_table(path, delimiter=delimiter).batches(dict.fromkeys(names, "text")))
    plain = [[None if not v.strip() else v.replace("\r\n", "\n") for v in row] for row in table]
    assert [list(row) for part in parts for row in part.frame.rows()] == plain


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([b"a", b"1", b",", b";", b'"', b"\n", b"\r", b"\xff", b"\xc3\xa9", b"\0", b" "])))
@example([b",", b"\n", b"\r", b"a"])
def test_whatever_the_bytes_there_is_a_table_or_our_error(tmp_path, pieces):
    path = written(tmp_path, b"".join(pieces))
    try:
        frame = open_table(path).read().frame
    except LucidgradError as error:
        assert str(path) in str(error)  # noqa: PT017 - which of the two it is, is the point
    else:
        assert frame.width == len(open_table(path).names)
