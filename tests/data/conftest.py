"""A mirror on this machine that can be told to misbehave, and the real data sets where they are."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


class Mirror:
    """Serves ``files`` by name; the other fields say how it fails. ``requests`` lists (path, Range header)."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.knows_ranges = True
        self.says_length = True
        self.status: int | None = None
        self.range_error = 0  # how far the bytes it sends are from those that were asked for
        self.break_after: list[int] = []  # for each next request, how many bytes it sends before it hangs up
        self.hold_at: int | None = None  # after so many bytes it waits for ``go_on``
        self.holds = threading.Event()
        self.go_on = threading.Event()
        self.url = ""

    @property
    def ranges(self) -> list[str | None]:
        return [asked for _, asked in self.requests]


def _handler(mirror: Mirror) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            mirror.requests.append((self.path, asked))
            body = mirror.files.get(self.path.lstrip("/"))
            if mirror.status or body is None:
                self.send_error(mirror.status or 404)
                return
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and mirror.knows_ranges else 0
            if start and start >= len(body):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            start += mirror.range_error if start else 0
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            if mirror.says_length:
                self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):
                self._send(body[start:])

        def _send(self, body: bytes) -> None:
            if mirror.break_after:
                body = body[: mirror.break_after.pop(0)]
            if mirror.hold_at is not None:
                held, mirror.hold_at = mirror.hold_at, None
                self.wfile.write(body[:held])
                self.wfile.flush()
                mirror.holds.set()
                mirror.go_on.wait(10)
                body = body[held:]
            self.wfile.write(body)

    return Handler


def _serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("no_proxy", "*")
    mirror = Mirror()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(mirror))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    mirror.url = f"http://127.0.0.1:{server.server_port}/"
    try:
        yield mirror
    finally:
        mirror.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    yield from _serve(monkeypatch)


@pytest.fixture
def second_mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    yield from _serve(monkeypatch)


def _folder_of(*names: str) -> Path:
    """The folder of one of ``names`` that holds the real files; without one the test is skipped."""
    named = [Path(os.environ[name]) for name in ("LUCIDGRAD_DATA", "GRADLET_DATA") if os.environ.get(name)]
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    for root in (*named, beside, Path("/usr/share/datasets")):
        for folder in (root, *(root / name for name in names)):
            if folder.name in names and (folder / "train-images-idx3-ubyte.gz").is_file():
                return folder
    pytest.skip(f"no folder {names[0]} with the real files on this machine: name the one it is in in LUCIDGRAD_DATA")


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    return _folder_of("mnist")


@pytest.fixture(scope="session")
def fashion_mnist_folder() -> Path:
    return _folder_of("fashion_mnist", "fashion-mnist")
