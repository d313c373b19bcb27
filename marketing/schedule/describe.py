"""Describe the schedule of a campaign in a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.formats import date_format, time_format
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marketing.models import Campaign
from marketing.schedule import wall_clock

Frequency = Campaign.Frequency


def describe_schedule(campaign: Campaign) -> str:
    """Return the schedule in words: "Every 2 weeks on Monday and Friday at 09:00, from 1 Feb 2027 (Europe/Berlin)"."""
    if campaign.is_triggered:
        return _after_the_event(campaign)
    if campaign.scheduled_at is None:
        return _("No start: sent by hand")
    return " ".join(_parts(campaign))


def _after_the_event(campaign: Campaign) -> str:
    """Return the trigger in words: "15 minutes after order_placed, re-eligible after 30 days"."""
    minutes = campaign.trigger_delay_minutes
    after = ngettext("%(number)s minute after", "%(number)s minutes after", minutes) % {
        "number": minutes
    }
    often = _("once per customer")
    if days := campaign.trigger_again_days:
        often = ngettext(
            "re-eligible after %(number)s day",
            "re-eligible after %(number)s days",
            days,
        ) % {"number": days}
    return f"{after if minutes else _('Immediately after')} {campaign.trigger_event}, {often}"


def _parts(campaign: Campaign) -> Iterator[str]:
    assert campaign.scheduled_at is not None
    start = wall_clock.shows(campaign.scheduled_at, campaign.timezone)
    clock = time_format(campaign.clock_time or start, "H:i:s" if start.second else "H:i")
    day = date_format(start, "j M Y")
    if campaign.recurs:
        yield _rhythm(campaign)
        yield _("at %(time)s, from %(day)s") % {"time": clock, "day": day}
    else:
        yield _("Once, on %(day)s at %(time)s") % {"day": day, "time": clock}
    if campaign.ends_at:
        end = wall_clock.shows(campaign.ends_at, campaign.timezone)
        yield _("until %(when)s") % {"when": date_format(end, "j M Y, H:i")}
    if campaign.max_runs:
        runs = ngettext("at most %(runs)s run", "at most %(runs)s runs", campaign.max_runs)
        yield f"– {runs % {'runs': campaign.max_runs}}"
    yield f"({_('local time of each customer') if campaign.local_time else campaign.timezone})"


def _rhythm(campaign: Campaign) -> str:
    number = campaign.interval
    match campaign.frequency:
        case Frequency.SECONDLY:
            every = _("Every %(number)s seconds,")
        case Frequency.HOURLY:
            every = ngettext("Every hour", "Every %(number)s hours", number)
        case Frequency.DAILY:
            every = ngettext("Every day", "Every %(number)s days", number)
        case Frequency.WEEKLY:
            every = ngettext("Every week on %(days)s", "Every %(number)s weeks on %(days)s", number)
        case _:
            every = ngettext(
                "On the %(day)s of every month",
                "On the %(day)s of every %(number)s months",
                number,
            )
    return every % {"number": number, "days": _weekdays(campaign), "day": _day(campaign)}


def _weekdays(campaign: Campaign) -> str:
    assert campaign.scheduled_at is not None
    days = Campaign.Weekday
    start = wall_clock.shows(campaign.scheduled_at, campaign.timezone)
    chosen = campaign.weekdays or [days.values[start.weekday()]]
    in_order = [str(day.label) for day in days if day in chosen]
    return get_text_list(in_order, _("and"))


def _day(campaign: Campaign) -> str:
    assert campaign.scheduled_at is not None
    start = wall_clock.shows(campaign.scheduled_at, campaign.timezone)
    day = campaign.day_of_month or start.day
    return _("last day") if day == 31 else _("%(day)s.") % {"day": day}
