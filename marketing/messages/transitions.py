"""The record of who got what: what came of messages is written down, and what leaves next is marked `sending`, by one statement.

It is the only place where a message becomes `sending`. Messages are marked, committed, just before they leave, never more of them than
the worker has connections; so a dead worker leaves at most one in doubt for each connection.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from customers import consent
from customers import events as timeline
from customers.ingest.record import append_sql
from customers.models import Suppression
from marketing.messages import person_locks
from marketing.messages.eligibility import Policy
from marketing.messages.queue import lease_time
from marketing.models import CampaignExecution, CampaignRun
from marketing.sending import recheck
from marketing.sending.attempt import LONGEST_ERROR, Outcome, storable
from marketing.sending.backoff import retry_delay
from marketing.sending.claimed_message import Held
from marketing.sending.recheck import Rules

LONGEST_PROVIDER_ID = 255

Ended = tuple[Held | CampaignExecution, Outcome]
State = CampaignExecution.State
ErrorKind = CampaignExecution.ErrorKind
ABOUT_THE_PERSON = frozenset({ErrorKind.HARD_BOUNCE, ErrorKind.UNWANTED})

_ENDED = f"""
    given AS MATERIALIZED (
        SELECT * FROM jsonb_to_recordset(%s::jsonb) AS given (
            id bigint, state text, error text, error_kind text, provider_id text, next_attempt_at timestamptz, at timestamptz,
            properties jsonb
        )
    ), ended AS (
        UPDATE marketing_campaignexecution AS message
        SET state = given.state, error = given.error, error_kind = given.error_kind, provider_id = given.provider_id,
            leased_until = NULL, lease = CASE given.state WHEN 'unconfirmed' THEN message.lease END,
            next_attempt_at = given.next_attempt_at,
            sent_at = CASE given.state WHEN 'sent' THEN given.at END,
            failed_at = CASE given.state WHEN 'failed' THEN given.at END
        FROM given
        WHERE message.id = ANY(%s::bigint[]) AND message.id = given.id
          AND message.lease = %s AND message.state IN ('sending', 'unconfirmed')
        RETURNING message.id, message.customer_id, given.state, given.at, given.properties
    ), sent AS (
        SELECT customer_id, '{timeline.MESSAGE_SENT}' AS type, at AS occurred_at, properties, %s::bigint AS campaign_id,
            id AS execution_id
        FROM ended WHERE state = 'sent'
    ), told AS ({append_sql("sent")})
"""
_MARKED = """
    marked AS (
        UPDATE marketing_campaignexecution AS message
        SET state = 'sending', sending_at = %s, leased_until = %s,
            attempts = attempts + CASE state WHEN 'sending' THEN 0 ELSE 1 END
        WHERE id = ANY(%s::bigint[]) AND lease = %s AND state IN ('pending', 'retry', 'sending')
          AND (SELECT state FROM marketing_campaignrun WHERE id = %s) = 'sending'
          AND ({reason_sql}) = ''
        RETURNING id, attempts
    )
