"""Resolve messages in doubt: a user says whether they were delivered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from marketing.messages import batches, transitions
from marketing.messages.transitions import Attempted, SendResult
from marketing.models import CampaignExecution

CHUNK = 500

State = CampaignExecution.State


class NotUnconfirmed(ValueError):
    """The message is not in doubt, or not any more."""


def resolve(execution: CampaignExecution, *, delivered: bool, by: User) -> None:
    """Turn an unconfirmed message into sent (as of its attempt) or failed, with the user's name.

    Raises NotUnconfirmed when a receipt, a worker or another user resolved it meanwhile.
    """
    messages = CampaignExecution.objects.filter(pk=execution.pk)
    if not resolve_all(messages, delivered=delivered, by=by):
        raise NotUnconfirmed(_("This message is not in doubt any more."))
    execution.refresh_from_db()


def resolve_all(
    messages: QuerySet[CampaignExecution], *, delivered: bool, by: User | None = None
) -> int:
    """Resolve the unconfirmed ones among the messages; returns how many."""
    resolved, last_id = 0, 0
    while True:
        with transaction.atomic():
            chunk = list(
                messages.filter(state=State.UNCONFIRMED, pk__gt=last_id)
                .order_by("pk")
                .select_related("run")
                .select_for_update(of=("self",))[:CHUNK]
            )
            resolved += _resolve_chunk(chunk, delivered=delivered, by=by)
        if not chunk:
            return resolved
        last_id = chunk[-1].pk


def _resolve_chunk(chunk: Sequence[CampaignExecution], *, delivered: bool, by: User | None) -> int:
    """Record results under the lease of each message, as its worker would have."""
    by_lease = defaultdict[tuple[int, object], list[Attempted]](list)
    for execution in chunk:
        result = _result(execution, delivered=delivered, by=by)
        by_lease[execution.run_id, execution.lease].append((execution, result))
    resolved = 0
    for attempted in by_lease.values():
        first = attempted[0][0]
        assert isinstance(first, CampaignExecution)
        if first.lease:
            plan = batches.plan_of(first.run)
            resolved += len(transitions.record_results(first.run, plan, first.lease, attempted))
    return resolved


def _result(execution: CampaignExecution, *, delivered: bool, by: User | None) -> SendResult:
    if delivered:
        note = _("%(user)s says that it was delivered.") % {"user": by}
        at = execution.sending_at or timezone.now()
        return SendResult(State.SENT, at, provider_id=execution.provider_id, error=note)
    note = _("%(user)s says that it was not delivered.") % {"user": by}
    error_kind = CampaignExecution.ErrorKind.LOST
    return SendResult(State.FAILED, timezone.now(), error=note, error_kind=error_kind)
