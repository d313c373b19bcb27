"""Customers as recipients: one SELECT that says where a message to each goes, or why it is skipped."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from customers.models import Customer
from customers.models.consent import ADDRESS_FIELDS as CUSTOMER_FIELDS
from customers.models.consent import Channel
from customers.querysets import CustomerQuerySet
from marketing.messages.due import UNKNOWN_ZONE, due_by_zone
from marketing.messages.eligibility import Policy, SkipReason, skip_reason
from marketing.models import CampaignRun

ADDRESS_FIELDS: dict[str, str] = {
    **{channel.value: column for channel, column in CUSTOMER_FIELDS.items()},
    Channel.WEBHOOK.value: "external_id",
    Channel.SOCIAL.value: "external_id",  # a post has no recipients
}
"""The customer's column with the address for each channel; a webhook names people by the external id."""

UNIQUE_ADDRESSES = frozenset({"email", "external_id"})
"""Columns in which the schema lets no two customers have the same address."""

FENCE = "OFFSET 0"
"""Keeps PostgreSQL from merging a layer into the next, which would compute its reason wherever it is read."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A SELECT around another one, which replaces `{people}`; its own parameters come before and after the inner ones."""

    sql: str
    before: Sequence[Any] = ()
    after: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Recipients:
    """SQL and its parameters, of rows (id, address, zone, reason, variant), one for each customer.

    `zone` is the customer's time zone, `reason` a skip reason or "", `variant` the name of the content's variant or "".
    """

    sql: str
    parameters: tuple[Any, ...]

    def under(self, layer: Layer) -> Recipients:
        """Return these recipients seen through a layer."""
        sql = layer.sql.replace("{people}", f"({self.sql}) AS person")
        return Recipients(sql, (*layer.before, *self.parameters, *layer.after))


def judged(
    policy: Policy,
    customers: CustomerQuerySet,
    *,
    batch: CampaignRun | None = None,
    limit: int | None = None,
) -> Recipients:
    """Return customers with the reasons of consent, suppression, send-once keys and caps; with `limit` the first ones by id.

    An address that two of them share, or that has a message of the batch already, is a duplicate. Raises KeyError for a channel
    without an address.
    """
    column = ADDRESS_FIELDS[policy.channel]
    rows = customers.annotate(reason=skip_reason(policy, address=column))
    chosen = rows.order_by() if limit is None else rows.order_by("pk")[:limit]
    select, parameters = chosen.values_list(
        "pk", column, "timezone", "reason"
    ).query.sql_with_params()
    recipients = Recipients(
        f"""
        SELECT id, coalesce(address, '') AS address, zone, reason, '' AS variant
        FROM ({select}) AS chosen (id, address, zone, reason) {FENCE}
        """,
        parameters,
    )
    return recipients if column in UNIQUE_ADDRESSES else recipients.under(_duplicates(batch))


def why_skipped(channel: str, topic: str, customers: Collection[int]) -> dict[int, str]:
    """Return why customers would get no message now, by their id; "" for none. Caps and quiet hours are left out."""
    chosen = Customer.objects.filter(pk__in=customers)
    recipients = judged(Policy(channel, topic), chosen)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, reason FROM ({recipients.sql}) AS person", recipients.parameters
        )
        return dict(cursor.fetchall())


def with_due_times(
    recipients: Recipients,
    policy: Policy,
    *,
    local_due: Mapping[str, datetime] | None = None,
    not_before: datetime | None = None,
    undecided_until: datetime | None = None,
) -> Recipients:
    """Add the column `due_at` to recipients: the time before which a message does not leave, NULL where it leaves at once or never.

    It is the latest of the end of quiet hours, `local_due` in the customer's time zone (see due.due_by_zone), `not_before`, and
    `undecided_until` for a message without a variant.
    """
    waits, join = ["%s::timestamptz", "CASE variant WHEN '' THEN %s::timestamptz END"], ""
    before: list[object] = [not_before, undecided_until]
    after: list[object] = []
    if policy.quiet or local_due:
        by_zone = due_by_zone(policy.quiet, local_due or {})
        waits.append("CASE WHEN clock.zone IS NULL THEN %s::timestamptz ELSE clock.due_at END")
        join = "LEFT JOIN unnest(%s::text[], %s::timestamptz[]) AS clock (zone, due_at) ON clock.zone = person.zone"
        before.append(by_zone.pop(UNKNOWN_ZONE))
        after = [list(by_zone), list(by_zone.values())]
    return recipients.under(
        Layer(
            f"""
            SELECT person.id, address, person.zone, reason, variant,
                   CASE reason WHEN '' THEN greatest({", ".join(waits)}) END AS due_at
            FROM {{people}} {join}
            """,
            before=before,
            after=after,
        )
    )


def _duplicates(batch: CampaignRun | None) -> Layer:
    """Skip all but the lowest id of the eligible customers who share an address."""
    return Layer(
        f"""
        SELECT id, person.address, zone, variant, CASE
            WHEN reason = '' AND (taken.address IS NOT NULL OR place > 1) THEN '{SkipReason.DUPLICATE_ADDRESS}'
            ELSE reason END AS reason
        FROM (
            SELECT *, row_number() OVER (PARTITION BY reason, lower(address) ORDER BY id) AS place FROM {{people}}
        ) AS person
        LEFT JOIN (
            SELECT DISTINCT lower(address) AS address FROM marketing_campaignexecution
            WHERE run_id = %s AND (state <> 'skipped' OR skip_reason = '{SkipReason.HOLDOUT}')
        ) AS taken ON taken.address = lower(person.address)
        """,
        after=[batch.pk if batch else None],
    )
