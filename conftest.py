"""The services under the tests start here: earlier than any conftest that imports models."""

from __future__ import annotations

import os

import pytest

from tests import services

services.start()


def pytest_xdist_auto_num_workers() -> int:
    """A process a core; one more where real processes are broken, as those tests wait more than they work."""
    return (os.cpu_count() or 1) + (os.environ.get("REQUIRE_FAULTS") == "1")


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    services.stop()
