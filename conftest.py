"""The services under the tests start here: earlier than any conftest that imports models."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

from tests import services

services.start()


def pytest_xdist_auto_num_workers() -> int:
    """Return one process for each core, and one more for the fault tests, which wait more than they work."""
    return (os.cpu_count() or 1) + (os.environ.get("REQUIRE_FAULTS") == "1")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the files of fault tests over the run, so that processes wait in one of them while others work."""
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    faults = [path for path in files if path.parent.name == "faults"]
    rest = [path for path in files if path.parent.name != "faults"]
    for place, path in enumerate(faults):
        rest.insert(place * len(files) // len(faults), path)
    items[:] = [item for path in rest for item in files[path]]


def pytest_collection_finish() -> None:
    """Have the garbage collector leave alone what is loaded: it looked through all modules again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    services.stop()
