"""The names of what happens to campaigns, in the outbox."""

from __future__ import annotations

CAMPAIGN_CREATED = "campaign.created"
CAMPAIGN_LAUNCHED = "campaign.launched"
CAMPAIGN_COMPLETED = "campaign.completed"
"""Each with `{"campaign": id, "run": id}`; `campaign.created` has no run."""
