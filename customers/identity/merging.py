"""Merge two records of one person: every row moves to the survivor, and the merge can be undone."""

from __future__ import annotations

import json
from collections.abc import Collection

from django.db import IntegrityError, connection, models, transaction
from django.utils.translation import gettext as _

from crm.accounts.models import User
from crm.events import outbox
from customers import consent, customer_totals, push
from customers.identity.changes import LOCK_BATCHES, emit_changed
from customers.identity.customer_foreign_keys import (
    Belonging,
    belongings,
    prepare,
    reason_against,
)
from customers.models import Consent, Customer, Merge, SegmentMembership
from customers.timeline import types

CHOOSABLE = (
    *("first_name", "last_name", "email", "phone", "external_id", "date_of_birth"),
    *("city", "region", "country", "language", "timezone"),
    *("lifecycle_status", "source", "registered_at"),
)
"""The columns for which staff may choose the duplicate's value."""

_FILLED = "coalesce(nullif(mine.{0}, ''), theirs.{0}, '')"
_EMPTY_IS_NULL = "coalesce(mine.{0}, theirs.{0})"
_VALUES = {
    **dict.fromkeys(("first_name", "last_name", "phone", "city", "region"), _FILLED),
    **dict.fromkeys(("country", "language", "timezone", "source"), _FILLED),
    **dict.fromkeys(("external_id", "email", "date_of_birth"), _EMPTY_IS_NULL),
    "lifecycle_status": "mine.{0}",
    "from_browser": "mine.{0} AND theirs.{0}",
    "registered_at": "least(mine.{0}, theirs.{0})",
    "tags": "mine.{0} || ARRAY(SELECT tag FROM unnest(theirs.{0}) AS tag WHERE tag <> ALL(mine.{0}))",
    "attributes": "theirs.{0} || mine.{0}",
    **dict.fromkeys(("opening_spend", "opening_orders", "opening_visits"), "mine.{0} + theirs.{0}"),
    **dict.fromkeys(
        ("last_visit_at", "last_interaction_at", "paused_until"), "greatest(mine.{0}, theirs.{0})"
    ),
}
"""How the survivor's columns come from both records."""
_NOT_UNDONE = ("id", "created_at", "updated_at")


class NotMerged(ValueError):
    """Two customers cannot be merged, or a merge cannot be undone; the message says why."""


def merge(
    survivor: int,
    duplicate: int,
    *,
    chosen: Collection[str] = (),
    reason: Merge.Reason = Merge.Reason.BY_HAND,
    by: User | None = None,
) -> Merge:
    """Merge the duplicate into the survivor, both by key, and emit the event.

    Empty fields of the survivor are filled, attributes and tags united, opening totals added up; of the columns in `chosen`
    (some of CHOOSABLE) the duplicate's value wins. Raises NotMerged.
    """
    if survivor == duplicate:
        raise NotMerged(_("These are already one customer."))
    if unknown := set(chosen) - set(CHOOSABLE):
        raise NotMerged(_("%s cannot be chosen.") % ", ".join(sorted(unknown)))
    with transaction.atomic():
        lock(survivor, duplicate)
        if Customer.objects.filter(pk__in=(survivor, duplicate), erased_at__isnull=False).exists():
            raise NotMerged(_("One of these people was erased."))
        if against := reason_against(survivor, duplicate):
            raise NotMerged(against)
        prepare(survivor, duplicate)
        theirs, before = _as_json(duplicate), _as_json(survivor)
        set_aside, moved = _hand_over(survivor, duplicate)
        Customer.objects.filter(pk=duplicate)._raw_delete("default")
        _fill(survivor, theirs, chosen)
        consent.update_customers([survivor])
        consent.hold_opt_outs([survivor])
        customer_totals.recompute([survivor])
        push.keep_addresses([survivor])
        done = Merge.objects.get(
            pk=_write(survivor, duplicate, theirs, before, set_aside, moved, reason, by)
        )
        change_sizes(done, -1)
        outbox.emit(
            types.CUSTOMERS_MERGED,
            customer_id=survivor,
            data={"survivor": survivor, "duplicate": duplicate},
        )
        emit_changed([], [survivor])
    return done


def survivor_of(customer_id: int) -> int:
    """Return the id of the customer that has the rows of a merged one, or the given id."""
    merges = Merge.objects.filter(duplicate_id=customer_id, undone_at=None)
    return merges.values_list("survivor_id", flat=True).first() or customer_id


def lock(*customer_ids: int) -> None:
    """Lock these customers against batches and other merges. Raises NotMerged where one does not exist."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK_BATCHES)
        cursor.execute(
            "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
            [list(customer_ids)],
        )
        if len(cursor.fetchall()) < len(customer_ids):
            raise NotMerged(
                _("One of these customers no longer exists: it was merged or erased meanwhile.")
            )


def change_sizes(done: Merge, sign: int) -> None:
    """Update the sizes of segments for memberships that were set aside (-1) or restored (1)."""
    table = SegmentMembership._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_segment segment SET size = greatest(size + %s * went.members, 0)
            FROM (
                SELECT (member->>'segment_id')::bigint AS id, count(*) AS members
                FROM customers_merge, jsonb_array_elements(set_aside) AS kind, jsonb_array_elements(kind->'rows') AS member
                WHERE customers_merge.id = %s AND kind->>'table' = %s GROUP BY 1
            ) went
            WHERE segment.id = went.id
            """,
            [sign, done.pk, table],
        )


