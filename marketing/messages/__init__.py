"""Messages of batches: who may get one and when, the queue, and the states; `batches` and `transitions` are entered by name."""

from marketing.messages.due import UNKNOWN_ZONE, quiet_windows
from marketing.messages.eligibility import Policy, frequency_caps
from marketing.messages.plan import Limits, SendPlan
from marketing.messages.queue import PastMessage, add_past, enqueue
from marketing.messages.recipients import (
    ADDRESS_FIELDS,
    FENCE,
    Layer,
    Recipients,
    judged,
    with_due_times,
)
