"""The post of a social campaign: one for each run, without a recipient."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from marketing.models.campaign import CampaignRun


class RunPost(models.Model):
    """The attempts and the result of a run's post. It is no CampaignExecution, as it has no recipient, and no figure counts it."""

    run = models.OneToOneField(
        CampaignRun, models.CASCADE, primary_key=True, related_name="post", verbose_name=_("run")
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, db_default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), db_default=Now())
    posted_at = models.DateTimeField(_("posted"), null=True)
    provider_id = models.CharField(
        _("provider's id"), max_length=255, blank=True, default="", db_default=""
    )
    url = models.URLField(_("address"), max_length=2000, blank=True, default="", db_default="")
    error = models.TextField(_("error"), blank=True, default="", db_default="")

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")

    def __str__(self) -> str:
        return self.url or f"{self.run}"
