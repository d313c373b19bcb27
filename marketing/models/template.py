"""Templates, their frozen versions, and the links of a version."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.columns import OPTIONAL_TEXT
from customers.models.consent import Channel


class Content(models.Model):
    """The parts of a message, in Liquid; marketing.content.PARTS names those of each channel."""

    class BodyFormat(models.TextChoices):
        HTML = "html", _("HTML")
        MJML = "mjml", _("MJML")
        TEXT = "text", _("Plain text")

    subject = models.CharField(_("subject"), max_length=500, **OPTIONAL_TEXT)
    preheader = models.CharField(
        _("preheader"),
        max_length=500,
        **OPTIONAL_TEXT,
        help_text=_("What inboxes show after the subject; hidden in the message."),
    )
    body_format = models.CharField(
        _("format"),
        max_length=10,
        choices=BodyFormat,
        default=BodyFormat.HTML,
        db_default=BodyFormat.HTML,
    )
    body = models.TextField(
        _("body"),
        help_text=_("With Liquid: Hello {{ customer.first_name }}, or Hello {first_name}."),
    )
    plain_text = models.TextField(
        _("plain text"), **OPTIONAL_TEXT, help_text=_("Made from the body when empty.")
    )
    link = models.CharField(
        _("link"),
        max_length=2000,
        **OPTIONAL_TEXT,
        help_text=_("Where a tap on the message leads."),
    )

    class Meta:
        abstract = True


class CampaignTemplate(Content):
    """A template as its author edits it; campaigns send versions of it."""

    name = models.CharField(_("name"), max_length=200)
    channel = models.CharField(_("channel"), max_length=20, choices=Channel, default=Channel.EMAIL)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)
    is_of_message = models.BooleanField(default=False, db_default=False, editable=False)
    """Whether the API made it from the message of a campaign, with which it goes."""

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["name"], name="template_name_unique")]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(Content):
    """A template as it was saved or sent, with snippets expanded and MJML compiled. Never changed."""

    template = models.ForeignKey(
        CampaignTemplate,
        models.CASCADE,
        related_name="versions",
        verbose_name=_("template"),
        db_index=False,
    )
    number = models.PositiveIntegerField(_("version"))
    html = models.TextField(_("compiled HTML"), **OPTIONAL_TEXT)
    text = models.TextField(_("compiled text"), **OPTIONAL_TEXT)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("template version")
        verbose_name_plural = _("template versions")
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_unique")
        ]

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"


class TrackedLink(models.Model):
    """A link of a version whose address is the same for all recipients; other links are stored with each message."""

    version = models.ForeignKey(
        TemplateVersion,
        models.CASCADE,
        related_name="links",
        verbose_name=_("version"),
        db_index=False,
    )
    position = models.PositiveIntegerField(_("position"), help_text=_("From 1, in reading order."))
    url = models.TextField(_("address"))

    class Meta:
        verbose_name = _("tracked link")
        verbose_name_plural = _("tracked links")
        constraints = [
            models.UniqueConstraint(
                fields=["version", "position"], name="tracked_link_position_unique"
            )
        ]

    def __str__(self) -> str:
        return self.url
