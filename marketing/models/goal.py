"""What a campaign is for, and how its links are marked."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def goal_window_days() -> int:
    return int(settings.GOAL_WINDOW_DAYS)


class CampaignGoal(models.Model):
    """The part of a campaign that says what counts as a conversion, and under which names web analytics see its links."""

    class GoalKind(models.TextChoices):
        ORDER = "order", _("An order")
        EVENT = "event", _("Something else that a customer does")

    goal_kind = models.CharField(
        _("goal"),
        max_length=10,
        choices=GoalKind,
        default=GoalKind.ORDER,
        db_default=GoalKind.ORDER,
    )
    goal_event = models.CharField(
        _("name of the event"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("As it is sent to /v1/track, such as “Trial Started”."),
    )
    goal_value = models.CharField(
        _("property with its value"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("Counted as revenue; empty: the event has no value."),
    )
    goal_window_days = models.PositiveIntegerField(
        _("goal window in days"),
        default=goal_window_days,
        help_text=_("The goal, reached within this many days after a click, is a conversion."),
    )
    utm_source = models.CharField(
        _("UTM source"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("Empty: links are not marked."),
    )
    utm_medium = models.CharField(
        _("UTM medium"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("Empty: the channel."),
    )
    utm_campaign = models.CharField(
        _("UTM campaign"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Empty: the campaign's name."),
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=~Q(goal_kind="event") | Q(goal_event__gt=""),
                name="campaign_goal_event_has_name",
                violation_error_message=_("Name the event that is the goal."),
            ),
        ]
