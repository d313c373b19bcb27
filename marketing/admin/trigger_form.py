"""The part of a campaign's form that says which event starts it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.admin.event_fields import ConditionsField, EventWidget
from customers.segments import RuleError
from marketing import campaigns
from marketing.models import Campaign

FIELDS = ("trigger_event", "trigger_where", "trigger_delay_minutes", "trigger_again_days")
NOTHING: dict[str, Any] = {
    "trigger_event": "", "trigger_where": [], "trigger_delay_minutes": 0, "trigger_again_days": None,
}  # fmt: skip
"""What a campaign that no event starts has in these fields, whatever was left in them when they were hidden."""


class TriggerForm(forms.ModelForm):
    trigger_where = ConditionsField(
        help_text=_("Conditions on the event's properties, as in rules; empty: every such event."),
    )

    class Meta:
        model = Campaign
        fields: tuple[str, ...] = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "trigger_event" in self.fields:
            self.fields["trigger_event"].widget = EventWidget()
            self.fields["trigger_delay_minutes"].required = False

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "trigger_event" not in self.fields or "type" not in cleaned:
            return cleaned
        if cleaned["type"] != Campaign.Type.TRIGGERED:
            return {**cleaned, **NOTHING}
        cleaned["trigger_delay_minutes"] = cleaned.get("trigger_delay_minutes") or 0
        if not cleaned.get("trigger_event"):
            self.add_error("trigger_event", _("Which event starts it?"))
            return cleaned
        try:
            cleaned["trigger_event"], cleaned["trigger_where"] = campaigns.check_trigger(
                cleaned["trigger_event"], cleaned.get("trigger_where") or []
            )
        except RuleError as refused:
            for error in refused.errors:
                name = "trigger_event" if error["path"] == "event" else "trigger_where"
                self.add_error(name, ValidationError(f"{error['path']}: {error['message']}"))
        return cleaned
