"""The services under the tests start here: earlier than any conftest that imports models."""

from __future__ import annotations

import pytest

from tests import services

services.start()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    services.stop()
