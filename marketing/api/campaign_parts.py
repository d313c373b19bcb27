"""The parts of a campaign that the API shows as objects: goal, UTM tags, trigger, variants, winner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from customers.api.triggers import WhereField
from customers.segments import RuleError, shown_conditions
from marketing import campaigns
from marketing.api.fields import MessageField, Reference
from marketing.models import Campaign, CampaignTemplate, CampaignVariant

WinnerBy = Campaign.WinnerBy
Options = dict[str, dict[str, Any]]

TEST_SHARE = 20
"""The test audience in percent, where a winner is asked for without one."""


class Goal(serializers.ModelSerializer[Campaign]):
    class Meta:
        model = Campaign
        fields: ClassVar[list[str]] = ["kind", "event", "value", "window_days"]
        extra_kwargs: ClassVar[Options] = {
            "kind": {"source": "goal_kind"},
            "event": {"source": "goal_event"},
            "value": {"source": "goal_value"},
            "window_days": {"source": "goal_window_days"},
        }

    def to_internal_value(self, data: Any) -> Any:
        """Read a string as the kind, or as the name of an event; an event alone has the kind event."""
        if isinstance(data, str):
            kinds = set(Campaign.GoalKind.values)
            data = {"kind": data} if data in kinds else {"kind": "event", "event": data}
        elif isinstance(data, dict) and data.get("event") and "kind" not in data:
            data = {**data, "kind": "event"}
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("goal_kind") == Campaign.GoalKind.EVENT and not attrs.get("goal_event"):
            raise serializers.ValidationError({"event": _("Enter the event that is the goal.")})
        return attrs


class Utm(serializers.ModelSerializer[Campaign]):
    class Meta:
        model = Campaign
        fields: ClassVar[list[str]] = ["source", "medium", "campaign"]
        extra_kwargs: ClassVar[Options] = {
            "source": {"source": "utm_source"},
            "medium": {"source": "utm_medium"},
            "campaign": {"source": "utm_campaign"},
        }


class CampaignTrigger(serializers.ModelSerializer[Campaign]):
    where = WhereField(
        source="trigger_where",
        required=False,
        help_text=gettext_lazy("Conditions on the event, as in rules; all of them must match."),
    )

    class Meta:
        model = Campaign
        fields: ClassVar[list[str]] = ["event", "where", "delay_minutes", "again_after_days"]
        extra_kwargs: ClassVar[Options] = {
            "event": {"source": "trigger_event", "required": True, "allow_blank": False},
            "delay_minutes": {"source": "trigger_delay_minutes"},
            "again_after_days": {"source": "trigger_again_days"},
        }

    def to_internal_value(self, data: Any) -> Any:
        """Read a string as the event."""
        return super().to_internal_value({"event": data} if isinstance(data, str) else data)

    def to_representation(self, instance: Campaign) -> Any:
        if not instance.is_triggered:
            return None
        where = shown_conditions(instance.trigger_event, instance.trigger_where)
        return {**super().to_representation(instance), "where": where}

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


class Variant(serializers.ModelSerializer[CampaignVariant]):
    """One of several messages: a template, or a message that becomes one."""

    template = Reference(
        "tpl",
        queryset=CampaignTemplate.objects.all(),
        required=False,
        help_text=gettext_lazy("ID or name of a template; or give a message instead."),
    )
    message = MessageField()
    subject = serializers.CharField(
        write_only=True,
        required=False,
        max_length=500,
        help_text=gettext_lazy("For a message; by default the campaign's name."),
    )

    class Meta:
        model = CampaignVariant
        fields: ClassVar[list[str]] = ["name", "weight", "template", "message", "subject"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len({"template", "message"} & set(attrs)) != 1:
            raise serializers.ValidationError(
                {"template": _("Give each variant either a template or a message.")}
            )
        return attrs


class Winner(serializers.ModelSerializer[Campaign]):
    """How the winner is selected, and the result."""

    by = serializers.ChoiceField(
        source="winner_by",
        choices=[choice for choice in WinnerBy.choices if choice[0]],
        allow_blank=True,
        help_text=gettext_lazy("time, confidence, or bandit (Thompson sampling)."),
    )

    class Meta:
        model = Campaign
        fields: ClassVar[list[str]] = [
            "by", "metric", "after_hours", "confidence", "name", "why", "decided_at",
        ]  # fmt: skip
        extra_kwargs: ClassVar[Options] = {
            "metric": {"source": "winner_metric"},
            "after_hours": {"source": "winner_after_hours", "coerce_to_string": False},
            "confidence": {"source": "winner_confidence", "coerce_to_string": False},
            "name": {"source": "winner", "read_only": True},
            "why": {"source": "winner_why", "read_only": True},
            "decided_at": {"source": "winner_at", "read_only": True},
        }


def check_variants(variants: Sequence[dict[str, Any]]) -> None:
    """Raises ValidationError where two variants have the same name."""
    names = [variant["name"].casefold() for variant in variants]
    if len(set(names)) < len(names):
        raise serializers.ValidationError(
            {"variants": _("Choose a different name for each variant.")}
        )


def complete_test(attrs: dict[str, Any], campaign: Campaign | None) -> None:
    """Add a test audience to a winner, and a winner selection to a test audience.

    Raises ValidationError for a test audience of 100 percent, which leaves no customers to receive the winner.
    """
    known_by = campaign.winner_by if campaign else WinnerBy.NOTHING
    known_share = campaign.test_share if campaign else TEST_SHARE
    if attrs.get("test_share", 100) < 100 and not attrs.get("winner_by", known_by):
        attrs["winner_by"] = WinnerBy.TIME
    if attrs.get("winner_by"):
        share = attrs.setdefault("test_share", known_share if known_share < 100 else TEST_SHARE)
        if share >= 100:
            message = _("Enter less than 100, so that customers are left to receive the winner.")
            raise serializers.ValidationError({"test_share": message})


def match_trigger_to_type(attrs: dict[str, Any], campaign: Campaign | None) -> None:
    """Clear the trigger of a campaign of another type. Raises ValidationError where one is missing or too much."""
    kind = attrs.get("type", campaign.type if campaign else None)
    event = attrs.get("trigger_event", campaign.trigger_event if campaign else "")
    if kind == Campaign.Type.TRIGGERED and not event:
        raise serializers.ValidationError(
            {"trigger": _("Give the event that starts the campaign, such as order_placed.")}
        )
    if kind != Campaign.Type.TRIGGERED and "trigger_event" in attrs:
        raise serializers.ValidationError(
            {"trigger": _("Only a campaign of type triggered has a trigger.")}
        )
    if kind != Campaign.Type.TRIGGERED and event:
        attrs["trigger_event"] = ""
