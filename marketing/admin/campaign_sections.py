"""The sections of a campaign's form: what every campaign says stands open, the rest is folded until something is said in it."""

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
    (_("What"), {"fields": ("name", ("template", "sender"))}),
    (_("To whom"), {"fields": (("segments", "exclude_segments"),)}),
    (_("Own rules for whom"), {"classes": FOLDED, "fields": ("rules",)}),
    (
        _("When"),
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
        _("Topic, replies and notes"),
        {"classes": FOLDED, "fields": (("topic", "tags"), "reply_to", "description")},
    ),
    (
        _("How it is measured: goal, link marks, held-out group"),
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
        _("Limits: budget, pace, caps, quiet hours"),
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
        _("Winner among variants"),
        {
            "classes": FOLDED,
            "description": _(
                "Add two or more variants below. With a winner, a part of the audience tries them first and the rest waits for it."
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
    """The sections as they are shown: a folded one that holds an error, or says anything but its defaults, stands open."""
    return [
        (title, {**options, "classes": ()} if _has_to_be_seen(options, form) else options)
        for title, options in sections
    ]


def _has_to_be_seen(options: dict[str, Any], form: ModelForm[Campaign]) -> bool:
    if options.get("classes") != FOLDED:
        return False
    fields = flatten(options["fields"])
    return any(each in form.errors or _is_said(form.instance, each) for each in fields)


def _is_said(campaign: Campaign, field: str) -> bool:
    """Whether a field, or the one that it tells in words, says anything but its default."""
    name = field.removesuffix("_in_words")
    said = getattr(campaign, name)
    return bool(said) and said != getattr(Campaign(), name)
