"""Customers, and every id that leads to one."""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from crm import masking
from crm.columns import OPTIONAL_TEXT
from customers.querysets import CustomerQuerySet

ZERO = Decimal(0)


class Customer(masking.Personal):
    """One person, with totals of their behaviour for fast rules.

    Totals are opening figures of another system plus rows recorded here:
    `total_spend = opening_spend + sum(orders.amount)`, and so for order_count and visit_count. customers.customer_totals keeps
    them right and can rebuild them.
    """

    personal = {
        "external_id": masking.identifier,
        "email": masking.address,
        "phone": masking.address,
        "push_address": masking.text,
        "first_name": masking.name,
        "last_name": masking.name,
        "date_of_birth": masking.nothing,
        "attributes": masking.payload,
    }

    class Lifecycle(models.TextChoices):
        LEAD = "lead", _("Lead")
        ACTIVE = "active", _("Active")
        INACTIVE = "inactive", _("Inactive")
        CHURNED = "churned", _("Churned")

    external_id = models.CharField(_("external id"), max_length=200, null=True, blank=True)  # noqa: DJ001
    email = models.CharField(_("e-mail"), max_length=320, null=True, blank=True)  # noqa: DJ001
    phone = models.CharField(
        _("phone"), max_length=32, **OPTIONAL_TEXT, help_text=_("In E.164: +4930123456.")
    )
    push_address = models.CharField(
        _("push address"),
        max_length=50,
        editable=False,
        **OPTIONAL_TEXT,
        help_text=_("Copied from the newest push subscription."),
    )
    first_name = models.CharField(_("first name"), max_length=200, **OPTIONAL_TEXT)
    last_name = models.CharField(_("last name"), max_length=200, **OPTIONAL_TEXT)
    date_of_birth = models.DateField(_("date of birth"), null=True, blank=True)
    city = models.CharField(_("city"), max_length=200, **OPTIONAL_TEXT)
    region = models.CharField(_("region"), max_length=200, **OPTIONAL_TEXT)
    country = models.CharField(
        _("country"), max_length=2, **OPTIONAL_TEXT, help_text=_("ISO 3166-1 alpha-2.")
    )
    language = models.CharField(_("language"), max_length=20, **OPTIONAL_TEXT)
    timezone = models.CharField(_("time zone"), max_length=64, **OPTIONAL_TEXT)
    source = models.CharField(_("source"), max_length=100, **OPTIONAL_TEXT)
    lifecycle_status = models.CharField(
        _("lifecycle status"),
        max_length=20,
        choices=Lifecycle,
        default=Lifecycle.LEAD,
        db_default=Lifecycle.LEAD,
    )
    tags = ArrayField(
        models.CharField(max_length=100),
        verbose_name=_("tags"),
        blank=True,
        default=list,
        db_default=[],
    )
    attributes = models.JSONField(_("attributes"), blank=True, default=dict, db_default={})
    registered_at = models.DateTimeField(_("registered"), null=True, blank=True)

    opted_out_channels = ArrayField(
        models.CharField(max_length=20),
        verbose_name=_("opted out of"),
        blank=True,
        default=list,
        db_default=[],
        editable=False,
        help_text=_("Copied from the newest consent of each channel."),
    )
    opted_out_topics = ArrayField(
        models.CharField(max_length=121),
        verbose_name=_("opted out of topics"),
        blank=True,
        default=list,
        db_default=[],
        editable=False,
        help_text=_("channel:topic, copied from the newest consent of each."),
    )
    paused_until = models.DateTimeField(
        _("paused until"), null=True, editable=False, help_text=_("Copied from the newest pause.")
    )
    from_browser = models.BooleanField(
        _("known from browsers alone"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_("No server, file or user has sent this customer yet."),
    )
    erased_at = models.DateTimeField(_("erased"), null=True, editable=False)

    opening_spend = models.DecimalField(
        max_digits=14, decimal_places=2, default=ZERO, db_default=ZERO, editable=False
    )
    opening_orders = models.IntegerField(default=0, db_default=0, editable=False)
    opening_visits = models.IntegerField(default=0, db_default=0, editable=False)
    total_spend = models.DecimalField(
        _("total spend"),
        max_digits=14,
        decimal_places=2,
        default=ZERO,
        db_default=ZERO,
        editable=False,
    )
    order_count = models.IntegerField(_("orders"), default=0, db_default=0, editable=False)
    average_order_value = models.DecimalField(
        _("average order value"), max_digits=14, decimal_places=2, null=True, editable=False
    )
    visit_count = models.IntegerField(_("visits"), default=0, db_default=0, editable=False)
    first_order_at = models.DateTimeField(_("first order"), null=True, editable=False)
    last_order_at = models.DateTimeField(_("last order"), null=True, editable=False)
    last_visit_at = models.DateTimeField(_("last visit"), null=True, editable=False)
    last_interaction_at = models.DateTimeField(_("last interaction"), null=True, editable=False)

    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), db_default=Now(), editable=False)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [
            ("see_personal_data", _("Can see names, addresses and other personal data")),
            ("export_personal_data", _("Can export all personal data of a customer")),
            ("erase_customer", _("Can erase a customer")),
            ("merge_customer", _("Can merge customers and undo merges")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["external_id"], name="customer_external_id_unique"),
            models.UniqueConstraint(
                Lower("email"),
                name="customer_email_unique",
                violation_error_message=_("Another customer has this e-mail address."),
            ),
            models.CheckConstraint(
                condition=~models.Q(external_id="") & ~models.Q(email=""),
                name="customer_absent_ids_are_null",
            ),
        ]
        indexes = [
            # admin list: newest first
            models.Index(fields=["-registered_at", "-id"], name="customer_newest"),
            # rules and lists on value
            models.Index(fields=["total_spend"], name="customer_total_spend"),
            # rules on recency; refresh by time
            models.Index(fields=["last_order_at"], name="customer_last_order"),
            GinIndex(fields=["tags"], name="customer_tags"),
            # lists and rules on place
            models.Index(Lower("city"), name="customer_city_folded"),
            # identity.mark_known: those of written customers that browsers created
            models.Index(
                fields=["id"], condition=models.Q(from_browser=True), name="customer_from_browser"
            ),
            # search: beginnings of phones, and of words
            models.Index(OpClass("phone", "varchar_pattern_ops"), name="customer_phone_begins"),
            *(
                models.Index(
                    OpClass(Lower(field), "text_pattern_ops"), name=f"customer_{field}_begins"
                )
                for field in ("email", "external_id", "first_name", "last_name")
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.external_id or f"#{self.pk}"

    @property
    def name(self) -> str:
        return full_name(self.first_name, self.last_name)


def full_name(first_name: str, last_name: str) -> str:
    return f"{first_name} {last_name}".strip()


class Identity(masking.Personal):
    """An id that leads to a customer; a merge moves it, so that old ids still find the person."""

    personal = {"value": masking.address}

    class Kind(models.TextChoices):
        EXTERNAL_ID = "external_id", _("External id")
        EMAIL = "email", _("E-mail")
        PHONE = "phone", _("Phone")
        DEVICE = "device", _("Device")
        ANONYMOUS = "anonymous", _("Anonymous id")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="identities")
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    value = models.CharField(
        _("value"), max_length=320, help_text=_("Normalised: e-mail in lower case, phone in E.164.")
    )
    created_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value"],
                condition=~models.Q(kind="phone"),
                name="identity_unique",
            ),
            # A household shares a phone: the number identifies, but not one person alone.
            models.UniqueConstraint(
                fields=["customer", "kind", "value"], name="identity_once_a_customer"
            ),
        ]
        indexes = [
            # who has a phone: identity_unique leaves phones out
            models.Index(fields=["value"], name="identity_phone", condition=models.Q(kind="phone")),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"
