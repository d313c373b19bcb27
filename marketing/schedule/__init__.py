"""Schedules of campaigns: their times, their entries in celery-beat, the calendar; `wall_clock` is entered by name."""

from marketing.schedule.beat_entries import delete_entry, put_entry
from marketing.schedule.calendar import CalendarEntry, calendar_entries
from marketing.schedule.campaign_times import (
    BY_LOCAL_TIME,
    latest_due,
    next_run,
    next_runs,
    schedule_errors,
)
from marketing.schedule.describe import describe_schedule
from marketing.schedule.rhythm import Rhythm
