"""Calls that steps make outside: posts to webhooks and mails to staff, in a queue of their own.

A worker marks a call as `calling` and commits before it makes it. A call that fails is tried again while it is certain that nothing was
done, or while the response says so; one whose worker was lost is `unconfirmed`, and is never made twice without anybody knowing.
"""

from __future__ import annotations

import json
import smtplib
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import requests
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import connection, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import credentials
from crm.accounts.models import User
from crm.api import ids
from crm.chunked_delete import delete_in_chunks
from crm.events import webhooks
from crm.events.models import WebhookEndpoint
from crm.nudge import nudge
from crm.outbound.session import Session, never_sent, reason, retry_after
from marketing.models import Enrollment, WorkflowCall
from marketing.workflows.passages import Passage

PAUSES = (5, 30, 2 * 60, 10 * 60, 30 * 60, 3600)
"""Seconds after each failed attempt."""
MARGIN = timedelta(seconds=30)
LONGEST_ANSWER = 2_000
"""Characters of an answer as JSON; a longer one is left out."""
LONGEST_ERROR = 1_000
MAIL = 0
"""Stands for an endpoint in due() and make(): mails to staff."""

State = WorkflowCall.State
Kind = WorkflowCall.Kind
FINAL = (State.DONE, State.FAILED, State.UNCONFIRMED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one attempt; a `pending` one is tried again, after `wait` seconds at least."""

    state: str
    error: str = ""
    code: int | None = None
    answer: Mapping[str, Any] = field(default_factory=dict)
    wait: float = 0.0


def add(calls: Iterable[tuple[Passage, Mapping[str, Any]]], **shared: Any) -> None:
    """Queue a call for each passage, with its body; a visit that has its call keeps it."""
    WorkflowCall.objects.bulk_create(
        (
            WorkflowCall(enrollment_id=passage.id, visit=passage.visit, step=passage.step, body=body, **shared)
            for passage, body in calls
        ),
        ignore_conflicts=True,
    )  # fmt: skip
    nudge("marketing.tasks.start_workflow_calls")


def outcomes(visits: Collection[str]) -> dict[str, WorkflowCall]:
    """Return the calls that have an outcome, by visit."""
    return {each.visit: each for each in WorkflowCall.objects.filter(visit__in=visits, state__in=FINAL)}  # fmt: skip


def give_up(visits: Collection[str]) -> None:
    """End calls that nothing waits for any more: those that have not been made fail."""
    WorkflowCall.objects.filter(visit__in=visits, state=State.PENDING).update(
        state=State.FAILED, error=_("It was not made in time."), finished_at=timezone.now()
    )


def due() -> list[int]:
    """Return the ids of the endpoints with due calls, and MAIL where mails are due. Marks the calls of dead workers as unconfirmed."""
    now = timezone.now()
    lost = WorkflowCall.objects.filter(state=State.CALLING, leased_until__lt=now)
    for each in lost:
        _record(each, Outcome(State.UNCONFIRMED, _("The worker was lost while it made the call.")))
    is_held = Q(endpoint__is_active=False) | Q(endpoint__held_until__gt=now)
    waiting = WorkflowCall.objects.filter(state=State.PENDING, next_attempt_at__lte=now)
    return sorted(
        {pk or MAIL for pk in waiting.exclude(is_held).values_list("endpoint", flat=True)}
    )


def make(endpoint_id: int, *, seconds: float = 20) -> int:
    """Make the due calls of an endpoint, one after the other, for some seconds; returns how many were made."""
    until, made = time.monotonic() + seconds, 0
    account = str(endpoint_id)
    limit = settings.WEBHOOK_TIMEOUT_SECONDS
    with Session("workflow", account=account, seconds=limit) as session:
        while time.monotonic() < until and (call := _claim(endpoint_id or None)):
            outcome = _mail(call) if call.kind == Kind.NOTIFY else _post(session, call)
            _record(call, outcome)
            made += 1
    return made


def delete_before(then: datetime) -> int:
    """Delete calls with an outcome from before a time; returns how many."""
    return delete_in_chunks(WorkflowCall.objects.filter(state__in=FINAL, created_at__lt=then))


def _claim(endpoint_id: int | None) -> WorkflowCall | None:
    """Mark the next due call as being made, and commit that."""
    now = timezone.now()
    lease = now + timedelta(seconds=settings.WEBHOOK_TIMEOUT_SECONDS) + MARGIN
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE marketing_workflowcall SET state = 'calling', leased_until = %s, attempts = attempts + 1
            WHERE id = (
                SELECT call.id FROM marketing_workflowcall AS call
                LEFT JOIN events_webhookendpoint AS endpoint ON endpoint.id = call.endpoint_id
                WHERE call.endpoint_id IS NOT DISTINCT FROM %s AND call.state = 'pending' AND call.next_attempt_at <= %s
                  AND (endpoint.id IS NULL OR endpoint.is_active AND coalesce(endpoint.held_until, %s) <= %s)
                ORDER BY call.next_attempt_at, call.id LIMIT 1 FOR UPDATE OF call SKIP LOCKED
            )
            RETURNING id
            """,
            [lease, endpoint_id, now, now, now],
        )
        row = cursor.fetchone()
    calls = WorkflowCall.objects.select_related("endpoint", "enrollment__workflow")
    return calls.get(pk=row[0]) if row else None


