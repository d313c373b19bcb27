"""The schedule in a campaign's form, in the campaign's time zone, and the next runs that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSplitDateTimeWidget,
)

from marketing.models import Campaign
from marketing.schedule import BY_LOCAL_TIME, next_run, next_runs, schedule_errors, wall_clock

Type = Campaign.Type

FIELDS = (
    "type", "scheduled_at", "timezone", "local_time", "frequency", "interval", "weekdays",
    "day_of_month", "ends_at", "max_runs",
)  # fmt: skip
TIMES = ("scheduled_at", "ends_at")
ONLY_RECURRING: dict[str, Any] = {
    "frequency": "", "interval": 1, "weekdays": [], "day_of_month": None, "ends_at": None, "max_runs": None,
}  # fmt: skip
"""The values of a campaign that does not recur, whatever is left in the hidden fields."""


class ClockField(forms.SplitDateTimeField):
    """A naive date and time, to be read in the campaign's time zone."""

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
        help_text=_("The times of the schedule are in this time zone."),
    )
    weekdays = forms.MultipleChoiceField(
        label=_("Weekdays"),
        choices=Campaign.Weekday.choices,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("Leave empty for the weekday of the start."),
    )
    ends_at = ClockField(
        label=_("End"), required=False, help_text=_("No run starts after this time.")
    )

    class Meta:
        model = Campaign
        fields: tuple[str, ...] = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        campaign = self.instance
        for name in TIMES:
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
        self._clear_hidden_fields(cleaned)
        if "timezone" in cleaned:
            self._localize(cleaned, cleaned["timezone"])
        for name, message in schedule_errors(cleaned).items():
            if name not in self.errors:
                self.add_error(name, message)
        return cleaned

    def _clear_hidden_fields(self, cleaned: dict[str, Any]) -> None:
        if cleaned["type"] != Type.RECURRING:
            cleaned |= ONLY_RECURRING
        if cleaned["type"] == Type.TRIGGERED:
            cleaned |= {"scheduled_at": None, "local_time": False}
        frequency = cleaned.get("frequency", "")
        if frequency != Campaign.Frequency.WEEKLY:
            cleaned["weekdays"] = []
        if frequency != Campaign.Frequency.MONTHLY:
            cleaned["day_of_month"] = None
        if frequency and frequency not in BY_LOCAL_TIME:
            cleaned["local_time"] = False

    def _localize(self, cleaned: dict[str, Any], zone: str) -> None:
        if shown := cleaned.get("scheduled_at"):
            self.instance.clock_time = wall_clock.skipped(shown, zone)
        for name in TIMES:
            if cleaned.get(name):
                cleaned[name] = wall_clock.at(cleaned[name], zone)

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # missing in django-stubs
        campaign = self.instance
        if campaign.state == Campaign.State.SCHEDULED and "scheduled_at" in self.fields:
            self._require_future_run(campaign)

    def _require_future_run(self, campaign: Campaign) -> None:
        if self.errors or not set(FIELDS) & set(self.changed_data):
            return
        if campaign.scheduled_at is None:
            self.add_error("scheduled_at", _("Enter a start, or cancel the scheduled campaign."))
        elif next_run(campaign, after=timezone.now()) is None:
            self.add_error("scheduled_at", _("The campaign would never start: enter a later time."))


def render_next_runs(campaign: Campaign, given: QueryDict | None = None) -> SafeString:
    """Render the next runs of a campaign, or those of a given schedule or its first error."""
    error = ""
    if given is not None:
        form = ScheduleForm(given, instance=campaign)
        error = next((str(errors[0]) for errors in form.errors.values()), "")
    context = {
        "times": [] if error else list(_next_runs(campaign)),
        "error": error,
        "zone": campaign.timezone.replace("_", " "),
        "local_time": campaign.local_time,
        "triggered": campaign.is_triggered,
    }
    return render_to_string("admin/marketing/campaign/next_runs.html", context)


def _next_runs(campaign: Campaign) -> Iterator[dict[str, str]]:
    for moment in next_runs(campaign):
        shown = wall_clock.shows(moment, campaign.timezone)
        yield {
            "iso": moment.isoformat(),
            "day": date_format(shown, "D j M Y"),
            "clock": time_format(shown, "H:i:s" if shown.second else "H:i"),
        }
