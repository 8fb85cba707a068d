"""Downloads, against a server on this machine that breaks off, lies and goes silent."""

import errno
import fcntl
import gzip
import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from lucidgrad.data.download import RemoteFile, UnavailableError, download
from lucidgrad.errors import DownloadError

# Noise, so that the packed file is about as long as what is inside.
CONTENTS = np.random.default_rng(0).bytes(300_000)
PACKED = gzip.compress(CONTENTS, mtime=0)
NAME = "some-idx3-ubyte.gz"
REMOTE = RemoteFile(NAME, hashlib.sha256(CONTENTS).hexdigest(), len(CONTENTS))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def installed(folder):
    return names(folder) == [NAME] and gzip.decompress((folder / NAME).read_bytes()) == CONTENTS


def refused(folder, *mirrors, **options):
    """What is said when no mirror gives the file."""
    with pytest.raises(UnavailableError) as caught:
        download(REMOTE, mirrors, folder, **options)
    assert not (folder / NAME).exists()
    return str(caught.value)


def test_a_file_is_fetched_whole(mirror, tmp_path):
    mirror.files[NAME] = PACKED
    assert download(REMOTE, [mirror.url], tmp_path / "new" / "folder") == tmp_path / "new" / "folder" / NAME
    assert installed(tmp_path / "new" / "folder")
    assert mirror.requests == [("/" + NAME, None)]


def test_a_server_may_send_what_is_inside_instead(mirror, tmp_path):
    mirror.files[NAME] = CONTENTS
    download(REMOTE, [mirror.url], tmp_path)
    assert (tmp_path / NAME).read_bytes() == CONTENTS


def test_a_server_need_not_say_how_long_the_file_is(mirror, tmp_path):
    mirror.files[NAME], mirror.says_length = PACKED, False
    download(REMOTE, [mirror.url], tmp_path)
    assert installed(tmp_path)


def test_after_a_break_only_the_rest_is_asked_for(mirror, tmp_path):
    mirror.files[NAME], mirror.break_after = PACKED, [100_000, 50_000]
    download(REMOTE, [mirror.url], tmp_path)
    assert installed(tmp_path)
    assert mirror.ranges == [None, "bytes=100000-", "bytes=150000-"]


def test_the_next_call_goes_on_where_the_last_one_gave_up(mirror, tmp_path):
    mirror.files[NAME], mirror.break_after = PACKED, [100_000, 0]
    message = refused(tmp_path, mirror.url)
    assert f"broke off after 100,000 of {len(PACKED):,} bytes" in message
    assert names(tmp_path) == [NAME + ".part"]
    download(REMOTE, [mirror.url], tmp_path)
    assert installed(tmp_path)
    assert mirror.ranges[-1] == "bytes=100000-"


def test_another_mirror_goes_on_where_the_first_one_gave_up(mirror, second_mirror, tmp_path):
    mirror.files[NAME], mirror.break_after = PACKED, [100_000, 0]
    second_mirror.files[NAME] = PACKED
    download(REMOTE, [mirror.url, second_mirror.url], tmp_path)
    assert installed(tmp_path)
    assert second_mirror.ranges == ["bytes=100000-"]


def test_a_mirror_that_always_breaks_off_is_left_after_some_attempts(mirror, tmp_path):
    mirror.files[NAME], mirror.break_after = PACKED, [1000] * 100
    assert "broke off" in refused(tmp_path, mirror.url)
    assert len(mirror.requests) == 4


def test_a_server_that_knows_no_ranges_sends_it_all_again(mirror, tmp_path):
    mirror.files[NAME], mirror.break_after, mirror.knows_ranges = PACKED, [100_000], False
    download(REMOTE, [mirror.url], tmp_path)
    assert installed(tmp_path)
    assert mirror.ranges == [None, "bytes=100000-"]


