"""IDX files: what is written is read, and nothing that only looks like one gets through."""

import gzip
import hashlib
import struct
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from lucidgrad.data import read_idx, write_idx
from lucidgrad.data.idx import idx_sha256
from lucidgrad.errors import ArgumentError, DataError, DtypeError

DTYPES = [np.uint8, np.int8, np.int16, np.int32, np.float32, np.float64]
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, derandomize=True)


def idx_bytes(*dimensions, code=0x08, data=None, rank=None):
    size = int(np.prod(dimensions))
    body = bytes(range(256)) * (size // 256 + 1) if data is None else data
    rank = len(dimensions) if rank is None else rank
    return struct.pack(f">2xBB{len(dimensions)}I", code, rank, *dimensions) + body[: size if data is None else None]


@pytest.fixture(params=["plain", "gzip"])
def save(request, tmp_path):
    """Write bytes to a file, once as they are and once packed, and give its path."""

    def save_bytes(data):
        path = tmp_path / "some-idx"
        path.write_bytes(data if request.param == "plain" else gzip.compress(data, mtime=0))
        return path

    return save_bytes


@one_folder
@given(
    array=st.sampled_from(DTYPES).flatmap(
        lambda dtype: arrays(dtype, array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
    ),
    suffix=st.sampled_from(["", ".gz"]),
)
def test_what_is_written_is_read(tmp_path, array, suffix):
    path = tmp_path / f"array{suffix}"
    write_idx(path, array)
    read = read_idx(path)
    assert read.dtype == array.dtype
    assert read.shape == array.shape
    assert read.tobytes() == array.tobytes()
    assert read.flags.writeable
    assert read.dtype.isnative


def test_a_file_is_laid_out_as_the_format_says(tmp_path):
    write_idx(tmp_path / "a", np.array([[1, -2]], np.int16))
    assert (tmp_path / "a").read_bytes() == bytes.fromhex("00000b02 00000001 00000002 0001fffe")


def test_rows_of_a_larger_array_and_other_byte_orders_are_written_right(tmp_path):
    array = np.arange(24, dtype="<i4").reshape(4, 6)[::2, ::-1]
    write_idx(tmp_path / "a", array)
    assert np.array_equal(read_idx(tmp_path / "a"), array)
    write_idx(tmp_path / "b", array.astype(">i4"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_same_array_gives_the_same_bytes_also_packed(tmp_path):
    for name in ("a.gz", "b.gz"):
        write_idx(tmp_path / name, np.arange(9, dtype=np.uint8))
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()
    assert (tmp_path / "a.gz").read_bytes()[:2] == b"\x1f\x8b"


def test_the_sum_of_an_array_is_that_of_its_file(tmp_path):
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    write_idx(tmp_path / "a", array)
    assert idx_sha256(array) == hashlib.sha256((tmp_path / "a").read_bytes()).hexdigest()


def test_a_name_does_not_decide_whether_a_file_is_packed(tmp_path):
    (tmp_path / "plain.gz").write_bytes(idx_bytes(3))
    (tmp_path / "packed").write_bytes(gzip.compress(idx_bytes(3)))
    assert read_idx(tmp_path / "plain.gz").tolist() == read_idx(tmp_path / "packed").tolist() == [0, 1, 2]


def test_images_and_labels_are_told_apart(save):
    assert read_idx(save(idx_bytes(2, 3, 4)), kind="images").shape == (2, 3, 4)
    assert read_idx(save(idx_bytes(2)), kind="labels").shape == (2,)
    with pytest.raises(DataError, match=r"some-idx expected images, bytes of rank 3, got uint8 of rank 1"):
        read_idx(save(idx_bytes(2)), kind="images")
    with pytest.raises(DataError, match=r"some-idx expected labels, bytes of rank 1, got float32 of rank 1"):
        read_idx(save(idx_bytes(2, code=0x0D, data=b"\0" * 8)), kind="labels")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "which begins with 00 00, got (an empty file|)"),
        (b"\0\0\x08", "which begins with 00 00, got 00 00 08"),
        (b"PK\x03\x04", "which begins with 00 00, got 50 4b 03 04"),
        (idx_bytes(2, code=0x0A), "a type code out of 0x08, .*, got 0x0a"),
        (idx_bytes(2, rank=0), "a rank from 1 to 32, got 0"),
        (idx_bytes(2, rank=200), "a rank from 1 to 32, got 200"),
        (b"\0\0\x08\x03\0\0\0\x01\0\0", r"3 dimensions in 12 bytes, got 6 \(truncated\)"),
        (idx_bytes(10)[:-1], r"10 bytes after its header, as its dimensions \(10,\) say, got 9"),
        (idx_bytes(2, 5, code=0x0C, data=b"\0" * 39), r"40 bytes after its header, .*\(2, 5\) say, got 39"),
        (idx_bytes(10) + b"!", "10 bytes after its header, .*, got (11|more than 10)"),
        (idx_bytes(0) + b"!", "0 bytes after its header, .*, got (1|more than 0)"),
        (idx_bytes(2**32 - 1, 2**32 - 1, data=b""), "(dimensions that fit into memory|bytes .* got)"),
        (idx_bytes(0, 2**32 - 1, 2**32 - 1, data=b""), "dimensions that fit into memory"),
        (idx_bytes(60_000, 28, 28, data=b"abc"), r"(got 3\.|cannot unfold to that many)"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_with_its_name(save, data, message):
    with pytest.raises(DataError, match=f"some-idx expected .*{message}"):
        read_idx(save(data))


@pytest.mark.parametrize("length", range(len(gzip.compress(idx_bytes(40), mtime=0))))
def test_packed_files_that_break_off_anywhere_are_refused(tmp_path, length):
    path = tmp_path / "some-idx"
    path.write_bytes(gzip.compress(idx_bytes(40), mtime=0)[:length])
    with pytest.raises(DataError, match=r"some-idx expected .* got (an empty file|1f|one that breaks off)"):
        read_idx(path)


@pytest.mark.parametrize("length", range(len(idx_bytes(2, 3))))
def test_plain_files_that_break_off_anywhere_are_refused(tmp_path, length):
    path = tmp_path / "some-idx"
    path.write_bytes(idx_bytes(2, 3)[:length])
    with pytest.raises(DataError, match="some-idx expected"):
        read_idx(path)


@one_folder
@given(at=st.integers(0, 62), bit=st.integers(0, 7), packed=st.booleans())
def test_a_flipped_bit_gives_an_array_or_a_data_error_and_nothing_else(tmp_path, at, bit, packed):
    data = bytearray(gzip.compress(idx_bytes(3, 4, 4), mtime=0) if packed else idx_bytes(3, 4, 4))
    at %= len(data)
    data[at] ^= 1 << bit
    path = tmp_path / "some-idx"
    path.write_bytes(data)
    try:
        array = read_idx(path)
    except DataError:
        return
    if packed:  # what got through is right: only the header of gzip, such as its time, may differ
        assert at < 10
        assert np.array_equal(array.ravel(), np.arange(48))


@one_folder
@given(data=st.binary(max_size=80), packed=st.booleans())
def test_any_bytes_give_an_array_or_a_data_error_and_nothing_else(tmp_path, data, packed):
    path = tmp_path / "some-idx"
    path.write_bytes(gzip.compress(data) if packed else data)
    with suppress(DataError):
        read_idx(path)
    path.write_bytes(b"\x1f\x8b" + data)
    with pytest.raises(DataError):
        read_idx(path)


def test_a_damaged_sum_is_said(tmp_path):
    packed = bytearray(gzip.compress(idx_bytes(40), mtime=0))
    packed[-6] ^= 1
    (tmp_path / "some-idx").write_bytes(packed)
    with pytest.raises(DataError, match=r"some-idx expected a sound gzip file, got a damaged one \(CRC check failed"):
        read_idx(tmp_path / "some-idx")


def peak_bytes_of_refusing(path, message, **options):
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=message):
            read_idx(path, **options)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_small_file_that_promises_much_costs_no_memory(save):
    path = save(idx_bytes(2**31, data=b"abc"))
    assert peak_bytes_of_refusing(path, "some-idx expected 2,147,483,6") < 2e6


def test_a_bomb_is_not_unfolded_beyond_the_bytes_it_declares(tmp_path):
    path = tmp_path / "some-idx"
    path.write_bytes(gzip.compress(idx_bytes(10) + b"\0" * 50_000_000))
    assert path.stat().st_size < 100_000
    assert peak_bytes_of_refusing(path, "10 bytes after its header, .* got more than 10") < 2e6


def test_a_bomb_that_declares_its_bytes_needs_to_be_trusted_first(tmp_path):
    path = tmp_path / "some-idx"
    path.write_bytes(gzip.compress(idx_bytes(5_000_000, data=b"\0" * 5_000_000)))
    message = "at most 1,000,000 bytes inside, got 5,000,008. If the file can be trusted, raise max_bytes"
    assert peak_bytes_of_refusing(path, message, max_bytes=1_000_000) < 2e6
    assert read_idx(path).shape == (5_000_000,)


def test_what_is_no_file_is_said(tmp_path):
    with pytest.raises(DataError, match=r"no-such expected a data file, got nothing by that name. Check the path"):
        read_idx(tmp_path / "no-such")
    with pytest.raises(DataError, match="expected a data file, got something else, such as a folder"):
        read_idx(tmp_path)


def test_a_kind_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"read_idx\(kind\) expected 'images', 'labels' or None, got 'pictures'"):
        read_idx(tmp_path / "a", kind="pictures")


@pytest.mark.parametrize("dtype", [np.int64, np.uint16, bool, "U3", complex])
def test_numbers_that_the_format_has_no_code_for_are_refused(tmp_path, dtype):
    with pytest.raises(DtypeError, match="write_idx expected uint8, int8, int16, int32, float32 or float64, got"):
        write_idx(tmp_path / "a", np.zeros(3, dtype))
    assert not (tmp_path / "a").exists()


def test_shapes_that_the_format_cannot_say_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"rank 1 to 32 and dimensions below 2\*\*32, got shape \(\)"):
        write_idx(tmp_path / "a", np.array(3, np.uint8))
    with pytest.raises(DataError, match="dimensions below"):
        write_idx(tmp_path / "a", np.broadcast_to(np.uint8(0), (1 << 32,)))
