"""The names of what happens to campaigns, in the outbox."""

from __future__ import annotations

CAMPAIGN_CREATED = "campaign.created"
CAMPAIGN_LAUNCHED = "campaign.launched"
CAMPAIGN_RUN_FINISHED = "campaign.run_finished"
CAMPAIGN_COMPLETED = "campaign.completed"
"""Each with `{"campaign": id, "run": id}`; `campaign.created` has no run. A recurring campaign finishes many runs before it completes."""

# Interaction.type
HOLDOUT_CONVERTED = "holdout_converted"
"""Somebody of a past campaign's holdout bought: for comparing, counted for no message."""