def _hand_over(survivor: int, duplicate: int) -> tuple[list[str], dict[str, list[int]]]:
    """Move all rows to the survivor; returns the rows that cannot stay, as JSON by table, and the keys of moved ones."""
    set_aside = _set_aside(Consent, consent.contradicted_opt_ins(survivor, duplicate))
    moved: dict[str, list[int]] = {}
    for belonging in belongings():
        set_aside += _set_aside(belonging.model, belonging.losers(survivor, duplicate))
        if keys := _move(belonging, survivor, duplicate):
            moved[belonging.key] = keys
    return set_aside, moved


def _set_aside(model: type[models.Model], keys: Collection[int]) -> list[str]:
    """Delete rows, dependent ones first; returns them as JSON in that order."""
    if not keys:
        return []
    taken = []
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel):
            hanging = relation.related_model._base_manager.filter(
                **{f"{relation.field.name}__in": keys}
            )
            taken += _set_aside(relation.related_model, list(hanging.values_list("pk", flat=True)))
    table, key = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH gone AS (DELETE FROM {table} WHERE {key} = ANY(%s) RETURNING *)
            SELECT jsonb_build_object('table', %s::text, 'rows', jsonb_agg(to_jsonb(gone)))::text FROM gone
            """,
            [list(keys), table],
        )
        taken.append(cursor.fetchone()[0])
    return taken


def _move(belonging: Belonging, survivor: int, duplicate: int) -> list[int]:
    key = belonging.model._meta.pk.column
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {belonging.table} SET {belonging.column} = %s WHERE {belonging.column} = %s RETURNING {key}",
            [survivor, duplicate],
        )
        return [row[0] for row in cursor.fetchall()]


def _fill(survivor: int, theirs: str, chosen: Collection[str]) -> None:
    changes = ", ".join(
        f"{column} = {('theirs.{0}' if column in chosen else value).format(column)}"
        for column, value in _VALUES.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE customers_customer mine SET {changes}, updated_at = now()
            FROM jsonb_populate_record(NULL::customers_customer, %s::jsonb) theirs WHERE mine.id = %s
            """,
            [theirs, survivor],
        )


def _as_json(customer: int) -> str:
    """Return the row as the database writes it: through Python, numbers would lose digits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_jsonb(customer)::text FROM customers_customer customer WHERE id = %s",
            [customer],
        )
        return str(cursor.fetchone()[0])


def _write(
    survivor: int,
    duplicate: int,
    theirs: str,
    before: str,
    set_aside: list[str],
    moved: dict[str, list[int]],
    reason: str,
    by: User | None,
) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_merge
                (survivor_id, duplicate_id, duplicate, before, after, moved, set_aside, reason, merged_by_id)
            SELECT %s, %s, %s::jsonb, coalesce(jsonb_object_agg(key, old.value) FILTER (WHERE is_changed), '{}'),
                   coalesce(jsonb_object_agg(key, new.value) FILTER (WHERE is_changed), '{}'), %s::jsonb, %s::jsonb, %s, %s
            FROM jsonb_each(%s::jsonb) old
            JOIN jsonb_each((SELECT to_jsonb(customer) FROM customers_customer customer WHERE id = %s)) new USING (key)
            CROSS JOIN LATERAL (SELECT old.value <> new.value AND key <> ALL(%s) AS is_changed) changed
            RETURNING id
            """,
            [
                *(survivor, duplicate, theirs),
                *(json.dumps(moved), f"[{','.join(set_aside)}]", reason, by.pk if by else None),
                *(before, survivor, list(_NOT_UNDONE)),
            ],
        )
        return int(cursor.fetchone()[0])


def undo(merge_id: int) -> Merge:
    """Restore the duplicate with its rows. Rows since the merge stay with the survivor.

    Columns of the survivor that were changed since then keep their value. Raises NotMerged: merges into one customer are undone
    newest first, and somebody else may have the duplicate's e-mail now.
    """
    try:
        with transaction.atomic():
            return _undo(merge_id)
    except IntegrityError as error:
        raise NotMerged(
            _(
                "The record cannot be restored: another customer has one of its ids, or a row that it needs was deleted."
            )
        ) from error


def _undo(merge_id: int) -> Merge:
    merged = Merge.objects.select_for_update().get(pk=merge_id)
    if merged.undone_at is not None:
        raise NotMerged(_("This merge is already undone."))
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
        # deferred constraints fail here, where the error can be explained
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        cursor.execute("UPDATE customers_merge SET undone_at = now() WHERE id = %s", [merged.pk])
    both = sorted((merged.survivor_id, merged.duplicate_id))
    consent.update_customers(both)
    consent.hold_opt_outs(both)
    customer_totals.recompute(both)
    push.keep_addresses([merged.survivor_id, merged.duplicate_id])
    outbox.emit(
        types.CUSTOMERS_UNMERGED,
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
    """Move rows back that are still the survivor's."""
    with connection.cursor() as cursor:
        for belonging in belongings():
            if keys := merged.moved.get(belonging.key):
                cursor.execute(
                    f"UPDATE {belonging.table} SET {belonging.column} = %s "
                    f"WHERE {belonging.model._meta.pk.column} = ANY(%s) AND {belonging.column} = %s",
                    [merged.duplicate_id, keys, merged.survivor_id],
                )


def _put_back(merged: Merge) -> None:
    """Restore the rows that were set aside, parents before dependent ones."""
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
