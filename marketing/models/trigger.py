"""What starts a message of a triggered campaign: something that a customer does."""

from __future__ import annotations

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

LONGEST_DELAY = 60 * 24 * 366


class CampaignTrigger(models.Model):
    """The part of a campaign that says after which event a customer gets it, how long after, and how often."""

    trigger_event = models.CharField(
        _("trigger event"),
        max_length=100,
        blank=True,
        default="",
        db_default="",
        help_text=_("As on the timeline: order_placed, page_viewed, “Trial Started”, …"),
    )
    trigger_where = models.JSONField(
        _("event conditions"),
        default=list,
        db_default=[],
        blank=True,
        help_text=_("Conditions on the event's properties; all of them must match."),
    )
    trigger_delay_minutes = models.PositiveIntegerField(
        _("delay (minutes)"),
        default=0,
        db_default=0,
        validators=[MaxValueValidator(LONGEST_DELAY)],
        help_text=_("After the event; 0 sends at once."),
    )
    trigger_again_days = models.PositiveIntegerField(
        _("re-eligible after (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(366)],
        help_text=_(
            "A customer can receive the campaign again after this many days. Leave empty for never."
        ),
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(type="triggered", trigger_event__gt="")
                | (~Q(type="triggered") & Q(trigger_event="")),
                name="campaign_triggered_has_event",
                violation_error_message=_(
                    "Choose an event for a triggered campaign, and for no other."
                ),
            ),
            models.CheckConstraint(
                condition=Q(trigger_again_days__isnull=True) | Q(trigger_again_days__gte=1),
                name="campaign_trigger_again_positive",
                violation_error_message=_("Enter at least 1 day."),
            ),
        ]

    @property
    def trigger_delay(self) -> timedelta:
        return timedelta(minutes=self.trigger_delay_minutes)
