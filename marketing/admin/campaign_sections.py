"""The sections of a campaign's form: the common ones open, the others folded until they are used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.utils import flatten
from django.forms import ModelForm
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from marketing.models import Campaign

Section = tuple[str | Promise, dict[str, Any]]
"""A title, and the options of a fieldset."""

FOLDED = ("collapse",)

SECTIONS: tuple[Section, ...] = (
    (_("Content"), {"fields": ("name", ("template", "sender"))}),
    (_("Audience"), {"fields": (("segments", "exclude_segments"),)}),
    (_("Audience filter"), {"classes": FOLDED, "fields": ("rules",)}),
    (
        _("Schedule"),
        {
            "fields": (
                ("type", "frequency"),
                ("trigger_event", "trigger_where"),
                ("trigger_delay_minutes", "trigger_again_days"),
                "interval",
                "weekdays",
                "day_of_month",
                "scheduled_at",
                "timezone",
                "local_time",
                "ends_at",
                "max_runs",
            )
        },
    ),
    (
        _("Topic, replies, notes"),
        {"classes": FOLDED, "fields": (("topic", "tags"), "reply_to", "description")},
    ),
    (
        _("Measurement: goal, UTM tags, holdout group"),
        {
            "classes": FOLDED,
            "fields": (
                ("goal_kind", "goal_window_days"),
                ("goal_event", "goal_value"),
                ("utm_source", "utm_medium"),
                "utm_campaign",
                "holdout_percent",
            ),
        },
    ),
    (
        _("Limits: budget, rate, caps, quiet hours"),
        {
            "classes": FOLDED,
            "fields": (
                ("budget", "cost_per_message"),
                ("hourly_limit", "send_once_key"),
                ("exempt_from_caps", "exempt_from_quiet_hours"),
            ),
        },
    ),
    (
        _("A/B test winner"),
        {
            "classes": FOLDED,
            "description": _(
                "Add two or more variants below. To select a winner, send them to a test audience first; the rest waits for it."
            ),
            "fields": (
                ("winner_by", "test_share"),
                ("winner_metric", "winner_after_hours"),
                "winner_confidence",
            ),
        },
    ),
)


def unfolded(sections: Iterable[Section], form: ModelForm[Campaign]) -> list[Section]:
    """Open the folded sections that hold an error or a value other than the default."""
    return [
        (title, {**options, "classes": ()} if _needs_to_open(options, form) else options)
        for title, options in sections
    ]


def _needs_to_open(options: dict[str, Any], form: ModelForm[Campaign]) -> bool:
    if options.get("classes") != FOLDED:
        return False
    fields = flatten(options["fields"])
    return any(each in form.errors or _is_set(form.instance, each) for each in fields)


def _is_set(campaign: Campaign, field: str) -> bool:
    """Return whether a field, or the one that it describes in words, has a value other than the default."""
    name = field.removesuffix("_in_words")
    value = getattr(campaign, name)
    return bool(value) and value != getattr(Campaign(), name)