def test_a_server_that_sends_another_range_than_asked_for_is_asked_for_it_all(mirror, tmp_path):
    mirror.files[NAME], mirror.break_after, mirror.range_error = PACKED, [100_000], 10
    download(REMOTE, [mirror.url], tmp_path)
    assert installed(tmp_path)
    assert mirror.ranges == [None, "bytes=100000-", None]


def test_a_part_of_another_file_is_thrown_away(mirror, tmp_path):
    mirror.files[NAME] = PACKED
    (tmp_path / f"{NAME}.part").write_bytes(b"something else" * 100)
    download(REMOTE, [mirror.url], tmp_path)
    assert installed(tmp_path)
    assert mirror.ranges == ["bytes=1400-", None]


@pytest.mark.parametrize("surplus", [b"", b"too much"])
def test_a_part_that_is_whole_already_is_put_in_place_or_thrown_away(mirror, tmp_path, surplus):
    mirror.files[NAME] = PACKED
    (tmp_path / f"{NAME}.part").write_bytes(PACKED + surplus)
    download(REMOTE, [mirror.url], tmp_path)
    assert installed(tmp_path)
    assert mirror.ranges == [f"bytes={len(PACKED + surplus)}-"] + [None] * bool(surplus)


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        (gzip.compress(b"x" + CONTENTS[1:]), "sends other bytes: SHA-256"),
        (gzip.compress(CONTENTS[:-1]), "expected 300,000 bytes inside, got 299,999"),
        (gzip.compress(CONTENTS + b"x"), "expected 300,000 bytes inside, got more than 300,000"),
        (PACKED[:-9], "one that breaks off (truncated)"),
        (PACKED[:-6] + b"oo" + PACKED[-4:], "a damaged one (CRC check failed"),
        (b"<html>Log in to use this network</html>", "expected 300,000 bytes inside, got 39"),
        (b"", "expected 300,000 bytes inside, got 0"),
    ],
)
def test_wrong_bytes_are_never_put_in_place(mirror, second_mirror, tmp_path, sent, complaint):
    mirror.files[NAME] = sent
    assert complaint in refused(tmp_path, mirror.url)
    assert names(tmp_path) == []
    second_mirror.files[NAME] = PACKED
    download(REMOTE, [mirror.url, second_mirror.url], tmp_path)
    assert installed(tmp_path)


@pytest.mark.parametrize("says_length", [True, False])
def test_more_than_the_file_can_have_is_not_stored(mirror, tmp_path, says_length):
    mirror.files[NAME], mirror.says_length = b"\0" * 5_000_000, says_length
    assert "sends more than the 304,396 bytes that the file can have" in refused(tmp_path, mirror.url)
    assert names(tmp_path) == []


def test_a_mirror_without_the_file_is_passed_over(mirror, second_mirror, tmp_path):
    second_mirror.files[NAME] = PACKED
    download(REMOTE, [mirror.url, second_mirror.url], tmp_path)
    assert installed(tmp_path)
    assert len(mirror.requests) == 1


def dead_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}/"


def test_when_all_mirrors_are_dead_it_says_what_to_put_where(mirror, monkeypatch, tmp_path):
    mirror.status = 503
    dead = dead_address()
    message = refused(tmp_path, mirror.url, dead)
    assert f"{NAME} expected to be had from one of 2 mirrors, got {mirror.url}: HTTP status 503" in message
    assert f"{dead}: [Errno {errno.ECONNREFUSED}]" in message
    assert f"put the file into {tmp_path} by hand" in message
    assert names(tmp_path) == []


@pytest.mark.parametrize("reply", [b"", b"not http at all\r\n\r\n"])
def test_a_server_that_speaks_something_else_is_passed_over(monkeypatch, tmp_path, reply):
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert f"{address}: " in refused(tmp_path, address)
        thread.join()


def test_a_server_that_goes_silent_is_left_after_the_timeout(mirror, tmp_path):
    mirror.files[NAME], mirror.hold_at = PACKED, 0
    assert "broke off after 0 bytes (timed out)" in refused(tmp_path, mirror.url, timeout_seconds=0.2)


