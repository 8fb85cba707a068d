"""What is promised of any file: read or refused by our errors, in bounded memory, with nothing else touched."""

from __future__ import annotations

import json
import random
import sys
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

import lucidgrad as lg
from lucidgrad.errors import LucidgradError
from tests.files.forge import file_of, sign

# What a refusal may take beside the file: the parser's objects for a few KB of JSON, and messages.
ALLOWANCE = 2**20
FORBIDDEN = {
    "import", "exec", "compile", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "os.remove",
    "os.rename", "os.mkdir", "os.listdir", "os.scandir", "pickle.find_class",
}  # fmt: skip
CHAPTERS = ("subprocess.", "socket.", "ctypes.", "marshal.", "shutil.", "tempfile.", "urllib.")

_seen: list[str] = []
_file: str | None = None
_watching = False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watching:
        return
    opens_another = event == "open" and (_file is None or str(arguments[0]) != _file)
    if opens_another or event in FORBIDDEN or event.startswith(CHAPTERS):
        _seen.append(f"{event} {arguments[:1]}")


sys.addaudithook(_audit)


@contextmanager
def watched(path: Path | None = None) -> Iterator[None]:
    """Inside, nothing is imported, compiled or executed, no process or connection begins, and one file is opened."""
    global _watching, _file
    _seen.clear()
    _watching, _file = True, None if path is None else str(path)
    try:
        yield
    finally:
        _watching = False
    assert not _seen, _seen[:5]


def load_watched(data: bytes, folder: Path, load: Callable[[Path], Any] = lg.load) -> tuple[Any, str]:
    """The model of a file, or the message of its refusal: in memory of a few times its size, and nothing is touched."""
    path = folder / "x.lucidgrad"
    path.write_bytes(data)
    model, message = None, ""
    tracemalloc.start()
    try:
        with watched(path):
            try:
                model = load(path)
            except LucidgradError as error:
                message = str(error)
        header = min(len(data), int.from_bytes(data[:8], "little"))  # JSON takes up to 30 times its size
        assert tracemalloc.get_traced_memory()[1] < 30 * header + 3 * len(data) + ALLOWANCE
    finally:
        tracemalloc.stop()
    assert len(message) < 2000
    return model, message


# --- the parts of a file ----------------------------------------------------------------------------------------------


class Parts:
    """A model file taken apart: what its JSON says, and the bytes of its arrays."""

    def __init__(self, data: bytes) -> None:
        length = int.from_bytes(data[:8], "little")
        self.header = json.loads(data[8 : 8 + length])
        self.content = json.loads(self.header["__metadata__"]["content"])
        self.elements = data[8 + length :]

    def file(self, text: str | None = None) -> bytes:
        """The file again, with the checksum it has to have; ``text`` stands in for the JSON of its content."""
        if isinstance(known := self.header.get("__metadata__"), dict) and "content" in known:
            known["content"] = json.dumps(self.content) if text is None else text
        head = json.dumps(self.header, separators=(",", ":")).encode()
        return sign(file_of(head + b" " * (-len(head) % 8), self.elements))


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a value: its container and its key."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ():
        yield tree, key
        yield from places(tree[key])


# --- at random --------------------------------------------------------------------------------------------------------

_ATOMS: list[Any] = [
    None, True, False, 0, 1, -1, 2, 7, 2**31, 2**53, 2**62, 2**63 - 1, -(2**63), 2**64, 10**30, 0.0, -0.0, 0.5, -1.5,
    1e308, 5e-324, "", "a", "gelu", "os.system", "__import__", "..", "\x00", "x" * 3000, "서울", [], {}, [[]],
    [0], [-1], {"$array": "/x"}, {"$tuple": []}, {"$tuple": [1, 2]}, {"$float": "7ff8000000000000"},
    {"$float": "7ff0000000000000"},
    {"$float": "zz"}, {"$int": "0x" + "f" * 400}, {"$int": "1"}, {"$scalar": "<f8", "hex": "000000000000f87f"},
    {"$scalar": "|b1", "hex": "02"}, {"$scalar": "<f2", "hex": "0000"}, {"$dict": [[[], 1]]}, {"$dict": [["$a", 1]]},
    {"function": "one_hot", "arguments": [10**12], "options": {}}, {"function": "one_hot"}, {"function": "relu"},
    {"function": "prod"}, {"function": "elu", "arguments": [], "options": {"alpha": {"$int": "0x" + "f" * 400}}},
    {"object": "Adam"}, {"object": "Adam", "options": {}}, {"object": "Quantile", "options": {"q": {"$tuple": []}}},
    {"object": "SGD", "options": {"learning_rate": {"object": "Huber"}}}, {"object": "Plateau", "options": {}},
    {"object": "cosine", "options": {"peak": 1, "steps": 2**62}}, {"pairs": []}, {"pairs": [[[], 1]]}, {"pairs": 3},
    {"strings": ["a"] * 3, "objects": False}, {"layer": "Flatten"}, {"same_as": ""},
]  # fmt: skip


