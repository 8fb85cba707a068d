"""A checkpoint is whole or not there, the newest whole one is found, and none is lost while a new one is written."""

import errno
import json
import os
import random
import shutil
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lucidgrad.errors import ArgumentError, CheckpointError
from lucidgrad.io import checkpoint
from lucidgrad.io.manifest import LARGEST_MANIFEST_BYTES


def tree(step: int) -> dict[str, Any]:
    return {"w": np.full((3, 4), step, np.float32), "step": step, "loss": float("nan")}


def step_of(path: Path) -> int:
    """The step of the checkpoint that is loaded, all of whose parts have to agree on it."""
    loaded, _ = checkpoint.load(path)
    assert (loaded["w"] == loaded["step"]).all()
    return int(loaded["step"])


def saved(folder: Path, *steps: int) -> Path:
    for step in steps:
        checkpoint.save(folder, step, tree(step))
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir())}


def tensors_of(folder: Path, stem: str) -> Path:
    (path,) = folder.glob(f"{stem}-*.safetensors")
    return path


# --- saving and loading ---------------------------------------------------------------------------------------------


def test_what_was_saved_is_loaded_with_the_path_it_came_from(tmp_path: Path) -> None:
    path = checkpoint.save(tmp_path / "new" / "folder", 7, {"w": np.arange(3.0), "epochs": (1, None)})
    loaded, found = checkpoint.load(tmp_path / "new" / "folder")
    assert path == found == tmp_path / "new" / "folder" / "step-00000007.json"
    np.testing.assert_array_equal(loaded["w"], np.arange(3.0))
    assert loaded["epochs"] == (1, None)
    loaded["w"] += 1  # the arrays are the caller's own


def test_the_files_are_what_other_programs_can_read(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    path = checkpoint.save(tmp_path, 1, tree(1))
    manifest = json.loads(path.read_text())
    assert manifest["content"]["tree"]["step"] == 1
    assert manifest["content"]["written_with"] == checkpoint.environment() == checkpoint.written_with(path)
    np.testing.assert_array_equal(load_file(tensors_of(tmp_path, path.stem))["/w"], tree(1)["w"])


def test_the_newest_is_the_one_with_the_largest_number_whatever_the_times_of_the_files(tmp_path: Path) -> None:
    saved(tmp_path / "a", 9, 10, 99_999_999, 100_000_000)
    (tmp_path / "b").mkdir()
    for path in sorted((tmp_path / "a").iterdir(), reverse=True):  # as a copy does: any order, new times
        shutil.copyfile(path, tmp_path / "b" / path.name)
        os.utime(tmp_path / "b" / path.name, (0, 0))
    assert step_of(tmp_path / "b") == 100_000_000
    assert [int(p.stem[5:]) for p in checkpoint.steps(tmp_path / "b")] == [9, 10, 99_999_999, 100_000_000]


def test_a_named_checkpoint_stands_by_itself(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    path = checkpoint.save(tmp_path, "best", tree(50), keep=1)
    assert step_of(tmp_path) == 1
    assert step_of(path) == 50


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "end.", "a b", "step-00000001", -1, 1.5, "\0"])
def test_a_name_that_is_no_plain_file_name_is_refused(tmp_path: Path, name: Any) -> None:
    with pytest.raises(ArgumentError, match="expected the number of a step, or a name"):
        checkpoint.save(tmp_path, name, tree(1))
    assert not list(tmp_path.iterdir())


def test_a_state_that_cannot_be_written_is_refused_before_any_file_is(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="at '/model'"):
        checkpoint.save(tmp_path / "folder", 1, {"model": object()})
    assert not (tmp_path / "folder").exists()


