"""Calls of the Segment spec: read, received once, and recorded as what their customer did."""

from customers.tracking_api.body import LARGEST_BODY, BodyTooLarge, read_body
from customers.tracking_api.calls import (
    Call,
    CallType,
    PlaceholderId,
    read_call,
    read_sent_at,
)
from customers.tracking_api.keys import (
    fill_key,
    find_key,
    is_signed,
    issue_key,
    make_browser_keys,
    note_trust,
    revoke_keys,
    secret_of,
    speaks_for,
)
from customers.tracking_api.receive import receive_calls, refuse_call
from customers.tracking_api.traits import Ignored
