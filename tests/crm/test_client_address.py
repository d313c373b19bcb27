"""Limits, lockout and audit see the client's address behind the trusted proxies, and no address that a client made up."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from crm import env
from crm.accounts.models import AuditEntry, User
from crm.client_address import Proxies, client_address, limited_network

OURS = [ip_network("10.0.0.0/8"), ip_network("2001:db8:aaaa::/48")]
PROXY, PROXY_6, STRANGER = "10.0.0.1", "2001:db8:aaaa::1", "198.51.100.7"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "proxies", "expected"),
    [
        # none trusted
        (STRANGER, "192.0.2.1", 0, STRANGER),
        (STRANGER, "192.0.2.1", OURS, STRANGER),
        (STRANGER, "192.0.2.1, 10.0.0.9", OURS, STRANGER),
        # by count
        (PROXY, "192.0.2.1", 1, "192.0.2.1"),
        (PROXY, "6.6.6.6, 192.0.2.1", 1, "192.0.2.1"),
        (PROXY, "6.6.6.6, 192.0.2.1, 10.0.0.2", 2, "192.0.2.1"),
        (PROXY, "192.0.2.1", 3, "192.0.2.1"),
        (PROXY, "", 1, PROXY),
        # by network
        (PROXY, "192.0.2.1", OURS, "192.0.2.1"),
        (PROXY, "6.6.6.6, 192.0.2.1, 10.0.0.2", OURS, "192.0.2.1"),
        (PROXY, "10.6.6.6, 192.0.2.1", OURS, "192.0.2.1"),
        (PROXY_6, "2001:db8:1::5, 10.0.0.2", OURS, "2001:db8:1::5"),
        (PROXY, "10.0.0.3, 10.0.0.2", OURS, "10.0.0.3"),
        # ports, brackets, quotes, zones and IPv4 in IPv6
        (PROXY, "192.0.2.1:5678", 1, "192.0.2.1"),
        (PROXY, "[2001:db8::1]:443", 1, "2001:db8::1"),
        (PROXY, "[2001:db8::1]", 1, "2001:db8::1"),
        (PROXY, '"[2001:db8::1]:443"', 1, "2001:db8::1"),
        (PROXY, "2001:DB8:0::1", 1, "2001:db8::1"),
        (PROXY, "fe80::1%eth0", 1, "fe80::1"),
        (PROXY, "::ffff:192.0.2.1", 1, "192.0.2.1"),
        (PROXY, "[::ffff:192.0.2.1]:80", 1, "192.0.2.1"),
        ("::ffff:10.0.0.1", "192.0.2.1", OURS, "192.0.2.1"),
        # malformed: the proxy that reported it is the last hop known
        (PROXY, "192.0.2.1, unknown", OURS, PROXY),
        (PROXY, "192.0.2.1, _hidden, 10.0.0.2", OURS, "10.0.0.2"),
        (PROXY, "192.0.2.1,", OURS, PROXY),
        (PROXY, "192.0.2.1, 192.0.2.256", 1, PROXY),
        (PROXY, "192.0.2.1' OR 1=1", 1, PROXY),
        (PROXY, "0x7f.1", 1, PROXY),
        # a Unix socket
        ("", "192.0.2.1", 1, "192.0.2.1"),
        ("", "192.0.2.1", [ip_network("127.0.0.0/8")], "192.0.2.1"),
        ("", "192.0.2.1", OURS, "127.0.0.1"),
    ],
)
def test_the_client_stands_behind_the_last_trusted_proxy(
    peer: str, forwarded_for: str, proxies: Proxies, expected: str
) -> None:
    assert client_address(peer, forwarded_for, proxies) == expected


@given(
    st.text(max_size=60)
    | st.lists(st.ip_addresses().map(str) | st.sampled_from(["", "unknown", "[", "::", "1:2"])).map(
        ",".join
    )
)
def test_a_made_up_header_changes_nothing_before_the_proxys_entry(made_up: str) -> None:
    for proxies in (1, OURS):
        assert client_address(PROXY, f"{made_up}, 192.0.2.1", proxies) == "192.0.2.1"
    ip_address(client_address(PROXY, made_up, 3))
    assert client_address(STRANGER, made_up, OURS) == STRANGER


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_limits_count_a_64_of_ipv6_as_one(address: str, network: str) -> None:
    assert limited_network(address) == network


@pytest.mark.parametrize(
    ("text", "proxies"),
    [
        ("", 0),
        ("0", 0),
        (" 2 ", 2),
        ("10.0.0.0/8, fd00::/8", [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]),
        ("10.0.0.7", [ip_network("10.0.0.7/32")]),
    ],
)
def test_proxies_are_a_number_or_networks(
    monkeypatch: pytest.MonkeyPatch, text: str, proxies: Proxies
) -> None:
    monkeypatch.setattr(env, "PROXIES", text)
    assert env.proxies() == proxies


@pytest.mark.parametrize(
    "text", ["-1", "1,2", "1, 10.0.0.0/8", "proxy.internal", "10.0.0.1/8", "::ffff:10.0.0.0/104"]
)
def test_other_proxies_are_refused_with_an_example(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(env, "PROXIES", text)
    with pytest.raises(ImproperlyConfigured, match=r"10\.0\.0\.0/8"):
        env.proxies()


@pytest.mark.django_db
def test_audit_sessions_and_limits_see_the_client(settings: Settings) -> None:
    settings.PROXIES = OURS
    settings.API_CALLS_PER_MINUTE = {**settings.API_CALLS_PER_MINUTE, "sign_in": 1}
    ada = User.objects.create_user("ada@example.com", "a long enough secret", is_staff=True)
    behind = {"REMOTE_ADDR": PROXY, "HTTP_X_FORWARDED_FOR": "6.6.6.6, [2001:db8:1:2::3]:4711"}
    sign_in = {"login": "ada@example.com", "password": "a long enough secret"}

    Client().post("/accounts/login/", sign_in, **behind)  # type: ignore[arg-type]

    assert AuditEntry.objects.get(action="signed in").address == "2001:db8:1:2::3"
    assert ada.usersession_set.get().ip == "2001:db8:1:2::3"
    wrong = {"email": "no@example.com", "password": "wrong"}

    def status(client: str) -> int:
        made_up = f"{client}0, {client}"
        answer = Client().post(
            "/api/auth/token", wrong, REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=made_up
        )
        return answer.status_code

    clients = ("192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8:1:2::4", "2001:db8:1:2::5")
    assert [status(client) for client in clients] == [401, 429, 401, 401, 429]


@pytest.mark.django_db
def test_a_stranger_cannot_pretend_https(settings: Settings) -> None:
    settings.PROXIES, settings.SECURE_SSL_REDIRECT = OURS, True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    def status(peer: str) -> int:
        return (
            Client()
            .get("/accounts/login/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO="https")
            .status_code
        )

    assert (status(PROXY), status(STRANGER)) == (200, 301)
