"""Who a message comes from, and which provider carries it."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.consent import Channel
from marketing.channels import registry


class Sender(models.Model):
    """A channel account. What a provider needs beside the address (server, secrets) comes from the environment."""

    name = models.CharField(_("name"), max_length=100)
    channel = models.CharField(_("channel"), max_length=20, choices=Channel, default=Channel.EMAIL)
    provider = models.CharField(
        _("provider"),
        max_length=50,
        choices=registry.choices,
        default="smtp",
        help_text=_("The simulator delivers nothing: it invents what recipients do, and says so."),
    )
    from_name = models.CharField(
        _("from name"), max_length=200, blank=True, default="", db_default=""
    )
    from_address = models.CharField(_("from address"), max_length=320)
    reply_to = models.CharField(
        _("reply to"), max_length=320, blank=True, default="", db_default=""
    )
    is_default = models.BooleanField(
        _("default"), default=False, help_text=_("Used by campaigns that name no sender.")
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
                violation_error_message=_("This channel has a default sender already."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def simulated(self) -> bool:
        return registry.get(self.provider).simulated
