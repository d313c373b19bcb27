"""The form of a campaign: what goes to whom, when, and how it is measured."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from customers.admin.rules_field import RulesField
from customers.models import Segment
from customers.models.consent import Channel
from marketing.admin import schedule_form, trigger_form
from marketing.admin.schedule_form import ScheduleForm
from marketing.admin.trigger_form import TriggerForm
from marketing.models import Campaign
from marketing.sending.default_senders import default_sender


class SegmentsField(forms.ModelMultipleChoiceField):
    """Segments with their sizes, to be found by typing."""

    def __init__(self, **options: Any) -> None:
        widget = UnfoldAdminSelect2MultipleWidget()
        super().__init__(Segment.objects.all(), widget=widget, required=False, **options)

    def label_from_instance(self, segment: Segment) -> str:
        return f"{segment.name} ({segment.size:,})"


HAVE_DEFAULTS = ("goal_kind", "holdout_percent", "test_share", "winner_metric", "winner_after_hours", "winner_confidence")  # fmt: skip
"""May be left empty: then they are what they are without anybody's saying."""

COUNTED = frozenset({"cost_per_message", "holdout_percent", "winner_after_hours", "winner_confidence"})  # fmt: skip
"""Numbers that are no amounts of money to the cent: shown as a person writes them, 4 instead of 4.00."""


class CampaignForm(TriggerForm, ScheduleForm):
    segments = SegmentsField(label=_("To segments"), help_text=_("Who is in any of these gets it."))
    exclude_segments = SegmentsField(
        label=_("But not to"), help_text=_("Who is in any of these does not.")
    )
    rules = RulesField(
        label=_("Own rules"),
        required=False,
        help_text=_("Instead of segments, or to narrow them down; none where there is no rule."),
    )

    class Meta:
        model = Campaign
        fields = (
            "name", "description", "sender", "reply_to", "template", "topic", "segments", "exclude_segments", "rules",
            *schedule_form.FIELDS, *trigger_form.FIELDS, "budget", "goal_kind", "goal_event", "goal_value", "goal_window_days",
            "utm_source", "utm_medium", "utm_campaign", "tags", "holdout_percent",
            "cost_per_message", "hourly_limit", "send_once_key", "exempt_from_caps",
            "exempt_from_quiet_hours", "winner_by", "test_share", "winner_metric",
            "winner_after_hours", "winner_confidence",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is None and "sender" in self.fields:
            self.initial.setdefault("sender", default_sender().pk)
        for name in HAVE_DEFAULTS:
            if name in self.fields:
                self.fields[name].required = False
        for name in COUNTED & self.initial.keys():
            self.initial[name] = _as_written(self.initial[name])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for name in HAVE_DEFAULTS:
            if name in self.fields and cleaned.get(name) in {None, ""}:
                cleaned[name] = getattr(Campaign(), name)
        if sender := cleaned.get("sender"):
            self.instance.channel = sender.channel
            template = cleaned.get("template")
            if template and template.channel != sender.channel:
                self.add_error("template", _("It is for %s.") % Channel(template.channel).label)
        if cleaned.get("winner_by") and cleaned.get("test_share") == 100:
            self.add_error("test_share", _("Below 100: somebody has to be left to get the winner."))
        return cleaned


def _as_written(number: Any) -> Any:
    return Decimal(f"{number.normalize():f}") if isinstance(number, Decimal) else number
