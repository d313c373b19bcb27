from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.smtp_sink import Sink, running


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    """Start an SMTP server and point the e-mail settings to it."""
    with running(Sink()) as sink:
        settings.EMAIL_HOST = "127.0.0.1"
        settings.EMAIL_PORT = sink.port
        settings.EMAIL_TIMEOUT = 5
        yield sink
