"""The record of consent: decisions and restatements, append-only, weighed and copied to columns of the customer.

A statement of a file or call that has a date of its own, or that reports an opt-out ("unsubscribed", "complained"), is a decision. Any
other ("accepts marketing: yes") restates what its source knows: as an opt-in it never undoes an opt-out of the customer, of staff or of
another source. A statement without a date counts only where it differs from what its source said last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db import connection

from crm.events import outbox
from customers.consent import by_address
from customers.models import Consent
from customers.models.consent import Channel
from customers.timeline import types

LONGEST_EVIDENCE = 500

OPTED_IN, OPTED_OUT = Consent.Decision.OPTED_IN, Consent.Decision.OPTED_OUT
PENDING = Consent.Decision.PENDING


class Wish(NamedTuple):
    """One statement: the column or field that says so, the time that it gives, and whether it reports an opt-out.

    A summary is what an export of ours states: news only where the customer is not opted out.
    """

    wanted: bool
    source: str
    at: datetime | None = None
    is_opt_out: bool = False
    is_summary: bool = False

    @property
    def is_decision(self) -> bool:
        return self.at is not None or self.is_opt_out


Wishes = Mapping[tuple[str, str], Wish]
"""(channel, topic) → statement; an empty topic means the whole channel."""


@dataclass(slots=True)
class Recorded:
    """Ids of customers with a new decision or restatement, and of those whose opt-out a statement could not undo."""

    changed: set[int] = field(default_factory=set)
    kept_out: set[int] = field(default_factory=set)


class _State(NamedTuple):
    """The newest decision about a channel or topic, the last statement of the source, and the newest restated opt-outs since."""

    decision: str | None
    decided_at: datetime | None
    said: str | None
    closed_at: datetime | None
    closed_by_others_at: datetime | None


_STATES = """
    SELECT decided.decision, decided.decided_at, mine.decision, since.closed_at, since.closed_by_others_at
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) WITH ORDINALITY given(customer_id, channel, topic, source, place)
    LEFT JOIN LATERAL (
        SELECT id, decision, decided_at FROM customers_consent
        WHERE customer_id = given.customer_id AND channel = given.channel AND topic = given.topic AND NOT restated
        ORDER BY decided_at DESC, id DESC LIMIT 1
    ) decided ON true
    LEFT JOIN LATERAL (
        SELECT decision FROM customers_consent
        WHERE customer_id = given.customer_id AND channel = given.channel AND topic = given.topic AND source = given.source
        ORDER BY decided_at DESC, id DESC LIMIT 1
    ) mine ON true
    LEFT JOIN LATERAL (
        SELECT max(decided_at) AS closed_at, max(decided_at) FILTER (WHERE source <> given.source) AS closed_by_others_at
        FROM (
            SELECT DISTINCT ON (source) source, decision, decided_at FROM customers_consent
            WHERE customer_id = given.customer_id AND channel = given.channel AND topic = given.topic AND restated
              AND (decided.id IS NULL OR (decided_at, customers_consent.id) > (decided.decided_at, decided.id))
            ORDER BY source, decided_at DESC, id DESC
        ) each_source
        WHERE decision <> 'opted_in'
    ) since ON true
    ORDER BY given.place
