"""A message rendered for everybody before the first one leaves."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from customers.models import Customer


class Preflight(models.Model):
    """One check of a campaign's content against its whole audience: how far it is, and for how many the message fails."""

    class State(models.TextChoices):
        RUNNING = "running", _("Rendering")
        FINISHED = "finished", _("Finished")
        STOPPED = "stopped", _("Stopped")

    campaign = models.ForeignKey(
        "marketing.Campaign",
        models.CASCADE,
        related_name="preflights",
        verbose_name=_("campaign"),
    )
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.RUNNING)
    content = models.CharField(
        max_length=64, help_text="The SHA-256 of what was rendered, to tell when it has changed."
    )
    last_customer_id = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField(_("people"), default=0)
    done = models.PositiveIntegerField(_("rendered"), default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)
    error = models.TextField(_("error"), blank=True, default="", db_default="")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("started"), db_default=Now(), editable=False)
    worked_at = models.DateTimeField(null=True, help_text="When a worker last did some of it.")
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("preflight")
        verbose_name_plural = _("preflights")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign"],
                condition=models.Q(state="running"),
                name="preflight_one_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.campaign_id} {self.state}"


class PreflightFailure(masking.Personal):
    """Somebody for whom the message cannot be rendered, and why."""

    personal = {"error": masking.prose}

    preflight = models.ForeignKey(
        Preflight,
        models.CASCADE,
        related_name="failures",
        verbose_name=_("preflight"),
        db_index=False,
    )
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="+", verbose_name=_("customer")
    )
    variant = models.CharField(_("variant"), max_length=100, blank=True, default="", db_default="")
    error = models.TextField(_("error"))

    class Meta:
        verbose_name = _("failure of a preflight")
        verbose_name_plural = _("failures of preflights")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["preflight", "customer", "variant"], name="preflight_failure_once"
            )
        ]

    def __str__(self) -> str:
        return self.error