def test_saving_over_a_checkpoint_that_is_loaded_gives_the_new_one(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    loaded, path = checkpoint.load(tmp_path)
    before = loaded["w"].copy()
    checkpoint.save(tmp_path, 1, {**loaded, "w": loaded["w"] + 1, "step": 2})
    np.testing.assert_array_equal(loaded["w"], before)  # what is in memory does not depend on the file
    assert step_of(path) == 2
    checkpoint.save(tmp_path, 1, loaded)
    assert step_of(path) == 1
    assert len(contents(tmp_path)) == 2


# --- keeping --------------------------------------------------------------------------------------------------------


def test_only_the_newest_are_kept_and_nothing_else_is_touched(tmp_path: Path) -> None:
    checkpoint.save(tmp_path, "best", tree(0))
    others = [
        "notes.txt",
        "step-1.json",
        "x-00000001.json",
        "step-00000001.safetensors",
        "step-00000001-abc.safetensors",
    ]
    for name in others:
        (tmp_path / name).write_bytes(b"mine")
    for step in range(1, 8):
        checkpoint.save(tmp_path, step, tree(step), keep=3)
    assert [p.stem for p in checkpoint.steps(tmp_path)] == ["step-00000005", "step-00000006", "step-00000007"]
    assert len(contents(tmp_path)) == 3 * 2 + 2 + len(others)


def test_the_one_just_written_is_kept_also_when_others_have_larger_numbers(tmp_path: Path) -> None:
    saved(tmp_path, 8, 9)
    path = checkpoint.save(tmp_path, 1, tree(1), keep=1)
    assert step_of(path) == 1
    assert step_of(tmp_path) == 9


def test_the_last_good_one_stays_until_a_new_one_is_on_the_disk(tmp_path: Path, monkeypatch: Any) -> None:
    saved(tmp_path, 1)
    before = contents(tmp_path)
    real = os.unlink

    def unlink(path: Any, **options: Any) -> None:
        if Path(path).name in before:
            assert step_of(tmp_path / "step-00000002.json") == 2
        real(path, **options)

    monkeypatch.setattr(os, "unlink", unlink)
    checkpoint.save(tmp_path, 2, tree(2), keep=1)
    assert not before.keys() & contents(tmp_path).keys()


def test_parts_without_a_manifest_go_when_a_newer_one_is_committed_and_not_before(tmp_path: Path) -> None:
    """They may be the half of a copy that is under way."""
    saved(tmp_path, 1, 2)
    (tmp_path / "step-00000001.json").unlink()
    (tmp_path / "step-00000009-0123456789abcdef.safetensors").write_bytes(b"on its way")
    checkpoint.clean(tmp_path)
    assert len(contents(tmp_path)) == 4
    checkpoint.save(tmp_path, 3, tree(3), keep=5)
    assert sorted(contents(tmp_path))[-1] == "step-00000009-0123456789abcdef.safetensors"
    assert not list(tmp_path.glob("step-00000001*"))


def test_keep_is_at_least_one(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=r"keep expected at least 1 checkpoint, got 2\.5"):
        checkpoint.save(tmp_path, 1, {}, keep=2.5)
    with pytest.raises(ArgumentError, match="keep expected at least 1 checkpoint, got 0"):
        checkpoint.save(tmp_path, 1, tree(1), keep=0)


def test_clean_removes_the_temporaries_of_dead_writers_and_nothing_else(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    before = contents(tmp_path)
    temporaries = [f".step-00000002.json.{'0' * 16}.tmp", f".step-00000002-0123456789abcdef.saf.{'a' * 16}.tmp"]
    for name in temporaries:
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".mine.tmp").write_bytes(b"mine")
    assert sorted(p.name for p in checkpoint.clean(tmp_path)) == sorted(temporaries)
    assert contents(tmp_path) == before | {".mine.tmp": b"mine"}
    assert checkpoint.clean(tmp_path / "not there") == []


# --- damage ---------------------------------------------------------------------------------------------------------


def damage(folder: Path, seed: int) -> str:
    """Flip a bit of one of the two files of step 2, or cut it off somewhere; both at a random place."""
    chance = random.Random(seed)
    path = chance.choice([folder / "step-00000002.json", tensors_of(folder, "step-00000002")])
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data))
    if chance.random() < 0.5:
        data = data[:place]
        what = f"{path.name} cut at {place}"
    else:
        bit = chance.randrange(8)
        data[place] ^= 1 << bit
        what = f"{path.name} with bit {bit} of byte {place} flipped"
    path.write_bytes(data)
    return what