def _deep(rng: random.Random, value: Any) -> Any:
    for _ in range(rng.choice([1, 5, 40, 150])):
        value = rng.choice([[value], {"$tuple": [value]}, {"a": value}, {"pairs": [[0, value]]}])
    return value


def forged(data: bytes, rng: random.Random) -> bytes:
    """A file with one to three of its parts replaced, removed, doubled, renamed, exchanged, or put into one another."""
    parts = Parts(data)
    for _ in range(rng.randint(1, 3)):
        tree = parts.header if rng.random() < 0.2 else parts.content["model"] or parts.header
        holder, key = rng.choice(list(places(tree)))
        act = rng.randrange(8)
        if act == 0:
            del holder[key]
        elif act == 1:
            other, there = rng.choice(list(places(parts.content["model"] or tree)))
            holder[key] = json.loads(json.dumps(other[there]))
        elif act == 2 and isinstance(holder, dict):
            holder[rng.choice(["", "a", "$array", "layer", "object", key + "_", key[1:]])] = holder.pop(key)
        elif act == 3 and isinstance(holder, list):
            holder.insert(key, json.loads(json.dumps(holder[rng.randrange(len(holder))])))
        elif act == 4 and type(holder[key]) in (int, float):
            holder[key] = rng.choice([-holder[key], holder[key] + 1, holder[key] * 10**6, float(holder[key])])
        elif act == 5:
            holder[key] = _deep(rng, holder[key])
        else:
            holder[key] = json.loads(json.dumps(rng.choice(_ATOMS)))
        if not parts.content.get("model"):
            break
    text = json.dumps(parts.content)
    if rng.random() < 0.1:  # a key twice
        at = text.find("{", rng.randrange(len(text))) + 1
        end = text.find(",", at)
        text = text[:at] + text[at:end] + "," + text[at:] if at and end > 0 else text
    return parts.file(text)


def retyped(data: bytes, rng: random.Random) -> bytes:
    """A file one of whose arrays has another dtype or shape of as many bytes, or other elements."""
    parts = Parts(data)
    names = [name for name in parts.header if name != "__metadata__"]
    for name in rng.sample(names, min(len(names), rng.randint(1, 2))):
        entry = parts.header[name]
        size = entry["data_offsets"][1] - entry["data_offsets"][0]
        if rng.random() < 0.5:
            dtype, width = rng.choice([("F64", 8), ("F32", 4), ("I64", 8), ("F16", 2), ("U8", 1), ("BOOL", 1)])
            count = size // width
            shape = rng.choice([[count], [1, count], [count, 1], [], [count, 0], [2, count // 2], [1] * 70])
            entry |= {"dtype": dtype, "shape": shape}
        else:
            item = rng.choice([b"\xff", b"\x00", b"\xf8\x7f", b"\x01", b"\x80"])
            begin, end = entry["data_offsets"]
            parts.elements = parts.elements[:begin] + (item * size)[:size] + parts.elements[end:]
    return parts.file()


def damaged(data: bytes, rng: random.Random) -> bytes:
    """A file with bytes replaced, removed, repeated or put in, most of the time in its header."""
    found = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        last = len(found) - 1 if rng.random() < 0.3 else 8 + int.from_bytes(data[:8], "little")
        at = rng.randint(0, last)
        end = at + rng.choice([0, 1, 1, 4, 100])
        some = [b"0", b"9", b'"', b"{", b"[", b"-1", b"true", b"1e9", b"null", b'\\"', b"99999999999", rng.randbytes(3)]
        found[at:end] = rng.choice([*some, bytes(found[at : at + 40])])
    return sign(bytes(found)) if rng.random() < 0.7 else bytes(found)


def use(model: Any, given: Any) -> None:
    """What was taken from a forged file predicts, or says why not: no other error comes of it."""
    repr(model)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        for method in ("predict", "predict_proba", "predict_interval", "transform"):
            if hasattr(model, method):
                with suppress(LucidgradError, ValueError):  # the latter of scikit-learn's checks
                    getattr(model, method)(given if isinstance(given, dict) else np.asarray(given))


def refusal(data: bytes, folder: Path) -> str:
    """The message with which a file is refused, both by ``load`` and by the ``load`` of a module."""
    model, message = load_watched(data, folder)
    assert model is None
    assert message
    _, other = load_watched(data, folder, lg.nn.Linear(2, 3).load)
    assert other
    return message
