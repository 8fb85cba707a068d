"""A file is the old one or the new one, whatever happens between."""

import errno
import os
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from lucidgrad import atomic
from lucidgrad.atomic import atomic_write, fsync_folder


def write(path, data):
    with atomic_write(path) as file:
        file.write(data)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_new_bytes_are_there_and_nothing_else(tmp_path):
    write(tmp_path / "a.bin", b"first")
    write(tmp_path / "a.bin", b"second")
    assert (tmp_path / "a.bin").read_bytes() == b"second"
    assert names(tmp_path) == ["a.bin"]


def test_bytes_reach_the_disk_before_the_name_does_and_the_name_before_we_say_done(tmp_path, monkeypatch):
    calls = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        calls.append("fsync folder" if is_folder else f"fsync {os.fstat(descriptor).st_size} bytes")
        real_fsync(descriptor)

    def replace(source, target):
        calls.append("replace")
        assert Path(source).parent == Path(target).parent
        real_replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write(tmp_path / "a.bin", b"12345")
    assert calls == ["fsync 5 bytes", "replace", "fsync folder"]


def test_until_the_block_ends_the_old_file_is_there(tmp_path):
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    with atomic_write(target) as file:
        file.write(b"new")
        file.flush()
        assert target.read_bytes() == b"old"
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("exception", [RuntimeError("stop"), KeyboardInterrupt()])
def test_an_exception_in_the_block_leaves_the_old_file_and_no_temporary(tmp_path, exception):
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")

    def interrupted():
        with atomic_write(target) as file:
            file.write(b"half of the new")
            raise exception

    with pytest.raises(type(exception)):
        interrupted()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES])
