"""A post on a social account: one for the whole run, to nobody in particular."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from marketing.models.campaign import CampaignRun


class RunPost(models.Model):
    """What came of the one post of a run. It has no recipient, so it is no CampaignExecution, and no figure counts it as one."""

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
