"""Everything that marketing puts into registries below it. AppConfig.ready() calls register() once."""

from __future__ import annotations

from customers import ingest
from marketing import campaigns, customer_merge, personal_data  # noqa: F401  register what these tables hold and how they merge
from marketing.past_campaigns.kinds import FILE_TYPES


def register() -> None:
    ingest.register_file_types(*FILE_TYPES)
    campaigns.register()