def _post(session: Session, call: WorkflowCall) -> Outcome:
    endpoint = call.endpoint
    if endpoint is None:
        return Outcome(State.FAILED, _("The webhook was deleted."))
    now = timezone.now()
    body = json.dumps(
        {
            "type": "workflow.call",
            "workflow": call.enrollment.workflow.slug,
            "step": call.step,
            "customer": ids.encode("cus", call.enrollment.customer_id),
            "data": call.body,
        }
    )
    try:
        headers = webhooks.signed(endpoint, call.visit, body, now)
        response = session.post(
            endpoint.url,
            data=body.encode(),
            headers={"Content-Type": "application/json", "Idempotency-Key": call.visit, **headers},
        )
    except credentials.Unreadable as error:
        return Outcome(State.FAILED, str(error))
    except requests.RequestException as error:
        webhooks.note_failure(endpoint, gone=False)
        return Outcome(State.PENDING if never_sent(error) else State.UNCONFIRMED, reason(error))
    return _answered(endpoint, call, response)


def _answered(endpoint: WebhookEndpoint, call: WorkflowCall, response: requests.Response) -> Outcome:  # fmt: skip
    code = response.status_code
    if response.ok and not response.is_redirect:
        webhooks.note_success(endpoint)
        return Outcome(State.DONE, code=code, answer=_picked(call.picks, response))
    error = response.text[:LONGEST_ERROR].replace("\x00", "") or str(response.reason)
    if code == requests.codes.too_many_requests or code >= requests.codes.server_error:
        webhooks.note_failure(endpoint, gone=False)
        return Outcome(State.PENDING, error, code, wait=retry_after(response))
    return Outcome(State.FAILED, error, code)


def _picked(picks: Mapping[str, str], response: requests.Response) -> dict[str, Any]:
    """Return the values at the places in a response that are not too long, by their names."""
    try:
        body = response.json() if picks else None
    except ValueError:
        return {}
    found = {name: _at(body, place.split(".")) for name, place in picks.items()}
    return {
        name: value
        for name, value in found.items()
        if value is not None and len(text := json.dumps(value)) <= LONGEST_ANSWER and r"\u0000" not in text
    }  # fmt: skip


def _at(value: Any, place: list[str]) -> Any:
    for part in place:
        match value:
            case dict():
                value = value.get(part)
            case list() if part.isdecimal() and int(part) < len(value):
                value = value[int(part)]
            case _:
                return None
    return value


def _mail(call: WorkflowCall) -> Outcome:
    staff = User.objects.filter(is_staff=True, is_active=True, email__in=call.body["to"])
    addresses = sorted(staff.values_list("email", flat=True))
    if not addresses:
        return Outcome(State.FAILED, _("No recipient is an active user of this site any more."))
    customer = call.enrollment.customer_id
    link = f"{settings.SITE_URL}{reverse('admin:customers_customer_change', args=[customer])}"
    text = f"{call.body['text']}\n\n{link}"
    backend = get_connection()
    try:
        backend.open()
    except (OSError, smtplib.SMTPException) as error:
        return Outcome(State.PENDING, str(error))
    try:
        EmailMessage(call.body["subject"], text, to=addresses, connection=backend).send()
    except smtplib.SMTPResponseException as error:
        is_temporary = 400 <= error.smtp_code < 500
        return Outcome(State.PENDING if is_temporary else State.FAILED, str(error))
    except smtplib.SMTPRecipientsRefused as error:
        return Outcome(State.FAILED, str(error))
    except (OSError, smtplib.SMTPException) as error:
        return Outcome(State.UNCONFIRMED, str(error))
    finally:
        backend.close()
    return Outcome(State.DONE)


@transaction.atomic
def _record(call: WorkflowCall, outcome: Outcome) -> None:
    """Record the outcome of an attempt, and have the engine look at the passage that waits for it."""
    now = timezone.now()
    state = outcome.state
    if state == State.PENDING and call.attempts > len(PAUSES):
        state = State.FAILED
    changes: dict[str, Any] = {"finished_at": now}
    if state == State.PENDING:
        pause = max(PAUSES[call.attempts - 1], outcome.wait)
        changes = {"next_attempt_at": now + timedelta(seconds=pause)}
    still = WorkflowCall.objects.filter(pk=call.pk, state__in=(State.CALLING, State.UNCONFIRMED))
    recorded = still.filter(attempts=call.attempts).update(
        state=state,
        leased_until=None,
        response_code=outcome.code,
        answer=dict(outcome.answer),
        error=outcome.error.replace("\x00", "")[:LONGEST_ERROR],
        **changes,
    )
    if recorded and state in FINAL and call.kind == Kind.HTTP:
        Enrollment.objects.filter(pk=call.enrollment_id, state=Enrollment.State.WAITING).update(
            wake_at=now
        )
        nudge("marketing.tasks.advance_workflows")