"""


def combine(one: Wishes, other: Wishes) -> dict[tuple[str, str], Wish]:
    """Return what two rows about one customer say together: where they differ, the later dated one counts, else the opt-out."""
    both = {**one, **other}
    for key in one.keys() & other.keys():
        both[key] = _stronger(one[key], other[key])
    return both


def record_wishes(people: Iterable[tuple[int, Wishes]], evidence: str) -> Recorded:
    """Record the statements of rows that say something new.

    With DOUBLE_OPT_IN, customers who want e-mail are asked once to confirm.
    """
    given = [(pk, key, wish) for pk, wishes in people for key, wish in wishes.items()]
    recorded = Recorded()
    if not given:
        return recorded
    groups: dict[tuple[tuple[str, str], Wish], list[int]] = defaultdict(list)
    for (pk, key, wish), state in zip(given, _states(given), strict=True):
        if wish.wanted and _is_kept_out(wish, state):
            recorded.kept_out.add(pk)
        if _says_something_new(wish, state):
            groups[key, wish].append(pk)
    for ((channel, topic), wish), ids in groups.items():
        _record(ids, channel, topic, wish, evidence)
        recorded.changed.update(ids)
    return recorded


def hold_opt_outs(customer_ids: Sequence[int]) -> None:
    """Opt out customers whose addresses opted out before they had them. Call it when addresses were written."""
    if changed := by_address.append_opt_outs(customer_ids):
        update_customers(changed)


def append(
    customer_ids: Sequence[int],
    channel: str,
    decision: str,
    evidence: str,
    *,
    topic: str = "",
    source: str = "",
    restated: bool = False,
    at: datetime | None = None,
) -> None:
    """Append a decision or restatement of customers, and update the customers."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO customers_consent (customer_id, channel, topic, decision, evidence, source, restated, decided_at)
            SELECT id, %s, %s, %s, %s, %s, %s, coalesce(%s::timestamptz, statement_timestamp()) FROM unnest(%s::bigint[]) AS given(id)
            """,
            [
                *(channel, topic, decision, evidence[:LONGEST_EVIDENCE], source, restated, at),
                list(customer_ids),
            ],
        )
    update_customers(customer_ids)


def update_customers(customer_ids: Sequence[int]) -> None:
    """Copy the state of every channel and topic to columns of the customers.

    One is closed where the newest decision is an opt-out or not confirmed yet, or where a source says so since then. A restated opt-in
    opens only what the same source had closed.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_customer customer
            SET opted_out_channels = newest.channels, opted_out_topics = newest.topics
            FROM (
                SELECT customer_id,
                    coalesce(array_agg(DISTINCT channel) FILTER (WHERE topic = ''), '{}') AS channels,
                    coalesce(array_agg(DISTINCT (channel || ':' || topic)::varchar) FILTER (WHERE topic > ''), '{}') AS topics
                FROM (
                    SELECT given.id AS customer_id, closed.channel, closed.topic
                    FROM unnest(%s::bigint[]) AS given(id)
                    LEFT JOIN LATERAL (
                        SELECT channel, topic, decision, decided_at, id,
                            max(decided_at) FILTER (WHERE NOT restated) OVER (PARTITION BY channel, topic) AS decided,
                            max(id) FILTER (WHERE NOT restated) OVER (PARTITION BY channel, topic) AS decision_id
                        FROM (
                            SELECT DISTINCT ON (channel, topic, restated, CASE WHEN restated THEN source END)
                                channel, topic, restated, decision, decided_at, id
                            FROM customers_consent WHERE customer_id = given.id
                            ORDER BY channel, topic, restated, CASE WHEN restated THEN source END, decided_at DESC, id DESC
                        ) each_source
                    ) closed ON closed.decision <> %s
                        AND (decision_id IS NULL OR (closed.decided_at, closed.id) >= (decided, decision_id))
                ) closed
                GROUP BY customer_id
            ) newest
            WHERE customer.id = newest.customer_id
              AND (customer.opted_out_channels, customer.opted_out_topics)
                  IS DISTINCT FROM (newest.channels, newest.topics)
            """,
            [list(customer_ids), OPTED_IN],
        )


def undecided(
    customer_ids: Sequence[int], channel: str, decision: str, *, topic: str = ""
) -> list[int]:
    """Return customers whose newest decision about the topic, or the whole channel, is another one or missing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM unnest(%s::bigint[]) AS given(id)
            WHERE (
                SELECT decision FROM customers_consent
                WHERE customer_id = given.id AND channel = %s AND topic = %s AND NOT restated
                ORDER BY decided_at DESC, customers_consent.id DESC LIMIT 1
            ) IS DISTINCT FROM %s
            """,
            [list(customer_ids), channel, topic, decision],
        )
        return [row[0] for row in cursor.fetchall()]


def without_later_opt_in(
    customer_ids: Sequence[int], channel: str, topic: str, at: datetime | None
) -> list[int]:
    """Return the customers whose newest decision is no opt-in after the time; all of them without a time."""
    if at is None:
        return list(customer_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM unnest(%s::bigint[]) AS given(id)
            WHERE (
                SELECT decision = %s AND decided_at > %s FROM customers_consent
                WHERE customer_id = given.id AND channel = %s AND topic = %s AND NOT restated
                ORDER BY decided_at DESC, customers_consent.id DESC LIMIT 1
            ) IS NOT TRUE
            """,
            [list(customer_ids), OPTED_IN, at, channel, topic],
        )
        return [row[0] for row in cursor.fetchall()]


