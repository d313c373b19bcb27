from customers.models.collect import ReceivedMessage, RefusedId, WaitingMessage, WriteKey
from customers.models.commerce import ExchangeRate, Order, OrderLine, Product
from customers.models.consent import AddressOptOut, Consent, Pause, Suppression, Topic
from customers.models.customer import Customer, Identity
from customers.models.interaction import Interaction
from customers.models.jobs import BulkJob, ImportJob
from customers.models.merge import LikelyDuplicate, Merge
from customers.models.privacy import ErasedAddress, ErasureKey, ErasureReceipt
from customers.models.profile import CustomerInterest, CustomerProfile
from customers.models.push import PushSubscription
from customers.models.segment import Segment, SegmentMembership, SegmentSize, SegmentTrigger
from customers.models.service import ServiceInteraction
from customers.models.visit import Visit
