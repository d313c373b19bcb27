"""A person says what became of messages of which nobody else knows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from marketing.messages.transitions import turn_over
from marketing.models import CampaignExecution
from marketing.sending.attempt import Outcome

A_BATCH = 500

State = CampaignExecution.State


class NotUnconfirmed(ValueError):
    """The message is not in doubt, or no longer: there is nothing to settle."""


def settle(execution: CampaignExecution, *, arrived: bool, by: User) -> None:
    """Turn an unconfirmed message into sent (as of when it was handed over) or failed, with the name of who said so.

    Raises NotUnconfirmed when a receipt, a worker or somebody else settled it meanwhile.
    """
    if not settle_all(CampaignExecution.objects.filter(pk=execution.pk), arrived=arrived, by=by):
        raise NotUnconfirmed(_("This message is not in doubt any more."))
    execution.refresh_from_db()


def settle_all(
    messages: QuerySet[CampaignExecution], *, arrived: bool, by: User | None = None
) -> int:
    """settle() for those of the messages that are in doubt; returns how many were."""
    settled, last = 0, 0
    while True:
        with transaction.atomic():
            batch = list(
                messages.filter(state=State.UNCONFIRMED, pk__gt=last)
                .order_by("pk")
                .select_related("run__campaign")
                .select_for_update(of=("self",))[:A_BATCH]
            )
            settled += _settle_batch(batch, arrived=arrived, by=by)
        if not batch:
            return settled
        last = batch[-1].pk


def _settle_batch(batch: Sequence[CampaignExecution], *, arrived: bool, by: User | None) -> int:
    """Written by the lease under which each was handed over, as the worker would have."""
    by_lease = defaultdict(list)
    for execution in batch:
        by_lease[execution.run_id, execution.lease].append(
            (execution, _outcome(execution, arrived=arrived, by=by))
        )
    return sum(
        len(turn_over(ended[0][0].run, lease, ended=ended).written)
        for (_run_id, lease), ended in by_lease.items()
        if lease
    )


def _outcome(execution: CampaignExecution, *, arrived: bool, by: User | None) -> Outcome:
    if arrived:
        said = _("%(who)s says that it arrived.") % {"who": by}
        at = execution.sending_at or timezone.now()
        return Outcome(State.SENT, at, provider_id=execution.provider_id, error=said)
    said = _("%(who)s says that it did not arrive.") % {"who": by}
    return Outcome(
        State.FAILED, timezone.now(), error=said, error_kind=CampaignExecution.ErrorKind.LOST
    )
