"""The outbox: what happened, written in the transaction in which it happened, and who has read how far."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.events.transactions import CurrentTransactionId, TransactionIdField
from crm.events.uuid7 import Uuid7


class MarketingEvent(models.Model):
    """One thing that happened, in CloudEvents' words. Append-only; nothing points at its rows."""

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
            # consume.read(): the next final rows after a cursor
            models.Index("transaction", "position", name="event_reading_order"),
            # admin: the newest events of a type
            models.Index(fields=["type", "-time"], name="event_type_time"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class ConsumerCursor(models.Model):
    """How far one consumer has read: everything up to (transaction, position) is handled."""

    name = models.CharField(max_length=100, primary_key=True)
    transaction = TransactionIdField(default=0)
    position = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(auto_now=True)
    failures = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    error = models.TextField(default="")

    class Meta:
        verbose_name = _("consumer cursor")
        verbose_name_plural = _("consumer cursors")

    def __str__(self) -> str:
        return self.name


class DeadLetter(models.Model):
    """An event that a consumer could not handle, put aside so that those behind it go on. Kept until it is replayed or dropped."""

    consumer = models.CharField(_("consumer"), max_length=100)
    position = models.BigIntegerField(_("event"))
    type = models.CharField(_("type"), max_length=100)
    customer_id = models.BigIntegerField(_("customer"), null=True)
    error = models.TextField(_("error"))
    at = models.DateTimeField(_("when"), auto_now=True)

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        constraints = [
            # retention.forget_before() looks by position: an event that is here stays
            models.UniqueConstraint("position", "consumer", name="dead_letter_once")
        ]

    def __str__(self) -> str:
        return f"{self.type} · {self.consumer}"
