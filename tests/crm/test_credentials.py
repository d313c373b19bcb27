"""Secrets of accounts are environment variables or encrypted with a key that can be rotated."""

from __future__ import annotations

import pytest
from pytest_django import Settings

from crm import credentials


def test_a_secret_is_encrypted_and_decrypted() -> None:
    kept = credentials.seal(" s3cret ")
    assert "s3cret" not in kept
    assert credentials.read(kept) == "s3cret"
    assert "s3cret" not in credentials.masked(kept)


def test_an_environment_reference_is_stored_as_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    kept = credentials.seal("env:SHOP_TOKEN")
    assert credentials.masked(kept) == kept == "env:SHOP_TOKEN"
    assert credentials.read(kept) == "s3cret"


@pytest.mark.parametrize("name", ["NO_SUCH_NAME", "SECRET_KEY", "DATABASE_URL"])
def test_missing_names_and_own_settings_are_refused(name: str) -> None:
    with pytest.raises(credentials.Unreadable, match=name):
        credentials.read(f"env:{name}")


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
