from customers.models.collect import ReceivedMessage, WaitingMessage, WriteKey
from customers.models.commerce import Order, OrderLine, Product
from customers.models.consent import Consent, Suppression
from customers.models.customer import Customer, Identity
from customers.models.import_job import ImportJob
from customers.models.interaction import Interaction
from customers.models.merge import LikelyDuplicate, Merge
from customers.models.segment import Segment, SegmentMembership

__all__ = [
    "Consent",
    "Customer",
    "Identity",
    "ImportJob",
    "Interaction",
    "LikelyDuplicate",
    "Merge",
    "Order",
    "OrderLine",
    "Product",
    "ReceivedMessage",
    "Segment",
    "SegmentMembership",
    "Suppression",
    "WaitingMessage",
    "WriteKey",
]
