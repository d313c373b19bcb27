from __future__ import annotations

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


def test_valid_settings_pass(settings) -> None:
    settings.SITE_URL, settings.CURRENCY = "https://crm.example.com:8443", "EUR"

    assert checks.check_environment(None) == []


def test_a_short_secret_key_is_refused_for_deployment(settings) -> None:
    settings.SECRET_KEY = "short"

    (error,) = checks.check_secret_key(None)

    assert "secrets.token_urlsafe" in error.hint


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
