"""Tests that break real processes. They take minutes, so they are skipped unless REQUIRE_FAULTS=1, as in CI."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.smtp_sink import Sink, running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("REQUIRE_FAULTS") == "1":
        return
    for item in items:
        if item.get_closest_marker("fault"):
            item.add_marker(pytest.mark.skip("takes minutes: REQUIRE_FAULTS=1 make test"))


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An SMTP server with a log of the messages it accepted."""
    with running(Sink()) as sink:
        yield sink
