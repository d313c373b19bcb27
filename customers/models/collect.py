"""The Segment spec: write keys, ids of received calls, and calls of anonymous people."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from crm.credentials import SealedText


class WriteKey(models.Model):
    """Lets a site or program send events, and nothing else. Only its SHA-256 is stored; the prefix distinguishes keys.

    Every visitor can read a browser key, so its calls may do less (customers.tracking_api.limits) unless the site's server signed them.
    """

    class Kind(models.TextChoices):
        SERVER = "server", _("Server: a secret of a program")
        BROWSER = "browser", _("Browser: readable in a page or an app")

    name = models.CharField(
        _("name"), max_length=100, help_text=_("Source of the events: web shop, app, …")
    )
    kind = models.CharField(
        _("kind"),
        max_length=10,
        choices=Kind,
        default=Kind.SERVER,
        db_default=Kind.SERVER,
        help_text=_(
            "A browser key adds events, and sets traits of customers that your server has not sent."
        ),
    )
    secret = SealedText(_("signing secret"), blank=True, default="", db_default="", editable=False)
    prefix = models.CharField(_("begins with"), max_length=12, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)

    class Meta:
        verbose_name = _("write key")
        verbose_name_plural = _("write keys")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="write_key_digest_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class RefusedId(models.Model):
    """A refused id of tracking calls, or another part that was refused, and how often it came."""

    class Reason(models.TextChoices):
        PLACEHOLDER = "placeholder", _("Stands for no id")
        OTHER_EMAIL = "other_email", _("Not merged: the customers have different e-mail addresses")
        TAKEN = "taken", _("Belongs to another customer")
        UNSIGNED = "unsigned", _("Unsigned call of a browser about a customer of your server")
        CHANGED = "changed", _("Unsigned change of an e-mail address or phone number")
        CONSENT = "consent", _("Unsigned opt-in of a browser")
        SIGNATURE = "signature", _("The signature is not that of the user id")
        UNCONFIRMED = "unconfirmed", _("Order of a browser, to be confirmed by your server")
        RESERVED = "reserved", _("Name of an event of Kindling")

    write_key = models.ForeignKey(
        WriteKey,
        models.CASCADE,
        related_name="refused_ids",
        verbose_name=_("write key"),
        db_index=False,
    )
    field = models.CharField(_("field"), max_length=100)
    value = models.CharField(
        _("value"),
        max_length=200,
        help_text=_("Empty where it is personal data."),
        **OPTIONAL_TEXT,
    )
    reason = models.CharField(_("reason"), max_length=20, choices=Reason)
    times = models.PositiveBigIntegerField(_("times"), default=1, db_default=1)
    first_at = models.DateTimeField(_("first seen"), db_default=Now(), editable=False)
    last_at = models.DateTimeField(_("last seen"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("refused id")
        verbose_name_plural = _("refused ids")
        ordering = ["-last_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["write_key", "field", "value", "reason"], name="refused_id_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.field} {self.value}".strip()


class ReceivedMessage(models.Model):
    """The id of a received call, so that it is received once."""

    pk = models.CompositePrimaryKey("write_key_id", "message_id")
    write_key = models.ForeignKey(WriteKey, models.CASCADE, related_name="received", db_index=False)
    message_id = models.CharField(max_length=200)
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("received message")
        verbose_name_plural = _("received messages")
        indexes = [
            # privacy.retention: rows old enough to delete, which stand in order of age
            BrinIndex(fields=["received_at"], name="received_message_age"),
        ]

    def __str__(self) -> str:
        return self.message_id


class WaitingMessage(masking.Personal):
    """A call of an anonymous person, which is received again when an identify call names the person."""

    personal = {"anonymous_id": masking.text, "message": masking.payload}

    anonymous_id = models.CharField(max_length=320)
    message = models.JSONField()
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("waiting message")
        verbose_name_plural = _("waiting messages")
        indexes = [
            # tracking_api.anonymous_calls: the calls of an anonymous id, in order
            models.Index(fields=["anonymous_id", "id"], name="waiting_message_of"),
            # privacy.retention
            BrinIndex(fields=["received_at"], name="waiting_message_age"),
        ]

    def __str__(self) -> str:
        return self.anonymous_id
