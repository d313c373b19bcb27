"""Campaigns of another system and their results, imported from files and over the API."""

from django.utils.translation import gettext_lazy as _

from customers.ingest import FileType, by_batches
from marketing.past_campaigns.campaigns import check_campaign, record_campaigns
from marketing.past_campaigns.fields import CAMPAIGN, RESPONSE, TARGET
from marketing.past_campaigns.results import (
    clean_response,
    complete_response,
    complete_target,
    record_responses,
    record_targets,
    write_responses,
)
from marketing.past_campaigns.words import TYPES

FILE_TYPES = (
    FileType(
        "campaigns",
        _("Past campaigns"),
        CAMPAIGN,
        (("campaign_id",),),
        by_batches(check_campaign, lambda rows, source: record_campaigns(rows)),
        "admin:marketing_campaign_changelist",
        takes_attributes=False,
    ),
    FileType(
        "campaign_targets",
        _("Targets of past campaigns"),
        TARGET,
        (("campaign_id",), ("customer_id",)),
        by_batches(complete_target, lambda rows, source: record_targets(rows)),
        "admin:marketing_campaignexecution_changelist",
        takes_attributes=False,
    ),
    FileType(
        "campaign_responses",
        _("Responses to past campaigns"),
        RESPONSE,
        (("campaign_id",), ("customer_id",), ("occurred_at",)),
        by_batches(complete_response, write_responses),
        "admin:marketing_campaignexecution_changelist",
        takes_attributes=False,
    ),
)
