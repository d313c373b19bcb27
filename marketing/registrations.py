"""Everything that marketing puts into registries below it. AppConfig.ready() calls register() once."""

from __future__ import annotations

from marketing import campaigns, customer_merge, personal_data  # noqa: F401  register what these tables hold and how they merge
from marketing.past_campaigns import kinds  # noqa: F401  registers files of past campaigns


def register() -> None:
    campaigns.register()