def emit(type: str, customer_ids: Sequence[int], channel: str, topic: str) -> None:
    """Emit an event for each customer."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            {outbox.INSERT_SQL}
            SELECT %s, %s, id, jsonb_build_object('channel', %s::text, 'topic', %s::text)
            FROM customers_customer WHERE id = ANY(%s) ORDER BY id
            """,
            [type, channel, channel, topic, list(customer_ids)],
        )


def contradicted_opt_ins(one: int, other: int) -> list[int]:
    """Return keys of restated opt-ins of either customer since the same source restated an opt-out of the other.

    About two records a source does not correct itself: without these, the opt-out holds for the merged customer.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH restated AS (SELECT * FROM customers_consent WHERE customer_id IN (%(one)s, %(other)s) AND restated),
            newest AS (
                SELECT DISTINCT ON (customer_id, channel, topic, source) * FROM restated
                ORDER BY customer_id, channel, topic, source, decided_at DESC, id DESC
            )
            SELECT opt_in.id FROM restated opt_in
            JOIN newest USING (channel, topic, source)
            WHERE opt_in.decision = 'opted_in' AND newest.decision <> 'opted_in'
              AND newest.customer_id <> opt_in.customer_id
              AND (opt_in.decided_at, opt_in.id) > (newest.decided_at, newest.id)
            """,
            {"one": one, "other": other},
        )
        return [row[0] for row in cursor.fetchall()]


def _states(given: Sequence[tuple[int, tuple[str, str], Wish]]) -> list[_State]:
    with connection.cursor() as cursor:
        cursor.execute(
            _STATES,
            [
                [pk for pk, _key, _wish in given],
                [channel for _pk, (channel, _topic), _wish in given],
                [topic for _pk, (_channel, topic), _wish in given],
                [wish.source for _pk, _key, wish in given],
            ],
        )
        return [_State(*row) for row in cursor.fetchall()]


def _is_kept_out(wish: Wish, state: _State) -> bool:
    """Return whether an opt-in leaves the customer opted out."""
    if wish.at is None:
        return state.decision == OPTED_OUT or state.closed_by_others_at is not None
    opted_out_at = state.decided_at if state.decision == OPTED_OUT else None
    return any(at is not None and at >= wish.at for at in (opted_out_at, state.closed_at))


def _says_something_new(wish: Wish, state: _State) -> bool:
    if wish.at is not None and state.decided_at is not None:
        same = state.decision == (OPTED_IN if wish.wanted else OPTED_OUT)
        return wish.at > state.decided_at and not (same and state.closed_at is None)
    if wish.at is not None or (state.decision is None and state.said is None):
        return True
    if state.said is not None and (state.said == OPTED_IN) == wish.wanted:
        return False
    if wish.wanted:
        return state.decision is None or (state.decision == OPTED_IN and state.said is not None)
    return state.decision != OPTED_OUT and not (wish.is_summary and state.closed_at)


def _record(ids: Sequence[int], channel: str, topic: str, wish: Wish, evidence: str) -> None:
    if wish.wanted and settings.DOUBLE_OPT_IN and channel == Channel.EMAIL and not topic:
        append(ids, channel, PENDING, evidence)
        emit(types.CONSENT_REQUESTED, ids, channel, topic)
        return
    append(
        ids,
        channel,
        OPTED_IN if wish.wanted else OPTED_OUT,
        evidence,
        topic=topic,
        source=wish.source,
        restated=not wish.is_decision,
        at=wish.at,
    )
    if not wish.wanted:
        emit(types.CUSTOMER_UNSUBSCRIBED, ids, channel, topic)
    if wish.is_decision:
        theirs = by_address.addresses_of(channel, ids)
        if wish.wanted:
            by_address.forget_opt_out(channel, topic, theirs, at=wish.at)
        elif channel == Channel.EMAIL:  # a phone may be shared, and one owner speaks for himself
            by_address.remember_opt_out(channel, topic, theirs, evidence, at=wish.at)


def _stronger(one: Wish, other: Wish) -> Wish:
    if one.wanted == other.wanted:
        return max(one, other, key=lambda wish: (wish.is_opt_out, wish.at is not None, wish.at))
    if one.at and other.at:
        return max(one, other, key=lambda wish: wish.at or 0)
    return one if not one.wanted else other
