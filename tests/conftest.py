"""Fixtures of every test."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client, TransactionTestCase
from django.test.utils import override_settings
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker, Settings
from rest_framework.test import APIClient

from crm.accounts.models import User
from tests import migrated_database, restore_point
from tests.described_api import DescribedApi

hypothesis_settings.register_profile("no deadline", deadline=None)
hypothesis_settings.load_profile("no deadline")

MADE_UP = 150


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker
) -> bool:
    """Return whether the test database comes from a migrated template."""
    with django_db_blocker.unblock():
        return migrated_database.use()


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_modify_db_settings: bool, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """pytest-django's database; tests.restore_point removes what a test commits."""
    with django_db_blocker.unblock():
        if not django_db_modify_db_settings:
            migrated_database.save()
        restore_point.save()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            TransactionTestCase, "_fixture_teardown", lambda _case: restore_point.restore()
        )
        yield


@pytest.fixture(autouse=True, scope="session")
def _static_files_without_manifest() -> Iterator[None]:
    """For the whole run: a browser may still ask the live server when its test is over."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(STORAGES={**settings.STORAGES, "staticfiles": plain}):
        yield


@pytest.fixture(autouse=True, scope="session")
def _refusals_without_traceback() -> None:
    """Format no traceback for a 4xx, which walks through all pages log by the thousand."""
    logging.getLogger("django.request").addFilter(_without_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    if getattr(record, "status_code", 500) < 500:
        record.exc_info = None
    return True


@pytest.fixture(autouse=True)
def _plain_and_fast(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture(scope="module")
def made_up_shop(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[float]:
    """The sample data with MADE_UP customers, for all tests of a module that commit nothing; the CPU seconds that it took."""
    with django_db_blocker.unblock():
        started = time.process_time()
        call_command("load_sample_data", made_up=MADE_UP, verbosity=0)
        yield time.process_time() - started
        restore_point.restore()


@pytest.fixture
def staff(db: None) -> User:
    """A superuser."""
    return User.objects.create_superuser(email="staff@example.com", password="open sesame")


@pytest.fixture
def staff_client(staff: User) -> Client:
    client = Client()
    client.force_login(staff)
    return client


@pytest.fixture
def api(staff: User) -> APIClient:
    """A client of the API, authenticated as a superuser."""
    client = DescribedApi()
    client.force_authenticate(staff)
    return client
