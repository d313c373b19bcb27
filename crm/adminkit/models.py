"""Saved views of lists."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class SavedView(models.Model):
    """Filters, order and columns of a list under a name, private or shared."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="saved_views",
        verbose_name=_("user"),
        db_index=False,
    )
    model = models.CharField(
        _("list"), max_length=100, help_text=_("The model of the list: customers.customer")
    )
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("query string"), max_length=2000, blank=True)
    is_shared = models.BooleanField(_("shared"), default=False, db_default=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "pk"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "model", "name"], name="saved_view_name_unique")
        ]
        indexes = [
            # the views above a list
            models.Index(fields=["model", "name"], name="saved_view_of_list")
        ]

    def __str__(self) -> str:
        return self.name
