"""The library that templates share: images and snippets."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.columns import OPTIONAL_TEXT


class Image(models.Model):
    """An uploaded image, re-encoded. `key` is a hash of its content, so that its address never shows anything else."""

    name = models.CharField(_("name"), max_length=200)
    alt = models.CharField(
        _("alternative text"),
        max_length=300,
        **OPTIONAL_TEXT,
        help_text=_(
            "Read out, and shown where images are off. Leave it empty for mere decoration."
        ),
    )
    key = models.CharField(max_length=40, editable=False)
    file = models.FileField(_("file"), upload_to="images/", max_length=200)
    width = models.PositiveIntegerField(_("width"), editable=False)
    height = models.PositiveIntegerField(_("height"), editable=False)
    size = models.PositiveIntegerField(_("size in bytes"), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("uploaded"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["key"], name="image_key_unique")]

    def __str__(self) -> str:
        return self.name

    @property
    def suffix(self) -> str:
        return str(self.file.name).rpartition(".")[2]

    @property
    def path(self) -> str:
        return reverse("image", args=[self.key, self.suffix])

    @property
    def url(self) -> str:
        """Return its public address, which works as long as the image exists."""
        return settings.SITE_URL + self.path


class Snippet(models.Model):
    """A part of templates, rendered by {% render 'name' %}; sent versions keep the text of their time."""

    name = models.CharField(
        _("name"),
        max_length=100,
        validators=[
            RegexValidator(
                r"^[a-z0-9]+(?:[-_][a-z0-9]+)*\Z",
                _("Small letters and digits, with - or _ between them: footer, legal-notice."),
            )
        ],
    )
    description = models.CharField(_("description"), max_length=300, **OPTIONAL_TEXT)
    body = models.TextField(_("body"), help_text=_("With Liquid, in the format of the templates."))
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("snippet")
        verbose_name_plural = _("snippets")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["name"],
                name="snippet_name_unique",
                violation_error_message=_("There is a snippet of this name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name
