"""What a campaign is for, and how its links are marked."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def goal_window_days() -> int:
    return int(settings.GOAL_WINDOW_DAYS)


class CampaignGoal(models.Model):
    """The part of a campaign that says what counts as a conversion, and under which names web analytics see its links."""

    class GoalKind(models.TextChoices):
        ORDER = "order", _("Order")
        EVENT = "event", _("Other event")

    goal_kind = models.CharField(
        _("goal"),
        max_length=10,
        choices=GoalKind,
        default=GoalKind.ORDER,
        db_default=GoalKind.ORDER,
    )
    goal_event = models.CharField(
        _("goal event"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("As sent to /v1/track, such as “Trial Started”."),
    )
    goal_value = models.CharField(
        _("value property"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("The event property that counts as revenue. Leave empty for none."),
    )
    goal_window_days = models.PositiveIntegerField(
        _("conversion window (days)"),
        default=goal_window_days,
        validators=[MaxValueValidator(365)],
        help_text=_("A goal reached within this many days after a click counts as a conversion."),
    )
    utm_source = models.CharField(
        _("UTM source"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("Leave empty for links without UTM tags."),
    )
    utm_medium = models.CharField(
        _("UTM medium"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("Leave empty for the channel."),
    )
    utm_campaign = models.CharField(
        _("UTM campaign"),
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text=_("Leave empty for the campaign's name."),
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=~Q(goal_kind="event") | Q(goal_event__gt=""),
                name="campaign_goal_event_has_name",
                violation_error_message=_("Enter the event that is the goal."),
            ),
        ]
