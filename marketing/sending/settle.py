"""A person says what became of a message of which nobody else knows."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.accounts.models import User
from marketing.models import CampaignExecution
from marketing.sending.outcome import Outcome, write_down

State = CampaignExecution.State


class NotUnconfirmed(ValueError):
    """The message is not in doubt, or no longer: there is nothing to settle."""


@transaction.atomic
def settle(execution: CampaignExecution, *, arrived: bool, by: User) -> None:
    """Turn an unconfirmed message into sent (as of when it was handed over) or failed, with the name of who said so.

    Raises NotUnconfirmed when a receipt, a worker or somebody else settled it meanwhile.
    """
    locked = (
        CampaignExecution.objects.select_for_update(of=("self",))
        .select_related("run__campaign")
        .get(pk=execution.pk)
    )
    if locked.state != State.UNCONFIRMED or locked.lease is None:
        raise NotUnconfirmed(_("This message is not in doubt any more."))
    if arrived:
        said = _("%(who)s says that it arrived.") % {"who": by}
        state, at = State.SENT, locked.sending_at or timezone.now()
    else:
        said = _("%(who)s says that it did not arrive.") % {"who": by}
        state, at = State.FAILED, timezone.now()
    outcome = Outcome(state, at, provider_id=locked.provider_id, error=said)
    write_down(locked.run, [(locked, outcome)], locked.lease)
    execution.refresh_from_db()
