from customers.models.collect import ReceivedMessage, WaitingMessage, WriteKey
from customers.models.commerce import Order, OrderLine, Product
from customers.models.consent import Consent, Suppression
from customers.models.customer import Customer, Identity
from customers.models.import_job import ImportJob
from customers.models.interaction import Interaction
from customers.models.merge import LikelyDuplicate, Merge
from customers.models.profile import CustomerInterest, CustomerProfile
from customers.models.segment import Segment, SegmentMembership, SegmentTrigger

__all__ = [
    "Consent",
    "Customer",
    "CustomerInterest",
    "CustomerProfile",
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
    "SegmentTrigger",
    "Suppression",
    "WaitingMessage",
    "WriteKey",
]
