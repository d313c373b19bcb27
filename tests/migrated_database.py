"""A template of the migrated test database, so that only the first run of a checkout migrates.

It lives in the PostgreSQL cluster of the tests under the digest of what migrations and their signals read: with a change
there the next run migrates again.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.db import connection

PREFIX = "migrated_"
ROOT = Path(settings.BASE_DIR)
SOURCES = ("*/migrations/*.py", "crm/*/migrations/*.py", "crm/roles.py", "requirements.txt")


def name() -> str:
    """Return the name of the template that fits this checkout."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern)):
        digest.update(path.read_bytes())
    return PREFIX + digest.hexdigest()[:16]


def use() -> bool:
    """Have Django create the test database from the template; return whether there is one."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT FROM pg_database WHERE datname = %s", [name()])
        exists = cursor.fetchone() is not None
    connection.settings_dict["TEST"]["TEMPLATE"] = name() if exists else None
    return exists


def save() -> None:
    """Make the template from the test database, which nothing was written to yet; drop outdated ones."""
    source = connection.settings_dict["NAME"]
    connection.close()  # PostgreSQL copies no database that has connections
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        for (outdated,) in cursor.fetchall():
            cursor.execute(f'DROP DATABASE "{outdated}"')
        cursor.execute(f'CREATE DATABASE "{name()}" TEMPLATE "{source}"')
