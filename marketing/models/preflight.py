"""Preflights: a campaign's message rendered for all recipients before sending."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from crm.jobs import Job
from customers.models import Customer


class Preflight(Job):
    """One check of a campaign's content against its whole audience: `done`, `total` and `failed` count customers."""

    class State(models.TextChoices):
        RUNNING = "running", _("Rendering")
        FINISHED = "finished", _("Finished")
        STOPPED = "stopped", _("Stopped")

    ended_early = State.STOPPED

    campaign = models.ForeignKey(
        "marketing.Campaign",
        models.CASCADE,
        related_name="preflights",
        verbose_name=_("campaign"),
    )
    state = models.CharField(
        _("state"), max_length=10, choices=State, default=State.RUNNING, editable=False
    )
    content = models.CharField(
        max_length=64, help_text="The SHA-256 of the rendered content, to tell when it has changed."
    )
    last_customer_id = models.BigIntegerField(default=0)
    failed = models.PositiveIntegerField(_("failed"), default=0)

    class Meta(Job.Meta):
        verbose_name = _("preflight")
        verbose_name_plural = _("preflights")
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
    """A customer whose message cannot be rendered, and the error."""

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
    variant = models.CharField(_("variant"), max_length=100, **OPTIONAL_TEXT)
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
