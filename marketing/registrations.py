"""Everything that marketing puts into registries below it. AppConfig.ready() calls register() once."""

from __future__ import annotations

from customers import identity, ingest, privacy
from marketing import campaigns, personal_data, workflows
from marketing.models import CampaignExecution
from marketing.past_campaigns import FILE_TYPES


def register() -> None:
    identity.prefer(CampaignExecution, personal_data.SENT_FIRST)
    identity.refuse_when(personal_data.in_flight)
    privacy.register_tables(*personal_data.TABLES)
    privacy.register_retention("RETENTION_RECEIPTS_DAYS", personal_data.delete_provider_events)
    privacy.register_retention("RETENTION_LINKS_DAYS", personal_data.delete_former_messages)
    privacy.register_retention("RETENTION_WEBHOOK_DELIVERIES_DAYS", workflows.delete_calls)
    ingest.register_file_types(*FILE_TYPES)
    campaigns.register()
    workflows.register()
