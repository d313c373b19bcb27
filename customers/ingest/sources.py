"""The kinds of files that tell of customers and what they do."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from customers.ingest import fields, interests, service, visits
from customers.ingest.file_types import Kind, register
from customers.ingest.load import by_batches, load_orders
from customers.ingest.products import upsert_products
from customers.ingest.upsert import complete_customer, upsert_customers

register(
    Kind(
        "customers",
        _("Customers"),
        fields.CUSTOMER,
        (("external_id", "email"),),
        by_batches(
            complete_customer, lambda rows, source: upsert_customers(rows, evidence=source.evidence)
        ),
        "admin:customers_customer_changelist",
    )
)
register(
    Kind(
        "products",
        _("Products"),
        fields.PRODUCT,
        (("sku",),),
        by_batches(lambda row: row, lambda rows, source: upsert_products(rows)),
        "admin:customers_product_changelist",
    )
)
register(
    Kind(
        "orders",
        _("Orders (one line an order line)"),
        fields.ORDER,
        (("order_id",), ("customer_id",), ("placed_at",), ("amount", "order_amount")),
        load_orders,
        "admin:customers_order_changelist",
    )
)
register(
    Kind(
        "service_interactions",
        _("Service interactions"),
        fields.SERVICE,
        (("customer_id",), ("occurred_at",)),
        by_batches(service.complete_service, lambda rows, source: service.record_service(rows)),
        "admin:customers_serviceinteraction_changelist",
    )
)
register(
    Kind(
        "visits",
        _("Site visits"),
        fields.VISIT,
        (("customer_id",), ("occurred_at",)),
        by_batches(visits.complete_visit, lambda rows, source: visits.record_visits(rows)),
        "admin:customers_visit_changelist",
    )
)
register(
    Kind(
        "interests",
        _("Interests"),
        fields.INTEREST,
        (("customer_id",), ("category",)),
        by_batches(
            interests.complete_interest, lambda rows, source: interests.record_interests(rows)
        ),
        "admin:customers_customerinterest_changelist",
        takes_attributes=False,
    )
)
