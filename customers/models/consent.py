"""Consents, topics, pauses and the suppression list."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from customers.models.customer import Customer


class Channel(models.TextChoices):
    """Channels of messages; marketing.channels has their providers."""

    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")
    PUSH = "push", _("Push")
    SOCIAL = "social", _("Social")
    WEBHOOK = "webhook", _("Webhook")


ADDRESS_FIELDS = {
    Channel.EMAIL: "email",
    Channel.SMS: "phone",
    Channel.WHATSAPP: "phone",
    Channel.PUSH: "push_address",
}
"""The column of a customer's address for a channel. Social posts and webhooks have none."""


class Topic(models.Model):
    """A topic of messages that customers can opt in to or out of: offers, news, events."""

    slug = models.SlugField(_("slug"), max_length=100, db_index=False)
    name = models.CharField(_("name"), max_length=200)
    description = models.CharField(
        _("description"),
        max_length=500,
        **OPTIONAL_TEXT,
        help_text=_("Text next to the topic in the preference centre."),
    )
    order = models.PositiveIntegerField(
        _("order"), default=0, db_default=0, help_text=_("Lower numbers come first.")
    )

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["order", "name"]
        constraints = [models.UniqueConstraint(fields=["slug"], name="topic_slug_unique")]

    def __str__(self) -> str:
        return self.name


class Consent(masking.Personal):
    """One decision of a customer about a channel and topic, or a restatement of it; append-only. No topic means the whole channel.

    The newest decision wins. A restatement comes from a file or call without a date: as an opt-in it never undoes an opt-out of anybody
    but its own source, the column or field that says so.
    """

    personal = {"evidence": masking.text}

    class Decision(models.TextChoices):
        OPTED_IN = "opted_in", _("Opted in")
        OPTED_OUT = "opted_out", _("Opted out")
        PENDING = "pending", _("Asked to confirm")

    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        related_name="consents",
        verbose_name=_("customer"),
        db_index=False,
    )
    channel = models.CharField(_("channel"), max_length=20, choices=Channel)
    topic = models.CharField(_("topic"), max_length=100, **OPTIONAL_TEXT)
    decision = models.CharField(_("decision"), max_length=20, choices=Decision)
    evidence = models.CharField(
        _("evidence"),
        max_length=500,
        **OPTIONAL_TEXT,
        help_text=_("Source of the decision: a form, a link in a message, a file."),
    )
    source = models.CharField(
        _("source"),
        max_length=100,
        **OPTIONAL_TEXT,
        help_text=_("Column of a file or field of a call that stated it."),
    )
    restated = models.BooleanField(_("restated"), default=False, db_default=False)
    decided_at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(restated=False) | ~models.Q(source=""),
                name="consent_restated_by_a_source",
            )
        ]
        indexes = [
            # the newest decision of a customer by channel and topic
            models.Index(
                fields=["customer", "channel", "topic", "-decided_at"], name="consent_newest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.decision}"


class AddressOptOut(masking.Personal):
    """An opt-out by the owner of an address: it holds for every customer with the address, present or future."""

    personal = {"address": masking.address, "evidence": masking.text}

    channel = models.CharField(_("channel"), max_length=20, choices=Channel)
    topic = models.CharField(_("topic"), max_length=100, **OPTIONAL_TEXT)
    address = models.CharField(_("address"), max_length=320)
    evidence = models.CharField(_("evidence"), max_length=500, **OPTIONAL_TEXT)
    decided_at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("opt-out of an address")
        verbose_name_plural = _("opt-outs of addresses")
        constraints = [
            models.UniqueConstraint(
                fields=["address", "channel", "topic"], name="address_opt_out_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.address}"


class Pause(masking.Personal):
    """A pause of all messages to a customer; append-only, the newest wins. No time means that the pause ended."""

    personal = {"evidence": masking.text}

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="pauses", verbose_name=_("customer"), db_index=False
    )
    until = models.DateTimeField(_("until"), null=True, blank=True)
    evidence = models.CharField(_("evidence"), max_length=500, **OPTIONAL_TEXT)
    decided_at = models.DateTimeField(_("when"), db_default=Now())

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        indexes = [
            # the pauses of a customer, newest first
            models.Index(fields=["customer", "-decided_at"], name="pause_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.until:%Y-%m-%d}" if self.until else str(_("ended"))


class Suppression(masking.Personal):
    """An address on the suppression list: it gets no messages, whichever customer has it."""

    personal = {"address": masking.address, "evidence": masking.text}

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce", _("Hard bounce")
        COMPLAINT = "complaint", _("Complaint")
        MANUAL = "manual", _("Manual")

    channel = models.CharField(_("channel"), max_length=20, choices=Channel, default=Channel.EMAIL)
    address = models.CharField(_("address"), max_length=320)
    reason = models.CharField(_("reason"), max_length=20, choices=Reason, default=Reason.MANUAL)
    evidence = models.CharField(_("evidence"), max_length=500, **OPTIONAL_TEXT)
    created_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppression list")
        constraints = [
            models.UniqueConstraint(
                "channel",
                Lower("address"),
                name="suppression_unique",
                violation_error_message=_("This address is already on the suppression list."),
            )
        ]

    def __str__(self) -> str:
        return self.address