def test_a_folder_that_cannot_be_written_to_is_said(mirror, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DownloadError, match=f"file expected to be a folder that {NAME} can be downloaded to") as caught:
        download(REMOTE, [mirror.url], tmp_path / "file")
    assert "LUCIDGRAD_DATA" in str(caught.value)
    assert mirror.requests == []


def test_a_full_disk_is_not_taken_for_a_broken_mirror(mirror, tmp_path, monkeypatch):
    mirror.files[NAME] = PACKED

    def fail(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left") as caught:
        download(REMOTE, [mirror.url], tmp_path)
    assert not isinstance(caught.value, DownloadError)
    assert names(tmp_path) == [NAME + ".part"]


def test_downloads_at_the_same_time_do_not_mix_their_bytes(mirror, tmp_path):
    mirror.files[NAME], mirror.hold_at = PACKED, 100_000
    first = threading.Thread(target=download, args=(REMOTE, [mirror.url], tmp_path))
    first.start()
    assert mirror.holds.wait(10)
    download(REMOTE, [mirror.url], tmp_path)  # overtakes the first, in a file of its own
    assert gzip.decompress((tmp_path / NAME).read_bytes()) == CONTENTS
    mirror.go_on.set()
    first.join()
    assert installed(tmp_path)
    assert mirror.ranges == [None, None]


def test_a_part_that_was_put_in_place_while_it_was_being_opened_is_not_written_to(mirror, tmp_path, monkeypatch):
    mirror.files[NAME] = PACKED
    (tmp_path / f"{NAME}.part").write_bytes(PACKED)
    real_flock = fcntl.flock

    def flock(file, how):
        (tmp_path / f"{NAME}.part").rename(tmp_path / NAME)
        before = (tmp_path / NAME).stat().st_ino
        real_flock(file, how)
        assert os.fstat(file.fileno()).st_ino == before

    monkeypatch.setattr(fcntl, "flock", flock)
    download(REMOTE, [mirror.url], tmp_path)
    assert installed(tmp_path)
    assert mirror.ranges == [None]


def test_where_files_cannot_be_locked_everyone_fetches_into_a_file_of_their_own(mirror, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", fail)
    mirror.files[NAME], mirror.break_after = PACKED, [1000, 0]
    refused(tmp_path, mirror.url)
    assert [name for name in names(tmp_path) if name != f"{NAME}.part"] == []
    assert (tmp_path / f"{NAME}.part").stat().st_size == 0
    download(REMOTE, [mirror.url], tmp_path)
    assert gzip.decompress((tmp_path / NAME).read_bytes()) == CONTENTS


def test_a_process_that_was_killed_leaves_a_part_to_go_on_with(mirror, tmp_path):
    mirror.files[NAME], mirror.hold_at = PACKED, 200_000
    program = (
        "import sys; from pathlib import Path; from lucidgrad.data.download import RemoteFile, download\n"
        f"download(RemoteFile({NAME!r}, {REMOTE.sha256!r}, {REMOTE.size_bytes}), [{mirror.url!r}], Path(sys.argv[1]))"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)])
    part = tmp_path / f"{NAME}.part"
    assert mirror.holds.wait(30)
    deadline = time.monotonic() + 10
    while part.stat().st_size < 100_000 and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    size_bytes = part.stat().st_size
    assert size_bytes >= 100_000
    mirror.go_on.set()
    download(REMOTE, [mirror.url], tmp_path)
    assert installed(tmp_path)
    assert mirror.ranges == [None, f"bytes={size_bytes}-"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_and_nowhere_else(mirror, tmp_path, monkeypatch, capsys):
    mirror.files[NAME] = PACKED
    download(REMOTE, [mirror.url], tmp_path / "quiet")
    assert capsys.readouterr() == ("", "")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    download(REMOTE, [mirror.url], tmp_path / "shown")
    assert NAME in terminal.getvalue()
    assert capsys.readouterr().out == ""
