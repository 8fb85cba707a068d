"""Fuzzing is short and the same every time in `make test`, and long and new every time with `-m long`."""

import pytest
from hypothesis import settings

settings.register_profile("short", max_examples=40, derandomize=True, deadline=None, database=None)
settings.register_profile("long", max_examples=1000, deadline=None, database=None, print_blob=True)


def _is_long(config: pytest.Config) -> bool:
    return config.option.markexpr == "long"


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("long" if _is_long(config) else "short")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items if _is_long(config) else []:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.long)
