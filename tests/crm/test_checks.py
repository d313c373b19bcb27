from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured

from crm import checks, env


@pytest.mark.parametrize(
    "url", ["crm.example.com", "ftp://crm.example.com", "https://", "https://a.example/crm"]
)
def test_an_invalid_site_url_is_refused(settings, url: str) -> None:
    settings.SITE_URL = url

    (error,) = checks.check_environment(None)

    assert error.id == "kindling.E002"
    assert "SITE_URL=https://" in error.hint


@pytest.mark.parametrize("code", ["", "eur", "EURO", "€"])
def test_a_currency_outside_iso_4217_is_refused(settings, code: str) -> None:
    settings.CURRENCY = code

    (error,) = checks.check_environment(None)

    assert error.id == "kindling.E003"


def test_an_unknown_order_of_dates_is_refused(settings) -> None:
    settings.DATE_ORDER = "dd/mm/yyyy"

    (error,) = checks.check_environment(None)

    assert (error.id, error.hint) == ("kindling.E005", "Set one of day_first, month_first.")


def test_valid_settings_pass(settings) -> None:
    settings.SITE_URL, settings.CURRENCY = "https://crm.example.com:8443", "EUR"
    settings.DATE_ORDER = "day_first"

    assert checks.check_environment(None) == []


def test_a_short_secret_key_is_refused_for_deployment(settings) -> None:
    settings.SECRET_KEY = "short"

    (error,) = checks.check_secret_key(None)

    assert "secrets.token_urlsafe" in error.hint


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, set()),
        ({"PROXIES": [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]}, set()),
        ({"PROXIES": 0}, {"kindling.W005"}),
        ({"PROXIES": []}, {"kindling.W005"}),
        ({"PROXIES": [ip_network("0.0.0.0/0")]}, {"kindling.E007"}),
        ({"PROXIES": [ip_network("10.0.0.0/8"), ip_network("::/0")]}, {"kindling.E007"}),
        ({"SECURE_PROXY_SSL_HEADER": None}, {"kindling.E008"}),
        ({"SITE_URL": "http://crm.example.com"}, {"kindling.W006", "kindling.E008"}),
        ({"SITE_URL": "https://www.example.com"}, {"kindling.E009"}),
        ({"ALLOWED_HOSTS": [".example.com"]}, set()),
        ({"ALLOWED_HOSTS": ["*"]}, {"kindling.W010"}),
        ({"SITE_URL": "https://[2001:db8::1]", "ALLOWED_HOSTS": ["[2001:db8::1]"]}, set()),
    ],
)
def test_settings_of_the_front_door_must_agree(settings, given, expected: set[str]) -> None:
    settings.SITE_URL, settings.ALLOWED_HOSTS = "https://crm.example.com", ["crm.example.com"]
    settings.PROXIES, settings.SECURE_PROXY_SSL_HEADER = 1, ("HTTP_X_FORWARDED_PROTO", "https")
    for name, value in given.items():
        setattr(settings, name, value)

    assert {message.id for message in checks.check_front_door(None)} == expected


@pytest.mark.parametrize(
    ("site_url", "hosts"),
    [
        ("http://127.0.0.1:8000", ["127.0.0.1", "localhost", "[::1]"]),
        ("https://crm.example.com", ["crm.example.com"]),
        ("https://[2001:db8::1]:8443", ["[2001:db8::1]"]),
    ],
)
def test_a_public_site_allows_its_own_host_alone(
    monkeypatch, site_url: str, hosts: list[str]
) -> None:
    monkeypatch.setattr(env, "SITE_URL", site_url)

    assert env.hosts() == hosts


def test_an_unknown_time_zone_is_refused_with_an_example(monkeypatch) -> None:
    monkeypatch.setattr(env, "TIME_ZONE", "Mars/Base")

    with pytest.raises(ImproperlyConfigured, match="TIME_ZONE=Europe/Berlin"):
        env.time_zone()


def test_an_unknown_email_scheme_is_refused_with_an_example(monkeypatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "pigeon://roof")

    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL=smtp"):
        env.email()


def test_an_empty_email_url_counts_as_unset(monkeypatch) -> None:
    monkeypatch.setenv("EMAIL_URL", "")

    assert env.email()["EMAIL_PORT"] == 1025
