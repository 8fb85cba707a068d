"""What tests of all kinds share: fuzzing, Ctrl-C, names that are the same in every process, and a browser for pages.

Fuzzing is short and the same every time in `make test`, and long and new every time with `-m long`; no test is timed.
The browser is headless Chromium, without a network, and fails on whatever a page does wrong.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("short", max_examples=40, derandomize=True, deadline=None, database=None)
settings.register_profile("long", max_examples=1000, deadline=None, database=None, print_blob=True)

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def _is_long(config: pytest.Config) -> bool:
    return bool(config.option.markexpr == "long")


def pytest_configure(config: pytest.Config) -> None:
    """Listen to Ctrl-C, and let child processes do so, where the tests run behind a shell that has it ignored."""
    settings.load_profile("long" if _is_long(config) else "short")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse names with an address in them: processes that share the tests would not agree what these are called."""
    for item in items if _is_long(config) else []:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.long)
    if named := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"tests expected a name of their own (ids=...), got {named[0]}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The browser of a file of tests, a ``playwright.sync_api.Browser``.

    It ends with the file: while it is there, its thread counts as one in which asyncio runs, and other tests that want
    to run a loop of their own could not.
    """
    executable = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if executable is None:
        pytest.skip(f"pages are tested in Chromium, and none of {', '.join(CHROMIUMS)} is installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        chromium = playwright.chromium.launch(executable_path=executable, args=options)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """An empty page that reads files only; the test fails where a page asks for more, warns, logs an error, or raises.

    ``page.goto(path.as_uri())`` opens a file, ``page.set_content(html)`` shows text.
    """
    context = browser.new_context(offline=True, viewport={"width": 1280, "height": 800})
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(f"raised: {error}"))
    opened.on("console", lambda m: wrong.append(f"logged: {m.text}") if m.type in ("error", "warning") else None)
    opened.on("request", lambda r: None if _is_local(r.url) else wrong.append(f"asked for: {r.url}"))
    yield opened
    context.close()
    assert wrong == []


def _is_local(url: str) -> bool:
    return url.startswith(("file:", "data:", "blob:", "about:"))
