"""A piece of content that many templates share: a footer, a greeting, a legal notice."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


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
    description = models.CharField(
        _("description"), max_length=300, blank=True, default="", db_default=""
    )
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
