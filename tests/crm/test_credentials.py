"""Secrets of accounts are environment variables or encrypted with a key that can be rotated."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from crm import credentials, env


def test_a_secret_is_encrypted_and_decrypted() -> None:
    kept = credentials.seal(" s3cret ")
    assert "s3cret" not in kept
    assert credentials.read(kept) == "s3cret"
    assert "s3cret" not in credentials.masked(kept)


def test_an_environment_reference_is_stored_as_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDER_TOKEN", "s3cret")
    kept = credentials.seal("env:SENDER_TOKEN")
    assert credentials.masked(kept) == kept == "env:SENDER_TOKEN"
    assert credentials.read(kept) == "s3cret"


@pytest.mark.parametrize(
    "name",
    [
        *("NO_SUCH_NAME", "SENDER_NO_SUCH_NAME", "SECRET_KEY", "DATABASE_URL", "LLM_API_KEY"),
        *("GOOGLE_CLIENT_SECRET", "PATH", "sender_token", "XSENDER_TOKEN", " SENDER_TOKEN"),
    ],
)
def test_names_that_no_sender_may_use_are_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("LLM_API_KEY", "GOOGLE_CLIENT_SECRET", "sender_token", "XSENDER_TOKEN"):
        monkeypatch.setenv(variable, "s3cret")
    with pytest.raises(credentials.Unreadable, match=name):
        credentials.read(f"env:{name}")


@pytest.mark.parametrize(
    "prefix", ["", "S", "SE", "SECRET_", "LLM_", "SENDING_", "SENDER", "DJANGO_"]
)
def test_a_prefix_that_admits_other_variables_is_refused(
    prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(env, "SENDER_SECRETS_PREFIX", prefix)
    with pytest.raises(ImproperlyConfigured, match="SENDER_SECRETS_PREFIX"):
        env.sender_secrets_prefix()


def test_a_new_key_decrypts_old_secrets_until_re_encryption(
    settings: Settings,
) -> None:
    kept = credentials.seal("s3cret")
    old, settings.SECRET_KEY = settings.SECRET_KEY, "a new key of more than thirty-two characters"
    with pytest.raises(credentials.Unreadable, match="another SECRET_KEY"):
        credentials.read(kept)

    settings.SECRET_KEY_FALLBACKS = [old]
    sealed_anew = credentials.reseal(kept)
    settings.SECRET_KEY_FALLBACKS = []
    assert credentials.read(sealed_anew) == "s3cret"
