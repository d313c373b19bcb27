"""Messages of batches: who may get one and when, the queue, and the states; `batches` and `transitions` are entered by name."""

from marketing.messages.due import UNKNOWN_ZONE, quiet_windows, zones
from marketing.messages.eligibility import Policy, frequency_caps
from marketing.messages.plan import Limits, SendPlan
from marketing.messages.queue import PastMessage, Visit, add_past, enqueue, enqueue_visits
from marketing.messages.recipients import (
    ADDRESS_FIELDS,
    FENCE,
    Layer,
    Recipients,
    judged,
    why_skipped,
    with_due_times,
)
