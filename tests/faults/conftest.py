from collections.abc import Iterator

import pytest

from tests.smtp_sink import Sink, running


@pytest.fixture
def sink() -> Iterator[Sink]:
    """An SMTP server that keeps a log of what it took."""
    with running(Sink()) as sink:
        yield sink
