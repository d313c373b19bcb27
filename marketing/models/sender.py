"""Senders: a from address at a provider, its rate limit, and its circuit breaker."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import credentials
from crm.api import ids
from crm.columns import OPTIONAL_TEXT
from crm.credentials import SealedTexts
from customers import clean
from customers.models.consent import Channel
from marketing.channels import get_provider, provider_choices


class Sender(models.Model):
    """An account at a provider of a channel, with its settings in clear and its credentials encrypted (crm.credentials)."""

    name = models.CharField(_("name"), max_length=100)
    channel = models.CharField(_("channel"), max_length=20, choices=Channel, default=Channel.EMAIL)
    provider = models.CharField(
        _("provider"),
        max_length=50,
        choices=provider_choices,
        default="smtp",
        help_text=_("The simulator sends nothing and invents the recipients' reactions."),
    )
    from_name = models.CharField(_("from name"), max_length=200, **OPTIONAL_TEXT)
    from_address = models.CharField(
        _("from address"),
        max_length=320,
        blank=True,
        help_text=_("An e-mail address, or a phone number such as +4930123456."),
    )
    reply_to = models.CharField(_("reply to"), max_length=320, **OPTIONAL_TEXT)
    settings = models.JSONField(_("settings"), default=dict, db_default={}, blank=True)
    credentials = SealedTexts(default=dict, db_default={}, blank=True, editable=False)
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Used by campaigns without a sender of their own.")
    )
    per_second = models.PositiveIntegerField(
        _("messages per second"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("The limit of all workers together. Empty: no limit."),
    )
    per_day = models.PositiveIntegerField(
        _("messages per day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("The limit from midnight to midnight. Empty: no limit."),
    )
    connections = models.PositiveSmallIntegerField(
        _("connections"),
        default=1,
        db_default=1,
        validators=[MinValueValidator(1), MaxValueValidator(50)],
        help_text=_(
            "Messages that a worker sends at the same time. More are faster, and in doubt if the worker dies."
        ),
    )
    cost_per_message = models.DecimalField(
        _("cost per message"),
        max_digits=10,
        decimal_places=4,
        default=Decimal(0),
        db_default=Decimal(0),
        validators=[MinValueValidator(0)],
        help_text=_("The provider's price; campaign budgets count with it."),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["name"], name="sender_name_unique"),
            models.UniqueConstraint(
                fields=["channel"],
                condition=models.Q(is_default=True),
                name="sender_one_default_a_channel",
                violation_error_message=_(
                    "This channel has a default sender already: make that one ordinary first."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the sender, with the domains of its addresses in ASCII."""
        if self.channel == Channel.EMAIL:
            self.from_address = _in_ascii(self.from_address)
            self.reply_to = _in_ascii(self.reply_to)
        super().save(*args, **kwargs)

    @property
    def simulated(self) -> bool:
        return get_provider(self.provider).simulated

    @property
    def public_id(self) -> str:
        return ids.encode("snd", self.pk)

    @property
    def receipts_url(self) -> str:
        return f"{settings.SITE_URL}/hooks/{self.provider}/{self.public_id}/"

    def setting(self, name: str) -> str:
        """Return a setting; see marketing.channels.base.Account."""
        if stored := self.credentials.get(name):
            return credentials.read(stored)
        return str(self.settings.get(name) or "")

    def set_setting(self, name: str, value: str) -> None:
        """Set a setting of the provider, encrypted where it is a secret; an empty one is removed."""
        declared = {each.name: each for each in get_provider(self.provider).settings}
        stored = self.credentials if declared[name].secret else self.settings
        stored.pop(name, None)
        if value := value.strip():
            stored[name] = credentials.seal(value) if declared[name].secret else value


def _in_ascii(address: str) -> str:
    """Return an address with its domain in ASCII; an invalid one as it is."""
    local, at, domain = address.strip().rpartition("@")
    try:
        return f"{local}@{clean.ascii_domain(domain)}" if at and not domain.isascii() else address
    except ValueError:
        return address


class SenderPace(models.Model):
    """The time of a sender's next message, for all workers together; marketing.sending.rate_limit alone writes it."""

    sender = models.OneToOneField(
        Sender, models.CASCADE, primary_key=True, related_name="pace", verbose_name=_("sender")
    )
    next_at = models.DateTimeField(_("next message"), db_default=Now())
    day = models.DateField(_("day"), null=True)
    taken = models.PositiveIntegerField(_("used of the daily limit"), default=0, db_default=0)
    held_until = models.DateTimeField(
        _("paused until"), null=True, help_text=_("The provider requested a pause until then.")
    )

    class Meta:
        verbose_name = _("sender rate limit")
        verbose_name_plural = _("sender rate limits")

    def __str__(self) -> str:
        return f"{self.sender}"


class SenderBreaker(models.Model):
    """The circuit breaker of a sender's provider; marketing.sending.breaker alone writes it.

    Closed: messages are sent. Open: none until `probe_at`. Probing: one is sent.
    """

    class State(models.TextChoices):
        CLOSED = "closed", _("Works")
        OPEN = "open", _("Unreachable")
        PROBING = "probing", _("Testing")

    sender = models.OneToOneField(
        Sender, models.CASCADE, primary_key=True, related_name="breaker", verbose_name=_("sender")
    )
    state = models.CharField(
        _("state"), max_length=20, choices=State, default=State.CLOSED, db_default=State.CLOSED
    )
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, db_default=0)
    trips = models.PositiveIntegerField(_("times opened in a row"), default=0, db_default=0)
    opened_at = models.DateTimeField(_("opened"), null=True)
    probe_at = models.DateTimeField(_("probed at"), null=True)
    last_error = models.TextField(_("last error"), **OPTIONAL_TEXT)
    last_error_at = models.DateTimeField(_("last error at"), null=True)

    class Meta:
        verbose_name = _("sender circuit breaker")
        verbose_name_plural = _("sender circuit breakers")

    def __str__(self) -> str:
        return f"{self.sender} {self.state}"
