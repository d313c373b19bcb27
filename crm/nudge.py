"""Start a Celery task by name, once the transaction that gives it something to do is committed."""

from __future__ import annotations

from typing import Any

from celery import current_app
from django.db import transaction


def nudge(task: str, *args: Any, expires: float | None = None) -> None:
    """Send the task of this name on commit, or at once outside a transaction.

    A name, not an import, keeps every tasks.py on top: it imports the functions that do the work, and they do not import it.
    A worker drops a nudge that has waited longer than `expires` seconds.
    """
    transaction.on_commit(lambda: current_app.send_task(task, args, expires=expires))
