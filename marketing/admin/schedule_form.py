"""The part of a campaign's form that says when: read on the clock of the campaign's zone, and asked for the times that follow from it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSplitDateTimeWidget,
)

from marketing.models import Campaign
from marketing.schedule import campaign_times, wall_clock

Type = Campaign.Type

FIELDS = (
    "type", "scheduled_at", "timezone", "local_time", "frequency", "interval", "weekdays",
    "day_of_month", "ends_at", "max_runs",
)  # fmt: skip
CLOCKS = ("scheduled_at", "ends_at")
ONLY_RECURRING: dict[str, Any] = {
    "frequency": "", "interval": 1, "weekdays": [], "day_of_month": None, "ends_at": None, "max_runs": None,
}  # fmt: skip
"""What a one-time campaign has in these fields, whatever was left in them when they were hidden."""


class ClockField(forms.SplitDateTimeField):
    """A date and a time as a clock on some wall shows them: naive, for the campaign's zone to say when that is."""

    widget = UnfoldAdminSplitDateTimeWidget

    def compress(self, data_list: Any) -> datetime | None:
        if not data_list:
            return None
        date, time = data_list
        if date in self.empty_values:
            raise ValidationError(self.error_messages["invalid_date"], code="invalid_date")
        if time in self.empty_values:
            raise ValidationError(self.error_messages["invalid_time"], code="invalid_time")
        return datetime.combine(date, time)


def zone_choices() -> list[tuple[str, str]]:
    return [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones())]


class ScheduleForm(forms.ModelForm):
    scheduled_at = ClockField(
        label=_("Start"),
        required=False,
        help_text=_("A recurring campaign repeats from then on, at this time of day."),
    )
    timezone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zone_choices,
        widget=UnfoldAdminSelect2Widget(),
        initial=settings.TIME_ZONE,
        help_text=_("The times here are read on the clock there."),
    )
    weekdays = forms.MultipleChoiceField(
        label=_("On"),
        choices=Campaign.Weekday.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("The weekday of the start if none is chosen."),
    )
    ends_at = ClockField(
        label=_("Until"), required=False, help_text=_("Nothing starts after this time.")
    )

    class Meta:
        model = Campaign
        fields: tuple[str, ...] = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance
        for name in CLOCKS:
            if moment := getattr(campaign, name):
                self.initial[name] = wall_clock.shows(moment, campaign.timezone)
        if campaign.clock_time and campaign.scheduled_at:
            self.initial["scheduled_at"] = datetime.combine(
                self.initial["scheduled_at"], campaign.clock_time
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "type" not in self.fields or "type" not in cleaned:
            return cleaned
        self._leave_out_what_is_hidden(cleaned)
        if "timezone" in cleaned:
            self._read_on_its_clock(cleaned, cleaned["timezone"])
        for name, message in campaign_times.faults(cleaned).items():
            if name not in self.errors:
                self.add_error(name, message)
        return cleaned

    def _leave_out_what_is_hidden(self, cleaned: dict[str, Any]) -> None:
        if cleaned["type"] != Type.RECURRING:
            cleaned |= ONLY_RECURRING
        if cleaned["type"] == Type.TRIGGERED:
            cleaned |= {"scheduled_at": None, "local_time": False}
        frequency = cleaned.get("frequency", "")
        if frequency != Campaign.Frequency.WEEKLY:
            cleaned["weekdays"] = []
        if frequency != Campaign.Frequency.MONTHLY:
            cleaned["day_of_month"] = None
        if frequency and frequency not in campaign_times.ON_THE_WALL:
            cleaned["local_time"] = False

    def _read_on_its_clock(self, cleaned: dict[str, Any], zone: str) -> None:
        if shown := cleaned.get("scheduled_at"):
            self.instance.clock_time = wall_clock.skipped(shown, zone)
        for name in CLOCKS:
            if cleaned.get(name):
                cleaned[name] = wall_clock.at(cleaned[name], zone)

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # missing in django-stubs
        campaign = self.instance
        if campaign.state == Campaign.State.SCHEDULED and "scheduled_at" in self.fields:
            self._stays_in_the_future(campaign)

    def _stays_in_the_future(self, campaign: Campaign) -> None:
        if self.errors or not set(FIELDS) & set(self.changed_data):
            return
        if campaign.scheduled_at is None:
            self.add_error("scheduled_at", _("It is scheduled: give another time, or cancel it."))
        elif campaign_times.next_run(campaign, after=timezone.now()) is None:
            self.add_error("scheduled_at", _("It would never start: this time has passed already."))
