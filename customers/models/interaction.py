"""The timeline: everything that happened to customers."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.events.columns import CurrentTransactionId, TransactionIdField
from customers.models.customer import Customer

COUNTED = (
    *("amount", "currency", "quantity", "revenue", "order", "products", "categories", "category"),
    *("run", "channel", "variant", "first", "simulated", "machine", "type", "satisfaction"),
)
"""Properties that are counted and identify nobody: neither masked nor deleted."""


class Interaction(masking.Personal):
    """One append-only row of the timeline (customers.timeline).

    `campaign_id` and `execution_id` point upward, so they are plain numbers. Nothing points at these rows: they can be
    partitioned by month.
    """

    personal = {"properties": masking.payload_but(*COUNTED)}

    customer = models.ForeignKey(
        Customer,
        models.CASCADE,
        related_name="interactions",
        verbose_name=_("customer"),
        db_index=False,
    )
    type = models.CharField(_("type"), max_length=100)
    occurred_at = models.DateTimeField(_("when"))
    properties = models.JSONField(_("properties"), default=dict, db_default={})
    campaign_id = models.BigIntegerField(_("campaign"), null=True)
    execution_id = models.BigIntegerField(_("message"), null=True)
    transaction = TransactionIdField(db_default=CurrentTransactionId())

    class Meta:
        verbose_name = _("interaction")
        verbose_name_plural = _("interactions")
        indexes = [
            # the timeline of a person, newest first
            models.Index(fields=["customer", "-occurred_at"], name="interaction_timeline"),
            # recent events of a type: behaviour rules, and which types there are
            models.Index(
                fields=["type", "occurred_at"], include=["customer"], name="interaction_type_time"
            ),
            # crm.events.feeds: the next final rows after a cursor
            models.Index(fields=["transaction", "id"], name="interaction_reading"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.occurred_at:%Y-%m-%d %H:%M}"
