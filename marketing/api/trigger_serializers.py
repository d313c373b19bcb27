"""What starts a triggered campaign, as the API takes and tells it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from customers.api.triggers import WhereField
from customers.segments import RuleError
from marketing import campaigns
from marketing.models import Campaign
from marketing.models.trigger import LONGEST_DELAY


class CampaignTriggerSerializer(serializers.Serializer[Campaign]):
    event = serializers.CharField(
        source="trigger_event",
        max_length=100,
        help_text=gettext_lazy("As on the timeline: order_placed, page_viewed, Trial Started, …"),
    )
    where = WhereField(
        source="trigger_where",
        required=False,
        help_text=gettext_lazy("As in rules; all of them must hold. Empty: every such event."),
    )
    delay_minutes = serializers.IntegerField(
        source="trigger_delay_minutes",
        min_value=0,
        max_value=LONGEST_DELAY,
        required=False,
        help_text=gettext_lazy("So long after the event; 0 is at once."),
    )
    again_after_days = serializers.IntegerField(
        source="trigger_again_days",
        min_value=1,
        max_value=366,
        required=False,
        allow_null=True,
        help_text=gettext_lazy("When the same person may get it again; null is never."),
    )

    def to_internal_value(self, data: Any) -> Any:
        """A word alone is the event."""
        return super().to_internal_value({"event": data} if isinstance(data, str) else data)

    def to_representation(self, instance: Campaign) -> Any:
        return super().to_representation(instance) if instance.is_triggered else None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            event, where = campaigns.check_trigger(
                attrs["trigger_event"], attrs.get("trigger_where", [])
            )
        except RuleError as refused:
            raise serializers.ValidationError(
                {error["path"]: [error["message"]] for error in refused.errors}
            ) from None
        return {**attrs, "trigger_event": event, "trigger_where": where}


def agree_with_type(attrs: dict[str, Any], campaign: Campaign | None) -> None:
    """A triggered campaign has a trigger; another type forgets it. Raises ValidationError."""
    kind = attrs.get("type", campaign.type if campaign else None)
    event = attrs.get("trigger_event", campaign.trigger_event if campaign else "")
    if kind == Campaign.Type.TRIGGERED and not event:
        raise serializers.ValidationError(
            {"trigger": _("Which event starts it? Give its name, such as order_placed.")}
        )
    if kind != Campaign.Type.TRIGGERED and "trigger_event" in attrs:
        raise serializers.ValidationError(
            {"trigger": _("Only a campaign of the type triggered has this.")}
        )
    if kind != Campaign.Type.TRIGGERED and event:
        attrs["trigger_event"] = ""
