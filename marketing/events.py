"""The outbox events of campaigns and messages."""

from __future__ import annotations

from functools import partial

from django.utils.translation import gettext_lazy as _

from crm.api import ids
from crm.events import catalog
from crm.events.outbox import emit

CAMPAIGN_CREATED = "campaign.created"
CAMPAIGN_LAUNCHED = "campaign.launched"
CAMPAIGN_RUN_FINISHED = "campaign.run_finished"
CAMPAIGN_COMPLETED = "campaign.completed"
"""Each with `{"campaign": id, "run": id}`; `campaign.created` has no run. A recurring campaign finishes many runs before it completes."""

# Interaction.type
HOLDOUT_CONVERTED = "holdout_converted"
"""A purchase of the holdout group of a past campaign, for comparison; it counts for no message."""


def announce(event: str, campaign_id: int, run_id: int | None = None) -> None:
    """Write an event of a campaign to the outbox, in the transaction of the change."""
    run = {} if run_id is None else {"run": run_id}
    emit(event, subject=f"campaign/{campaign_id}", data={"campaign": campaign_id, **run})


catalog.name_ids(
    campaign=partial(ids.encode, "cmp"),
    run=partial(ids.encode, "run"),
    message=partial(ids.encode, "msg"),
)
catalog.declare(
    {
        CAMPAIGN_CREATED: _("A campaign was created."),
        CAMPAIGN_LAUNCHED: _("A run of a campaign started."),
        CAMPAIGN_RUN_FINISHED: _("A run of a campaign finished."),
        CAMPAIGN_COMPLETED: _("A campaign completed."),
    }
)