def check_damage(folder: Path, seeds: range) -> None:
    saved(folder, 1, 2)
    sound = contents(folder)
    for seed in seeds:
        what = damage(folder, seed)
        with pytest.raises(CheckpointError):
            checkpoint.load(folder / "step-00000002.json")
        with pytest.warns(RuntimeWarning, match=r"passed over, step-00000001\.json is used\. step-00000002\.json"):
            assert step_of(folder) == 1, what
        for name, data in sound.items():
            (folder / name).write_bytes(data)
    assert step_of(folder) == 2


def test_every_cut_and_every_flipped_bit_is_noticed_and_the_one_before_is_used(tmp_path: Path) -> None:
    check_damage(tmp_path, range(100))


@pytest.mark.long
def test_at_500_more_places_every_cut_and_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    check_damage(tmp_path, range(1000, 1500))


def test_every_single_byte_counts(tmp_path: Path) -> None:
    """Also spaces, line ends and the hash itself."""
    saved(tmp_path, 1)
    for path in tmp_path.iterdir():
        sound = path.read_bytes()
        for place in range(len(sound)):
            path.write_bytes(sound[:place] + bytes([sound[place] ^ 0x20]) + sound[place + 1 :])
            with pytest.raises(CheckpointError):
                checkpoint.load(tmp_path / "step-00000001.json")
        path.write_bytes(sound + b"\0")
        with pytest.raises(CheckpointError):
            checkpoint.load(tmp_path / "step-00000001.json")
        path.write_bytes(sound)
    assert step_of(tmp_path) == 1


def test_one_without_its_manifest_or_its_arrays_is_passed_over_with_the_reason(tmp_path: Path) -> None:
    saved(tmp_path, 1, 2, 3)
    tensors_of(tmp_path, "step-00000002").unlink()
    (tmp_path / "step-00000003.json").unlink()
    with pytest.warns(RuntimeWarning) as caught:
        assert step_of(tmp_path) == 1
    reasons = [str(w.message) for w in caught]
    assert "step-00000003.json expected to be readable" in reasons[0]
    assert "step-00000002-" in reasons[1]
    assert all(w.filename == __file__ for w in caught)


def test_when_none_is_whole_the_error_lists_what_was_found(tmp_path: Path) -> None:
    saved(tmp_path, 1, 2)
    for path in tmp_path.glob("*.json"):
        path.write_bytes(b"{}")
    with pytest.raises(CheckpointError, match=r"none.*(?s:.*)step-00000002\.json: .*no manifest(?s:.*)step-00000001"):
        checkpoint.load(tmp_path)
    assert len(contents(tmp_path)) == 4


def test_a_folder_without_checkpoints_and_a_file_that_is_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"no files named step-<number>\.json"):
        checkpoint.load(tmp_path)
    with pytest.raises(CheckpointError, match="No such file"):
        checkpoint.load(tmp_path / "nothing")
    saved(tmp_path, 1)
    with pytest.raises(CheckpointError, match="no manifest"):
        checkpoint.load(tensors_of(tmp_path, "step-00000001"))


