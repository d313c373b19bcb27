"""The kinds of files that tell of past campaigns."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from customers.ingest.file_types import Kind, register
from customers.ingest.load import by_batches
from marketing.past_campaigns import campaigns, fields, results

register(
    Kind(
        "campaigns",
        _("Past campaigns"),
        fields.CAMPAIGN,
        (("campaign_id",),),
        by_batches(campaigns.check_campaign, lambda rows, source: campaigns.record_campaigns(rows)),
        "admin:marketing_campaign_changelist",
        takes_attributes=False,
    )
)
register(
    Kind(
        "campaign_targets",
        _("Targets of past campaigns"),
        fields.TARGET,
        (("campaign_id",), ("customer_id",)),
        by_batches(results.complete_target, lambda rows, source: results.record_targets(rows)),
        "admin:marketing_campaignexecution_changelist",
        takes_attributes=False,
    )
)
register(
    Kind(
        "campaign_responses",
        _("Responses to past campaigns"),
        fields.RESPONSE,
        (("campaign_id",), ("customer_id",), ("occurred_at",)),
        by_batches(results.complete_response, lambda rows, source: results.record_responses(rows)),
        "admin:marketing_campaignexecution_changelist",
        takes_attributes=False,
    )
)
