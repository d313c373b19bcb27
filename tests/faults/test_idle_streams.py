"""Streams that stay open leave threads of the web server for everybody else."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest

from crm.accounts import tokens
from crm.accounts.models import Scope, User
from crm.api import ids
from crm.management.commands.serve import HOST, programs
from marketing.models import Campaign
from tests.factories.marketing import make_campaign, make_run
from tests.faults.processes import ROOT, database_url, wait_until

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

STREAMS = 200
EXPORTS = 5
BODIES, SILENT = 60, 1_000
SIGN_IN = (
    b"POST /api/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%s"
)


@pytest.fixture
def site() -> Iterator[str]:
    """The web server of `make up`, on the database of the test."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    [web] = [each for each in programs(port, None) if each.name == "web server"]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "SITE_URL": f"http://{HOST}:{port}",
    }
    process = subprocess.Popen(web.command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        url = f"http://{HOST}:{port}"
        wait_until(lambda: _answers(f"{url}/healthz"), 60)
        yield url
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_idle_streams_and_exports_hold_nobody_up(site: str, staff: User) -> None:
    campaign = make_campaign(state=Campaign.State.RUNNING)
    make_run(campaign)
    _token, secret = tokens.issue(staff, scopes=[Scope.READ])
    stream = f"{site}/api/campaigns/{ids.encode('cmp', campaign.pk)}/realtime?stream=1"
    paths = [stream] * STREAMS + [f"{site}/api/customers?format=csv"] * EXPORTS
    answered: list[str] = []
    for path in paths:
        threading.Thread(target=_read, args=(path, secret, answered), daemon=True).start()
    wait_until(lambda: len(answered) == len(paths), 60)

    assert _seconds(f"{site}/healthz") < 1
    assert _seconds_to_refuse_a_password(f"{site}/api/auth/login") < 3


def test_slow_bodies_and_silent_clients_hold_nobody_up(site: str) -> None:
    """Sixty bodies of a MB, half of each sent, and a thousand connections that say nothing."""
    host, _, port = site.removeprefix("http://").partition(":")
    with ExitStack() as stack:
        for number in range(SILENT + BODIES):
            client = stack.enter_context(socket.create_connection((host, int(port)), timeout=60))
            if number >= SILENT:
                client.sendall(SIGN_IN % (1_000_000, b" " * 500_000))
        assert _seconds(f"{site}/healthz") < 1
        assert _seconds_to_refuse_a_password(f"{site}/api/auth/login") < 3


def _read(url: str, secret: str, answered: list[str]) -> None:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {secret}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        answered.append(url)
        with suppress(OSError, http.client.HTTPException):  # the site is killed at the end
            while answer.read(1):
                pass


def _seconds(url: str) -> float:
    started = time.monotonic()
    with urllib.request.urlopen(url, timeout=30) as answer:
        answer.read()
    return time.monotonic() - started


def _seconds_to_refuse_a_password(url: str) -> float:
    """A wrong password is hashed like a right one."""
    body = json.dumps({"email": "ada@example.com", "password": "a long enough secret"}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    started = time.monotonic()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=30)
    return time.monotonic() - started


def _answers(url: str) -> bool:
    try:
        return _seconds(url) < 30
    except (urllib.error.URLError, ConnectionError):
        return False