def rewrite(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change the content of a manifest and make its hash fit again, as another program could."""
    import hashlib

    content = json.loads(path.read_text())["content"]
    change(content)
    rest = json.dumps(content).encode() + b"}\n"
    path.write_bytes(b'{"sha256": "%s", "content": ' % hashlib.sha256(rest).hexdigest().encode() + rest)


def test_a_format_from_the_future_is_named_and_not_guessed_at(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    rewrite(tmp_path / "step-00000001.json", lambda content: content.update(version=2))
    with pytest.raises(CheckpointError, match=r"format version 1, got 2, written with .*numpy"):
        checkpoint.load(tmp_path / "step-00000001.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("tensors"),
        lambda c: c["tensors"].update(bytes=True),
        lambda c: c["tensors"].update(bytes=2**60),
        lambda c: c["tensors"].update(sha256="../../x"),
        lambda c: c["tensors"].update(sha256=5),
        lambda c: c.pop("tree"),
        lambda c: c.update(tree={"$array": "/elsewhere"}),
        lambda c: c.update(tree={"$import": "os.system"}),
    ],
    ids=["no tensors", "true bytes", "huge", "path", "number", "no tree", "unknown array", "unknown mark"],
)
def test_a_manifest_that_says_something_impossible_is_a_checkpoint_error(tmp_path: Path, change: Any) -> None:
    saved(tmp_path, 1)
    rewrite(tmp_path / "step-00000001.json", change)
    with pytest.raises(CheckpointError):
        checkpoint.load(tmp_path / "step-00000001.json")


def test_a_manifest_nested_without_end_is_a_checkpoint_error(tmp_path: Path) -> None:
    import hashlib

    rest = b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    data = b'{"sha256": "%s", "content": ' % hashlib.sha256(rest).hexdigest().encode() + rest
    (tmp_path / "step-00000001.json").write_bytes(data)
    with pytest.raises(CheckpointError):
        checkpoint.load(tmp_path / "step-00000001.json")


def test_arrays_whose_hash_fits_but_that_are_no_safetensors_are_a_checkpoint_error(tmp_path: Path) -> None:
    import hashlib

    saved(tmp_path, 1)
    digest = hashlib.sha256(b"nonsense").hexdigest()
    (tmp_path / f"step-00000001-{digest[:16]}.safetensors").write_bytes(b"nonsense")
    rewrite(tmp_path / "step-00000001.json", lambda c: c.update(tensors={"bytes": 8, "sha256": digest}))
    with pytest.raises(CheckpointError, match="SafetensorError"):
        checkpoint.load(tmp_path / "step-00000001.json")


def test_the_size_is_looked_at_before_memory_is_taken(tmp_path: Path) -> None:
    import tracemalloc

    saved(tmp_path, 1)
    os.truncate(tensors_of(tmp_path, "step-00000001"), 2**40)  # without bytes on the disk
    (tmp_path / "step-00000002.json").touch()
    os.truncate(tmp_path / "step-00000002.json", LARGEST_MANIFEST_BYTES + 1)
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError, match=r"(?s)more than a manifest has.*1099511627776 bytes instead of"):
            checkpoint.load(tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


# --- the disk -------------------------------------------------------------------------------------------------------


class Disk:
    """Writes down the system calls of a save, and lets one of them fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fail: str = "", number: int = 0, code: int = 0) -> None:
        self.calls: list[str] = []
        self.fail, self.number, self.code = fail, number, code
        real_open, real_fdopen, real_fsync, real_replace, real_unlink = (
            os.open,
            os.fdopen,
            os.fsync,
            os.replace,
            os.unlink,
        )

        def opened(path: Any, flags: int, *rest: Any, **options: Any) -> int:
            if flags & os.O_CREAT:
                self.happens("open", path)
            return real_open(path, flags, *rest, **options)

        def fdopen(descriptor: int, mode: str) -> Any:
            file = real_fdopen(descriptor, mode)
            return Written(file, self) if "w" in mode else file

        def fsync(descriptor: int) -> None:
            self.happens("fsync folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "fsync", "")
            real_fsync(descriptor)

        def replace(source: Any, target: Any) -> None:
            self.happens("replace", target)
            real_replace(source, target)

        def unlink(path: Any, **options: Any) -> None:
            self.happens("unlink", path)
            real_unlink(path, **options)

        for name, fake in {
            "open": opened,
            "fdopen": fdopen,
            "fsync": fsync,
            "replace": replace,
            "unlink": unlink,
        }.items():
            monkeypatch.setattr(os, name, fake)

    def happens(self, call: str, path: Any) -> None:
        suffix = Path(path).suffix if call in ("replace", "unlink") else ""
        self.calls.append(f"{call} {suffix}".strip())
        if call == self.fail and sum(c.split(" .")[0] == call for c in self.calls) == self.number:
            raise OSError(self.code, os.strerror(self.code))


class Written:
    """A file whose writes are written down; one that fails has written a half."""

    def __init__(self, file: Any, disk: Disk) -> None:
        self.file, self.disk = file, disk

    def __enter__(self) -> "Written":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, data: bytes) -> None:
        self.file.write(data[: len(data) // 2])
        self.disk.happens("write", "")
        self.file.write(data[len(data) // 2 :])

    def flush(self) -> None:
        self.file.flush()

    def fileno(self) -> int:
        return int(self.file.fileno())


FILE = ["open", "write", "fsync"]


def test_arrays_are_on_the_disk_before_the_manifest_and_all_of_it_before_the_old_one_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, 1)
    disk = Disk(monkeypatch)
    checkpoint.save(tmp_path, 2, tree(2), keep=1)
    assert disk.calls == [
        *FILE, "replace .safetensors", "fsync folder",
        *FILE, "replace .json", "fsync folder",
        "unlink .json", "unlink .safetensors",
    ]  # fmt: skip


def test_one_of_the_same_name_is_replaced_in_that_order_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint.save(tmp_path, "best", tree(1))
    disk = Disk(monkeypatch)
    checkpoint.save(tmp_path, "best", tree(2))
    assert disk.calls == [
        *FILE, "replace .safetensors", "fsync folder", *FILE, "replace .json", "fsync folder", "unlink .safetensors",
    ]  # fmt: skip


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EIO], ids=["ENOSPC", "EACCES", "EIO"])
@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace", "fsync folder"])
@pytest.mark.parametrize("number", [1, 2], ids=["arrays", "manifest"])
@pytest.mark.parametrize("name", [2, 1], ids=["new", "same name"])
def test_an_error_while_saving_is_loud_and_leaves_the_one_before_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: int, number: int, call: str, code: int
) -> None:
    saved(tmp_path, 1)
    before = contents(tmp_path)
    with monkeypatch.context() as patch:
        Disk(patch, call, number, code)
        with pytest.raises(CheckpointError, match=f"{os.strerror(code)}.*the checkpoint before") as caught:
            checkpoint.save(tmp_path, name, tree(2), keep=1)
    assert caught.value.errno == code
    after = contents(tmp_path)
    if (number, call) == (2, "fsync folder"):  # renamed already, but maybe not for good: both have to be there
        assert step_of(tmp_path) == 2
        assert all(after[n] == before[n] for n in before if n.endswith(".safetensors") or name == 2)
    else:
        assert after == before
    checkpoint.save(tmp_path, name, tree(2), keep=1)
    assert step_of(tmp_path) == 2
    assert len(contents(tmp_path)) == 2


