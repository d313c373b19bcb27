"""Serializers of customers, products, orders and imports."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api import ids
from crm.api.fields import PublicId
from customers.ingest import DATES, DECIMAL_SIGNS, file_type, file_type_choices
from customers.models import (
    Customer,
    ImportJob,
    Order,
    OrderLine,
    Product,
    Segment,
    SegmentMembership,
)
from customers.segments import RuleError, explain


@extend_schema_field(OpenApiTypes.OBJECT)
class ObjectField(serializers.JSONField):
    """A free JSON object."""


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    id = PublicId("cus")
    tags = serializers.ListField(child=serializers.CharField(), read_only=True)
    attributes = ObjectField(read_only=True)
    opted_out_channels = serializers.ListField(child=serializers.CharField(), read_only=True)
    opted_out_topics = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="channel:topic"
    )

    class Meta:
        model = Customer
        fields: ClassVar[list[str]] = [
            "id", "external_id", "email", "phone", "first_name", "last_name", "date_of_birth", "city", "region",
            "country", "language", "timezone", "source", "lifecycle_status", "tags", "attributes", "registered_at",
            "opted_out_channels", "opted_out_topics", "paused_until", "total_spend", "order_count", "average_order_value", "visit_count",
            "first_order_at", "last_order_at", "last_visit_at", "last_interaction_at", "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields


NOTES_HELP = "What was left out of a row that was written: an external id that stands for none, or “same refund”."


class WrittenCustomerSerializer(CustomerSerializer):
    """A customer after a write."""

    opt_out_kept = serializers.BooleanField(
        read_only=True,
        help_text="The call restated an opt-in of a customer who opted out; the opt-out stays. New consent goes to …/consents.",
    )
    notes = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text=NOTES_HELP
    )

    class Meta(CustomerSerializer.Meta):
        fields: ClassVar[list[str]] = [*CustomerSerializer.Meta.fields, "opt_out_kept", "notes"]
        read_only_fields = fields


class CustomerInputSerializer(serializers.Serializer[Any]):
    """An upsert on external_id, else e-mail. Missing fields keep their value; attributes are merged."""

    external_id = serializers.CharField(required=False, max_length=200, help_text="Also: id.")
    email = serializers.EmailField(required=False)
    phone = serializers.CharField(required=False)
    name = serializers.CharField(required=False, help_text="Fills first_name and last_name.")
    first_name = serializers.CharField(required=False)
    last_name = serializers.CharField(required=False)
    date_of_birth = serializers.DateField(required=False)
    city = serializers.CharField(required=False)
    region = serializers.CharField(required=False)
    country = serializers.CharField(required=False, help_text="ISO alpha-2 or the English name.")
    language = serializers.CharField(required=False)
    timezone = serializers.CharField(required=False)
    source = serializers.CharField(required=False)  # type: ignore[assignment]
    lifecycle_status = serializers.ChoiceField(Customer.Lifecycle.choices, required=False)
    tags = serializers.ListField(child=serializers.CharField(), required=False)
    attributes = ObjectField(required=False)
    registered_at = serializers.DateTimeField(required=False)
    total_spend = serializers.DecimalField(
        14,
        2,
        required=False,
        help_text="Spend before orders were recorded here. Also: totalSpends.",
    )
    order_count = serializers.IntegerField(
        required=False, help_text="Orders before they were recorded here."
    )
    visit_count = serializers.IntegerField(required=False, help_text="Also: visits.")
    last_visit_at = serializers.DateTimeField(required=False, help_text="Also: lastVisit.")
    subscribed = serializers.BooleanField(required=False, help_text="Consent to e-mail.")
    consent = serializers.DictField(
        child=serializers.BooleanField(),
        required=False,
        help_text='By channel or channel:topic: {"email": true, "sms:offers": false}.',
    )


class CustomerBatchSerializer(serializers.Serializer[Any]):
    customers = CustomerInputSerializer(many=True)


class ItemErrorSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    message = serializers.CharField()


class IndexedErrorSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField(help_text="Of the item.")
    message = serializers.CharField()


class ItemResultSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    status = serializers.ChoiceField(["created", "updated", "unchanged", "failed"])
    id = serializers.CharField(required=False)
    opt_out_kept = serializers.BooleanField(
        required=False, help_text="An opt-in was restated; the customer's opt-out stays."
    )
    notes = serializers.ListField(
        child=serializers.CharField(), required=False, help_text=NOTES_HELP
    )
    errors = ItemErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class OutcomeSerializer(serializers.Serializer[Any]):
    """The answer to a token with the scope `ingest` alone."""

    id = serializers.CharField(required=False)
    status = serializers.CharField(help_text="created, updated or unchanged")


class BatchResultSerializer(serializers.Serializer[Any]):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    failed = serializers.IntegerField()
    results = ItemResultSerializer(many=True)


class TimelineEntrySerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    properties = ObjectField()


class CustomerSegmentSerializer(serializers.Serializer[Any]):
    id = PublicId("seg", source="segment_id")
    slug = serializers.CharField(source="segment.slug")
    name = serializers.CharField(source="segment.name")
    entered_at = serializers.DateTimeField()
    why = serializers.SerializerMethodField()

    @extend_schema_field({"type": "object", "additionalProperties": {}, "nullable": True})
    def get_why(self, membership: SegmentMembership) -> dict[str, Any] | None:
        """Return the result of each rule, in the shape of the rules; null for a static segment or invalid rules."""
        if membership.segment.kind == Segment.Kind.STATIC:
            return None
        try:
            return explain(membership.segment.rules, self.context["customer"]).as_json()
        except RuleError:
            return None


class ProductSerializer(serializers.ModelSerializer[Product]):
    id = PublicId("prd")
    attributes = ObjectField(required=False)

    class Meta:
        model = Product
        fields: ClassVar[list[str]] = [
            "id", "sku", "name", "department", "category", "brand", "price", "launch_date", "attributes", "created_at", "updated_at",
        ]  # fmt: skip
        extra_kwargs: ClassVar[dict[str, Any]] = {"sku": {"validators": []}}


class OrderLineSerializer(serializers.ModelSerializer[OrderLine]):
    sku = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField()

    class Meta:
        model = OrderLine
        fields: ClassVar[list[str]] = ["position", "sku", "name", "quantity", "amount", "discount"]

    def get_sku(self, line: OrderLine) -> str:
        return line.product.sku if line.product else ""

    def get_name(self, line: OrderLine) -> str:
        return line.name or (line.product.name if line.product else "")


class OrderSerializer(serializers.ModelSerializer[Order]):
    id = serializers.CharField(source="external_id")
    customer_id = PublicId("cus", source=None)
    refund_of = serializers.CharField(
        source="refunded_order", help_text="Id of the order that a refund takes back; else empty."
    )
    net = serializers.DecimalField(
        20,
        2,
        allow_null=True,
        read_only=True,
        help_text="Amount after refunds in the site's currency; null without an exchange rate, 0 for the refund of a known order.",
    )
    items = OrderLineSerializer(source="lines", many=True)

    class Meta:
        model = Order
        fields: ClassVar[list[str]] = [
            "id", "kind", "customer_id", "placed_at", "store", "currency", "amount", "discount", "refunded", "net", "refund_of",
            "attributes", "items",
        ]  # fmt: skip


class WrittenOrderSerializer(OrderSerializer):
    """An order or refund after a write."""

    notes = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text=NOTES_HELP
    )

    class Meta(OrderSerializer.Meta):
        fields: ClassVar[list[str]] = [*OrderSerializer.Meta.fields, "notes"]


class OrderItemInputSerializer(serializers.Serializer[Any]):
    """Also just a name."""

    product = serializers.CharField(required=False, help_text="SKU or name.")
    category = serializers.CharField(required=False)
    brand = serializers.CharField(required=False)
    quantity = serializers.DecimalField(14, 3, required=False)
    price = serializers.DecimalField(14, 2, required=False)


class OrderInputSerializer(serializers.Serializer[Any]):
    """An order, or a refund: a row with a negative amount, a `type` or `refund_of`. A `status` can also refund or cancel an order."""

    id = serializers.CharField(max_length=200, help_text="Unique in its store.")
    customer_id = serializers.CharField(
        required=False,
        help_text="Ours, the external id or the e-mail; a refund of a known order needs none. Also: customerId.",
    )
    amount = serializers.DecimalField(
        14, 2, required=False, help_text="Without it: the sum of the items; of a refund, all of it."
    )
    type = serializers.CharField(
        required=False, help_text="order, refund, cancellation or return, as shops write them."
    )
    refund_of = serializers.CharField(
        required=False, help_text="Id of the order that a refund takes back."
    )
    status = serializers.CharField(
        required=False,
        help_text="paid, refunded, cancelled, returned, …, as shops write them; one that is not known is refused.",
    )
    refunded = serializers.DecimalField(
        14, 2, required=False, help_text="What was refunded of the order so far."
    )
    refunded_at = serializers.DateTimeField(required=False)
    cancelled_at = serializers.DateTimeField(required=False)
    items = OrderItemInputSerializer(many=True, required=False)
    placed_at = serializers.DateTimeField(required=False)
    store = serializers.CharField(required=False, help_text="Also: source.")
    currency = serializers.CharField(
        required=False,
        help_text="ISO 4217; without it, the site's. Money without an exchange rate waits for one.",
    )
    discount = serializers.DecimalField(14, 2, required=False)
    attributes = ObjectField(required=False)
    create_missing = serializers.BooleanField(required=False)


class OrderBatchSerializer(serializers.Serializer[Any]):
    orders = OrderInputSerializer(many=True)
    create_missing = serializers.BooleanField(required=False)


class ImportSerializer(serializers.ModelSerializer[ImportJob]):
    id = PublicId("imp")
    mapping = ObjectField(read_only=True)
    reading = ObjectField(read_only=True)
    progress = serializers.FloatField(read_only=True, help_text="From 0 to 1, over all stages.")
    looks_like = serializers.SerializerMethodField(
        help_text="The product whose export the file looks like, or an empty text."
    )
    unread_cells = ObjectField(
        read_only=True, help_text="Field → cells that could not be read and became attributes."
    )
    rejected_url = serializers.SerializerMethodField(help_text="Rejected rows and unread cells.")
    is_previewed = serializers.BooleanField(
        read_only=True,
        help_text="Whether the figures are those of a preview; nothing was written yet.",
    )
    reasons = ObjectField(read_only=True, help_text="Reason → rejected rows.")

    class Meta:
        model = ImportJob
        fields: ClassVar[list[str]] = [
            "id", "kind", "name", "looks_like", "mapping", "reading", "create_missing", "store",
            "state", "is_previewed", "stage", "progress", "rows", "created", "updated", "unchanged", "rejected", "opt_outs_kept",
            "unread_cells",
            "reasons", "rejected_url", "error", "created_at", "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_looks_like(self, job: ImportJob) -> str:
        return file_type(job.kind).export_name(job.mapping)

    def get_rejected_url(self, job: ImportJob) -> str | None:
        return f"/api/imports/{ids.encode('imp', job.pk)}/rejected/" if job.rejected_file else None


class KindField(serializers.ChoiceField):
    """A file type; higher apps register more."""

    def __init__(self) -> None:
        super().__init__(file_type_choices())


class ImportInputSerializer(serializers.Serializer[Any]):
    kind = KindField()
    file = serializers.FileField()
    mapping = serializers.JSONField(
        required=False,
        help_text="Column → field, replacing guesses; an empty field ignores the column.",
    )
    create_missing = serializers.BooleanField(default=False)
    preview = serializers.BooleanField(
        default=False,
        help_text="Only count what the first rows would do, until POST /api/imports/{id}/start.",
    )
    store = serializers.CharField(
        default="", max_length=100, help_text="Store of orders whose row has none."
    )
    consent_values = serializers.JSONField(
        required=False,
        help_text="What cells of consent mean, where it is unclear: cell → opted_in, opted_out or nothing.",
    )
    ignore_consent = serializers.BooleanField(
        default=False, help_text="Unclear columns state nothing about consent."
    )
    consent_evidence = serializers.CharField(
        required=False,
        max_length=300,
        help_text="Import opt-ins without a date as a new consent: how it was given. Needs consent_given_at.",
    )
    consent_given_at = serializers.DateTimeField(
        required=False, help_text="When the new consent was given; later opt-outs stay."
    )
    encoding = serializers.CharField(required=False, help_text="Detected by default.")
    delimiter = serializers.CharField(
        required=False, trim_whitespace=False, help_text="Detected by default."
    )
    dates = serializers.ChoiceField(DATES, required=False, help_text="What 1/2/2025 means.")
    decimal_sign = serializers.ChoiceField(
        DECIMAL_SIGNS, required=False, help_text="Detected by default, for each column."
    )

    def validate_consent_values(self, values: Any) -> dict[str, str]:
        return self.validate_mapping(values)

    def validate_mapping(self, mapping: Any) -> dict[str, str]:
        if not isinstance(mapping, dict) or not all(
            isinstance(field, str) for field in mapping.values()
        ):
            raise serializers.ValidationError("Send an object of columns and fields.")
        return mapping