"""


@dataclass(frozen=True, slots=True)
class Turnover:
    """The ids of the messages whose outcomes were written, and of those that are ours to send now."""

    written: frozenset[int]
    marked: frozenset[int]


def turn_over(
    run: CampaignRun,
    lease: uuid.UUID,
    *,
    ended: Sequence[Ended] = (),
    leaving: Sequence[Held] = (),
    rules: Rules | None = None,
    meanwhile: Callable[[], None] | None = None,
) -> Turnover:
    """Write down the outcomes of messages that this worker marked, put those sent on the timeline, and mark held messages by `rules`.

    Not written is what is someone else's by now, and what was written before. Not marked is what another worker took over, everything
    when the run was paused or ended, and whoever may not be written to any more. It is committed before a message leaves. Doing it again
    after a commit of which the answer was lost changes nothing, and marks what was marked. `meanwhile` is called while the database is at
    work; where it asks something itself, it waits for that.
    """
    assert rules or not leaving
    policy = rules.policy if rules and leaving else None
    by_id = {each.pk: each for each in leaving}
    with _transaction(policy, ended):
        if policy:
            person_locks.take(policy, leaving)
        written, attempts = _execute(run, lease, ended, list(by_id), rules, meanwhile)
        for execution, outcome in ended:
            if outcome.error_kind in ABOUT_THE_PERSON and execution.pk in written:
                _respect(run, execution, outcome)
        if policy:
            person_locks.claim_key(policy, list(attempts))
    for pk, number in attempts.items():
        by_id[pk].attempts = number
    return Turnover(frozenset(written), frozenset(attempts))


def _transaction(policy: Policy | None, ended: Sequence[Ended]) -> AbstractContextManager[None]:
    """None where there is but one statement, which spares two ways to the database and back."""
    depends = policy is not None and policy.depends_on_other_messages
    concerns = any(outcome.error_kind in ABOUT_THE_PERSON for _execution, outcome in ended)
    return transaction.atomic() if depends or concerns else nullcontext()


def _execute(
    run: CampaignRun,
    lease: uuid.UUID,
    ended: Sequence[Ended],
    leaving: list[int],
    rules: Rules | None,
    meanwhile: Callable[[], None] | None,
) -> tuple[set[int], dict[int, int]]:
    """The ids of what was written, and those of what was marked with the number of their attempt."""
    steps: list[str] = []
    results: list[str] = []
    parameters: list[Any] = []
    if ended:
        steps.append(_ENDED)
        results.append("SELECT id, NULL::smallint AS attempts FROM ended")
        rows = json.dumps([_row(run, *each) for each in ended])
        parameters += [rows, [each.pk for each, _outcome in ended], lease, run.campaign_id]
    if leaving and rules:
        reason_sql, of_reason = recheck.reason_sql(rules)
        now = timezone.now()
        steps.append(_MARKED.format(reason_sql=reason_sql))
        results.append("SELECT id, attempts FROM marked")
        parameters += [now, now + lease_time(), leaving, lease, run.pk, *of_reason]
    if not steps:
        return set(), {}
    statement = f"WITH {', '.join(steps)} {' UNION ALL '.join(results)}"
    with connection.cursor() as cursor, connection.wrap_database_errors:
        # in a pipeline a statement is sent without waiting for what comes of it
        with connection.connection.pipeline():
            cursor.execute(statement, parameters)
            if meanwhile:
                meanwhile()
        found = cursor.fetchall()
    written = {pk for pk, attempts in found if attempts is None}
    return written, {pk: attempts for pk, attempts in found if attempts is not None}


def _row(
    run: CampaignRun, execution: Held | CampaignExecution, outcome: Outcome
) -> dict[str, object]:
    next_attempt_at = _next_attempt(execution, outcome)
    return {
        "id": execution.pk,
        "state": outcome.state,
        "error": storable(outcome.error, LONGEST_ERROR),
        "error_kind": outcome.error_kind,
        "provider_id": storable(outcome.provider_id, LONGEST_PROVIDER_ID),
        "next_attempt_at": next_attempt_at and next_attempt_at.isoformat(),
        "at": outcome.at.isoformat(),
        "properties": {
            "run": run.pk,
            "channel": run.campaign.channel,
            **({"variant": execution.variant} if execution.variant else {}),
            **({"simulated": True} if run.simulated else {}),
        },
    }


def _next_attempt(execution: Held | CampaignExecution, outcome: Outcome) -> datetime | None:
    if outcome.state != State.RETRY:
        return None
    asked = timedelta(seconds=outcome.retry_after or 0)
    return outcome.at + asked + retry_delay(execution.attempts)


def _respect(run: CampaignRun, execution: Held | CampaignExecution, outcome: Outcome) -> None:
    """Nothing more to an address that is none, nor to anybody who has told the provider to stop."""
    channel, said = run.campaign.channel, storable(outcome.error, LONGEST_ERROR)
    if outcome.error_kind == ErrorKind.UNWANTED:
        consent.opt_out(execution.customer_id, channel, said)
    else:
        consent.suppress(channel, execution.address, Suppression.Reason.HARD_BOUNCE, said)
