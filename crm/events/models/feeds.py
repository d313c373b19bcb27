"""Feeds: how far each subscriber has read, and the events that it could not handle."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.events.columns import TransactionIdField


class FeedCursor(masking.Personal):
    """How far one subscriber has read: everything up to (transaction, position) is handled."""

    personal = {"error": masking.prose}

    name = models.CharField(_("subscriber"), max_length=100, primary_key=True)
    transaction = TransactionIdField(default=0)
    position = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(_("last read"), default=timezone.now)
    behind_since = models.DateTimeField(_("behind since"), null=True)
    batch_size = models.PositiveIntegerField(null=True)
    """Rows a batch, where full batches are slow."""
    failures = models.PositiveSmallIntegerField(_("failures"), default=0)
    retry_at = models.DateTimeField(_("next attempt"), null=True)
    one_by_one = models.PositiveIntegerField(default=0)
    """Rows still to be handled one by one, after their batch failed."""
    error = models.TextField(_("last error"), default="")

    class Meta:
        verbose_name = _("event feed")
        verbose_name_plural = _("event feeds")

    def __str__(self) -> str:
        return self.name


class DeadLetter(masking.Personal):
    """An event that a subscriber could not handle, put aside so that the events behind it are handled.

    `position` is the key of a row of the subscriber's source. Letters stay until they are replayed or deleted.
    """

    personal = {"error": masking.prose}

    subscriber = models.CharField(_("subscriber"), max_length=100)
    position = models.BigIntegerField(_("event"))
    type = models.CharField(_("type"), max_length=100)
    customer_id = models.BigIntegerField(_("customer"), null=True)
    error = models.TextField(_("error"))
    at = models.DateTimeField(_("when"), auto_now=True)

    class Meta:
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        constraints = [
            # retention looks by position: an event with a letter stays
            models.UniqueConstraint("position", "subscriber", name="dead_letter_once")
        ]

    def __str__(self) -> str:
        return f"{self.type} · {self.subscriber}"