def test_a_write_that_fails_for_lack_of_memory_leaves_the_one_before_too(tmp_path: Path, monkeypatch: Any) -> None:
    saved(tmp_path, 1)
    before = contents(tmp_path)

    def no_memory(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_memory)
        with pytest.raises(MemoryError):
            checkpoint.save(tmp_path, 2, tree(2))
    assert contents(tmp_path) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs permissions that count")
def test_a_folder_that_is_closed_to_us_is_named(tmp_path: Path) -> None:
    saved(tmp_path, 1)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(CheckpointError, match="Permission denied"):
            checkpoint.save(tmp_path, 2, tree(2))
    finally:
        tmp_path.chmod(0o700)


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"saving the checkpoint .*step-00000001.*File exists"):
        checkpoint.save(tmp_path / "folder", 1, tree(1))


def test_a_manifest_that_cannot_be_read_keeps_its_arrays_when_a_save_of_its_name_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who cannot see what a manifest points to has no right to remove it."""
    path = checkpoint.save(tmp_path, "best", tree(1))
    path.write_bytes(b"unreadable")
    with monkeypatch.context() as patch:
        Disk(patch, "replace", 2, errno.EIO)
        with pytest.raises(CheckpointError):
            checkpoint.save(tmp_path, "best", tree(2))
    assert len(list(tmp_path.glob("best-*.safetensors"))) == 2


def test_loading_runs_no_code_from_a_checkpoint(tmp_path: Path) -> None:
    """No pickle, no import by name: what a file can make the reader do is to read."""
    import subprocess
    import sys

    saved(tmp_path, 1)
    program = (
        "import sys\n"
        "from lucidgrad.io import checkpoint\n"
        f"checkpoint.load({str(tmp_path)!r})\n"  # once, so that the libraries are in
        "events = []\n"
        "sys.addaudithook(lambda event, args: events.append((event, args[0] if args else None)))\n"
        f"checkpoint.load({str(tmp_path)!r})\n"
        "bad = [e for e in events if e[0] in ('import', 'exec', 'compile', 'pickle.find_class', 'os.system')]\n"
        "print(bad, sum(e[0] == 'open' for e in events))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout == "[] 2\n"


def test_no_warning_where_nothing_is_wrong(tmp_path: Path) -> None:
    saved(tmp_path, 1, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert step_of(tmp_path) == 2
