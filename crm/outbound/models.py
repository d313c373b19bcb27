"""The log of outgoing calls."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ExternalServiceLog(models.Model):
    """One outgoing call, without secrets and paths; bodies only with OUTBOUND_LOG_BODIES."""

    at = models.DateTimeField(_("when"))
    service = models.CharField(_("service"), max_length=50)
    account = models.CharField(
        _("account"),
        max_length=50,
        blank=True,
        help_text=_("The id of the sender or of the webhook endpoint."),
    )
    method = models.CharField(_("method"), max_length=10)
    target = models.CharField(_("target"), max_length=1000)
    ms = models.PositiveIntegerField(_("milliseconds"))
    status = models.PositiveSmallIntegerField(
        _("status"), null=True, help_text=_("Empty without a response.")
    )
    size = models.PositiveIntegerField(_("response size (bytes)"), default=0)
    error = models.CharField(_("error"), max_length=1000, blank=True)
    request_body = models.TextField(_("request body"), blank=True)
    response_body = models.TextField(_("response body"), blank=True)

    class Meta:
        verbose_name = _("outgoing call")
        verbose_name_plural = _("outgoing calls")
        indexes = [
            # the list, newest first; and retention
            models.Index(fields=["-at"], name="outgoing_newest"),
            # the last errors of one account, on its page
            models.Index(
                fields=["account", "-at"], name="outgoing_errors", condition=models.Q(error__gt="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.target}"
