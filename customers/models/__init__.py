from customers.models.commerce import Order, OrderLine, Product
from customers.models.consent import Consent, Suppression
from customers.models.customer import Customer, Identity
from customers.models.import_job import ImportJob
from customers.models.interaction import Interaction
from customers.models.segment import Segment, SegmentMembership

__all__ = [
    "Consent",
    "Customer",
    "Identity",
    "ImportJob",
    "Interaction",
    "Order",
    "OrderLine",
    "Product",
    "Segment",
    "SegmentMembership",
    "Suppression",
]
