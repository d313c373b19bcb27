"""Cursors say how far a reader of append-only rows has come; taking one is the right to read on."""

from __future__ import annotations

from crm.events.models import ConsumerCursor


def take(name: str) -> ConsumerCursor | None:
    """The cursor of that name, locked until the transaction ends; None while another process has it."""
    free = ConsumerCursor.objects.select_for_update(skip_locked=True).filter(name=name)
    cursor = free.first()
    if cursor or ConsumerCursor.objects.filter(name=name).exists():
        return cursor
    # only the first time: an insert waits for whoever is changing a row of the same name
    ConsumerCursor.objects.bulk_create([ConsumerCursor(name=name)], ignore_conflicts=True)
    return free.first()
