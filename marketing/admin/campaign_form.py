"""The form of a campaign: its time is read on the clock of its own zone, its rules are checked where they stand."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelect2MultipleWidget, UnfoldAdminSelect2Widget

from customers.admin.rules_field import RulesField
from customers.models import Segment
from marketing.campaigns import wall_clock
from marketing.campaigns.create import default_sender
from marketing.models import Campaign


class SegmentsField(forms.ModelMultipleChoiceField):
    """Segments with their sizes, to be found by typing."""

    def __init__(self, **options: Any) -> None:
        widget = UnfoldAdminSelect2MultipleWidget()
        super().__init__(Segment.objects.all(), widget=widget, required=False, **options)

    def label_from_instance(self, segment: Segment) -> str:
        return f"{segment.name} ({segment.size:,})"


def zone_choices() -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]


class CampaignForm(forms.ModelForm):
    segments = SegmentsField(label=_("To segments"), help_text=_("Who is in any of these gets it."))
    exclude_segments = SegmentsField(
        label=_("But not to"), help_text=_("Who is in any of these does not.")
    )
    rules = RulesField(
        label=_("Own rules"),
        required=False,
        help_text=_("Instead of segments, or to narrow them down; none where there is no rule."),
    )
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zone_choices,
        widget=UnfoldAdminSelect2Widget(),
        initial=settings.TIME_ZONE,
        help_text=_("The time above is read on the clock there."),
    )

    class Meta:
        model = Campaign
        fields = (
            "name", "description", "sender", "template", "topic", "segments", "exclude_segments", "rules",
            "scheduled_at", "timezone", "budget", "goal_window_days", "tags",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance
        if campaign.scheduled_at:
            self.initial["scheduled_at"] = wall_clock.shows(
                campaign.scheduled_at, campaign.timezone
            )
        if campaign.pk is None and "sender" in self.fields:
            self.initial.setdefault("sender", default_sender().pk)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("scheduled_at") and cleaned.get("timezone"):
            self._read_on_its_clock(cleaned)
        if self.instance.state == Campaign.State.SCHEDULED and "scheduled_at" in self.fields:
            self._stays_in_the_future(cleaned)
        if sender := cleaned.get("sender"):
            self.instance.channel = sender.channel
        return cleaned

    def _read_on_its_clock(self, cleaned: dict[str, Any]) -> None:
        shown, zone = timezone.make_naive(cleaned["scheduled_at"]), cleaned["timezone"]
        cleaned["scheduled_at"] = wall_clock.at(shown, zone)
        self.instance.clock_time = wall_clock.skipped(shown, zone)

    def _stays_in_the_future(self, cleaned: dict[str, Any]) -> None:
        at = cleaned.get("scheduled_at")
        if "scheduled_at" in self.errors:
            return
        if at is None:
            self.add_error("scheduled_at", _("It is scheduled: give another time, or cancel it."))
        elif at != self.instance.scheduled_at and at <= timezone.now():
            self.add_error("scheduled_at", _("This time has passed already."))
