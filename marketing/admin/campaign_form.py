"""The form of a campaign: its content, audience, trigger, measurement and variants."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from crm.adminkit import display
from customers.admin.rules_field import (
    ConditionsField,
    EventWidget,
    RulesField,
    name_event,
)
from customers.models import Segment
from customers.models.consent import Channel
from customers.segments import RuleError
from marketing import campaigns
from marketing.admin import schedule_form
from marketing.admin.schedule_form import ScheduleForm
from marketing.models import Campaign, CampaignVariant
from marketing.sending.sender_accounts import default_sender

TRIGGER_FIELDS = ("trigger_event", "trigger_where", "trigger_delay_minutes", "trigger_again_days")
HAVE_DEFAULTS = ("goal_kind", "holdout_percent", "test_share", "winner_metric", "winner_after_hours", "winner_confidence")  # fmt: skip
"""Fields that take their default when they are left empty."""

WITHOUT_CENTS = frozenset({"cost_per_message", "holdout_percent", "winner_after_hours", "winner_confidence"})  # fmt: skip
"""Decimals that are shown without trailing zeros: 4 instead of 4.00."""


class SegmentsField(forms.ModelMultipleChoiceField):
    """Segments with their sizes, found by typing."""

    def __init__(self, **options: Any) -> None:
        widget = UnfoldAdminSelect2MultipleWidget()
        super().__init__(Segment.objects.all(), widget=widget, required=False, **options)

    def label_from_instance(self, segment: Segment) -> str:
        return f"{segment.name} ({display.people(segment.size)})"


class CampaignForm(ScheduleForm):
    segments = SegmentsField(
        label=_("Segments"),
        help_text=_("Customers in any of these segments receive the message."),
    )
    exclude_segments = SegmentsField(
        label=_("Exclude segments"),
        help_text=_("Customers in any of these segments are excluded."),
    )
    rules = RulesField(
        label=_("Audience filter"),
        required=False,
        help_text=_("Instead of segments, or to narrow them down."),
    )
    trigger_where = ConditionsField(
        help_text=_("Conditions on the event's properties. Leave empty for every such event."),
    )

    class Meta:
        model = Campaign
        fields = (
            "name", "description", "sender", "reply_to", "template", "topic", "segments", "exclude_segments", "rules",
            *schedule_form.FIELDS, *TRIGGER_FIELDS, "budget", "goal_kind", "goal_event", "goal_value", "goal_window_days",
            "utm_source", "utm_medium", "utm_campaign", "tags", "holdout_percent",
            "cost_per_message", "hourly_limit", "send_once_key", "exempt_from_caps",
            "exempt_from_quiet_hours", "winner_by", "test_share", "winner_metric",
            "winner_after_hours", "winner_confidence",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and "sender" in self.fields:
            self.initial.setdefault("sender", default_sender().pk)
        if isinstance(kind := self.fields.get("type"), forms.ChoiceField):
            own = Campaign.Type.WORKFLOW
            kind.choices = [each for each in Campaign.Type.choices if each[0] != own]
        if "trigger_event" in self.fields:
            self.fields["trigger_event"].widget = EventWidget()
            self.fields["trigger_event"].help_text = _("The event that starts the campaign.")
            name_event(self, "trigger_where", self.instance.trigger_event)
            self.fields["trigger_delay_minutes"].required = False
        if "goal_event" in self.fields:
            self.fields["goal_event"].widget = EventWidget()
        for name in HAVE_DEFAULTS:
            if name in self.fields:
                self.fields[name].required = False
        for name in WITHOUT_CENTS & self.initial.keys():
            self.initial[name] = _without_zeros(self.initial[name])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in HAVE_DEFAULTS:
            if name in self.fields and cleaned.get(name) in {None, ""}:
                cleaned[name] = getattr(Campaign(), name)
        if "trigger_event" in self.fields and "type" in cleaned:
            self._clean_trigger(cleaned)
        if sender := cleaned.get("sender"):
            self.instance.channel = sender.channel
            template = cleaned.get("template")
            if template and template.channel != sender.channel:
                message = _("The template is for %(channel)s: choose one for the sender's channel.")
                label = Channel(template.channel).label
                self.add_error("template", ValidationError(message, params={"channel": label}))
        if cleaned.get("winner_by") and cleaned.get("test_share") == 100:
            message = _("Enter less than 100, so that customers are left to receive the winner.")
            self.add_error("test_share", message)
        return cleaned

    def _clean_trigger(self, cleaned: dict[str, Any]) -> None:
        """Check the trigger of a triggered campaign, and clear that of any other."""
        if cleaned["type"] != Campaign.Type.TRIGGERED:
            cleaned |= {name: getattr(Campaign(), name) for name in TRIGGER_FIELDS}
            return
        cleaned["trigger_delay_minutes"] = cleaned.get("trigger_delay_minutes") or 0
        if not cleaned.get("trigger_event"):
            self.add_error("trigger_event", _("Choose the event that starts the campaign."))
            return
        try:
            cleaned["trigger_event"], cleaned["trigger_where"] = campaigns.check_trigger(
                cleaned["trigger_event"], cleaned.get("trigger_where") or []
            )
        except RuleError as refused:
            for error in refused.errors:
                name = "trigger_event" if error["path"] == "event" else "trigger_where"
                self.add_error(name, ValidationError(f"{error['path']}: {error['message']}"))


class VariantInline(TabularInline):
    """The variants of a campaign, editable as long as the campaign is."""

    model = CampaignVariant
    extra = 0
    hide_title = True
    verbose_name_plural = _(
        "Variants (A/B/n): without any, all customers receive the template above"
    )
    fields = ("name", "template", "weight", "share")
    readonly_fields = ("share",)

    @admin.display(description=_("Share of the test audience"))
    def share(self, variant: CampaignVariant) -> str:
        if variant.pk is None:
            return display.NOTHING
        part = campaigns.shares(campaigns.variants_of(variant.campaign))[variant.name]
        return f"{part:.0%}"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and _is_editable(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _is_editable(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_editable(obj)


def _is_editable(campaign: Campaign | None) -> bool:
    return campaign is None or campaign.is_editable


def _without_zeros(number: Any) -> Any:
    return Decimal(f"{number.normalize():f}") if isinstance(number, Decimal) else number
