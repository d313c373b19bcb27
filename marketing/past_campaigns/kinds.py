"""The types of files with past campaigns and their results."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from customers.ingest import FileType, by_batches
from marketing.past_campaigns import campaigns, fields, results

FILE_TYPES = (
    FileType(
        "campaigns",
        _("Past campaigns"),
        fields.CAMPAIGN,
        (("campaign_id",),),
        by_batches(campaigns.check_campaign, lambda rows, source: campaigns.record_campaigns(rows)),
        "admin:marketing_campaign_changelist",
        takes_attributes=False,
    ),
    FileType(
        "campaign_targets",
        _("Targets of past campaigns"),
        fields.TARGET,
        (("campaign_id",), ("customer_id",)),
        by_batches(results.complete_target, lambda rows, source: results.record_targets(rows)),
        "admin:marketing_campaignexecution_changelist",
        takes_attributes=False,
    ),
    FileType(
        "campaign_responses",
        _("Responses to past campaigns"),
        fields.RESPONSE,
        (("campaign_id",), ("customer_id",), ("occurred_at",)),
        by_batches(results.complete_response, lambda rows, source: results.record_responses(rows)),
        "admin:marketing_campaignexecution_changelist",
        takes_attributes=False,
    ),
)
