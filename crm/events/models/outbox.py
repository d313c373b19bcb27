"""The outbox: events, each written in the transaction of the change that it reports."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.events.columns import CurrentTransactionId, TransactionIdField, Uuid7


class MarketingEvent(masking.Personal):
    """An event with the attributes of CloudEvents. Append-only; nothing points at its rows."""

    personal = {"data": masking.payload}

    position = models.BigAutoField(primary_key=True)
    transaction = TransactionIdField(db_default=CurrentTransactionId())
    event_id = models.UUIDField(_("id"), db_default=Uuid7(), editable=False)
    type = models.CharField(_("type"), max_length=100)
    source = models.CharField(_("source"), max_length=100, db_default="kindling")
    subject = models.CharField(_("subject"), max_length=200, db_default="")
    customer_id = models.BigIntegerField(_("customer"), null=True)
    data = models.JSONField(_("data"), db_default={})
    time = models.DateTimeField(_("time"), db_default=Now())

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [models.UniqueConstraint("event_id", name="event_id_unique")]
        indexes = [
            # crm.events.feeds: the next final rows after a cursor
            models.Index("transaction", "position", name="event_reading_order"),
            # admin: the newest events of a type
            models.Index(fields=["type", "-time"], name="event_type_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
