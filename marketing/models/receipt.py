"""Events of messages from outside: receipts of providers, and requests for links."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from marketing.channels import ReceiptKind
from marketing.models.execution import CampaignExecution
from marketing.models.sender import Sender


class ProviderEvent(masking.Personal):
    """A provider's receipt for a message, stored so that it counts once however often it comes.

    One that comes before its message's provider id is recorded waits without an execution, and is matched later.
    """

    personal = {"detail": masking.prose, "link": masking.url}

    sender = models.ForeignKey(
        Sender, models.CASCADE, related_name="events", verbose_name=_("sender"), db_index=False
    )
    event_id = models.CharField(max_length=200)
    kind = models.CharField(
        _("event"), max_length=20, choices=[(each, each) for each in ReceiptKind]
    )
    execution = models.ForeignKey(
        CampaignExecution,
        models.CASCADE,
        related_name="provider_events",
        null=True,
        verbose_name=_("message"),
    )
    key = models.CharField(max_length=100, **OPTIONAL_TEXT)
    provider_id = models.CharField(max_length=255, **OPTIONAL_TEXT)
    at = models.DateTimeField(_("when"))
    received_at = models.DateTimeField(_("received"), db_default=Now(), editable=False)
    detail = models.CharField(_("detail"), max_length=500, **OPTIONAL_TEXT)
    link = models.TextField(_("link"), **OPTIONAL_TEXT)
    machine = models.BooleanField(_("by a bot"), default=False, db_default=False)

    class Meta:
        verbose_name = _("provider event")
        verbose_name_plural = _("provider events")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["sender", "event_id"], name="provider_event_once"),
        ]
        indexes = [
            # receipts.match_late: receipts that wait for their message
            models.Index(
                fields=["received_at"],
                name="provider_event_unmatched",
                condition=models.Q(execution__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.provider_id}"


class LinkHit(masking.Personal):
    """A request for a link of a message, until marketing.tracking.click_filter separates recipients from bots."""

    personal = {"link": masking.url}

    execution = models.ForeignKey(
        CampaignExecution, models.CASCADE, related_name="hits", verbose_name=_("message")
    )
    position = models.PositiveIntegerField(
        _("position"), help_text=_("The number of the link in the message; 0 is the hidden link.")
    )
    link = models.TextField(_("address"), **OPTIONAL_TEXT)
    at = models.DateTimeField(_("when"))
    machine = models.CharField(_("why a bot"), max_length=50, **OPTIONAL_TEXT)

    class Meta:
        verbose_name = _("link hit")
        verbose_name_plural = _("link hits")

    def __str__(self) -> str:
        return f"{self.execution_id} {self.position}"