def test_a_failing_system_call_is_loud_and_leaves_the_old_file(tmp_path, monkeypatch, step, code):
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")

    def fail(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match=os.strerror(code)):
        write(target, b"new")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_a_full_disk_while_writing_is_loud_and_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "a.bin"
    target.write_bytes(b"old")
    real_fdopen = os.fdopen

    def full(descriptor, mode):
        file = real_fdopen(descriptor, mode)

        class Full:
            def write(self, data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

            def __enter__(self):
                return self

            def __exit__(self, *exception):
                file.close()

        return Full()

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(OSError, match="No space left"):
        write(target, b"new")
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_a_failure_after_the_file_was_created_closes_and_removes_it(tmp_path, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(os, "fdopen", fail)
    with pytest.raises(MemoryError):
        write(tmp_path / "a.bin", b"new")
    assert names(tmp_path) == []


def test_a_folder_that_is_not_there_is_said_at_once(tmp_path):
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "no" / "a.bin", b"")


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    real, link = tmp_path / "real.bin", tmp_path / "link.bin"
    real.write_bytes(b"old")
    link.symlink_to(real)
    write(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_permissions_are_those_of_the_old_file_or_of_any_new_file(tmp_path):
    write(tmp_path / "new.bin", b"")
    (tmp_path / "plain.bin").write_bytes(b"")
    assert (tmp_path / "new.bin").stat().st_mode == (tmp_path / "plain.bin").stat().st_mode

    (tmp_path / "new.bin").chmod(0o640)
    write(tmp_path / "new.bin", b"again")
    assert stat.S_IMODE((tmp_path / "new.bin").stat().st_mode) == 0o640


def test_the_longest_name_that_a_file_may_have_can_be_written(tmp_path):
    name = "ü" * 120 + "x" * 15  # 255 bytes
    write(tmp_path / name, b"data")
    assert names(tmp_path) == [name]


def test_writers_at_the_same_time_do_not_mix_their_bytes(tmp_path):
    target = tmp_path / "a.bin"
    with atomic_write(target) as outer:
        outer.write(b"outer")
        with atomic_write(target) as inner:
            inner.write(b"inner")
        assert target.read_bytes() == b"inner"
    assert target.read_bytes() == b"outer"
    assert names(tmp_path) == ["a.bin"]


def test_a_file_system_that_cannot_sync_folders_is_no_error_but_a_failing_disk_is(tmp_path, monkeypatch):
    def fail_with(code):
        def fail(_):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(os, "fsync", fail)

    fail_with(errno.EINVAL)
    fsync_folder(tmp_path)
    fail_with(errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        fsync_folder(tmp_path)


def test_where_folders_cannot_be_opened_at_all_they_are_not_synced(monkeypatch):
    monkeypatch.setattr("lucidgrad.atomic.os.name", "nt")
    fsync_folder("no such folder")


# --- killed -----------------------------------------------------------------------------------------------------------

KILLED = """
import os, signal, sys
from lucidgrad.atomic import atomic_write, atomic_write_of_parts
with atomic_write_of_parts(sys.argv[1]) as (file, folder):
    file.write(b"half")
    (folder / "part").write_bytes(b"a part")
    print("writes", flush=True)
    if sys.argv[2] == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
    file.write(b" and half")
"""
POSIX = pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")


@contextmanager
def writer(target, fate="lives"):
    """A process of its own in the middle of writing a file; without another fate it is killed at the end."""
    command = [sys.executable, "-c", KILLED, str(target), fate]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == b"writes\n"
            yield process
        finally:
            process.kill()


def die_writing(target):
    with writer(target, "dies") as process:
        assert process.wait(60) == -signal.SIGKILL


@POSIX
def test_what_a_killed_process_left_is_removed_by_the_next_writer_of_the_same_file_and_nothing_else(tmp_path):
    target, other = tmp_path / "a.bin", tmp_path / "other.bin"
    target.write_bytes(b"old")
    with writer(target) as lives:
        (alive,) = tmp_path.glob(".a.bin.*.tmp")
        die_writing(target)
        die_writing(other)
        beginning = atomic._beginning(target)
        (folder := tmp_path / f"{beginning}00000000.tmp").mkdir()
        (link := tmp_path / f"{beginning}00000001.tmp").symlink_to(target)
        (foreign := tmp_path / ".a.bin.0123456789abcdef.tmp").touch()  # the first 8 digits are of another machine
        assert len(list(tmp_path.glob(".a.bin.*.tmp"))) == 5
        assert len(list(tmp_path.glob(".*.parts/part"))) == 3
        write(target, b"new")
        kept = {folder.name, link.name, foreign.name}
        assert {name for name in names(tmp_path) if "other" not in name} == {
            *("a.bin", alive.name, f"{alive.name}.parts"),
            *kept,
        }
        assert len(list(tmp_path.glob(".other.bin.*"))) == 2
        lives.communicate(b"", timeout=60)
        assert lives.returncode == 0
    assert target.read_bytes() == b"half and half"
    write(other, b"")
    assert set(names(tmp_path)) == {"a.bin", "other.bin", *kept}


def test_a_temporary_that_another_took_away_before_it_was_locked_is_made_anew(tmp_path, monkeypatch):
    real, taken = atomic._lock, []

    def late(descriptor):
        if not taken:
            taken.extend(tmp_path.glob(".a.bin.*.tmp"))
            taken[0].unlink()
        real(descriptor)

    monkeypatch.setattr(atomic, "_lock", late)
    write(tmp_path / "a.bin", b"new")
    assert len(taken) == 1
    assert names(tmp_path) == ["a.bin"]
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert not atomic._ours


@POSIX
def test_where_there_are_no_locks_nothing_is_taken_for_left_behind(tmp_path, monkeypatch):
    die_writing(tmp_path / "a.bin")

    def fail(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(atomic.fcntl, "flock", fail)
    write(tmp_path / "a.bin", b"new")
    assert len(names(tmp_path)) == 3


def test_without_locks_only_what_was_not_written_to_for_a_while_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(atomic, "HAS_LOCKS", False)  # as on Windows
    beginning = atomic._beginning(tmp_path / "a.bin")
    left, fresh = (tmp_path / f"{beginning}0000000{i}.tmp" for i in range(2))
    for path in (left, fresh):
        path.touch()
        (tmp_path / f"{path.name}.parts").mkdir()
    os.utime(left, (0, 0))
    with atomic_write(tmp_path / "a.bin") as file:
        file.write(b"outer")
        (own,) = {path.name for path in tmp_path.glob("*.tmp")} - {fresh.name}
        os.utime(tmp_path / own, (0, 0))
        write(tmp_path / "a.bin", b"inner")
    assert names(tmp_path) == [fresh.name, f"{fresh.name}.parts", "a.bin"]
    assert (tmp_path / "a.bin").read_bytes() == b"outer"


def test_an_interrupt_right_behind_the_opening_stays_an_interrupt(tmp_path, monkeypatch):
    def opened(descriptor: int, mode: str) -> None:
        open(descriptor, mode).close()  # as the file object is given up that nobody has got
        raise KeyboardInterrupt

    monkeypatch.setattr("lucidgrad.atomic.os.fdopen", opened)
    with pytest.raises(KeyboardInterrupt), atomic_write(tmp_path / "out.csv"):
        pass
    assert not list(tmp_path.iterdir())
