"""A merge taken back: two records again, each with what was its own."""

from __future__ import annotations

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from crm.events import outbox
from customers import events, push
from customers.identity.customer_foreign_keys import belongings
from customers.identity.merge import NotMerged, change_sizes, lock
from customers.ingest import customer_totals
from customers.ingest.upsert import emit_changed
from customers.models import Customer, Merge


def undo(merge_id: int) -> Merge:
    """Bring the duplicate back as it was, with its rows. What came since then stays the survivor's.

    Columns of the survivor that somebody changed since then keep their value. Raises NotMerged: merges into one customer are undone
    newest first, and somebody else may have the duplicate's e-mail by now.
    """
    try:
        with transaction.atomic():
            return _undo(merge_id)
    except IntegrityError as error:
        raise NotMerged(
            _(
                "It cannot come back: another customer has an id of it by now, or what it belonged to is gone."
            )
        ) from error


def _undo(merge_id: int) -> Merge:
    merged = Merge.objects.select_for_update().get(pk=merge_id)
    if merged.undone_at is not None:
        raise NotMerged(_("This merge was undone already."))
    lock(merged.survivor_id)
    later = Merge.objects.filter(
        survivor_id=merged.survivor_id, undone_at=None, pk__gt=merged.pk
    ).first()
    if later:
        raise NotMerged(_("Undo the later merge #%d into this customer first.") % later.pk)
    _restore_survivor(merged)
    _restore_duplicate(merged)
    _move_back(merged)
    _put_back(merged)
    change_sizes(merged, 1)
    with connection.cursor() as cursor:
        # what still waits for the end of the transaction to be checked fails here, where it can be explained
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("UPDATE customers_merge SET undone_at = now() WHERE id = %s", [merged.pk])
    customer_totals.keep(sorted((merged.survivor_id, merged.duplicate_id)))
    push.keep_addresses([merged.survivor_id, merged.duplicate_id])
    outbox.emit(
        events.CUSTOMERS_UNMERGED,
        customer_id=merged.survivor_id,
        data={"survivor": merged.survivor_id, "duplicate": merged.duplicate_id},
    )
    emit_changed([merged.duplicate_id], [merged.survivor_id])
    merged.refresh_from_db()
    return merged


def _restore_survivor(merged: Merge) -> None:
    columns = [
        field.column
        for field in Customer._meta.concrete_fields
        if field.column not in {"id", "updated_at"}
    ]
    changes = ", ".join(f"{column} = restored.{column}" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE customers_customer customer SET {changes}, updated_at = now()
            FROM (
                SELECT (jsonb_populate_record(present, (
                    SELECT coalesce(jsonb_object_agg(key, before->key), '{{}}')
                    FROM jsonb_each(after) merged JOIN jsonb_each(to_jsonb(present)) now USING (key)
                    WHERE merged.value = now.value
                ))).*
                FROM customers_merge JOIN customers_customer present ON present.id = survivor_id
                WHERE customers_merge.id = %s
            ) restored
            WHERE customer.id = restored.id
            """,
            [merged.pk],
        )


def _restore_duplicate(merged: Merge) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_customer
            SELECT (jsonb_populate_record(NULL::customers_customer, duplicate)).* FROM customers_merge WHERE id = %s
            """,
            [merged.pk],
        )


def _move_back(merged: Merge) -> None:
    """What moved and is still the survivor's goes back."""
    with connection.cursor() as cursor:
        for belonging in belongings():
            if keys := merged.moved.get(belonging.key):
                cursor.execute(
                    f"UPDATE {belonging.table} SET {belonging.column} = %s "
                    f"WHERE {belonging.model._meta.pk.column} = ANY(%s) AND {belonging.column} = %s",
                    [merged.duplicate_id, keys, merged.survivor_id],
                )


def _put_back(merged: Merge) -> None:
    """What was set aside returns, parents before those that hang on them; what they hung on may be gone."""
    with connection.cursor() as cursor:
        for place in reversed(range(len(merged.set_aside))):
            table = merged.set_aside[place]["table"]
            cursor.execute(
                f"""
                INSERT INTO {table}
                SELECT row.* FROM customers_merge,
                    jsonb_populate_recordset(NULL::{table}, set_aside->%s->'rows') AS row
                WHERE customers_merge.id = %s
                """,
                [place, merged.pk],
            )
